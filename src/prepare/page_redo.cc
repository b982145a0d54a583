#include "page_redo.h"

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/redo/page_applier.h"

namespace hbk::prepare {
namespace {

constexpr size_t kPrefetchedItems = 4;

Status CheckIdentity(ByteView frame, innodb::PageId page) {
  if (innodb::PageNumber(frame) == page.page && innodb::PageSpaceId(frame) == page.space) {
    return OkStatus();
  }
  return CorruptionError(fmt::format("the redo of page {} finds page {}:{}", ToString(page),
                                     innodb::PageSpaceId(frame), innodb::PageNumber(frame)));
}

}  // namespace

Result<PageChange> ApplyPageRedo(const PageRedo& redo, MutableByteView frame, bool is_zip,
                                 innodb::Lsn log_start) {
  const innodb::Lsn page_lsn = redo.is_rebuilt_here ? 0 : innodb::PageLsn(frame);
  PageChange change;
  innodb::Lsn last_skipped_end = 0;
  innodb::Lsn end_lsn = 0;
  for (size_t i = 0; i < redo.items.size(); ++i) {
    // They lie all over the partition, so each one would have to be waited for.
    if (i + kPrefetchedItems < redo.items.size()) redo.Prefetch(redo.items[i + kPrefetchedItems]);
    const PageRedo::Item& item = redo.items[i];
    const RedoEntryHeader header = redo.Header(item);
    if (header.start_lsn < page_lsn) {
      last_skipped_end = header.end_lsn();
      continue;
    }
    if (end_lsn == 0) {
      if (header.is_rebuild == 0) HBK_RETURN_IF_ERROR(CheckIdentity(frame, redo.page));
      change.has_foreign_lsn = page_lsn > log_start && last_skipped_end != page_lsn;
    }
    end_lsn = header.end_lsn();
    const auto applied = redo::ApplyRecords(redo.Records(item), frame, redo.page, is_zip);
    if (!applied.ok()) {
      return applied.status().WithContext(fmt::format("redo at LSN {}", header.start_lsn));
    }
    change.is_changed = *applied;
  }
  if (change.is_changed) StoreBe64(frame, innodb::kFilLsn, end_lsn);
  return change;
}

}  // namespace hbk::prepare

#include "changed_pages.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/redo/log_decoder.h"
#include "hbk/redo/mini_transaction.h"

#include "redo_ring.h"

namespace hbk::backup {
namespace {

using redo::RecordKind;

constexpr size_t kWindowBytes = 4 << 20;
// As the server may write beyond its LSN.
constexpr uint64_t kWriteAheadMax = 16384;
// Page numbers in memory. Who changes more than that between two increments reads most files
// anyway.
constexpr size_t kPagesMax = 16 << 20;

Status Gone(const ChangedPagesScan& scan, Lsn now, uint64_t capacity) {
  return {StatusCode::kRedoOverrun,
          fmt::format("the redo log holds {} bytes, and the base ended {} bytes ago", capacity,
                      now - std::min(now, scan.from))};
}

class PageCollector {
 public:
  explicit PageCollector(ChangedPages& changed) : changed_(changed) {}

  Status Add(const redo::MiniTransaction& mtr) {
    redo::RecordReader reader(mtr.body);
    redo::RedoRecord record;
    for (;;) {
      HBK_ASSIGN_OR_RETURN(const bool more, reader.Next(record));
      if (!more) return OkStatus();
      if (record.is_same_page) continue;
      switch (record.kind) {
        case RecordKind::kFileModify:
        case RecordKind::kFileCheckpoint: break;
        case RecordKind::kFileCreate:
        case RecordKind::kFileDelete:
        case RecordKind::kFileRename: changed_.remade.insert(record.page.space); break;
        default: HBK_RETURN_IF_ERROR(AddPage(record.page));
      }
    }
  }

  void Sort() {
    count_ = 0;
    for (auto& [space, pages] : changed_.pages) {
      std::sort(pages.begin(), pages.end());
      pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
      count_ += pages.size();
    }
  }

 private:
  Status AddPage(innodb::PageId page) {
    std::vector<PageNo>& pages = changed_.pages[page.space];
    if (!pages.empty() && pages.back() == page.page) return OkStatus();
    pages.push_back(page.page);
    if (++count_ < kPagesMax) return OkStatus();
    Sort();
    if (count_ < kPagesMax / 2) return OkStatus();
    return UnsupportedError("too many pages have changed since the base");
  }

  ChangedPages& changed_;
  size_t count_ = 0;
};

}  // namespace

Result<ChangedPages> ScanChangedPages(io::FileSystem& fs, const ChangedPagesScan& scan,
                                      const std::stop_token& stop) {
  ChangedPages changed{.to = scan.to, .pages = {}, .remade = {}};
  if (scan.from >= scan.to) return changed;
  HBK_ASSIGN_OR_RETURN(const auto ring, RedoRing::Open(fs, scan.log_path));
  redo::LogHead head = ring->head();
  if (head.header.is_encrypted) return UnsupportedError("the redo log is encrypted");
  const redo::LogGeometry& geometry = ring->geometry();
  if (scan.from < geometry.first_lsn() || scan.to - scan.from > geometry.capacity())
    return Gone(scan, scan.to, geometry.capacity());
  head.checkpoint = {.checkpoint_lsn = scan.from, .end_lsn = 0};
  const auto decoder = redo::LogDecoder::Create(head, geometry, std::nullopt);
  decoder->Seek(scan.from);
  PageCollector collector(changed);
  const auto window_bytes =
      static_cast<size_t>(std::min<uint64_t>(kWindowBytes, geometry.capacity()));
  AlignedBuffer buffer(window_bytes + RedoRing::kSlackBytes);
  while (decoder->position() < scan.to) {
    if (stop.stop_requested()) return InterruptedError();
    const Lsn begin = decoder->window_lsn();
    const Lsn position = decoder->position();
    HBK_ASSIGN_OR_RETURN(const RingBytes read, ring->Read(begin, window_bytes, buffer));
    std::string_view end_reason = "a mini-transaction is not whole";
    while (decoder->position() < scan.to) {
      const auto done = static_cast<size_t>(decoder->window_lsn() - begin);
      redo::MiniTransaction mtr;
      HBK_ASSIGN_OR_RETURN(const redo::MtrOutcome outcome,
                           decoder->Next(read.bytes.subspan(done), mtr));
      if (outcome == redo::MtrOutcome::kEndOfLog) end_reason = decoder->end_reason();
      if (outcome != redo::MtrOutcome::kWhole) break;
      HBK_RETURN_IF_ERROR(collector.Add(mtr));
    }
    if (decoder->position() == position && decoder->window_lsn() == begin) {
      return CorruptionError(
          fmt::format("the redo log does not go on at LSN {}: {}", position, end_reason));
    }
  }
  if (decoder->position() != scan.to)
    return CorruptionError(fmt::format("nothing in the redo log ends at LSN {}", scan.to));
  HBK_ASSIGN_OR_RETURN(const Lsn now, scan.read_lsn());
  if (now - std::min(now, scan.from) + kWriteAheadMax > geometry.capacity())
    return Gone(scan, now, geometry.capacity());
  collector.Sort();
  return changed;
}

}  // namespace hbk::backup

#include "delta_check.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/delta/delta_file.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_image.h"

namespace hbk::verify {

void DeltaCheck::Add(std::string what, std::optional<uint64_t> page, std::optional<uint64_t> offset,
                     std::string expected, std::string found) {
  context_.findings.Add({.kind = page ? FindingKind::kPage : FindingKind::kDelta,
                         .backup_dir = facts_.dir,
                         .file = file_.name + std::string(delta::kDeltaSuffix),
                         .what = std::move(what),
                         .page = page,
                         .offset = offset,
                         .expected = std::move(expected),
                         .found = std::move(found)});
}

Status DeltaCheck::Check(uint64_t /*offset*/, ByteView /*bytes*/, CheckScratch& /*scratch*/) {
  return OkStatus();
}

void DeltaCheck::CheckPages(uint32_t first_page, ByteView pages, uint64_t offset) {
  const auto flags = innodb::TablespaceFlags::Decode(file_.space->flags);
  if (!flags.ok()) return;
  const size_t page_bytes = flags->physical_size();
  if (page_bytes != file_.space->page_size) return;
  const bool is_system = file_.kind == datadir::FileKindName(datadir::FileKind::kSystemTablespace);
  for (size_t index = 0; index + page_bytes <= pages.size(); index += page_bytes) {
    const ByteView page = pages.subspan(index, page_bytes);
    innodb::PageId id{.space = file_.space->space_id,
                      .page = first_page + static_cast<innodb::PageNo>(index / page_bytes)};
    ++context_.counts.pages;
    // Of a second file of the system tablespace the place is not the number, and how long the
    // files before it are is not in the increment.
    const bool is_moved = is_system && file_.name != facts_.system_files.front();
    if (is_moved && !IsAllZero(page)) id.page = innodb::PageNumber(page);
    const innodb::PageVerdict verdict = innodb::CheckImage(page, *flags, id);
    if (verdict == innodb::PageVerdict::kZero) continue;
    if (facts_.damaged.Contains(id)) {
      ++context_.counts.listed_pages;
      continue;
    }
    if (verdict != innodb::PageVerdict::kGood) {
      Add(std::string(innodb::PageVerdictName(verdict)), id.page, offset, "a whole page",
          innodb::DescribeDamage(page, *flags, id));
      continue;
    }
    const innodb::Lsn lsn = innodb::PageLsn(page);
    if (lsn == 0) ++context_.counts.imported_pages;
    if (lsn <= facts_.lsn_max) continue;
    Add("newer than the end of the increment", id.page, offset,
        fmt::format("at most LSN {}", facts_.lsn_max), fmt::format("LSN {}", lsn));
  }
}

Status DeltaCheck::Finish(bool is_whole, CheckScratch& /*scratch*/) {
  if (!is_whole) return OkStatus();
  const std::string path = facts_.Path(file_.name + std::string(delta::kDeltaSuffix));
  const auto note = [&](const Status& status) {
    if (status.code() == StatusCode::kInterrupted) return status;
    Add(status.message());
    return OkStatus();
  };
  const auto reader = delta::DeltaReader::Open(context_.fs, path);
  if (!reader.ok()) return note(reader.status());
  const delta::DeltaHeader& header = (*reader)->header();
  if (file_.space &&
      (header.space_id != file_.space->space_id || header.page_size != file_.space->page_size)) {
    Add("it is of another tablespace", std::nullopt, std::nullopt,
        fmt::format("space id {}, pages of {} bytes", file_.space->space_id,
                    file_.space->page_size),
        fmt::format("space id {}, pages of {} bytes", header.space_id, header.page_size));
    return OkStatus();
  }
  const auto runs = (*reader)->ReadIndex(context_.stop);
  if (!runs.ok()) return note(runs.status());
  if (!file_.space) return OkStatus();
  AlignedBuffer buffer(delta::kRunBytesMax + innodb::kPageSizeMax);
  for (const delta::DeltaRun& run : *runs) {
    if (context_.stop.stop_requested()) return InterruptedError();
    const MutableByteView pages = buffer.view().first(run.byte_count);
    const Status read = (*reader)->ReadRun(run, pages);
    if (!read.ok()) {
      HBK_RETURN_IF_ERROR(note(read));
      continue;
    }
    // A single page whose end is zeros.
    const uint64_t whole = uint64_t{run.page_count} * header.page_size;
    const auto whole_bytes = static_cast<size_t>(std::max<uint64_t>(whole, run.byte_count));
    if (whole_bytes > buffer.size()) continue;
    std::fill(buffer.data() + run.byte_count, buffer.data() + whole_bytes, uint8_t{0});
    CheckPages(run.first_page, ByteView(buffer.view()).first(whole_bytes), run.offset);
  }
  return OkStatus();
}

}  // namespace hbk::verify

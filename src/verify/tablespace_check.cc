#include "tablespace_check.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_image.h"
#include "hbk/innodb/xdes.h"

namespace hbk::verify {
namespace {

using datadir::FileKind;
using innodb::PageId;
using innodb::PageNo;
using innodb::PageVerdict;

constexpr innodb::PageNo kInodePageNo = 2;
constexpr uint16_t kPageBitmap = 5;
constexpr uint64_t kScanBytes = 1 << 20;
// A length that the server rounds down to.
constexpr uint64_t kLengthUnit = 4096;
constexpr innodb::PageNo kNoPage = 0xFFFFFFFF;

std::string Lsn(innodb::Lsn lsn) {
  return fmt::format("LSN {}", lsn);
}

// The type is readable: the page is not compressed in a way that hides it.
bool HasPlainType(ByteView page, const innodb::TablespaceFlags& flags) {
  if (flags.is_full_crc32()) return !innodb::IsFullCrc32Compressed(page);
  return !innodb::IsOldCompressedType(LoadBe16(page, innodb::kFilType));
}

}  // namespace

Result<std::unique_ptr<ContentCheck>> TablespaceCheck::Make(const BackupFacts& facts,
                                                            const std::string& name, FileKind kind,
                                                            io::File& file, uint64_t file_size,
                                                            const manifest::SpaceFacts* listed,
                                                            CheckContext& context) {
  std::unique_ptr<TablespaceCheck> check(
      new TablespaceCheck(facts, name, file, file_size, context));
  HBK_RETURN_IF_ERROR(check->Open(kind, listed));
  return std::unique_ptr<ContentCheck>(std::move(check));
}

void TablespaceCheck::Add(FindingKind kind, std::string what, std::optional<uint64_t> page,
                          std::optional<uint64_t> offset, std::string expected, std::string found) {
  context_.findings.Add({.kind = kind,
                         .backup_dir = facts_.dir,
                         .file = name_,
                         .what = std::move(what),
                         .page = page,
                         .offset = offset,
                         .expected = std::move(expected),
                         .found = std::move(found)});
}

Status TablespaceCheck::Open(FileKind kind, const manifest::SpaceFacts* listed) {
  is_undo_ = kind == FileKind::kUndoTablespace;
  if (kind == FileKind::kSystemTablespace) {
    OpenSystemFile();
  } else {
    HBK_RETURN_IF_ERROR(OpenTable(listed));
  }
  return OkStatus();
}

void TablespaceCheck::OpenSystemFile() {
  const auto first_page = facts_.system.first_pages.find(name_);
  // Where in the tablespace the file begins is not in an increment.
  if (facts_.is_increment) return;
  const bool is_first = name_ == facts_.system_files.front();
  if (!facts_.system.header || first_page == facts_.system.first_pages.end()) {
    if (is_first) Add(FindingKind::kTablespace, "its first page cannot be read", 0, 0);
    return;
  }
  const innodb::TablespaceHeader& header = *facts_.system.header;
  flags_ = header.flags;
  space_id_ = innodb::kSystemSpaceId;
  first_page_no_ = first_page->second;
  free_limit_ = header.free_limit;
  has_header_ = true;
  if (innodb::PageCoder::IsNeeded(header.flags, header.crypt)) {
    coder_ =
        std::make_unique<innodb::PageCoder>(space_id_, header.flags, header.crypt, &context_.keys);
  }
  if (is_first) CheckHeader(header, facts_.system.page_count);
}

Status TablespaceCheck::OpenTable(const manifest::SpaceFacts* listed) {
  AlignedBuffer head(innodb::kPageSizeMax);
  const auto got = file_.ReadAt(0, head.view());
  // The same bytes are read once more for their digest; what is wrong with them is told there.
  if (!got.ok()) return OkStatus();
  const innodb::FirstPage first =
      innodb::ClassifyFirstPage(ByteView(head.view()).first(*got), file_size_, facts_.page_size);
  if (first.kind == innodb::FirstPageKind::kDeferred) return OkStatus();
  if (first.kind == innodb::FirstPageKind::kDamaged) {
    if (listed != nullptr && facts_.damaged.Contains({listed->space_id, 0})) {
      ++context_.counts.listed_pages;
      return OkStatus();
    }
    Add(FindingKind::kTablespace, "its first page is damaged", 0, 0, "", first.reason);
    if (listed == nullptr) return OkStatus();
    // The other pages can be checked all the same.
    const auto flags = innodb::TablespaceFlags::Decode(listed->flags);
    if (!flags.ok()) return OkStatus();
    flags_ = *flags;
    space_id_ = listed->space_id;
    return OkStatus();
  }
  const innodb::TablespaceHeader& header = first.header;
  flags_ = header.flags;
  space_id_ = header.space_id;
  free_limit_ = header.free_limit;
  has_header_ = true;
  // What a copy of another time says of encryption need not be what its pages are encrypted by.
  const bool is_known = facts_.is_prepared || (header.crypt && header.crypt->type != 0);
  if (is_known && innodb::PageCoder::IsNeeded(header.flags, header.crypt)) {
    coder_ =
        std::make_unique<innodb::PageCoder>(space_id_, header.flags, header.crypt, &context_.keys);
  }
  CheckHeader(header, file_size_ / header.flags.physical_size());
  if (facts_.is_prepared) {
    const std::string other = context_.space_ids.Add(facts_.dir, header.space_id, name_);
    if (!other.empty()) {
      Add(FindingKind::kTablespace, "another file has the same tablespace", 0, 0, "",
          fmt::format("space id {}, as {}", header.space_id, other));
    }
  }
  if (listed == nullptr) return OkStatus();
  if (listed->space_id != header.space_id) {
    Add(FindingKind::kTablespace, "it is another tablespace", 0, 0,
        fmt::format("space id {}", listed->space_id), fmt::format("space id {}", header.space_id));
  }
  if (!facts_.is_prepared && listed->flags != header.flags.raw()) {
    Add(FindingKind::kTablespace, "its flags are others than those that were copied", 0, 0,
        fmt::format("{:#x}", listed->flags), fmt::format("{:#x}", header.flags.raw()));
  }
  return OkStatus();
}

void TablespaceCheck::CheckHeader(const innodb::TablespaceHeader& header, uint64_t page_count) {
  const uint64_t extent = innodb::ExtentPages(header.flags);
  const uint64_t limit_max = (header.size_pages + extent - 1) / extent * extent;
  if (header.free_limit > limit_max) {
    Add(FindingKind::kTablespace, "its free limit lies behind its end", 0, 0,
        fmt::format("at most {} pages", limit_max), fmt::format("{} pages", header.free_limit));
  }
  if (!facts_.is_prepared) return;
  const uint64_t page_bytes = header.flags.physical_size();
  const uint64_t needed = header.size_pages * page_bytes / kLengthUnit * kLengthUnit;
  if (page_count * page_bytes >= needed) return;
  Add(FindingKind::kTablespace, "the file is shorter than its first page says", 0, 0,
      fmt::format("{} bytes", needed), fmt::format("{} bytes", page_count * page_bytes));
}

PageId TablespaceCheck::IdAt(uint64_t offset) const {
  return {.space = space_id_,
          .page = first_page_no_ + static_cast<PageNo>(offset / flags_->physical_size())};
}

Status TablespaceCheck::Check(uint64_t offset, ByteView bytes, CheckScratch& scratch) {
  if (!flags_) {
    context_.counts.opaque_pages += bytes.size() / facts_.page_size;
    if (!facts_.is_prepared || IsAllZero(bytes)) return OkStatus();
    const MutexLock lock(mutex_);
    has_content_ = true;
    return OkStatus();
  }
  const size_t page_bytes = flags_->physical_size();
  // What is left at the end of a file is no page.
  for (size_t index = 0; index + page_bytes <= bytes.size(); index += page_bytes)
    HBK_RETURN_IF_ERROR(CheckOne(offset + index, bytes.subspan(index, page_bytes), scratch));
  context_.counts.pages += bytes.size() / page_bytes;
  return OkStatus();
}

Status TablespaceCheck::CheckOne(uint64_t offset, ByteView page, CheckScratch& scratch) {
  const PageId id = IdAt(offset);
  const bool is_system = space_id_ == innodb::kSystemSpaceId;
  if (is_system && facts_.system.doublewrite && facts_.system.doublewrite->Contains(id.page))
    return OkStatus();
  const PageVerdict verdict = innodb::CheckImage(page, *flags_, id);
  if (verdict == PageVerdict::kZero) {
    CheckZero(id, offset, scratch);
    return OkStatus();
  }
  if (facts_.damaged.Contains(id)) {
    ++context_.counts.listed_pages;
    return OkStatus();
  }
  if (verdict != PageVerdict::kGood) {
    // Nobody will read what nothing uses; only of a consistent state is that known.
    if (facts_.is_prepared && id.page != 0 && IsFree(id.page, scratch)) return OkStatus();
    Add(FindingKind::kPage, std::string(innodb::PageVerdictName(verdict)), id.page, offset,
        "a whole page of this place", innodb::DescribeDamage(page, *flags_, id));
    return OkStatus();
  }
  if (innodb::PageLsn(page) == 0) ++context_.counts.imported_pages;
  CheckAge(id, offset, page, scratch);
  CheckType(id, offset, page);
  return CheckDecoded(id, offset, page, scratch);
}

void TablespaceCheck::CheckZero(PageId id, uint64_t offset, CheckScratch& scratch) {
  // The system tablespace has pages that are allocated beside the doublewrite buffer, and never
  // written.
  if (!facts_.is_prepared || !has_header_ || space_id_ == innodb::kSystemSpaceId) return;
  if (id.page == 0) {
    Add(FindingKind::kTablespace, "its first page is all zero", 0, offset);
    return;
  }
  if (IsFree(id.page, scratch)) return;
  const MutexLock lock(mutex_);
  lost_.push_back(id.page);
}

// A server refuses pages of its future. What is free it does not read; imported tables have such.
void TablespaceCheck::CheckAge(PageId id, uint64_t offset, ByteView page, CheckScratch& scratch) {
  const innodb::Lsn lsn = innodb::PageLsn(page);
  if (lsn <= facts_.lsn_max || IsFree(id.page, scratch)) return;
  Add(FindingKind::kPage, "newer than the end of the backup", id.page, offset,
      "at most " + Lsn(facts_.lsn_max), Lsn(lsn));
}

void TablespaceCheck::CheckType(PageId id, uint64_t offset, ByteView page) {
  if (!facts_.is_prepared || !has_header_ || id.page >= free_limit_) return;
  if (!HasPlainType(page, *flags_)) return;
  const PageNo place = id.page % flags_->physical_size();
  uint16_t expected = 0;
  if (id.page == 0) {
    expected = innodb::kPageFspHeader;
  } else if (is_undo_) {
    return;
  } else if (place == 0) {
    expected = innodb::kPageXdes;
  } else if (place == 1) {
    expected = kPageBitmap;
  } else if (id.page == kInodePageNo) {
    expected = innodb::kPageInode;
  } else {
    return;
  }
  const uint16_t type = LoadBe16(page, innodb::kFilType);
  if (type == expected) return;
  Add(FindingKind::kPage, "a page of a type that does not belong here", id.page, offset,
      fmt::format("type {}", expected), fmt::format("type {}", type));
}

Status TablespaceCheck::CheckDecoded(PageId id, uint64_t offset, ByteView page,
                                     CheckScratch& scratch) {
  if (!coder_) return OkStatus();
  const MutableByteView frame = scratch.frame.view().first(page.size());
  const auto coding = coder_->Decode(page, id, frame);
  if (coding.ok()) {
    if (coding->is_plain() || IsAllZero(frame)) return OkStatus();
    const innodb::SpaceId space = innodb::PageSpaceId(frame);
    if (space != space_id_) {
      Add(FindingKind::kPage, "inside, a page of another tablespace", id.page, offset,
          fmt::format("space id {}", space_id_), fmt::format("space id {}", space));
    }
    return OkStatus();
  }
  switch (coding.status().code()) {
    case StatusCode::kCorruption:
      if (facts_.is_prepared && IsFree(id.page, scratch)) return OkStatus();
      Add(FindingKind::kPage, coding.status().message(), id.page, offset);
      return OkStatus();
    case StatusCode::kMissingKey:
    case StatusCode::kUnsupported: ++context_.counts.locked_pages; return OkStatus();
    default: return coding.status();
  }
}

bool TablespaceCheck::IsFree(PageNo page, CheckScratch& scratch) {
  if (!has_header_) return true;
  if (page >= free_limit_) return true;
  const PageNo descriptor_no = innodb::DescriptorPageOf(*flags_, page);
  // It is in another file of the system tablespace.
  if (descriptor_no < first_page_no_) return true;
  const size_t page_bytes = flags_->physical_size();
  const uint64_t offset = uint64_t{descriptor_no - first_page_no_} * page_bytes;
  // From a multiple of the alignment on.
  const uint64_t begin = offset / io::kDirectAlignment * io::kDirectAlignment;
  const auto index = static_cast<size_t>(offset - begin);
  const size_t size = std::max<size_t>(page_bytes, io::kDirectAlignment);
  const auto got = file_.ReadAt(begin, scratch.page.view().first(size));
  if (!got.ok() || *got < index + page_bytes) return true;
  const ByteView descriptor = ByteView(scratch.page.view()).subspan(index, page_bytes);
  const PageId id{.space = space_id_, .page = descriptor_no};
  if (innodb::CheckImage(descriptor, *flags_, id) != PageVerdict::kGood) return true;
  return innodb::IsPageFree(descriptor, *flags_, free_limit_, page);
}

// Pages behind it show that it was written: the next one names it, and is itself named by the one
// after that. Where a load ends that was at work, there is no such page yet.
bool TablespaceCheck::IsReferenced(PageNo page, CheckScratch& scratch) {
  const size_t page_bytes = flags_->physical_size();
  const auto read = [&](PageNo number) -> ByteView {
    if (number < first_page_no_) return {};
    const uint64_t offset = uint64_t{number - first_page_no_} * page_bytes;
    const auto got = file_.ReadAt(offset, scratch.frame.view().first(page_bytes));
    if (!got.ok() || *got != page_bytes) return {};
    return ByteView(scratch.frame.view()).first(page_bytes);
  };
  AlignedBuffer buffer(kScanBytes);
  for (uint64_t offset = 0; offset < file_size_; offset += kScanBytes) {
    if (context_.stop.stop_requested()) return false;
    const auto got = file_.ReadAt(offset, buffer.view());
    if (!got.ok()) continue;
    for (size_t index = 0; index + page_bytes <= *got; index += page_bytes) {
      const ByteView next = ByteView(buffer.view()).subspan(index, page_bytes);
      const bool is_index =
          HasPlainType(next, *flags_) && LoadBe16(next, innodb::kFilType) == innodb::kPageIndex;
      if (!is_index || LoadBe32(next, innodb::kFilPrev) != page) continue;
      const PageNo after_no = LoadBe32(next, innodb::kFilNext);
      const PageNo next_no = IdAt(offset + index).page;
      if (after_no == kNoPage || IsFree(next_no, scratch) || IsFree(after_no, scratch)) continue;
      const ByteView after = read(after_no);
      if (!after.empty() && LoadBe32(after, innodb::kFilPrev) == next_no) return true;
    }
  }
  return false;
}

Status TablespaceCheck::Finish(bool is_whole, CheckScratch& scratch) {
  std::vector<PageNo> lost;
  bool has_content = false;
  {
    const MutexLock lock(mutex_);
    lost.swap(lost_);
    has_content = has_content_;
  }
  if (has_content && is_whole && !facts_.damaged.Contains({space_id_, 0})) {
    Add(FindingKind::kTablespace, "its first page is missing or damaged, and others are there", 0,
        0);
  }
  for (const PageNo page : lost) {
    if (context_.stop.stop_requested()) return InterruptedError();
    if (!IsReferenced(page, scratch)) {
      ++context_.counts.empty_pages;
      continue;
    }
    const uint64_t offset = uint64_t{page - first_page_no_} * flags_->physical_size();
    Add(FindingKind::kPage, "in use, and all zero: it was lost", page, offset,
        "a page that others point at", "zeros");
  }
  return OkStatus();
}

}  // namespace hbk::verify

#include "hbk/delta/mariadb_backup_delta.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page.h"

namespace hbk::delta {
namespace {

constexpr uint32_t kBlockMagic = 0x78747261;      // "xtra"
constexpr uint32_t kLastBlockMagic = 0x58545241;  // "XTRA"
constexpr uint32_t kEndOfPages = 0xFFFFFFFF;
constexpr size_t kNumberBytes = 4;
constexpr uint32_t kZipSizeMax = 16384;
// What is left out of a page has to be a whole block, or there is no hole.
constexpr size_t kHoleBytes = 4096;

bool IsPageSize(uint32_t size) {
  return size >= innodb::kPageSizeMin && size <= innodb::kPageSizeMax && std::has_single_bit(size);
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::optional<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Bytes of the page in front of the blocks of zeros that it ends with; at least one block.
size_t UsedBytes(ByteView image) {
  size_t used = image.size();
  while (used > kHoleBytes && IsAllZero(image.subspan(used - kHoleBytes, kHoleBytes)))
    used -= kHoleBytes;
  return used;
}

}  // namespace

Result<MariadbBackupMeta> ParseMariadbBackupMeta(std::string_view text) {
  std::map<std::string_view, uint32_t> numbers;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return CorruptionError(fmt::format("'{}' says nothing of a tablespace", line));
    const std::string_view key = Trim(line.substr(0, equals));
    const auto number = ParseNumber(Trim(line.substr(equals + 1)));
    if (!number.has_value()) return CorruptionError(fmt::format("{} is no number", key));
    if (!numbers.emplace(key, *number).second)
      return CorruptionError(fmt::format("{} is there twice", key));
  }
  for (const std::string_view key : {"page_size", "zip_size", "space_id"})
    if (!numbers.contains(key)) return CorruptionError(fmt::format("{} is missing", key));
  const MariadbBackupMeta meta{.page_size = numbers["page_size"],
                               .zip_size = numbers["zip_size"],
                               .space_id = numbers["space_id"]};
  const bool is_zip = meta.zip_size != 0;
  if (!IsPageSize(meta.page_size) ||
      (is_zip && (meta.zip_size != meta.page_size || meta.zip_size > kZipSizeMax))) {
    return CorruptionError(
        fmt::format("page_size {} and zip_size {}", meta.page_size, meta.zip_size));
  }
  if (meta.space_id >= innodb::kSpaceIdEnd)
    return CorruptionError(fmt::format("there is no tablespace {}", meta.space_id));
  return meta;
}

Result<std::unique_ptr<MariadbBackupDelta>> MariadbBackupDelta::Open(io::FileSystem& fs,
                                                                     const std::string& path,
                                                                     uint32_t page_size) {
  HBK_CHECK(IsPageSize(page_size));
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  return std::unique_ptr<MariadbBackupDelta>(
      new MariadbBackupDelta(std::move(file), page_size, info.size));
}

Status MariadbBackupDelta::Damaged(uint64_t offset, std::string_view what) const {
  return CorruptionError(fmt::format("{}, offset {}: {}", file_->path(), offset, what));
}

Status MariadbBackupDelta::ReadAll(uint64_t offset, MutableByteView out) {
  HBK_ASSIGN_OR_RETURN(const size_t count, file_->ReadAt(offset, out));
  return count == out.size() ? OkStatus() : Damaged(offset + count, "the file is cut off");
}

Result<MariadbBackupDelta::Block> MariadbBackupDelta::ReadHead(uint64_t offset,
                                                               MutableByteView buffer,
                                                               const DeltaRun* last) {
  const MutableByteView head = buffer.first(page_size_);
  HBK_RETURN_IF_ERROR(ReadAll(offset, head));
  Block block;
  const uint32_t magic = LoadBe32(head, 0);
  if (magic != kBlockMagic && magic != kLastBlockMagic)
    return Damaged(offset, "no block of pages begins here");
  block.is_last = magic == kLastBlockMagic;
  // Pages are written in the order in which they are read.
  uint64_t next_page = last == nullptr ? 0 : uint64_t{last->first_page} + last->page_count;
  for (size_t at = kNumberBytes; at < head.size(); at += kNumberBytes) {
    const uint32_t page = LoadBe32(head, at);
    if (page == kEndOfPages) break;
    if (page < next_page) {
      return Damaged(offset + at, fmt::format("page {}, where {} is the least that could follow",
                                              page, next_page));
    }
    block.pages.push_back(page);
    next_page = uint64_t{page} + 1;
  }
  if (!block.is_last && block.pages.size() != page_size_ / kNumberBytes - 1)
    return Damaged(offset, "a block that is not full, and not the last one");
  return block;
}

void MariadbBackupDelta::AddPage(uint32_t page, ByteView image, uint64_t offset,
                                 std::vector<DeltaRun>& runs) const {
  const auto used = static_cast<uint32_t>(UsedBytes(image));
  const bool is_whole = used == page_size_;
  if (is_whole && !runs.empty()) {
    DeltaRun& run = runs.back();
    const bool follows = run.first_page + run.page_count == page &&
                         run.offset + run.byte_count == offset &&
                         run.byte_count == uint64_t{run.page_count} * page_size_ &&
                         run.byte_count + used <= kRunBytesMax;
    if (follows) {
      ++run.page_count;
      run.byte_count += used;
      return;
    }
  }
  runs.push_back({.first_page = page, .page_count = 1, .byte_count = used, .offset = offset});
}

Result<bool> MariadbBackupDelta::ReadFirst(MutableByteView out) {
  HBK_ASSIGN_OR_RETURN(const Block block, ReadHead(0, out, nullptr));
  if (block.pages.empty() || block.pages.front() != 0) return false;
  HBK_RETURN_IF_ERROR(ReadAll(page_size_, out.first(page_size_)));
  return true;
}

Result<std::vector<DeltaRun>> MariadbBackupDelta::ReadIndex(const PageVisitor& visit,
                                                            const std::stop_token& stop) {
  std::vector<DeltaRun> runs;
  AlignedBuffer buffer(kRunBytesMax);
  const size_t pages_at_once = kRunBytesMax / page_size_;
  for (uint64_t offset = 0;;) {
    HBK_ASSIGN_OR_RETURN(const Block block,
                         ReadHead(offset, buffer.view(), runs.empty() ? nullptr : &runs.back()));
    offset += page_size_;
    for (size_t first = 0; first < block.pages.size(); first += pages_at_once) {
      if (stop.stop_requested()) return InterruptedError();
      const size_t count = std::min(pages_at_once, block.pages.size() - first);
      const MutableByteView images = buffer.view().first(count * page_size_);
      HBK_RETURN_IF_ERROR(ReadAll(offset, images));
      for (size_t i = 0; i < count; ++i) {
        const ByteView image = images.subspan(i * page_size_, page_size_);
        HBK_RETURN_IF_ERROR(visit(block.pages[first + i], image));
        AddPage(block.pages[first + i], image, offset + i * page_size_, runs);
      }
      offset += images.size();
    }
    if (!block.is_last) continue;
    if (offset != size_) return Damaged(offset, "bytes behind the last block");
    return runs;
  }
}

Status MariadbBackupDelta::ReadRun(const DeltaRun& run, MutableByteView out) {
  HBK_CHECK(out.size() == run.byte_count);
  return ReadAll(run.offset, out);
}

}  // namespace hbk::delta

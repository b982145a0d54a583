#include "exact_copy.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "hbk/filter/tree_digest.h"

namespace hbk::backup {

namespace {

constexpr uint64_t kBlockBytes = filter::TreeDigest::kChunkBytes;
// Offsets in a .CSM file; docs/format/data-directory.md.
constexpr size_t kCsvStateBytes = 35;
constexpr uint8_t kCsvStateMagic = 0xFE;
constexpr size_t kCsvStateRows = 2;  // u64, little-endian
constexpr size_t kCsvStateDirty = 34;

Status ShortFile(const io::File& file, uint64_t size) {
  return CorruptionError(fmt::format("{} is shorter than the {} bytes it had", file.path(), size));
}

}  // namespace

Result<ExactCopy> CopyFirstBytes(io::FileSystem& fs, io::File& source, uint64_t size,
                                 const std::string& target_path, const std::stop_token& stop) {
  io::OpenOptions create;
  create.write = true;
  create.create = true;
  create.mode = 0600;
  HBK_ASSIGN_OR_RETURN(const auto target, fs.Open(target_path, create));
  filter::TreeDigest digest(size);
  uint64_t line_feed_count = 0;
  std::vector<uint8_t> buffer(kBlockBytes);
  for (uint64_t index = 0; index < digest.chunk_count(); ++index) {
    if (stop.stop_requested()) return InterruptedError();
    const uint64_t offset = index * kBlockBytes;
    const MutableByteView part(buffer.data(), std::min(kBlockBytes, size - offset));
    HBK_ASSIGN_OR_RETURN(const size_t got, source.ReadAt(offset, part));
    if (got != part.size()) return ShortFile(source, size);
    HBK_RETURN_IF_ERROR(target->WriteAt(offset, part));
    digest.AddChunk(index, part);
    line_feed_count += static_cast<uint64_t>(std::count(part.begin(), part.end(), '\n'));
  }
  HBK_RETURN_IF_ERROR(target->Close());
  return ExactCopy{size, digest.Finish(), line_feed_count};
}

Result<uint64_t> EndOfLastRow(io::File& csv) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, csv.Stat());
  std::vector<uint8_t> buffer(kBlockBytes);
  uint64_t end = info.size;
  while (end > 0) {
    const uint64_t begin = end > kBlockBytes ? end - kBlockBytes : 0;
    const MutableByteView part(buffer.data(), end - begin);
    HBK_ASSIGN_OR_RETURN(const size_t got, csv.ReadAt(begin, part));
    if (got != part.size()) return ShortFile(csv, info.size);
    const size_t line_feed = AsText(part).rfind('\n');
    if (line_feed != std::string_view::npos) return begin + line_feed + 1;
    end = begin;
  }
  return uint64_t{0};
}

Result<std::string> CleanCsvState(std::string_view csm, uint64_t row_count) {
  if (csm.size() != kCsvStateBytes || static_cast<uint8_t>(csm[0]) != kCsvStateMagic)
    return CorruptionError("the state file of a CSV table has an unexpected form");
  std::string clean(csm);
  const MutableByteView bytes(reinterpret_cast<uint8_t*>(clean.data()), clean.size());
  StoreLe32(bytes, kCsvStateRows, static_cast<uint32_t>(row_count));
  StoreLe32(bytes, kCsvStateRows + sizeof(uint32_t), static_cast<uint32_t>(row_count >> 32));
  bytes[kCsvStateDirty] = 0;
  return clean;
}

}  // namespace hbk::backup

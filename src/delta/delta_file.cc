#include "hbk/delta/delta_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/crc32c.h"

#include "zero_stretches.h"

namespace hbk::delta {
namespace {

constexpr uint64_t kMagic = 0x61746C65646B6268;  // "hbkdelta"
constexpr uint32_t kVersion = 2;
constexpr uint32_t kFirstVersion = 1;          // without runs of kElidedMagic
constexpr uint32_t kRunMagic = 0x726B6268;     // "hbkr"
constexpr uint32_t kElidedMagic = 0x7A6B6268;  // "hbkz"
constexpr uint32_t kEndMagic = 0x656B6268;     // "hbke"
constexpr size_t kHeaderBytes = 32;
constexpr size_t kHeaderCrcOffset = 28;
constexpr size_t kRunHeadBytes = 24;
constexpr size_t kRunCrcOffset = 20;
constexpr uint32_t kPageBytesMin = 1024;
constexpr uint32_t kPageBytesMax = 65536;
constexpr size_t kBufferBytes = filter::TreeDigest::kChunkBytes;

bool IsPageSize(uint32_t size) {
  return size >= kPageBytesMin && size <= kPageBytesMax && std::has_single_bit(size);
}

void SealRunHead(MutableByteView head) {
  StoreLe32(head, kRunCrcOffset, Crc32c(ByteView(head).first(kRunCrcOffset)));
}

// What a run may say of itself, whatever its bytes are.
bool IsPossible(const DeltaRun& run, uint32_t page_size) {
  if (run.page_count == 0 || run.byte_count == 0 || run.byte_count > kRunBytesMax) return false;
  if (run.page_count > std::numeric_limits<uint32_t>::max() - run.first_page) return false;
  const uint64_t full = uint64_t{run.page_count} * page_size;
  return run.byte_count == full || (run.page_count == 1 && run.byte_count < full);
}

}  // namespace

DeltaWriter::DeltaWriter(io::FileSystem& fs, std::string path, const DeltaHeader& header)
    : fs_(fs), path_(std::move(path)), header_(header) {
  HBK_CHECK(IsPageSize(header.page_size));
}

Status DeltaWriter::Append(uint32_t first_page, uint32_t page_count, ByteView bytes) {
  const DeltaRun run{first_page, page_count, static_cast<uint32_t>(bytes.size()), 0, 0};
  HBK_CHECK(bytes.size() <= kRunBytesMax && IsPossible(run, header_.page_size));
  std::vector<uint8_t> elided;
  const bool is_whole = bytes.size() == uint64_t{page_count} * header_.page_size;
  const bool is_elided = is_whole && ElideZeros(bytes, elided);
  if (is_elided) bytes = elided;
  std::array<uint8_t, kRunHeadBytes> head{};
  StoreLe32(head, 0, is_elided ? kElidedMagic : kRunMagic);
  StoreLe32(head, 4, run.first_page);
  StoreLe32(head, 8, run.page_count);
  StoreLe32(head, 12, static_cast<uint32_t>(bytes.size()));
  StoreLe32(head, 16, Crc32c(bytes));
  SealRunHead(head);
  const MutexLock lock(mutex_);
  if (!file_) HBK_RETURN_IF_ERROR(Open());
  HBK_RETURN_IF_ERROR(AddBytes(head));
  HBK_RETURN_IF_ERROR(AddBytes(bytes));
  ++run_count_;
  page_count_ += page_count;
  return OkStatus();
}

Result<DeltaSummary> DeltaWriter::Finish() {
  const MutexLock lock(mutex_);
  DeltaSummary summary;
  if (!file_) return summary;
  std::array<uint8_t, kRunHeadBytes> end{};
  StoreLe32(end, 0, kEndMagic);
  StoreLe32(end, 4, run_count_);
  StoreLe64(end, 8, page_count_);
  SealRunHead(end);
  HBK_RETURN_IF_ERROR(AddBytes(end));
  summary.size = written_ + used_;
  summary.page_count = page_count_;
  HBK_RETURN_IF_ERROR(Flush());
  HBK_RETURN_IF_ERROR(file_->Close());
  summary.digest = digest_.Finish();
  return summary;
}

Status DeltaWriter::Open() {
  HBK_ASSIGN_OR_RETURN(
      file_, fs_.Open(path_, {.write = true, .create = true, .write_behind = true, .mode = 0600}));
  buffer_ = AlignedBuffer(kBufferBytes);
  std::array<uint8_t, kHeaderBytes> head{};
  StoreLe64(head, 0, kMagic);
  StoreLe32(head, 8, kVersion);
  StoreLe32(head, 12, header_.page_size);
  StoreLe32(head, 16, header_.space_id);
  StoreLe32(head, kHeaderCrcOffset, Crc32c(ByteView(head).first(kHeaderCrcOffset)));
  return AddBytes(head);
}

Status DeltaWriter::AddBytes(ByteView bytes) {
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), kBufferBytes - used_);
    std::copy_n(bytes.begin(), part, buffer_.data() + used_);
    used_ += part;
    bytes = bytes.subspan(part);
    if (used_ == kBufferBytes) HBK_RETURN_IF_ERROR(Flush());
  }
  return OkStatus();
}

Status DeltaWriter::Flush() {
  if (used_ == 0) return OkStatus();
  const ByteView bytes = ByteView(buffer_.view()).first(used_);
  digest_.AddChunk(bytes);
  HBK_RETURN_IF_ERROR(file_->WriteAt(written_, bytes));
  written_ += used_;
  used_ = 0;
  return OkStatus();
}

Result<std::unique_ptr<DeltaReader>> DeltaReader::Open(io::FileSystem& fs,
                                                       const std::string& path) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  std::array<uint8_t, kHeaderBytes> head{};
  HBK_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(0, head));
  if (got < head.size() || LoadLe64(head, 0) != kMagic) {
    return CorruptionError(fmt::format("{} is no delta file of hbk", path));
  }
  if (LoadLe32(head, kHeaderCrcOffset) != Crc32c(ByteView(head).first(kHeaderCrcOffset))) {
    return CorruptionError(fmt::format("{}: the checksum of its header is wrong", path));
  }
  const uint32_t version = LoadLe32(head, 8);
  if (version < kFirstVersion || version > kVersion) {
    return UnsupportedError(fmt::format("{}: delta format {}; this hbk knows {} to {}", path,
                                        version, kFirstVersion, kVersion))
        .WithHint("use the hbk version that made the backup, or a newer one");
  }
  const DeltaHeader header{LoadLe32(head, 12), LoadLe32(head, 16)};
  if (!IsPageSize(header.page_size)) {
    return CorruptionError(fmt::format("{}: a page size of {}", path, header.page_size));
  }
  return std::unique_ptr<DeltaReader>(new DeltaReader(std::move(file), header, version, info.size));
}

DeltaReader::DeltaReader(std::unique_ptr<io::File> file, const DeltaHeader& header,
                         uint32_t version, uint64_t size)
    : file_(std::move(file)), header_(header), version_(version), size_(size) {}

Status DeltaReader::Damaged(uint64_t offset, std::string_view what) const {
  return CorruptionError(fmt::format("{}, offset {}: {}", file_->path(), offset, what));
}

// False at the end of the file.
Result<bool> DeltaReader::ReadHead(uint64_t offset, DeltaRun& run) {
  std::array<uint8_t, kRunHeadBytes> head{};
  HBK_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(offset, head));
  if (got < head.size()) return Damaged(offset, "the file is cut off");
  if (LoadLe32(head, kRunCrcOffset) != Crc32c(ByteView(head).first(kRunCrcOffset))) {
    return Damaged(offset, "the checksum of a run's head is wrong");
  }
  if (LoadLe32(head, 0) == kEndMagic) {
    if (LoadLe32(head, 4) != runs_read_ || LoadLe64(head, 8) != pages_read_) {
      return Damaged(offset,
                     fmt::format("{} runs of {} pages, where the end says {} of {}", runs_read_,
                                 pages_read_, LoadLe32(head, 4), LoadLe64(head, 8)));
    }
    if (offset + head.size() != size_) return Damaged(offset, "something follows the end");
    return false;
  }
  const bool is_elided = LoadLe32(head, 0) == kElidedMagic && version_ > kFirstVersion;
  if (LoadLe32(head, 0) != kRunMagic && !is_elided)
    return Damaged(offset, "neither a run nor the end");
  run = {LoadLe32(head, 4), LoadLe32(head, 8), LoadLe32(head, 12), offset + kRunHeadBytes, 0};
  if (is_elided) {
    // Of whole pages only.
    const uint64_t byte_count = uint64_t{run.page_count} * header_.page_size;
    if (byte_count > kRunBytesMax || run.byte_count == 0 || run.byte_count >= byte_count)
      return Damaged(offset, "an impossible run");
    run.elided_bytes = run.byte_count;
    run.byte_count = static_cast<uint32_t>(byte_count);
  }
  if (!IsPossible(run, header_.page_size)) return Damaged(offset, "an impossible run");
  return true;
}

Result<std::vector<DeltaRun>> DeltaReader::ReadIndex(const std::stop_token& stop) {
  std::vector<DeltaRun> runs;
  AlignedBuffer buffer(kRunBytesMax);
  runs_read_ = 0;
  pages_read_ = 0;
  uint64_t offset = kHeaderBytes;
  for (;;) {
    if (stop.stop_requested()) return InterruptedError();
    DeltaRun run;
    HBK_ASSIGN_OR_RETURN(const bool has_run, ReadHead(offset, run));
    if (!has_run) break;
    HBK_RETURN_IF_ERROR(ReadRun(run, buffer.view().first(run.byte_count)));
    ++runs_read_;
    pages_read_ += run.page_count;
    offset = run.offset + run.stored_bytes();
    runs.push_back(run);
  }
  return runs;
}

Status DeltaReader::ReadRun(const DeltaRun& run, MutableByteView out) {
  HBK_CHECK(out.size() == run.byte_count && run.offset >= kHeaderBytes + kRunHeadBytes);
  if (run.elided_bytes == 0) return ReadStored(run, out);
  std::vector<uint8_t> elided(run.elided_bytes);
  HBK_RETURN_IF_ERROR(ReadStored(run, elided));
  const Status restored = RestoreZeros(elided, out);
  return restored.ok() ? OkStatus() : Damaged(run.offset, restored.message());
}

Status DeltaReader::ReadStored(const DeltaRun& run, MutableByteView out) {
  std::array<uint8_t, kRunHeadBytes> head{};
  HBK_ASSIGN_OR_RETURN(const size_t head_got, file_->ReadAt(run.offset - kRunHeadBytes, head));
  HBK_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(run.offset, out));
  if (head_got < head.size() || got < out.size()) {
    return Damaged(run.offset, "the file is cut off");
  }
  if (Crc32c(out) != LoadLe32(head, 16)) {
    return Damaged(run.offset,
                   fmt::format("the checksum of the pages from {} on is wrong", run.first_page));
  }
  return OkStatus();
}

}  // namespace hbk::delta

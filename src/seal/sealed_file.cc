#include "hbk/seal/sealed_file.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/base/mutex.h"

namespace hbk::seal {
namespace {

constexpr std::string_view kMagic("hbkseal\n", 8);
constexpr uint32_t kVersion = 1;
constexpr size_t kVersionOffset = 8;
constexpr size_t kIdOffset = kVersionOffset + 4;
constexpr size_t kKeyCheckOffset = kIdOffset + kFileIdBytes;
constexpr size_t kCrcOffset = kKeyCheckOffset + kKeyCheckBytes;
static_assert(kCrcOffset + 4 == kSealedHeaderBytes);

constexpr size_t kSealedSegmentBytes = kSegmentBytes + crypto::kAeadTagBytes;
constexpr size_t kLastFlagOffset = 8;  // in the nonce, behind the segment's number
// So many segments are appended or read at once.
constexpr uint64_t kBatchSegments = 16;
constexpr uint64_t kNoSegment = UINT64_MAX;

std::vector<uint8_t> RenderHeader(const FileId& id, const KeyCheck& key_check) {
  std::vector<uint8_t> header(kSealedHeaderBytes);
  std::ranges::copy(AsBytes(kMagic), header.begin());
  StoreLe32(header, kVersionOffset, kVersion);
  std::ranges::copy(id, header.begin() + kIdOffset);
  std::ranges::copy(key_check, header.begin() + kKeyCheckOffset);
  StoreLe32(header, kCrcOffset, Crc32c(ByteView(header).first(kCrcOffset)));
  return header;
}

// The file's id, if the header is one and of this data key.
Result<FileId> CheckHeader(ByteView header, const KeyCheck& key_check) {
  if (!IsSealedFile(header)) return CorruptionError("offset 0: not a sealed file");
  if (LoadLe32(header, kCrcOffset) != Crc32c(header.first(kCrcOffset))) {
    return CorruptionError("offset 0: the header is damaged");
  }
  const uint32_t version = LoadLe32(header, kVersionOffset);
  if (version != kVersion) {
    return UnsupportedError(
               fmt::format("version {} of sealed files; this hbk knows {}", version, kVersion))
        .WithHint("use the hbk version that made the backup, or a newer one");
  }
  if (!crypto::IsEqual(header.subspan(kKeyCheckOffset, kKeyCheckBytes), key_check)) {
    return Status(StatusCode::kMissingKey, "sealed with another data key than that of this backup")
        .WithHint("the file or hbk_keys.json is of another backup");
  }
  FileId id{};
  std::ranges::copy(header.subspan(kIdOffset, kFileIdBytes), id.begin());
  return id;
}

crypto::Nonce NonceOf(uint64_t index, bool is_last) {
  crypto::Nonce nonce{};
  StoreLe64(nonce, 0, index);
  nonce[kLastFlagOffset] = is_last ? 1 : 0;
  return nonce;
}

uint64_t SegmentCount(uint64_t plain_size) {
  return plain_size == 0 ? 1 : (plain_size - 1) / kSegmentBytes + 1;
}

uint64_t SegmentOffset(uint64_t index) {
  return kSealedHeaderBytes + index * kSealedSegmentBytes;
}

// From the size of the sealed file. Nothing: no sealed file has that size.
std::optional<uint64_t> PlainSize(uint64_t sealed_size) {
  if (sealed_size < kSealedHeaderBytes + crypto::kAeadTagBytes) return std::nullopt;
  const uint64_t body = sealed_size - kSealedHeaderBytes;
  const uint64_t rest = body % kSealedSegmentBytes;
  const uint64_t count = body / kSealedSegmentBytes + (rest == 0 ? 0 : 1);
  // An empty segment is the only one of its file.
  if (rest != 0 && (rest < crypto::kAeadTagBytes || (rest == crypto::kAeadTagBytes && count > 1))) {
    return std::nullopt;
  }
  return body - count * crypto::kAeadTagBytes;
}

}  // namespace

uint64_t SealedSize(uint64_t plain_size) {
  return kSealedHeaderBytes + plain_size + SegmentCount(plain_size) * crypto::kAeadTagBytes;
}

// ---- Writing

Result<std::unique_ptr<SealedWriter>> SealedWriter::Create(const DataKey& key,
                                                           AppendFunction append) {
  HBK_ASSIGN_OR_RETURN(const FileId id, NewFileId());
  return Create(key, id, std::move(append));
}

Result<std::unique_ptr<SealedWriter>> SealedWriter::Create(const DataKey& key, const FileId& id,
                                                           AppendFunction append) {
  HBK_ASSIGN_OR_RETURN(const Secret file_key, key.FileKey(id));
  HBK_ASSIGN_OR_RETURN(std::unique_ptr<crypto::Aead> aead, crypto::Aead::Create(file_key));
  return std::unique_ptr<SealedWriter>(
      new SealedWriter(id, RenderHeader(id, key.key_check()), std::move(aead), std::move(append)));
}

SealedWriter::SealedWriter(const FileId& id, std::vector<uint8_t> header,
                           std::unique_ptr<crypto::Aead> aead, AppendFunction append)
    : id_(id),
      header_(std::move(header)),
      aead_(std::move(aead)),
      append_(std::move(append)),
      sealed_(header_) {}

SealedWriter::~SealedWriter() = default;

Status SealedWriter::Append(ByteView bytes) {
  HBK_CHECK(!is_finished_);
  plain_size_ += bytes.size();
  // A whole segment is kept until more comes: it may be the last one.
  while (plain_.size() + bytes.size() > kSegmentBytes) {
    if (plain_.empty()) {
      HBK_RETURN_IF_ERROR(SealSegment(bytes.first(kSegmentBytes), /*is_last=*/false));
      bytes = bytes.subspan(kSegmentBytes);
      continue;
    }
    const ByteView part = bytes.first(kSegmentBytes - plain_.size());
    plain_.insert(plain_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    HBK_RETURN_IF_ERROR(SealSegment(plain_, /*is_last=*/false));
    plain_.clear();
  }
  plain_.insert(plain_.end(), bytes.begin(), bytes.end());
  return segment_count_ == 0 ? OkStatus() : Flush();
}

Result<uint64_t> SealedWriter::Finish() {
  HBK_CHECK(!is_finished_);
  is_finished_ = true;
  HBK_RETURN_IF_ERROR(SealSegment(plain_, /*is_last=*/true));
  HBK_RETURN_IF_ERROR(Flush());
  return SealedSize(plain_size_);
}

Status SealedWriter::SealSegment(ByteView plain, bool is_last) {
  if (sealed_.size() + kSealedSegmentBytes > kBatchSegments * kSealedSegmentBytes) {
    HBK_RETURN_IF_ERROR(Flush());
  }
  const size_t begin = sealed_.size();
  sealed_.resize(begin + plain.size() + crypto::kAeadTagBytes);
  return aead_->Seal(NonceOf(segment_count_++, is_last), header_, plain,
                     MutableByteView(sealed_).subspan(begin));
}

Status SealedWriter::Flush() {
  if (sealed_.empty()) return OkStatus();
  HBK_RETURN_IF_ERROR(append_(sealed_));
  sealed_.clear();
  return OkStatus();
}

// ---- Reading

bool IsSealedFile(ByteView begin) {
  return AsText(begin).starts_with(kMagic);
}

namespace {

Status ReadOnly() {
  return FailedError("a sealed file can only be read");
}

class SealedFile final : public io::File {
 public:
  SealedFile(std::unique_ptr<io::File> below, std::vector<uint8_t> header, Secret file_key,
             uint64_t plain_size)
      : below_(std::move(below)),
        header_(std::move(header)),
        file_key_(std::move(file_key)),
        plain_size_(plain_size),
        segment_count_(SegmentCount(plain_size)) {}

  // That the file has its end.
  Status CheckLastSegment();

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override HBK_EXCLUDES(mutex_);
  Result<io::FileInfo> Stat() override;
  Result<uint64_t> SeekData(uint64_t offset) override { return std::min(offset, plain_size_); }
  Result<bool> TryLock() override { return below_->TryLock(); }
  Status Close() override { return below_->Close(); }
  [[nodiscard]] const std::string& path() const override { return below_->path(); }
  [[nodiscard]] bool is_direct() const override { return false; }

  Status WriteAt(uint64_t /*offset*/, ByteView /*data*/) override { return ReadOnly(); }
  Status Truncate(uint64_t /*size*/) override { return ReadOnly(); }
  Status PunchHole(uint64_t /*offset*/, uint64_t /*size*/) override { return ReadOnly(); }
  Status Sync() override { return ReadOnly(); }
  Status SetOwner(uint32_t /*uid*/, uint32_t /*gid*/) override { return ReadOnly(); }
  Status SetMode(uint32_t /*mode*/) override { return ReadOnly(); }

 private:
  // What one thread works with, and the segment that it had last: whoever reads on in small pieces
  // decrypts each segment once.
  struct Opener {
    std::unique_ptr<crypto::Aead> aead;
    std::vector<uint8_t> sealed;
    std::vector<uint8_t> segment;
    uint64_t segment_index = kNoSegment;
  };

  [[nodiscard]] size_t SegmentSize(uint64_t index) const {
    return std::min<uint64_t>(kSegmentBytes, plain_size_ - index * kSegmentBytes);
  }
  [[nodiscard]] Status Damaged(uint64_t index, std::string_view why) const {
    return CorruptionError(fmt::format("{}, offset {}: {}", path(), SegmentOffset(index), why));
  }
  Result<std::unique_ptr<Opener>> TakeOpener(uint64_t index) HBK_EXCLUDES(mutex_);
  Result<size_t> ReadWith(Opener& opener, uint64_t offset, MutableByteView out);
  Status ReadSealed(Opener& opener, uint64_t index, uint64_t count);
  Status OpenSegment(Opener& opener, uint64_t index, ByteView sealed, MutableByteView out);

  const std::unique_ptr<io::File> below_;
  const std::vector<uint8_t> header_;
  const Secret file_key_;
  const uint64_t plain_size_;
  const uint64_t segment_count_;

  Mutex mutex_;
  std::vector<std::unique_ptr<Opener>> openers_ HBK_GUARDED_BY(mutex_);
};

Result<io::FileInfo> SealedFile::Stat() {
  HBK_ASSIGN_OR_RETURN(io::FileInfo info, below_->Stat());
  info.size = plain_size_;
  // Less would mean that there are holes.
  info.allocated_bytes = std::max(info.allocated_bytes, plain_size_);
  return info;
}

Result<size_t> SealedFile::ReadAt(uint64_t offset, MutableByteView out) {
  if (offset >= plain_size_ || out.empty()) return size_t{0};
  out = out.first(std::min<uint64_t>(out.size(), plain_size_ - offset));
  HBK_ASSIGN_OR_RETURN(std::unique_ptr<Opener> opener, TakeOpener(offset / kSegmentBytes));
  size_t done = 0;
  while (done < out.size()) {
    HBK_ASSIGN_OR_RETURN(const size_t part, ReadWith(*opener, offset + done, out.subspan(done)));
    done += part;
  }
  const MutexLock lock(mutex_);
  openers_.push_back(std::move(opener));
  return done;
}

// Best the one that has the segment already.
Result<std::unique_ptr<SealedFile::Opener>> SealedFile::TakeOpener(uint64_t index) {
  {
    const MutexLock lock(mutex_);
    auto taken = std::ranges::find(openers_, index, &Opener::segment_index);
    if (taken == openers_.end() && !openers_.empty()) taken = openers_.begin();
    if (taken != openers_.end()) {
      std::unique_ptr<Opener> opener = std::move(*taken);
      openers_.erase(taken);
      return opener;
    }
  }
  auto opener = std::make_unique<Opener>();
  HBK_ASSIGN_OR_RETURN(opener->aead, crypto::Aead::Create(file_key_));
  return opener;
}

// At least a byte, at most a batch. Whole segments are decrypted to where they are wanted.
Result<size_t> SealedFile::ReadWith(Opener& opener, uint64_t offset, MutableByteView out) {
  const uint64_t index = offset / kSegmentBytes;
  const size_t begin = offset % kSegmentBytes;
  if (begin == 0 && out.size() >= SegmentSize(index)) {
    uint64_t count = 1;
    size_t size = SegmentSize(index);
    while (count < kBatchSegments && index + count < segment_count_ &&
           size + SegmentSize(index + count) <= out.size()) {
      size += SegmentSize(index + count);
      ++count;
    }
    HBK_RETURN_IF_ERROR(ReadSealed(opener, index, count));
    for (uint64_t i = 0; i < count; ++i) {
      const size_t plain_size = SegmentSize(index + i);
      HBK_RETURN_IF_ERROR(
          OpenSegment(opener, index + i,
                      ByteView(opener.sealed)
                          .subspan(i * kSealedSegmentBytes, plain_size + crypto::kAeadTagBytes),
                      out.subspan(i * kSegmentBytes, plain_size)));
    }
    return size;
  }
  if (opener.segment_index != index) {
    opener.segment_index = kNoSegment;
    HBK_RETURN_IF_ERROR(ReadSealed(opener, index, 1));
    opener.segment.resize(SegmentSize(index));
    HBK_RETURN_IF_ERROR(OpenSegment(opener, index, opener.sealed, opener.segment));
    opener.segment_index = index;
  }
  const size_t part = std::min(out.size(), opener.segment.size() - begin);
  std::copy_n(opener.segment.begin() + static_cast<ptrdiff_t>(begin), part, out.begin());
  return part;
}

Status SealedFile::ReadSealed(Opener& opener, uint64_t index, uint64_t count) {
  opener.sealed.resize((count - 1) * kSealedSegmentBytes + SegmentSize(index + count - 1) +
                       crypto::kAeadTagBytes);
  HBK_ASSIGN_OR_RETURN(const size_t got, below_->ReadAt(SegmentOffset(index), opener.sealed));
  return got == opener.sealed.size() ? OkStatus() : Damaged(index, "the file has become shorter");
}

Status SealedFile::OpenSegment(Opener& opener, uint64_t index, ByteView sealed,
                               MutableByteView out) {
  const bool is_last = index + 1 == segment_count_;
  Status opened = opener.aead->Open(NonceOf(index, is_last), header_, sealed, out);
  if (opened.code() != StatusCode::kCorruption) return opened;
  return Damaged(
      index, fmt::format("segment {} is not what was sealed: damaged, changed or moved", index));
}

Status SealedFile::CheckLastSegment() {
  HBK_ASSIGN_OR_RETURN(std::unique_ptr<Opener> opener, TakeOpener(kNoSegment));
  const uint64_t last = segment_count_ - 1;
  HBK_RETURN_IF_ERROR(ReadSealed(*opener, last, 1));
  opener->segment.resize(SegmentSize(last));
  const Status opened = OpenSegment(*opener, last, opener->sealed, opener->segment);
  if (opened.code() == StatusCode::kCorruption &&
      opener->aead->Open(NonceOf(last, /*is_last=*/false), header_, opener->sealed, opener->segment)
          .ok()) {
    return Damaged(segment_count_, "the file is cut off here, behind a whole segment");
  }
  if (opened.code() == StatusCode::kCorruption) {
    return CorruptionError(opened.message() + ", or the end of the file is missing");
  }
  HBK_RETURN_IF_ERROR(opened);
  // A small file is needed as a whole soon, and the end of a compressed one for its table.
  opener->segment_index = last;
  const MutexLock lock(mutex_);
  openers_.push_back(std::move(opener));
  return OkStatus();
}

}  // namespace

Result<FileId> ReadSealedFileId(io::File& file) {
  std::vector<uint8_t> header(kSealedHeaderBytes);
  HBK_ASSIGN_OR_RETURN(const size_t got, file.ReadAt(0, header));
  if (got < header.size() || !IsSealedFile(header))
    return CorruptionError("offset 0: not a sealed file");
  FileId id{};
  std::ranges::copy(ByteView(header).subspan(kIdOffset, kFileIdBytes), id.begin());
  return id;
}

Result<std::unique_ptr<io::File>> OpenSealedFile(std::unique_ptr<io::File> below,
                                                 const DataKey& key,
                                                 const std::optional<FileId>& expected_id) {
  const std::string path = below->path();
  std::vector<uint8_t> header(kSealedHeaderBytes);
  const auto read_header = [&]() -> Result<FileId> {
    HBK_ASSIGN_OR_RETURN(const size_t got, below->ReadAt(0, header));
    if (got < header.size()) {
      return CorruptionError(fmt::format("offset {}: cut off in the header", got));
    }
    HBK_ASSIGN_OR_RETURN(const FileId id, CheckHeader(header, key.key_check()));
    if (expected_id && *expected_id != id) {
      return CorruptionError(fmt::format("it is the sealed file {}, and {} should be here",
                                         FileIdText(id), FileIdText(*expected_id)));
    }
    return id;
  };
  const Result<FileId> id = read_header();
  if (!id.ok()) return id.status().WithContext(path);

  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, below->Stat());
  const std::optional<uint64_t> plain_size = PlainSize(info.size);
  if (!plain_size) {
    return CorruptionError(
        fmt::format("{}, offset {}: cut off, or longer than it was", path, info.size));
  }
  HBK_ASSIGN_OR_RETURN(Secret file_key, key.FileKey(*id));
  auto file = std::make_unique<SealedFile>(std::move(below), std::move(header), std::move(file_key),
                                           *plain_size);
  HBK_RETURN_IF_ERROR(file->CheckLastSegment());
  return std::unique_ptr<io::File>(std::move(file));
}

}  // namespace hbk::seal

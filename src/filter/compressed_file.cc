#include "hbk/filter/compressed_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/check.h"

namespace hbk::filter {
namespace {

static_assert(kFileChunkBytes <= codec::kFrameChunkBytesMax);

// After so many chunks in a row that have saved less than a thirty-second of themselves, only each
// so many-th is tried in earnest.
constexpr uint32_t kStubbornChunks = 4;
constexpr uint32_t kTryAgainChunks = 16;
constexpr uint64_t kSavedPart = 32;
constexpr uint64_t kNoChunk = UINT64_MAX;

}  // namespace

std::unique_ptr<codec::FrameEncoder> FrameEncoderPool::Take() {
  {
    const MutexLock lock(mutex_);
    if (!encoders_.empty()) {
      auto encoder = std::move(encoders_.back());
      encoders_.pop_back();
      return encoder;
    }
  }
  return codec::FrameEncoder::Create(choice_);
}

void FrameEncoderPool::Return(std::unique_ptr<codec::FrameEncoder> encoder) {
  const MutexLock lock(mutex_);
  encoders_.push_back(std::move(encoder));
}

CompressedFileWriter::CompressedFileWriter(FrameEncoderPool& pool, Append append)
    : pool_(pool), append_(std::move(append)) {}

Status CompressedFileWriter::Write(uint64_t index, ByteView chunk) {
  HBK_CHECK(!chunk.empty() && chunk.size() <= kFileChunkBytes);
  bool is_fast = false;
  {
    const MutexLock lock(mutex_);
    HBK_RETURN_IF_ERROR(status_);
    is_fast = IsFastTurn();
  }
  HBK_ASSIGN_OR_RETURN(Frame frame, Encode(chunk, is_fast));
  return Add(index, std::move(frame));
}

Result<CompressedFileWriter::Frame> CompressedFileWriter::Encode(ByteView chunk, bool is_fast) {
  Frame frame;
  frame.chunk_size = static_cast<uint32_t>(chunk.size());
  if (pool_.choice().method == codec::FrameMethod::kNone) {
    frame.bytes.assign(chunk.begin(), chunk.end());
    return frame;
  }
  std::unique_ptr<codec::FrameEncoder> encoder = pool_.Take();
  HBK_RETURN_IF_ERROR(encoder->Encode(chunk, is_fast, frame.bytes));
  pool_.Return(std::move(encoder));
  frame.bytes.shrink_to_fit();  // it may have to wait
  return frame;
}

bool CompressedFileWriter::IsFastTurn() const {
  return stubborn_ >= kStubbornChunks && stubborn_ % kTryAgainChunks != 0;
}

void CompressedFileWriter::NoteShrinking(uint64_t frame_size, uint64_t chunk_size) {
  const bool has_shrunk = frame_size + chunk_size / kSavedPart <= chunk_size;
  stubborn_ = has_shrunk ? 0 : stubborn_ + 1;
}

// One thread appends for all, without the lock; the others go on with their next chunks.
Status CompressedFileWriter::Add(uint64_t index, Frame frame) {
  if (!TakeAppending(index, std::move(frame))) return status();
  while (std::optional<Frame> next = TakeNext())
    NoteAppended(*next, append_(next->bytes));
  return status();
}

Status CompressedFileWriter::status() {
  const MutexLock lock(mutex_);
  return status_;
}

// True if this thread is to append what can be appended.
bool CompressedFileWriter::TakeAppending(uint64_t index, Frame frame) {
  const MutexLock lock(mutex_);
  NoteShrinking(frame.bytes.size(), frame.chunk_size);
  HBK_CHECK(index >= table_.chunk_count());
  HBK_CHECK(early_.emplace(index, std::move(frame)).second);
  return !std::exchange(is_appending_, true);
}

// The next frame of the file; nothing, and this thread appends no longer, if it has not come yet.
std::optional<CompressedFileWriter::Frame> CompressedFileWriter::TakeNext() {
  const MutexLock lock(mutex_);
  auto next = status_.ok() ? early_.extract(table_.chunk_count()) : decltype(early_)::node_type();
  if (!next.empty()) return std::move(next.mapped());
  is_appending_ = false;
  return std::nullopt;
}

void CompressedFileWriter::NoteAppended(const Frame& frame, const Status& status) {
  const MutexLock lock(mutex_);
  if (status.ok()) {
    table_.Add(static_cast<uint32_t>(frame.bytes.size()), frame.chunk_size);
  } else {
    status_ = status;
  }
}

Result<uint64_t> CompressedFileWriter::Finish(uint64_t plain_size) {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(status_);
  HBK_CHECK(early_.empty() && table_.plain_size() == plain_size);
  if (pool_.choice().method == codec::FrameMethod::kNone) return table_.stored_size();
  const std::vector<uint8_t> table = table_.Render();
  HBK_RETURN_IF_ERROR(append_(table));
  return table_.stored_size() + table.size();
}

struct CompressedFileReader::Decoder {
  std::unique_ptr<codec::FrameDecoder> codec;
  AlignedBuffer blocks;
  std::vector<uint8_t> chunk;
  uint64_t chunk_index = kNoChunk;
};

Result<std::unique_ptr<CompressedFileReader>> CompressedFileReader::Open(
    std::shared_ptr<io::File> file, codec::FrameMethod method) {
  const auto read = [&file](uint64_t offset, MutableByteView out) -> Status {
    HBK_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(offset, out));
    return got == out.size() ? OkStatus() : CorruptionError("it has become shorter");
  };
  const std::string path = file->path();
  const auto parse = [&]() -> Result<SeekTable> {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
    std::vector<uint8_t> bytes(SeekTable::kFooterBytes);
    if (info.size < bytes.size()) return CorruptionError("it is too short");
    HBK_RETURN_IF_ERROR(read(info.size - bytes.size(), bytes));
    HBK_ASSIGN_OR_RETURN(const uint64_t size, SeekTable::TableBytes(bytes, info.size));
    bytes.resize(size);
    HBK_RETURN_IF_ERROR(read(info.size - size, bytes));
    return SeekTable::Parse(bytes, info.size);
  };
  Result<SeekTable> table = parse();
  HBK_RETURN_IF_ERROR(table.status().WithContext(path));
  return std::unique_ptr<CompressedFileReader>(
      new CompressedFileReader(std::move(file), method, std::move(table).value()));
}

CompressedFileReader::CompressedFileReader(std::shared_ptr<io::File> file,
                                           codec::FrameMethod method, SeekTable table)
    : file_(std::move(file)), method_(method), table_(std::move(table)) {}

CompressedFileReader::~CompressedFileReader() = default;

Result<size_t> CompressedFileReader::Read(uint64_t offset, MutableByteView out) {
  if (offset >= size()) return size_t{0};
  out = out.first(std::min<uint64_t>(out.size(), size() - offset));
  size_t done = 0;
  while (done < out.size()) {
    const uint64_t index = (offset + done) / kFileChunkBytes;
    const uint64_t begin = (offset + done) % kFileChunkBytes;
    const uint32_t chunk_size = table_.FrameOf(index).chunk_size;
    const size_t part = std::min<uint64_t>(out.size() - done, chunk_size - begin);
    std::unique_ptr<Decoder> decoder = TakeDecoder(index);
    if (begin == 0 && part == chunk_size) {
      HBK_RETURN_IF_ERROR(Decode(index, *decoder, out.subspan(done, part)));
    } else {
      if (decoder->chunk_index != index) {
        decoder->chunk_index = kNoChunk;
        decoder->chunk.resize(chunk_size);
        HBK_RETURN_IF_ERROR(Decode(index, *decoder, decoder->chunk));
        decoder->chunk_index = index;
      }
      std::copy_n(decoder->chunk.begin() + static_cast<ptrdiff_t>(begin), part,
                  out.begin() + static_cast<ptrdiff_t>(done));
    }
    done += part;
    const MutexLock lock(mutex_);
    decoders_.push_back(std::move(decoder));
  }
  return done;
}

// Best the one that has the chunk already: whoever reads on in small pieces.
std::unique_ptr<CompressedFileReader::Decoder> CompressedFileReader::TakeDecoder(uint64_t index) {
  {
    const MutexLock lock(mutex_);
    const auto found = std::ranges::find(decoders_, index, &Decoder::chunk_index);
    const auto taken = found == decoders_.end() && !decoders_.empty() ? decoders_.begin() : found;
    if (taken != decoders_.end()) {
      std::unique_ptr<Decoder> decoder = std::move(*taken);
      decoders_.erase(taken);
      return decoder;
    }
  }
  auto decoder = std::make_unique<Decoder>();
  decoder->codec = codec::FrameDecoder::Create(method_);
  return decoder;
}

Status CompressedFileReader::Decode(uint64_t index, Decoder& decoder, MutableByteView chunk) {
  const SeekTable::Frame frame = table_.FrameOf(index);
  const auto at = [&](const Status& status) {
    return status.WithContext(fmt::format("{}, frame at offset {}", file_->path(), frame.offset));
  };
  // A frame is hardly larger than its chunk, whatever the table says.
  if (frame.size > 2 * kFileChunkBytes) return at(CorruptionError("it has an impossible size"));
  // Whole blocks, so that it can go past the page cache.
  const uint64_t skipped = frame.offset % io::kDirectAlignment;
  const uint64_t blocks_size = (skipped + frame.size + io::kDirectAlignment - 1) /
                               io::kDirectAlignment * io::kDirectAlignment;
  if (decoder.blocks.size() < blocks_size) decoder.blocks = AlignedBuffer(blocks_size);
  HBK_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(frame.offset - skipped,
                                                       decoder.blocks.view().first(blocks_size)));
  if (got < skipped + frame.size) return at(CorruptionError("the file has become shorter"));
  const ByteView bytes = ByteView(decoder.blocks.view()).subspan(skipped, frame.size);
  return at(decoder.codec->Decode(bytes, chunk));
}

}  // namespace hbk::filter

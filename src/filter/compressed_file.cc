#include "hbk/filter/compressed_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

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

struct CompressedFileWriter::Encoder {
  std::unique_ptr<codec::FrameEncoder> codec;
};

CompressedFileWriter::CompressedFileWriter(const codec::FrameChoice& choice, Append append)
    : choice_(choice), append_(std::move(append)) {}

CompressedFileWriter::~CompressedFileWriter() = default;

Status CompressedFileWriter::Write(uint64_t index, ByteView chunk) {
  HBK_CHECK(!chunk.empty() && chunk.size() <= kFileChunkBytes);
  std::unique_ptr<Encoder> encoder;
  bool is_fast = false;
  {
    const MutexLock lock(mutex_);
    HBK_RETURN_IF_ERROR(status_);
    is_fast = IsFastTurn();
    if (!encoders_.empty()) {
      encoder = std::move(encoders_.back());
      encoders_.pop_back();
    }
  }
  if (!encoder) {
    encoder = std::make_unique<Encoder>();
    encoder->codec = codec::FrameEncoder::Create(choice_);
  }
  Frame frame;
  frame.chunk_size = static_cast<uint32_t>(chunk.size());
  HBK_RETURN_IF_ERROR(encoder->codec->Encode(chunk, is_fast, frame.bytes));

  const MutexLock lock(mutex_);
  encoders_.push_back(std::move(encoder));
  NoteShrinking(frame.bytes.size(), chunk.size());
  HBK_RETURN_IF_ERROR(status_);
  status_ = AppendInOrder(index, std::move(frame));
  return status_;
}

bool CompressedFileWriter::IsFastTurn() {
  return stubborn_ >= kStubbornChunks && stubborn_ % kTryAgainChunks != 0;
}

void CompressedFileWriter::NoteShrinking(uint64_t frame_size, uint64_t chunk_size) {
  const bool has_shrunk = frame_size + chunk_size / kSavedPart <= chunk_size;
  if (!has_shrunk) {
    ++stubborn_;
  } else {
    stubborn_ = 0;
  }
}

Status CompressedFileWriter::AppendInOrder(uint64_t index, Frame frame) {
  if (index != table_.chunk_count()) {
    HBK_CHECK(index > table_.chunk_count());
    HBK_CHECK(early_.emplace(index, std::move(frame)).second);
    return OkStatus();
  }
  for (;;) {
    HBK_RETURN_IF_ERROR(append_(frame.bytes));
    table_.Add(static_cast<uint32_t>(frame.bytes.size()), frame.chunk_size);
    const auto next = early_.find(table_.chunk_count());
    if (next == early_.end()) return OkStatus();
    frame = std::move(next->second);
    early_.erase(next);
  }
}

Result<uint64_t> CompressedFileWriter::Finish() {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(status_);
  HBK_CHECK(early_.empty());
  const std::vector<uint8_t> table = table_.Render();
  HBK_RETURN_IF_ERROR(append_(table));
  return table_.stored_size() + table.size();
}

struct CompressedFileReader::Decoder {
  std::unique_ptr<codec::FrameDecoder> codec;
  std::vector<uint8_t> frame;
  std::vector<uint8_t> chunk;
  uint64_t chunk_index = kNoChunk;
};

Result<std::unique_ptr<CompressedFileReader>> CompressedFileReader::Open(
    std::unique_ptr<io::File> file, codec::FrameMethod method) {
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

CompressedFileReader::CompressedFileReader(std::unique_ptr<io::File> file,
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
  decoder.frame.resize(frame.size);
  HBK_ASSIGN_OR_RETURN(const size_t got, file_->ReadAt(frame.offset, decoder.frame));
  if (got != frame.size) return at(CorruptionError("the file has become shorter"));
  return at(decoder.codec->Decode(decoder.frame, chunk));
}

}  // namespace hbk::filter

#include "hbk/filter/seek_table.h"

#include "hbk/base/check.h"

namespace hbk::filter {
namespace {

constexpr uint32_t kSkippableMagic = 0x184D2A5E;
constexpr uint32_t kSeekableMagic = 0x8F92EAB1;
constexpr size_t kHeadBytes = 8;
constexpr size_t kEntryBytes = 8;
constexpr uint32_t kFramesMax = 1 << 27;  // of the format: 128 TiB

Status NoTable() {
  return CorruptionError("it has no seek table of a compressed file at its end");
}

}  // namespace

Result<uint64_t> SeekTable::TableBytes(ByteView footer, uint64_t file_size) {
  HBK_CHECK(footer.size() == kFooterBytes);
  const uint32_t count = LoadLe32(footer, 0);
  const bool is_footer = footer[4] == 0 && LoadLe32(footer, 5) == kSeekableMagic;
  const uint64_t size = kHeadBytes + kEntryBytes * uint64_t{count} + kFooterBytes;
  if (!is_footer || count > kFramesMax || size > file_size) return NoTable();
  return size;
}

Result<SeekTable> SeekTable::Parse(ByteView table, uint64_t file_size) {
  if (table.size() < kHeadBytes + kFooterBytes) return NoTable();
  HBK_ASSIGN_OR_RETURN(const uint64_t size, TableBytes(table.last(kFooterBytes), file_size));
  const bool is_table = size == table.size() && LoadLe32(table, 0) == kSkippableMagic &&
                        LoadLe32(table, 4) == size - kHeadBytes;
  if (!is_table) return NoTable();
  SeekTable parsed;
  const uint32_t count = LoadLe32(table, table.size() - kFooterBytes);
  parsed.ends_.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t frame_size = LoadLe32(table, kHeadBytes + i * kEntryBytes);
    const uint32_t chunk_size = LoadLe32(table, kHeadBytes + i * kEntryBytes + 4);
    const bool is_chunk = i + 1 < count ? chunk_size == kFileChunkBytes
                                        : chunk_size != 0 && chunk_size <= kFileChunkBytes;
    if (!is_chunk || frame_size == 0)
      return CorruptionError("its seek table has a chunk of an impossible size");
    parsed.Add(frame_size, chunk_size);
  }
  if (parsed.stored_size() != file_size - size)
    return CorruptionError("the frames of its seek table do not fill it");
  return parsed;
}

void SeekTable::Add(uint32_t frame_size, uint32_t chunk_size) {
  HBK_CHECK(ends_.empty() || last_chunk_size_ == kFileChunkBytes);
  HBK_CHECK(chunk_size != 0 && chunk_size <= kFileChunkBytes && ends_.size() < kFramesMax);
  ends_.push_back(stored_size() + frame_size);
  last_chunk_size_ = chunk_size;
}

std::vector<uint8_t> SeekTable::Render() const {
  std::vector<uint8_t> table(kHeadBytes + kEntryBytes * ends_.size() + kFooterBytes);
  StoreLe32(table, 0, kSkippableMagic);
  StoreLe32(table, 4, static_cast<uint32_t>(table.size() - kHeadBytes));
  for (size_t i = 0; i < ends_.size(); ++i) {
    const Frame frame = FrameOf(i);
    StoreLe32(table, kHeadBytes + i * kEntryBytes, frame.size);
    StoreLe32(table, kHeadBytes + i * kEntryBytes + 4, frame.chunk_size);
  }
  const size_t footer = table.size() - kFooterBytes;
  StoreLe32(table, footer, static_cast<uint32_t>(ends_.size()));
  StoreLe32(table, footer + 5, kSeekableMagic);
  return table;
}

SeekTable::Frame SeekTable::FrameOf(uint64_t index) const {
  HBK_CHECK(index < ends_.size());
  Frame frame;
  frame.offset = index == 0 ? 0 : ends_[index - 1];
  frame.size = static_cast<uint32_t>(ends_[index] - frame.offset);
  frame.chunk_size = index + 1 == ends_.size() ? last_chunk_size_ : kFileChunkBytes;
  return frame;
}

uint64_t SeekTable::plain_size() const {
  return ends_.empty() ? 0 : (ends_.size() - 1) * uint64_t{kFileChunkBytes} + last_chunk_size_;
}

}  // namespace hbk::filter

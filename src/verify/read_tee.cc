#include "read_tee.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace hbk::verify {

class TeeFile final : public io::ForwardingFile {
 public:
  TeeFile(std::unique_ptr<io::File> below, ReadTee& tee)
      : ForwardingFile(std::move(below)), tee_(tee) {}

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override {
    HBK_ASSIGN_OR_RETURN(const size_t size, ForwardingFile::ReadAt(offset, out));
    HBK_RETURN_IF_ERROR(tee_.ReadUpTo(below(), offset));
    tee_.Show(offset, out.first(size));
    return size;
  }

 private:
  ReadTee& tee_;
};

Result<std::unique_ptr<io::File>> ReadTee::Open(const std::string& path,
                                                const io::OpenOptions& options) {
  HBK_ASSIGN_OR_RETURN(auto file, ForwardingFileSystem::Open(path, options));
  if (path != path_) return file;
  return std::unique_ptr<io::File>(new TeeFile(std::move(file), *this));
}

void ReadTee::Append(ByteView bytes) {
  while (!bytes.empty()) {
    const auto begin = static_cast<size_t>(position_ % kChunkBytes);
    const auto size = std::min<size_t>(kChunkBytes - begin, bytes.size());
    if (size == kChunkBytes) {
      sink_(position_, bytes.first(size));
      position_ += size;
      bytes = bytes.subspan(size);
      continue;
    }
    std::memcpy(chunk_.data() + begin, bytes.data(), size);
    position_ += size;
    bytes = bytes.subspan(size);
    if (begin + size == kChunkBytes) sink_(position_ - kChunkBytes, chunk_.view());
  }
}

void ReadTee::Show(uint64_t offset, ByteView bytes) {
  const uint64_t end = offset + bytes.size();
  if (offset <= position_ && position_ < end)
    Append(bytes.subspan(static_cast<size_t>(position_ - offset)));
}

// Straight into the chunk.
Status ReadTee::ReadUpTo(io::File& file, uint64_t offset) {
  while (position_ < offset) {
    const auto begin = static_cast<size_t>(position_ % kChunkBytes);
    const auto size =
        static_cast<size_t>(std::min<uint64_t>(kChunkBytes - begin, offset - position_));
    HBK_ASSIGN_OR_RETURN(const size_t done,
                         file.ReadAt(position_, chunk_.view().subspan(begin, size)));
    position_ += done;
    if (done != size) {
      return FailedError(
          fmt::format("{} ends at offset {} while it is being read", path_, position_));
    }
    if (begin + size == kChunkBytes) sink_(position_ - kChunkBytes, chunk_.view());
  }
  return OkStatus();
}

Status ReadTee::RestTo(uint64_t size) {
  if (position_ < size) {
    HBK_ASSIGN_OR_RETURN(const auto file, below().Open(path_, {}));
    HBK_RETURN_IF_ERROR(ReadUpTo(*file, size));
  }
  const auto left = static_cast<size_t>(position_ % kChunkBytes);
  if (left != 0) sink_(position_ - left, ByteView(chunk_.view()).first(left));
  return OkStatus();
}

}  // namespace hbk::verify

#include "file_digest.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/filter/tree_digest.h"

namespace hbk::backup {

Result<std::string> DigestOfFile(io::FileSystem& fs, const std::string& path, uint64_t size) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {.direct = true}));
  filter::TreeDigest digest(size);
  AlignedBuffer buffer(filter::TreeDigest::kChunkBytes);
  for (uint64_t i = 0; i < digest.chunk_count(); ++i) {
    const uint64_t offset = i * filter::TreeDigest::kChunkBytes;
    const auto expected =
        static_cast<size_t>(std::min(filter::TreeDigest::kChunkBytes, size - offset));
    HBK_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(offset, buffer.view()));
    if (got != expected) {
      return FailedError(
          fmt::format("{} was written with {} bytes, but ends at {}", path, size, offset + got));
    }
    digest.AddChunk(i, ByteView(buffer.view()).first(expected));
  }
  return digest.Finish();
}

}  // namespace hbk::backup

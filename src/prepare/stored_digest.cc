#include "stored_digest.h"

#include <algorithm>

#include "hbk/base/aligned_buffer.h"
#include "hbk/filter/tree_digest.h"

namespace hbk::prepare {

using filter::TreeDigest;

Result<FileDigest> DigestFile(io::FileSystem& fs, const std::string& path,
                              const std::stop_token& stop, const KnownChunks& known) {
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(path, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  TreeDigest digest(info.size);
  AlignedBuffer chunk(TreeDigest::kChunkBytes);
  uint64_t data_offset = 0;
  for (uint64_t index = 0; index < digest.chunk_count(); ++index) {
    if (stop.stop_requested()) return InterruptedError();
    const uint64_t offset = index * TreeDigest::kChunkBytes;
    const auto size =
        static_cast<size_t>(std::min<uint64_t>(TreeDigest::kChunkBytes, info.size - offset));
    if (const ByteView hash = known.Find(index, info.size); !hash.empty()) {
      digest.AddHash(index, hash);
      continue;
    }
    if (data_offset < offset) {
      HBK_ASSIGN_OR_RETURN(data_offset, file->SeekData(offset));
    }
    if (data_offset >= offset + size) {
      digest.AddZeroChunk(index);
      continue;
    }
    HBK_ASSIGN_OR_RETURN(const size_t done, file->ReadAt(offset, chunk.view().first(size)));
    if (done != size) return FailedError(path + " became shorter while it was read");
    digest.AddChunk(index, chunk.view().first(size));
  }
  return FileDigest{
      .size = info.size, .digest = digest.Finish(), .chunk_hashes = digest.chunk_hashes()};
}

}  // namespace hbk::prepare

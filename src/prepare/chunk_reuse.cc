#include "chunk_reuse.h"

#include <algorithm>

#include "hbk/filter/tree_digest.h"

namespace hbk::prepare {
namespace {

uint64_t ChunkBytes(uint64_t chunk, uint64_t file_size) {
  const uint64_t begin = chunk * filter::TreeDigest::kChunkBytes;
  return begin >= file_size ? 0 : std::min(filter::TreeDigest::kChunkBytes, file_size - begin);
}

}  // namespace

ByteView KnownChunks::Find(uint64_t chunk, uint64_t file_size) const {
  if (hashes.empty() || written.Contains(chunk) ||
      ChunkBytes(chunk, size) != ChunkBytes(chunk, file_size)) {
    return {};
  }
  return hashes.subspan(chunk * filter::kChunkHashBytes, filter::kChunkHashBytes);
}

Status ChunkReuse::Note(const BackupSet& set, bool as_the_manifest_says) {
  watch_.StartAgain();
  if (!set.manifest.has_value()) return OkStatus();
  auto loaded = manifest::LoadChunkHashes(watch_, set.dir);
  if (loaded.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(loaded.status());
  hashes_ = std::move(loaded).value();
  if (!as_the_manifest_says) return OkStatus();
  for (const manifest::ManifestFile& file : set.manifest->files) {
    if (hashes_.Find(file.size, file.digest).empty()) continue;
    const auto info = watch_.Stat(set.Path(file.name), /*follow=*/false);
    if (!info.ok() || info->size != file.size) continue;
    files_[{info->device, info->inode}] = {.size = file.size, .digest = file.digest};
  }
  return OkStatus();
}

KnownChunks ChunkReuse::Of(const io::FileInfo& file) const {
  const auto old = files_.find({file.device, file.inode});
  if (old == files_.end()) return {};
  return {.hashes = hashes_.Find(old->second.size, old->second.digest),
          .size = old->second.size,
          .written = watch_.WrittenOf(file)};
}

}  // namespace hbk::prepare

// hbk_chunks: what the digests of large files are made of, so that a file of which little is
// written need not be read whole for its new digest.
//
// A file is found by its digest: that is the hash of its list, so that no list can be taken for one
// of another content. Without the file, or with one that cannot be read, there is only more to
// read.
//
// Format   docs/format/chunks.md.
// Errors   kCorruption, kUnsupported: a file that cannot be used. kNotFound.
// Threads  Values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"

namespace hbk::manifest {

constexpr std::string_view kChunkHashesName = "hbk_chunks";

class ChunkHashes {
 public:
  // Of one file: filter::TreeDigest::chunk_hashes(). Files of one chunk are not worth an entry.
  void Add(std::vector<uint8_t> hashes);
  // Of the file with that size and digest; nothing if it is not known.
  [[nodiscard]] ByteView Find(uint64_t size, const std::string& digest) const;
  // Forgets what is of no file in the list.
  void KeepOnly(const std::vector<ManifestFile>& files);
  // Each list is of a file among these.
  [[nodiscard]] bool AreOf(const std::vector<ManifestFile>& files) const;
  [[nodiscard]] bool empty() const { return lists_.empty(); }

  // The same lists always render to the same bytes.
  [[nodiscard]] std::string Render() const;
  static Result<ChunkHashes> Parse(ByteView bytes);

 private:
  std::map<std::string, std::vector<uint8_t>> lists_;  // by digest
};

Result<ChunkHashes> LoadChunkHashes(io::FileSystem& fs, const std::string& backup_dir);
// Replaces the file, durably; removes it if there is nothing to say.
Status StoreChunkHashes(io::FileSystem& fs, const std::string& backup_dir,
                        const ChunkHashes& hashes);

}  // namespace hbk::manifest

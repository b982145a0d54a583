// Which chunks of the files of a backup need not be read again for their new digests.
//
// A hash of the old digest is used again only for a chunk that this run has not written to, of a
// file that the manifest knew. That this gives no digest that hides damage, or that invents some:
//
//   - The hashes are those of which the digest in the manifest was made: a list is found by that
//     digest, which is its own hash. A list that is stale, damaged or of another file is not found.
//   - No write of the run is missed: all of its files are opened through WriteWatch, which is asked
//     by inode, so that no rename matters. It begins before the first change.
//   - What an earlier run has written is not known: if one was interrupted, or another program has
//     prepared the backup, nothing is used again: the caller says so to Note().
//   - If the file was not what the manifest says when the run began, it was damaged. A chunk that
//     is read again was compared before it was changed (old_content.h): its new digest would hide
//     the damage. One that is not keeps the old hash, and copy-back finds the damage.
//   - The length of the chunk must be what it was.
//
// Threads  Note: one; then any number.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hbk/manifest/chunk_hashes.h"

#include "backup_set.h"
#include "write_watch.h"

namespace hbk::prepare {

// Of one file; without hashes, all of it is to be read.
struct KnownChunks {
  ByteView hashes;    // lives as long as the ChunkReuse
  uint64_t size = 0;  // of the file when it had them
  WrittenChunks written;

  // The hash of a chunk of the file, which is now `file_size` long; empty: it must be read.
  [[nodiscard]] ByteView Find(uint64_t chunk, uint64_t file_size) const;
};

class ChunkReuse {
 public:
  // Borrows the watch.
  explicit ChunkReuse(WriteWatch& watch) : watch_(watch) {}

  // From now on the watch counts. Hashes are used again only if the files are
  // `as_the_manifest_says`. What is wrong with hbk_chunks is said in the status; then nothing is
  // used, and no harm done.
  Status Note(const BackupSet& set, bool as_the_manifest_says);
  [[nodiscard]] KnownChunks Of(const io::FileInfo& file) const;
  // All that is known, of the files as they were.
  [[nodiscard]] const manifest::ChunkHashes& hashes() const { return hashes_; }

 private:
  struct OldFile {
    uint64_t size = 0;
    std::string digest;
  };
  WriteWatch& watch_;
  manifest::ChunkHashes hashes_;
  std::map<std::pair<uint64_t, uint64_t>, OldFile> files_;  // by device and inode
};

}  // namespace hbk::prepare

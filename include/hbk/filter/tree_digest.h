// The digest of a file, made from its parts in any order and by several threads.
//
// A file is cut into chunks of 1 MiB (the last one may be shorter). The digest is the XXH3-128 of
// the concatenated XXH3-128 values (canonical, 16 bytes each) of all chunks, written as 32 hex
// digits. A chunk that lies in a hole counts as its zeros, without being read. It finds damage, not
// forgery: authenticated encryption is another filter.
//
// Format   docs/format/manifest.md, "Digest".
// Threads  AddChunk from any number of threads, each chunk once; Finish after all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/bytes.h"

namespace hbk::filter {

constexpr size_t kChunkHashBytes = 16;

class TreeDigest {
 public:
  static constexpr uint64_t kChunkBytes = 1 << 20;

  explicit TreeDigest(uint64_t file_size);

  [[nodiscard]] uint64_t chunk_count() const { return chunk_count_; }
  // `bytes` is the whole chunk: kChunkBytes, or what is left for the last one.
  void AddChunk(uint64_t index, ByteView bytes);
  // The chunk is all zeros.
  void AddZeroChunk(uint64_t index);
  // Not while other threads add.
  [[nodiscard]] bool IsAdded(uint64_t index) const { return chunk_is_added_[index] != 0; }
  // The chunk has that hash; one of chunk_hashes() of another digest.
  void AddHash(uint64_t index, ByteView hash);
  // 32 hex digits. Every chunk must have been added (checked).
  [[nodiscard]] std::string Finish() const;
  // What the digest is made of: kChunkHashBytes of each chunk.
  [[nodiscard]] const std::vector<uint8_t>& chunk_hashes() const { return chunk_hashes_; }

 private:
  [[nodiscard]] uint64_t ChunkBytes(uint64_t index) const;
  void Store(uint64_t index, ByteView hash);

  uint64_t file_size_;
  uint64_t chunk_count_;
  std::vector<uint8_t> chunk_hashes_;    // 16 bytes each
  std::vector<uint8_t> chunk_is_added_;  // not bool: threads write neighbours at the same time
};

// The same digest of a file whose size is not known before it is written, from its first chunk to
// its last.
//
// Threads  One.
class GrowingDigest {
 public:
  // `bytes`: TreeDigest::kChunkBytes, or fewer in the last call.
  void AddChunk(ByteView bytes);
  [[nodiscard]] std::string Finish() const;

 private:
  std::vector<uint8_t> chunk_hashes_;  // 16 bytes each
  bool is_complete_ = false;
};

// The digest of a file whose chunks have these hashes, in their order.
std::string DigestOfChunkHashes(ByteView chunk_hashes);

// For a buffer that is the whole file.
std::string DigestOf(ByteView bytes);

}  // namespace hbk::filter

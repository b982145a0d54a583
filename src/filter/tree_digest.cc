#include "hbk/filter/tree_digest.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <xxhash.h>

namespace hbk::filter {
namespace {

using Hash = std::array<uint8_t, kChunkHashBytes>;

// The canonical form is big-endian, the same on every machine.
Hash HashOf(ByteView bytes) {
  XXH128_canonical_t canonical;
  static_assert(sizeof(canonical.digest) == kChunkHashBytes);
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Hash hash;
  std::copy_n(canonical.digest, kChunkHashBytes, hash.begin());
  return hash;
}

std::string TextOf(const Hash& hash) {
  std::string text;
  text.reserve(2 * kChunkHashBytes);
  for (const uint8_t byte : hash)
    fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

Hash HashOfZeros(uint64_t size) {
  const std::vector<uint8_t> zeros(size, 0);
  return HashOf(zeros);
}

}  // namespace

TreeDigest::TreeDigest(uint64_t file_size)
    : file_size_(file_size),
      chunk_count_(file_size / kChunkBytes + (file_size % kChunkBytes != 0 ? 1 : 0)),
      chunk_hashes_(chunk_count_ * kChunkHashBytes),
      chunk_is_added_(chunk_count_) {}

uint64_t TreeDigest::ChunkBytes(uint64_t index) const {
  HBK_CHECK(index < chunk_count_);
  return std::min(kChunkBytes, file_size_ - index * kChunkBytes);
}

void TreeDigest::AddChunk(uint64_t index, ByteView bytes) {
  HBK_CHECK(bytes.size() == ChunkBytes(index));
  const Hash hash = HashOf(bytes);
  Store(index, hash);
}

void TreeDigest::AddZeroChunk(uint64_t index) {
  // A sparse file of a terabyte has a million of them.
  static const Hash kZeroChunk = HashOfZeros(kChunkBytes);
  const uint64_t size = ChunkBytes(index);
  Store(index, size == kChunkBytes ? kZeroChunk : HashOfZeros(size));
}

void TreeDigest::AddHash(uint64_t index, ByteView hash) {
  HBK_CHECK(index < chunk_count_ && hash.size() == kChunkHashBytes);
  Store(index, hash);
}

// Each chunk has bytes of its own, so that threads need no lock.
void TreeDigest::Store(uint64_t index, ByteView hash) {
  std::copy_n(hash.begin(), kChunkHashBytes, chunk_hashes_.data() + index * kChunkHashBytes);
  chunk_is_added_[index] = 1;
}

std::string TreeDigest::Finish() const {
  // A chunk that was forgotten would go unnoticed until somebody needs the backup.
  HBK_CHECK(std::ranges::find(chunk_is_added_, 0) == chunk_is_added_.end());
  return TextOf(HashOf(chunk_hashes_));
}

void GrowingDigest::AddChunk(ByteView bytes) {
  HBK_CHECK(!is_complete_ && bytes.size() <= TreeDigest::kChunkBytes);
  is_complete_ = bytes.size() < TreeDigest::kChunkBytes;
  if (bytes.empty()) return;
  const Hash hash = HashOf(bytes);
  chunk_hashes_.insert(chunk_hashes_.end(), hash.begin(), hash.end());
}

std::string GrowingDigest::Finish() const {
  return TextOf(HashOf(chunk_hashes_));
}

std::string DigestOfChunkHashes(ByteView chunk_hashes) {
  return TextOf(HashOf(chunk_hashes));
}

std::string DigestOf(ByteView bytes) {
  TreeDigest digest(bytes.size());
  for (uint64_t i = 0; i < digest.chunk_count(); ++i) {
    const uint64_t begin = i * TreeDigest::kChunkBytes;
    digest.AddChunk(i,
                    bytes.subspan(begin, std::min(TreeDigest::kChunkBytes, bytes.size() - begin)));
  }
  return digest.Finish();
}

}  // namespace hbk::filter

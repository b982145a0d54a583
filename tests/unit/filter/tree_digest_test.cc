// TreeDigest: known values, any order, any thread, holes.
#include "hbk/filter/tree_digest.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hbk::filter {
namespace {

constexpr uint64_t kChunk = TreeDigest::kChunkBytes;

// Bytes that repeat with no period of a power of two, so that swapped chunks are noticed.
std::vector<uint8_t> SomeBytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  uint32_t state = 1;
  for (uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  return bytes;
}

ByteView ChunkOf(const std::vector<uint8_t>& bytes, uint64_t index) {
  const uint64_t begin = index * kChunk;
  return ByteView(bytes).subspan(begin, std::min(kChunk, bytes.size() - begin));
}

TEST(TreeDigestTest, EmptyFileIsTheHashOfNothing) {
  // XXH3-128 of no bytes.
  EXPECT_EQ(DigestOf({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(TreeDigest(0).chunk_count(), 0U);
}

TEST(TreeDigestTest, KnownValuesStay) {
  EXPECT_EQ(DigestOf(AsBytes("a")), "29d5ea74c083b930d18d60f8e2a50394");
  EXPECT_EQ(DigestOf(SomeBytes(2 * kChunk + 5)), "2b938383e05dc2bda17dc39a62f3a044");
}

TEST(TreeDigestTest, TheOrderOfChunksDoesNotMatter) {
  const std::vector<uint8_t> bytes = SomeBytes(3 * kChunk + 12345);
  TreeDigest backward(bytes.size());
  ASSERT_EQ(backward.chunk_count(), 4U);

  for (uint64_t i = 4; i-- > 0;)
    backward.AddChunk(i, ChunkOf(bytes, i));

  EXPECT_EQ(backward.Finish(), DigestOf(bytes));
}

TEST(TreeDigestTest, ThreadsMayShareOne) {
  const std::vector<uint8_t> bytes = SomeBytes(8 * kChunk - 1);
  TreeDigest digest(bytes.size());

  {
    std::vector<std::jthread> threads;
    for (uint64_t first = 0; first < 4; ++first) {
      threads.emplace_back([&digest, &bytes, first] {
        for (uint64_t i = first; i < digest.chunk_count(); i += 4)
          digest.AddChunk(i, ChunkOf(bytes, i));
      });
    }
  }

  EXPECT_EQ(digest.Finish(), DigestOf(bytes));
}

TEST(TreeDigestTest, AZeroChunkEqualsItsZeros) {
  const std::vector<uint8_t> zeros(2 * kChunk + 4096, 0);
  TreeDigest sparse(zeros.size());

  for (uint64_t i = 0; i < 3; ++i)
    sparse.AddZeroChunk(i);

  EXPECT_EQ(sparse.Finish(), DigestOf(zeros));
}

TEST(TreeDigestTest, SwappedChunksDiffer) {
  const std::vector<uint8_t> bytes = SomeBytes(2 * kChunk);
  TreeDigest swapped(bytes.size());

  swapped.AddChunk(0, ChunkOf(bytes, 1));
  swapped.AddChunk(1, ChunkOf(bytes, 0));

  EXPECT_NE(swapped.Finish(), DigestOf(bytes));
}

TEST(TreeDigestTest, OneZeroByteMoreDiffers) {
  EXPECT_NE(DigestOf(std::vector<uint8_t>(kChunk, 0)),
            DigestOf(std::vector<uint8_t>(kChunk + 1, 0)));
  EXPECT_NE(DigestOf(std::vector<uint8_t>(1, 0)), DigestOf({}));
}

TEST(TreeDigestTest, IsMadeFromHashesOfAnotherOneAsFromTheBytes) {
  const std::vector<uint8_t> bytes = SomeBytes(3 * kChunk + 4711);
  TreeDigest whole(bytes.size());
  TreeDigest digest(bytes.size());
  for (uint64_t i = 0; i < 4; ++i) {
    whole.AddChunk(i, ChunkOf(bytes, i));
    if (i == 1) digest.AddChunk(i, ChunkOf(bytes, i));
    if (i != 1)
      digest.AddHash(i,
                     ByteView(whole.chunk_hashes()).subspan(i * kChunkHashBytes, kChunkHashBytes));
  }

  EXPECT_EQ(digest.Finish(), whole.Finish());
  EXPECT_EQ(digest.chunk_hashes(), whole.chunk_hashes());
  EXPECT_EQ(DigestOfChunkHashes(whole.chunk_hashes()), whole.Finish());
}

TEST(TreeDigestDeathTest, AForgottenChunkIsADefect) {
  const std::vector<uint8_t> bytes = SomeBytes(2 * kChunk);
  TreeDigest digest(bytes.size());
  digest.AddChunk(1, ChunkOf(bytes, 1));

  EXPECT_DEATH((void)digest.Finish(), "check failed");
}

TEST(TreeDigestDeathTest, AChunkOfTheWrongSizeIsADefect) {
  const std::vector<uint8_t> bytes = SomeBytes(kChunk);
  TreeDigest digest(kChunk + 1);

  EXPECT_DEATH(digest.AddChunk(1, bytes), "check failed");
}

TEST(GrowingDigestTest, IsTheDigestOfAllItsChunks) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{kChunk}, size_t{kChunk + 1},
                            size_t{3 * kChunk}, size_t{3 * kChunk + 4711}}) {
    const std::vector<uint8_t> bytes = SomeBytes(size);
    GrowingDigest digest;
    for (uint64_t begin = 0; begin < size; begin += kChunk)
      digest.AddChunk(ChunkOf(bytes, begin / kChunk));

    EXPECT_EQ(digest.Finish(), DigestOf(bytes)) << size;
  }
}

}  // namespace
}  // namespace hbk::filter

#include "hbk/manifest/chunk_hashes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kChunk = filter::TreeDigest::kChunkBytes;

std::vector<uint8_t> ListOf(size_t chunk_count, uint8_t byte) {
  return std::vector<uint8_t>(chunk_count * filter::kChunkHashBytes, byte);
}

std::vector<uint8_t> Bytes(ByteView view) {
  return {view.begin(), view.end()};
}

Result<ChunkHashes> ParseText(std::string_view text) {
  return ChunkHashes::Parse(AsBytes(text));
}

TEST(ChunkHashesTest, AListIsFoundByDigestAndSize) {
  ChunkHashes hashes;
  hashes.Add(ListOf(3, 7));
  const std::string digest = filter::DigestOfChunkHashes(ListOf(3, 7));

  EXPECT_EQ(Bytes(hashes.Find(3 * kChunk, digest)), ListOf(3, 7));
  EXPECT_EQ(Bytes(hashes.Find(2 * kChunk + 1, digest)), ListOf(3, 7));
  EXPECT_TRUE(hashes.Find(3 * kChunk + 1, digest).empty());
  EXPECT_TRUE(hashes.Find(2 * kChunk, digest).empty());
  EXPECT_TRUE(hashes.Find(3 * kChunk, filter::DigestOfChunkHashes(ListOf(3, 8))).empty());
  EXPECT_TRUE(hashes.Find(0, "").empty());
}

TEST(ChunkHashesTest, FilesOfOneChunkAreNotKept) {
  ChunkHashes hashes;
  hashes.Add(ListOf(1, 7));
  hashes.Add({});

  EXPECT_TRUE(hashes.empty());
}

TEST(ChunkHashesTest, WhatIsInNoFileAnyMoreIsForgotten) {
  ChunkHashes hashes;
  hashes.Add(ListOf(3, 7));
  hashes.Add(ListOf(3, 8));
  ManifestFile file;
  file.digest = filter::DigestOfChunkHashes(ListOf(3, 8));

  hashes.KeepOnly({file});

  EXPECT_TRUE(hashes.Find(3 * kChunk, filter::DigestOfChunkHashes(ListOf(3, 7))).empty());
  EXPECT_FALSE(hashes.Find(3 * kChunk, file.digest).empty());
}

TEST(ChunkHashesTest, AreOfFilesThatHaveAllTheirDigests) {
  ChunkHashes hashes;
  ManifestFile file;
  file.digest = filter::DigestOfChunkHashes(ListOf(3, 8));
  EXPECT_TRUE(hashes.AreOf({}));

  hashes.Add(ListOf(3, 8));
  EXPECT_TRUE(hashes.AreOf({ManifestFile(), file}));
  EXPECT_FALSE(hashes.AreOf({ManifestFile()}));

  hashes.Add(ListOf(3, 7));
  EXPECT_FALSE(hashes.AreOf({file}));
}

TEST(ChunkHashesTest, IsReadAsItWasWritten) {
  ChunkHashes hashes;
  hashes.Add(ListOf(3, 7));
  hashes.Add(ListOf(200, 8));

  const auto parsed = ParseText(hashes.Render());

  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->Render(), hashes.Render());
  EXPECT_EQ(Bytes(parsed->Find(200 * kChunk, filter::DigestOfChunkHashes(ListOf(200, 8)))),
            ListOf(200, 8));
}

TEST(ChunkHashesTest, EveryFlippedBitAndEveryCutIsSeen) {
  ChunkHashes hashes;
  hashes.Add(ListOf(2, 7));
  hashes.Add(ListOf(3, 8));
  const std::string text = hashes.Render();

  for (size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_THAT(ParseText(bad), StatusIs(StatusCode::kCorruption, HasSubstr(kChunkHashesName)))
        << i;
    EXPECT_FALSE(ParseText(text.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(ParseText(text + '\0').ok());
}

TEST(ChunkHashesTest, IsStoredAndRemovedWhenThereIsNothingToSay) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  ChunkHashes hashes;
  hashes.Add(ListOf(2, 7));

  EXPECT_THAT(LoadChunkHashes(fs, "/b"), StatusIs(StatusCode::kNotFound, HasSubstr("")));
  ASSERT_THAT(StoreChunkHashes(fs, "/b", hashes), IsOk());
  fs.Crash(0);
  const auto loaded = LoadChunkHashes(fs, "/b");
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded->Render(), hashes.Render());

  ASSERT_THAT(StoreChunkHashes(fs, "/b", ChunkHashes()), IsOk());
  ASSERT_THAT(StoreChunkHashes(fs, "/b", ChunkHashes()), IsOk()) << "there is none";
  fs.Crash(0);
  EXPECT_THAT(io::Exists(fs, "/b/hbk_chunks"), IsOkAndHolds(false));
}

}  // namespace
}  // namespace hbk::manifest

#include "chunk_reuse.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"

#include "stored_digest.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kChunk = filter::TreeDigest::kChunkBytes;

class ChunkReuseTest : public ::testing::Test {
 protected:
  ChunkReuseTest() {
    fs_.PutDirectory("/b");
    set_.dir = "/b";
    set_.manifest.emplace();
  }
  // A file, in the manifest and in hbk_chunks.
  void Add(const std::string& name, const std::string& bytes) {
    fs_.PutFile("/b/" + name, bytes);
    const auto digest = DigestFile(fs_, "/b/" + name, {});
    ASSERT_THAT(digest, IsOk());
    hashes_.Add(digest->chunk_hashes);
    set_.manifest->files.push_back({.name = name,
                                    .kind = "tablespace",
                                    .size = bytes.size(),
                                    .digest = digest->digest,
                                    .stage = "start"});
    ASSERT_THAT(manifest::StoreChunkHashes(fs_, "/b", hashes_), IsOk());
  }
  std::unique_ptr<io::File> Open(const std::string& name) {
    auto file = watch_.Open("/b/" + name, {.write = true});
    EXPECT_THAT(file, IsOk());
    return std::move(file).value();
  }
  KnownChunks Of(const std::string& name) {
    const auto info = watch_.Stat("/b/" + name, false);
    EXPECT_THAT(info, IsOk());
    return reuse_.Of(*info);
  }
  std::string DigestNow(const std::string& name) {
    const auto digest = DigestFile(watch_, "/b/" + name, {}, Of(name));
    EXPECT_THAT(digest, IsOk());
    return digest->digest;
  }
  // Behind the back of the watch: the digest of a chunk that is not read does not see it.
  void Damage(const std::string& name, uint64_t offset) {
    const auto file = fs_.Open("/b/" + name, {.write = true});
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->WriteAt(offset, AsBytes("damage")), IsOk());
  }

  MemFileSystem fs_;
  BackupSet set_;
  manifest::ChunkHashes hashes_;
  WriteWatch watch_{fs_};
  ChunkReuse reuse_{watch_};
};

TEST_F(ChunkReuseTest, OnlyChunksThatWereWrittenAreRead) {
  Add("f", std::string(4 * kChunk, 'x'));
  ASSERT_THAT(reuse_.Note(set_, true), IsOk());
  std::string expected(4 * kChunk, 'x');
  expected.replace(kChunk, 3, "new");
  ASSERT_THAT(Open("f")->WriteAt(kChunk, AsBytes("new")), IsOk());
  EXPECT_EQ(DigestNow("f"), filter::DigestOf(AsBytes(expected)));

  Damage("f", 3 * kChunk);

  EXPECT_EQ(DigestNow("f"), filter::DigestOf(AsBytes(expected)))
      << "the digest is that of what should be there";
}

TEST_F(ChunkReuseTest, AListThatIsNotOfTheDigestInTheManifestIsNotUsed) {
  Add("f", std::string(4 * kChunk, 'x'));
  set_.manifest->files[0].digest = std::string(32, 'a');

  ASSERT_THAT(reuse_.Note(set_, true), IsOk());

  EXPECT_TRUE(Of("f").hashes.empty());
}

TEST_F(ChunkReuseTest, AfterAnInterruptedRunFilesAreReadWholeAndListsAreKept) {
  Add("f", std::string(4 * kChunk, 'x'));

  ASSERT_THAT(reuse_.Note(set_, false), IsOk());

  EXPECT_TRUE(Of("f").hashes.empty());
  EXPECT_FALSE(reuse_.hashes().empty());
}

TEST_F(ChunkReuseTest, AFileOfAnotherSizeThanTheManifestSaysIsReadWhole) {
  Add("f", std::string(4 * kChunk, 'x'));
  fs_.PutFile("/b/f", std::string(4 * kChunk - 1, 'x'));

  ASSERT_THAT(reuse_.Note(set_, true), IsOk());

  EXPECT_TRUE(Of("f").hashes.empty());
}

TEST_F(ChunkReuseTest, AMissingListIsNoErrorAndADamagedOneIsSaid) {
  Add("f", std::string(4 * kChunk, 'x'));
  ASSERT_THAT(fs_.Remove("/b/hbk_chunks"), IsOk());
  EXPECT_THAT(reuse_.Note(set_, true), IsOk());
  EXPECT_TRUE(Of("f").hashes.empty());

  fs_.PutFile("/b/hbk_chunks", "something that is no list at all");
  EXPECT_THAT(reuse_.Note(set_, true), StatusIs(StatusCode::kCorruption, HasSubstr("hbk_chunks")));
  EXPECT_TRUE(Of("f").hashes.empty());
}

TEST_F(ChunkReuseTest, AFileThatTookTheInodeOfAnotherIsReadWhole) {
  Add("f", std::string(4 * kChunk, 'x'));
  ASSERT_THAT(reuse_.Note(set_, true), IsOk());
  const auto old = watch_.Stat("/b/f", false);
  ASSERT_THAT(old, IsOk());

  // As a new file with this number would be opened.
  ASSERT_THAT(watch_.Open("/b/f", {.write = true, .truncate = true}), IsOk());

  for (uint64_t chunk = 0; chunk < 4; ++chunk)
    EXPECT_TRUE(reuse_.Of(*old).Find(chunk, 4 * kChunk).empty()) << chunk;
}

// Whatever is done to a file, its digest is that of its bytes.
TEST_F(ChunkReuseTest, RandomChangesGiveTheDigestOfTheBytes) {
  std::mt19937 random(4711);
  for (int round = 0; round < 60; ++round) {
    const std::string name = "f" + std::to_string(round);
    const uint64_t size = random() % (5 * kChunk);
    Add(name, std::string(size, static_cast<char>(random())));
    ASSERT_THAT(reuse_.Note(set_, true), IsOk());
    const auto file = Open(name);
    for (uint32_t change = random() % 4; change != 0; --change) {
      const uint64_t offset = random() % (6 * kChunk);
      switch (random() % 3) {
        case 0: ASSERT_THAT(file->Truncate(offset), IsOk()); break;
        case 1: ASSERT_THAT(file->PunchHole(offset, random() % kChunk), IsOk()); break;
        default: ASSERT_THAT(file->WriteAt(offset, AsBytes("some bytes")), IsOk());
      }
    }

    EXPECT_EQ(DigestNow(name), filter::DigestOf(AsBytes(fs_.Contents("/b/" + name)))) << round;
    ASSERT_THAT(fs_.Remove("/b/" + name), IsOk());
    set_.manifest->files.clear();
  }
}

}  // namespace
}  // namespace hbk::prepare

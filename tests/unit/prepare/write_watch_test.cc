#include "write_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::write_watch_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;

constexpr uint64_t kChunk = filter::TreeDigest::kChunkBytes;

class WriteWatchTest : public ::testing::Test {
 protected:
  WriteWatchTest() { mem_.PutFile("/b/f", std::string(8 * kChunk, 'x')); }

  std::unique_ptr<io::File> Open(const std::string& path, const io::OpenOptions& options) {
    auto file = watch_.Open(path, options);
    EXPECT_THAT(file, IsOk());
    return std::move(file).value();
  }
  // Of eight chunks: 1 for those that were written to.
  std::string Written(const std::string& path) {
    const auto info = watch_.Stat(path, false);
    EXPECT_THAT(info, IsOk());
    const WrittenChunks written = watch_.WrittenOf(*info);
    std::string text;
    for (uint64_t chunk = 0; chunk < 8; ++chunk)
      text += written.Contains(chunk) ? '1' : '0';
    return text;
  }

  MemFileSystem mem_;
  WriteWatch watch_{mem_};
};

TEST_F(WriteWatchTest, WritesAndHolesMarkTheChunksThatTheyTouch) {
  const auto file = Open("/b/f", {.write = true});
  EXPECT_EQ(Written("/b/f"), "00000000");

  ASSERT_THAT(file->WriteAt(kChunk - 1, AsBytes("xy")), IsOk());
  EXPECT_EQ(Written("/b/f"), "11000000");
  ASSERT_THAT(file->WriteAt(5 * kChunk, {}), IsOk());
  EXPECT_EQ(Written("/b/f"), "11000000") << "nothing was written";
  ASSERT_THAT(file->PunchHole(3 * kChunk, kChunk), IsOk());
  EXPECT_EQ(Written("/b/f"), "11010000");
}

TEST_F(WriteWatchTest, ReadingMarksNothing) {
  std::string bytes(10, ' ');
  for (const bool write : {false, true}) {
    const auto file = Open("/b/f", {.write = write});
    ASSERT_THAT(file->ReadAt(0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}), IsOk());
    ASSERT_THAT(file->Sync(), IsOk());
    EXPECT_EQ(Written("/b/f"), "00000000");
  }
}

TEST_F(WriteWatchTest, WhatWasCutOffCountsAsWrittenEvenIfTheFileGrowsAgain) {
  const auto file = Open("/b/f", {.write = true});

  ASSERT_THAT(file->Truncate(5 * kChunk + 1), IsOk());
  ASSERT_THAT(file->Truncate(8 * kChunk), IsOk());

  EXPECT_EQ(Written("/b/f"), "00000111");
}

TEST_F(WriteWatchTest, RenamesDoNotMatter) {
  const auto file = Open("/b/f", {.write = true});
  ASSERT_THAT(watch_.Rename("/b/f", "/b/g"), IsOk());

  ASSERT_THAT(file->WriteAt(0, AsBytes("x")), IsOk());

  EXPECT_EQ(Written("/b/g"), "10000000");
}

TEST_F(WriteWatchTest, NewAndEmptiedAndClonedFilesAreWrittenWhole) {
  mem_.SetHasClones(true);
  (void)Open("/b/new", {.write = true, .create = true});
  EXPECT_EQ(Written("/b/new"), "11111111");

  const auto from = Open("/b/new", {.write = true});
  const auto to = Open("/b/f", {.write = true});
  EXPECT_THAT(to->CloneFrom(*from), IsOkAndHolds(true));
  EXPECT_EQ(Written("/b/f"), "11111111");

  watch_.StartAgain();
  EXPECT_EQ(Written("/b/f"), "00000000");
  (void)Open("/b/f", {.write = true, .truncate = true});
  EXPECT_EQ(Written("/b/f"), "11111111");
}

TEST_F(WriteWatchTest, FilesThatAreOpenAreWatchedOnAfterANewStart) {
  const auto file = Open("/b/f", {.write = true});
  ASSERT_THAT(file->WriteAt(0, AsBytes("x")), IsOk());

  watch_.StartAgain();
  EXPECT_EQ(Written("/b/f"), "00000000");
  ASSERT_THAT(file->WriteAt(2 * kChunk, AsBytes("x")), IsOk());

  EXPECT_EQ(Written("/b/f"), "00100000");
}

}  // namespace
}  // namespace hbk::prepare::write_watch_test

#include "hbk/io/file_identity.h"

#include <gtest/gtest.h>

namespace hbk::io {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

FileIdentity SampleIdentity() {
  return {.device = 1,
          .inode = 2,
          .birth_ns = 3,
          .size = 4,
          .mtime_ns = 10 * kSecond + 5,
          .ctime_ns = 10 * kSecond + 6};
}

TEST(FileIdentityTest, EverythingOfStatCounts) {
  FileInfo info;
  info.device = 1;
  info.inode = 2;
  info.birth_ns = 3;
  info.size = 4;
  info.mtime_ns = 10 * kSecond + 5;
  info.ctime_ns = 10 * kSecond + 6;
  EXPECT_EQ(IdentityOf(info), SampleIdentity());
  ++info.ctime_ns;
  EXPECT_NE(IdentityOf(info), SampleIdentity());
}

TEST(FileIdentityTest, AWriteLeavesTheInode) {
  FileIdentity written = SampleIdentity();
  written.size = 5;
  written.mtime_ns += 1;
  EXPECT_TRUE(IsSameInode(SampleIdentity(), written));
  EXPECT_FALSE(IsRenamed(SampleIdentity(), written));
}

TEST(FileIdentityTest, ANumberThatIsUsedAgainIsAnotherInode) {
  FileIdentity other = SampleIdentity();
  other.birth_ns = 7;
  EXPECT_FALSE(IsSameInode(SampleIdentity(), other));
}

TEST(FileIdentityTest, ARenameChangesOneTimeOnly) {
  FileIdentity renamed = SampleIdentity();
  renamed.ctime_ns += kSecond;
  EXPECT_TRUE(IsRenamed(SampleIdentity(), renamed));
}

TEST(FileIdentityTest, WithoutBirthsRenamesAreNotBelieved) {
  FileIdentity file = SampleIdentity();
  file.birth_ns = 0;
  EXPECT_TRUE(IsSameInode(file, file));
  EXPECT_FALSE(IsRenamed(file, file));
}

TEST(FileIdentityTest, AFileIsAtRestOnceItsNextChangeWouldShow) {
  const FileIdentity file = SampleIdentity();
  EXPECT_FALSE(IsAtRest(file, file.ctime_ns));
  EXPECT_FALSE(IsAtRest(file, file.ctime_ns + TimeGranularity(file)));
  EXPECT_TRUE(IsAtRest(file, file.ctime_ns + TimeGranularity(file) + 1));
}

TEST(FileIdentityTest, WholeSecondsAreCoarse) {
  FileIdentity file = SampleIdentity();
  file.mtime_ns = 10 * kSecond;
  EXPECT_GT(TimeGranularity(file), 2 * kSecond);
  EXPECT_LT(TimeGranularity(SampleIdentity()), kSecond);
}

}  // namespace
}  // namespace hbk::io

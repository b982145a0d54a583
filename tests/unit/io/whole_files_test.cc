// ReadFile, WriteNewFile, WriteFileAtomically, MakeDirectories, Exists.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::io {
namespace {

using hbk::testing::FaultKind;
using hbk::testing::FaultyFileSystem;
using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(WholeFilesTest, ReadFileGivesAllBytes) {
  MemFileSystem fs;
  const std::string big(300'000, 'x');
  fs.PutFile("/big", big);
  fs.PutFile("/empty", "");

  EXPECT_THAT(ReadFile(fs, "/big", 1 << 20), IsOkAndHolds(big));
  EXPECT_THAT(ReadFile(fs, "/empty", 0), IsOkAndHolds(std::string()));
}

TEST(WholeFilesTest, ReadFileTakesNoMoreThanTheLimit) {
  MemFileSystem fs;
  fs.PutFile("/x", "12345");

  EXPECT_THAT(ReadFile(fs, "/x", 5), IsOkAndHolds(std::string("12345")));
  EXPECT_THAT(ReadFile(fs, "/x", 4), StatusIs(StatusCode::kCorruption, HasSubstr("/x")));
}

// Files of /proc say that their size is 0.
TEST(WholeFilesTest, ReadFileDoesNotTrustTheSize) {
  const auto bytes = ReadFile(PosixFileSystem(), "/proc/self/status", 1 << 20);

  ASSERT_THAT(bytes, IsOk());
  EXPECT_THAT(*bytes, HasSubstr("VmSize"));
}

TEST(WholeFilesTest, ReadFileFollowsSymlinks) {
  MemFileSystem fs;
  fs.PutFile("/etc/alternatives/my.cnf", "[client]");
  fs.PutSymlink("/etc/my.cnf", "alternatives/my.cnf");

  EXPECT_THAT(ReadFile(fs, "/etc/my.cnf", 100), IsOkAndHolds(std::string("[client]")));
}

TEST(WholeFilesTest, WriteNewFileNeverReplaces) {
  MemFileSystem fs;
  fs.PutFile("/x", "old");

  EXPECT_THAT(WriteNewFile(fs, "/x", "new", 0600), StatusIs(StatusCode::kAlreadyExists, _));

  EXPECT_EQ(fs.Contents("/x"), "old");
}

TEST(WholeFilesTest, WriteNewFileIsSynced) {
  MemFileSystem fs;

  ASSERT_THAT(WriteNewFile(fs, "/x", "new", 0640), IsOk());

  EXPECT_THAT(fs.synced(), ElementsAre("/x"));
  EXPECT_EQ(fs.Stat("/x", false).value().mode, 0640U);
}

TEST(WholeFilesTest, WriteNewFileLeavesNothingWhenItFails) {
  for (uint64_t k = 1;; ++k) {
    MemFileSystem mem;
    FaultyFileSystem fs(mem);
    fs.Arm(FaultKind::kShortWrite, k);

    const Status status = WriteNewFile(fs, "/x", "new", 0600);

    if (!fs.has_fired()) break;
    EXPECT_THAT(status, StatusIs(StatusCode::kNoSpace, HasSubstr("/x")));
    EXPECT_TRUE(mem.Tree("/").empty()) << "k " << k;
  }
}

TEST(WholeFilesTest, WriteFileAtomicallyReplacesWhatIsThere) {
  MemFileSystem fs;
  fs.PutFile("/d/x", "old");
  fs.PutFile("/d/x.tmp", "of a run that was killed");

  ASSERT_THAT(WriteFileAtomically(fs, "/d/x", "new", 0600), IsOk());

  EXPECT_EQ(fs.Contents("/d/x"), "new");
  EXPECT_THAT(Exists(fs, "/d/x.tmp"), IsOkAndHolds(false));
  EXPECT_THAT(fs.synced(), ElementsAre("/d/x.tmp", "/d"));
}

TEST(WholeFilesTest, APowerCutLeavesTheOldBytesOrTheNew) {
  for (uint32_t seed = 0; seed < 4; ++seed) {
    bool has_fired = true;
    for (uint64_t k = 1; has_fired; ++k) {
      MemFileSystem mem;
      mem.PutFile("/d/x", "old");
      FaultyFileSystem fs(mem);
      fs.Arm(FaultKind::kCrash, k);

      const Status status = WriteFileAtomically(fs, "/d/x", "new!", 0600);
      has_fired = fs.has_fired();
      mem.Crash(seed);

      const std::string bytes = mem.Contents("/d/x");
      EXPECT_TRUE(bytes == "old" || bytes == "new!") << bytes << " k " << k << " seed " << seed;
      EXPECT_EQ(status.ok(), !has_fired);
      if (status.ok()) {
        EXPECT_EQ(bytes, "new!");
      }
      ASSERT_THAT(WriteFileAtomically(mem, "/d/x", "again", 0600), IsOk());
    }
  }
}

TEST(WholeFilesTest, WriteFileAtomicallyTidiesUpAfterAnError) {
  for (const FaultKind kind : {FaultKind::kNoSpace, FaultKind::kShortWrite}) {
    // The last change, the sync of the directory, comes after the rename.
    for (uint64_t k = 1; k <= 5; ++k) {
      MemFileSystem mem;
      mem.PutFile("/d/x", "old");
      FaultyFileSystem fs(mem);
      fs.Arm(kind, k);

      const Status status = WriteFileAtomically(fs, "/d/x", "new", 0600);

      EXPECT_THAT(status, StatusIs(StatusCode::kNoSpace, _));
      EXPECT_EQ(mem.Contents("/d/x"), "old") << "k " << k;
      EXPECT_EQ(mem.Tree("/").size(), 1U) << "k " << k;
    }
  }
}

TEST(WholeFilesTest, MakeDirectoriesMakesTheMissingOnes) {
  MemFileSystem fs;
  fs.PutDirectory("/a");

  EXPECT_THAT(MakeDirectories(fs, "/a/b/c/", 0750), IsOk());
  EXPECT_THAT(MakeDirectories(fs, "/a/b/c", 0750), IsOk());
  EXPECT_THAT(MakeDirectories(fs, "relative/dir", 0750), IsOk());

  EXPECT_EQ(fs.Stat("/a/b/c", false).value().type, FileType::kDirectory);
  EXPECT_EQ(fs.Stat("/a/b", false).value().mode, 0750U);
  EXPECT_EQ(fs.Stat("/relative/dir", false).value().type, FileType::kDirectory);
}

TEST(WholeFilesTest, MakeDirectoriesRefusesAFileInTheWay) {
  MemFileSystem fs;
  fs.PutFile("/a/b", "");

  EXPECT_THAT(MakeDirectories(fs, "/a/b", 0750), StatusIs(StatusCode::kAlreadyExists, _));
  EXPECT_FALSE(MakeDirectories(fs, "/a/b/c", 0750).ok());
}

TEST(WholeFilesTest, MakeDirectoriesFollowsASymlinkToADirectory) {
  MemFileSystem fs;
  fs.PutDirectory("/real");
  fs.PutSymlink("/link", "/real");

  EXPECT_THAT(MakeDirectories(fs, "/link", 0750), IsOk());
}

TEST(WholeFilesTest, ExistsSeesADanglingSymlink) {
  MemFileSystem fs;
  fs.PutSymlink("/link", "/nowhere");

  EXPECT_THAT(Exists(fs, "/link"), IsOkAndHolds(true));
  EXPECT_THAT(Exists(fs, "/nowhere"), IsOkAndHolds(false));
}

TEST(WholeFilesTest, ExistsDoesNotTakeAnErrorForAbsence) {
  MemFileSystem mem;
  FaultyFileSystem fs(mem);
  fs.Arm(FaultKind::kIoError, 1);

  EXPECT_THAT(Exists(fs, "/x"), StatusIs(StatusCode::kFailed, _));
}

}  // namespace
}  // namespace hbk::io

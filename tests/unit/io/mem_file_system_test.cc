// What MemFileSystem and FaultyFileSystem do beyond the contract: power cuts and faults.
#include "tests/support/mem_file_system.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/aligned_buffer.h"

#include "tests/support/faulty_file_system.h"
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

TEST(MemFileSystemTest, APowerCutTakesBytesThatWereNotSynced) {
  MemFileSystem fs;
  fs.PutFile("/x", "old");
  const auto file = fs.Open("/x", {.write = true}).value();
  ASSERT_THAT(file->WriteAt(0, AsBytes("synced")), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  ASSERT_THAT(file->WriteAt(0, AsBytes("lost")), IsOk());

  fs.Crash(0);

  EXPECT_EQ(fs.Contents("/x"), "synced");
  EXPECT_FALSE(file->WriteAt(0, AsBytes("dead")).ok());
}

TEST(MemFileSystemTest, APowerCutTakesNamesThatWereNotSynced) {
  MemFileSystem fs;
  fs.PutFile("/d/old", "1");
  ASSERT_THAT(WriteNewFile(fs, "/d/synced", "2", 0600), IsOk());
  ASSERT_THAT(fs.SyncDirectory("/d"), IsOk());
  ASSERT_THAT(WriteNewFile(fs, "/d/lost", "3", 0600), IsOk());
  ASSERT_THAT(fs.Remove("/d/old"), IsOk());

  fs.Crash(0);

  EXPECT_THAT(fs.Tree("/"), ElementsAre(::testing::Key("/d/old"), ::testing::Key("/d/synced")));
}

TEST(MemFileSystemTest, APowerCutTearsWritesAtSectors) {
  std::set<std::string> seen;
  for (uint32_t seed = 1; seed < 50; ++seed) {
    MemFileSystem fs;
    fs.PutFile("/x", std::string(1024, 'o'));
    const auto file = fs.Open("/x", {.write = true}).value();
    ASSERT_THAT(file->WriteAt(0, AsBytes(std::string(1024, 'n'))), IsOk());

    fs.Crash(seed);

    const std::string bytes = fs.Contents("/x");
    ASSERT_EQ(bytes.size(), 1024U);
    EXPECT_EQ(bytes.substr(0, 512), std::string(512, bytes[0]));
    EXPECT_EQ(bytes.substr(512), std::string(512, bytes[512]));
    seen.insert({bytes[0], bytes[512]});
  }

  EXPECT_THAT(seen, ElementsAre("nn", "no", "on", "oo"));
}

TEST(MemFileSystemTest, UnalignedDirectTransfersAreCounted) {
  MemFileSystem fs;
  const auto file = fs.Open("/x", {.write = true, .create = true, .direct = true}).value();
  AlignedBuffer buffer(8192);

  ASSERT_THAT(file->WriteAt(0, buffer.view()), IsOk());
  EXPECT_EQ(fs.unaligned_direct_transfer_count(), 0U);
  ASSERT_THAT(file->WriteAt(1, buffer.view()), IsOk());

  EXPECT_EQ(fs.unaligned_direct_transfer_count(), 1U);
}

TEST(MemFileSystemTest, OpenedAndSyncedAreRecorded) {
  MemFileSystem fs;
  fs.PutFile("/d/x", "");
  const auto file = fs.Open("/d/x", {.write = true}).value();
  ASSERT_THAT(fs.SyncDirectory("/d"), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());

  EXPECT_THAT(fs.opened(), ElementsAre("/d/x"));
  EXPECT_THAT(fs.synced(), ElementsAre("/d", "/d/x"));
}

TEST(FaultyFileSystemTest, OnlyTheKthOperationFails) {
  MemFileSystem mem;
  FaultyFileSystem fs(mem);
  fs.Arm(FaultKind::kIoError, 2);

  EXPECT_THAT(Exists(fs, "/x"), IsOkAndHolds(false));
  EXPECT_THAT(Exists(fs, "/x"), StatusIs(StatusCode::kFailed, _));
  EXPECT_THAT(Exists(fs, "/x"), IsOkAndHolds(false));

  EXPECT_TRUE(fs.has_fired());
  EXPECT_EQ(fs.operation_count(), 3U);
  EXPECT_EQ(fs.change_count(), 0U);
}

TEST(FaultyFileSystemTest, AShortWriteLeavesHalf) {
  MemFileSystem mem;
  FaultyFileSystem fs(mem);
  const auto file = fs.Open("/x", {.write = true, .create = true}).value();
  fs.Arm(FaultKind::kShortWrite, 1);

  EXPECT_THAT(file->WriteAt(0, AsBytes("1234")), StatusIs(StatusCode::kNoSpace, _));

  EXPECT_EQ(mem.Contents("/x"), "12");
}

TEST(FaultyFileSystemTest, AfterACrashNothingWorks) {
  MemFileSystem mem;
  FaultyFileSystem fs(mem);
  const auto file = fs.Open("/x", {.write = true, .create = true}).value();
  fs.Arm(FaultKind::kCrash, 2);

  EXPECT_THAT(file->WriteAt(0, AsBytes("1")), IsOk());
  EXPECT_FALSE(file->WriteAt(1, AsBytes("2")).ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(fs.Stat("/x", false).ok());

  EXPECT_EQ(mem.Contents("/x"), "1");
}

}  // namespace
}  // namespace hbk::io

#include "flush_lsn.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page_checksum.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MakeSmallTablespace;
using testing::MemFileSystem;
using testing::StatusIs;

class FlushLsnTest : public ::testing::Test {
 protected:
  FlushLsnTest() {
    set_.dir = "/b";
    set_.system_files = {"ibdata1", "ibdata2"};
    set_.page_size = testing::kSmallBackupPageSize;
    fs_.PutFile("/b/ibdata1", original_);
  }

  const std::string original_ = MakeSmallTablespace(0, 4);
  MemFileSystem fs_;
  BackupSet set_;
};

TEST_F(FlushLsnTest, IsReadBackAndThePageStaysGood) {
  ASSERT_THAT(StoreFlushLsn(fs_, set_, 0x123456789), IsOk());

  EXPECT_THAT(ReadFlushLsn(fs_, set_), IsOkAndHolds(0x123456789U));
  const std::string stored = fs_.Contents("/b/ibdata1");
  EXPECT_EQ(LoadBe64(AsBytes(stored), 26), 0x123456789U);
  // Nothing else but the checksum.
  EXPECT_EQ(stored.substr(34, 4096 - 34 - 8), original_.substr(34, 4096 - 34 - 8));
  EXPECT_EQ(stored.substr(4096), original_.substr(4096));
}

TEST_F(FlushLsnTest, NoneIsCorruption) {
  EXPECT_THAT(ReadFlushLsn(fs_, set_),
              StatusIs(StatusCode::kCorruption, AllOf(HasSubstr("empty"), HasSubstr("ibdata1"))));
}

TEST_F(FlushLsnTest, AnotherPageSizeThanThatOfTheBackupIsCorruption) {
  set_.page_size *= 2;

  EXPECT_THAT(ReadFlushLsn(fs_, set_), StatusIs(StatusCode::kCorruption, HasSubstr("pages of")));
}

TEST_F(FlushLsnTest, DamagedPageIsCorruptionAndStaysAsItIs) {
  std::string damaged = original_;
  damaged[1000] = static_cast<char>(damaged[1000] ^ 1);
  fs_.PutFile("/b/ibdata1", damaged);

  EXPECT_THAT(StoreFlushLsn(fs_, set_, 5000),
              StatusIs(StatusCode::kCorruption, HasSubstr("bad checksum")));
  EXPECT_EQ(fs_.Contents("/b/ibdata1"), damaged);
}

}  // namespace
}  // namespace hbk::prepare

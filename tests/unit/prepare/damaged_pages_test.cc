#include "damaged_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/xdes.h"

#include "tests/support/coded_tablespace.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::damaged_pages_test {
namespace {

using manifest::DamagedPageList;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MemFileSystem;
using testing::MutableBytes;
using testing::StatusIs;

constexpr uint32_t kPageSize = 16384;
constexpr innodb::SpaceId kSpace = 7;
constexpr uint32_t kPageCount = 8;

class DamagedPagesTest : public ::testing::Test {
 protected:
  DamagedPagesTest() {
    set_.dir = "/b";
    set_.page_size = kPageSize;
    set_.system_files = {"ibdata1"};
    fs_.PutFile("/b/ibdata1", testing::MakeFirstPage(flags_, 0, kPageCount, 500));
    PutTable(std::nullopt, nullptr);
  }

  void PutTable(const std::optional<innodb::CryptData>& crypt, crypto::KeySource* keys) {
    file_ = testing::MakeCodedTablespace(flags_, kSpace, kPageCount, 500, crypt, keys);
    StoreBe32(MutableBytes(file_), innodb::kFspFreeLimit, 64);
    Flush();
  }
  void Damage(innodb::PageNo page) {
    file_[size_t{page} * kPageSize + 3000] ^= 1;
    Flush();
  }
  void Free(innodb::PageNo page) {
    const size_t bit = size_t{page} * 2;
    file_[innodb::kXdesArray + 24 + bit / 8] |= static_cast<char>(1 << bit % 8);
    Flush();
  }
  void Flush() {
    innodb::SealPage(MutableBytes(file_).first(kPageSize), flags_, {kSpace, 0});
    fs_.PutFile("/b/db/t.ibd", file_);
  }
  std::vector<std::string> Judge(crypto::KeySource* keys = nullptr) {
    const auto faults = ForgiveDamagedPages(fs_, set_, keys, damaged_);
    EXPECT_THAT(faults, IsOk());
    return faults.ok() ? *faults : std::vector<std::string>{};
  }

  const innodb::TablespaceFlags flags_ = innodb::TablespaceFlags::FullCrc32(kPageSize);
  MemFileSystem fs_;
  BackupSet set_;
  std::string file_;
  DamagedPageList damaged_ = manifest::ParseDamagedPageList("db/t 7\n3 5\n").value();
};

TEST_F(DamagedPagesTest, WholePagesLeaveTheList) {
  Damage(5);

  EXPECT_THAT(Judge(), ElementsAre("db/t.ibd, page 5: bad checksum"));
  EXPECT_THAT(damaged_.spaces.at(0).pages, ElementsAre(5));
}

TEST_F(DamagedPagesTest, FreePagesAreForgiven) {
  Damage(3);
  Damage(5);
  Free(3);
  Free(5);

  EXPECT_THAT(Judge(), IsEmpty());
  EXPECT_TRUE(damaged_.empty());
}

TEST_F(DamagedPagesTest, PagesOfDroppedTablesAreForgiven) {
  damaged_ = manifest::ParseDamagedPageList("db/gone 9\n3\n").value();

  EXPECT_THAT(Judge(), IsEmpty());
  EXPECT_TRUE(damaged_.empty());
}

TEST_F(DamagedPagesTest, EncryptedPagesAreJudgedWithAndWithoutKeys) {
  testing::FixedKeys keys;
  keys.Add(1, 1);
  PutTable(testing::MakeCryptData(), &keys);
  Damage(5);
  const DamagedPageList before = damaged_;

  EXPECT_THAT(Judge(&keys), ElementsAre(HasSubstr("db/t.ibd, page 5: bad checksum")));
  damaged_ = before;
  EXPECT_THAT(Judge(), ElementsAre(HasSubstr("db/t.ibd, page 5: bad checksum")));
}

TEST_F(DamagedPagesTest, ABackupWithoutListHasNone) {
  const auto damaged = LoadDamagedPages(fs_, set_);

  ASSERT_THAT(damaged, IsOk());
  EXPECT_TRUE(damaged->empty());
}

TEST_F(DamagedPagesTest, TheListIsReplacedOrGoes) {
  fs_.PutFile("/b/innodb_corrupted_pages", "db/t 7\n3 5\n");
  damaged_ = manifest::ParseDamagedPageList("db/t 7\n5\n").value();

  ASSERT_THAT(StoreDamagedPages(fs_, set_, damaged_), IsOk());
  EXPECT_EQ(fs_.Contents("/b/innodb_corrupted_pages"), "db/t 7\n5\n");
  EXPECT_TRUE(LoadDamagedPages(fs_, set_)->Contains({7, 5}));

  ASSERT_THAT(StoreDamagedPages(fs_, set_, DamagedPageList{}), IsOk());
  EXPECT_EQ(fs_.Stat("/b/innodb_corrupted_pages", false).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace hbk::prepare::damaged_pages_test

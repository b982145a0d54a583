#include "tablespace_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page_checksum.h"

#include "check_fixture.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify::tablespace_check_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MakePage;
using testing::MutableBytes;
using testing::PutSmallPage;

constexpr innodb::SpaceId kSpace = 5;
constexpr innodb::Lsn kLsn = testing::kSmallBackupPageLsn;

class TablespaceCheckTest : public ::testing::Test, protected CheckFixture {
 protected:
  std::vector<std::string> Check(const std::string& bytes,
                                 const manifest::SpaceFacts* listed = nullptr,
                                 const std::string& name = "db/t.ibd",
                                 datadir::FileKind kind = datadir::FileKind::kTablespace) {
    fs.PutFile("/b/" + name, bytes);
    const auto file = fs.Open("/b/" + name, {}).value();
    auto check =
        TablespaceCheck::Make(facts, name, kind, *file, bytes.size(), listed, context).value();
    EXPECT_THAT(check->Check(0, AsBytes(bytes), scratch), IsOk());
    EXPECT_THAT(check->Finish(/*is_whole=*/true, scratch), IsOk());
    return Found();
  }

  static std::string IndexPage(uint32_t number, uint32_t prev, uint32_t next) {
    std::string page = MakePage(kPage, {kSpace, number}, kLsn, innodb::kPageIndex);
    StoreBe32(MutableBytes(page), innodb::kFilPrev, prev);
    StoreBe32(MutableBytes(page), innodb::kFilNext, next);
    return page;
  }
};

TEST_F(TablespaceCheckTest, AGoodFileHasNoFindings) {
  EXPECT_THAT(Check(UsedTablespace(kSpace)), IsEmpty());
  EXPECT_EQ(counts.pages, 16U);
}

TEST_F(TablespaceCheckTest, AFlippedBitIsFoundWithPageAndOffset) {
  std::string bytes = UsedTablespace(kSpace);
  bytes[7 * kPage + 100] ^= 4;

  EXPECT_THAT(Check(bytes), ElementsAre("/b: db/t.ibd: page 7 at offset 28672: bad checksum"));
}

TEST_F(TablespaceCheckTest, APageOfAnotherPlaceIsFound) {
  std::string bytes = UsedTablespace(kSpace);
  bytes.replace(6 * kPage, kPage, bytes.substr(5 * kPage, kPage));

  EXPECT_THAT(Check(bytes), ElementsAre(HasSubstr("page 6 at offset 24576: another page number")));
}

TEST_F(TablespaceCheckTest, APageOfAnotherTablespaceIsFound) {
  std::string bytes = UsedTablespace(kSpace);
  bytes.replace(6 * kPage, kPage, UsedTablespace(9).substr(6 * kPage, kPage));

  EXPECT_THAT(Check(bytes), ElementsAre(HasSubstr("another space id")));
}

TEST_F(TablespaceCheckTest, APageOfTheFutureIsFoundWhereItIsInUse) {
  std::string bytes = UsedTablespace(kSpace);
  PutSmallPage(bytes, MakePage(kPage, {kSpace, 4}, kLsn + 1, innodb::kPageBlob));
  EXPECT_THAT(Check(bytes), ElementsAre(HasSubstr("newer than the end of the backup")));

  // Behind the free limit nobody reads it.
  std::string first = bytes.substr(0, kPage);
  StoreBe32(MutableBytes(first), innodb::kFspFreeLimit, 3);
  PutSmallPage(bytes, first);
  EXPECT_THAT(Check(bytes), IsEmpty());
}

TEST_F(TablespaceCheckTest, PagesOfTheDoublewriteBufferAreNotLookedAt) {
  std::string bytes = testing::MakeSmallTablespace(0, 16);
  bytes[9 * kPage + 50] ^= 1;
  facts.system.header = innodb::ClassifyFirstPage(AsBytes(bytes), bytes.size(), kPage).header;
  facts.system.first_pages["ibdata1"] = 0;
  facts.system.page_count = 16;
  facts.system.doublewrite = innodb::DoublewriteBuffer{.first = {8, 12}, .block_pages = 4};

  EXPECT_THAT(Check(bytes, nullptr, "ibdata1", datadir::FileKind::kSystemTablespace), IsEmpty());
}

TEST_F(TablespaceCheckTest, ASecondSystemFileGoesOnCounting) {
  const std::string all = testing::MakeSmallTablespace(0, 16);
  facts.system.header = innodb::ClassifyFirstPage(AsBytes(all), all.size(), kPage).header;
  facts.system_files = {"ibdata1", "ibdata2"};
  facts.system.first_pages["ibdata2"] = 8;
  facts.system.page_count = 16;

  EXPECT_THAT(
      Check(all.substr(8 * kPage), nullptr, "ibdata2", datadir::FileKind::kSystemTablespace),
      IsEmpty());
  facts.system.first_pages["ibdata2"] = 7;
  EXPECT_THAT(
      Check(all.substr(8 * kPage), nullptr, "ibdata2", datadir::FileKind::kSystemTablespace),
      ::testing::SizeIs(8));
}

TEST_F(TablespaceCheckTest, ListedDamageIsNoFinding) {
  std::string bytes = UsedTablespace(kSpace);
  bytes[7 * kPage + 100] ^= 4;
  facts.damaged.spaces = {{.name = "db/t", .id = kSpace, .pages = {7}}};

  EXPECT_THAT(Check(bytes), IsEmpty());
  EXPECT_EQ(counts.listed_pages, 1U);
}

TEST_F(TablespaceCheckTest, AFileThatIsJustBeingMadeIsLegalUnprepared) {
  EXPECT_THAT(Check(std::string(4 * kPage, '\0')), IsEmpty());
  EXPECT_EQ(counts.opaque_pages, 4U);
}

TEST_F(TablespaceCheckTest, AFirstPageThatIsMissingIsFoundWhenPrepared) {
  std::string bytes = UsedTablespace(kSpace);
  bytes.replace(0, kPage, std::string(kPage, '\0'));
  EXPECT_THAT(Check(bytes), IsEmpty());

  facts.is_prepared = true;
  EXPECT_THAT(Check(bytes), ElementsAre(HasSubstr("its first page is missing")));
}

TEST_F(TablespaceCheckTest, WhatTheManifestSaysOfTheTablespaceMustBeSo) {
  const std::string bytes = UsedTablespace(kSpace);
  const uint32_t flags = innodb::TablespaceFlags::FullCrc32(kPage).raw();
  const manifest::SpaceFacts right{.space_id = kSpace, .page_size = kPage, .flags = flags};
  const manifest::SpaceFacts other{.space_id = 6, .page_size = kPage, .flags = flags};

  EXPECT_THAT(Check(bytes, &right), IsEmpty());
  EXPECT_THAT(Check(bytes, &other), ElementsAre(HasSubstr("another tablespace")));
}

TEST_F(TablespaceCheckTest, ADamagedFirstPageDoesNotHideTheOthers) {
  std::string bytes = UsedTablespace(kSpace);
  bytes[200] ^= 1;
  bytes[3 * kPage + 100] ^= 1;
  const manifest::SpaceFacts listed{.space_id = kSpace,
                                    .page_size = kPage,
                                    .flags = innodb::TablespaceFlags::FullCrc32(kPage).raw()};

  EXPECT_THAT(Check(bytes, &listed), ElementsAre(HasSubstr("its first page is damaged"),
                                                 HasSubstr("page 0"), HasSubstr("page 3")));
}

class PreparedTablespaceCheckTest : public TablespaceCheckTest {
 protected:
  PreparedTablespaceCheckTest() {
    facts.is_prepared = true;
    PutSmallPage(bytes_, MakePage(kPage, {kSpace, 1}, kLsn, 5));
    PutSmallPage(bytes_, MakePage(kPage, {kSpace, 2}, kLsn, innodb::kPageInode));
  }
  std::string bytes_ = UsedTablespace(kSpace);
};

TEST_F(PreparedTablespaceCheckTest, AGoodFileHasNoFindings) {
  EXPECT_THAT(Check(bytes_), IsEmpty());
}

TEST_F(PreparedTablespaceCheckTest, ATypeThatDoesNotBelongThereIsFound) {
  PutSmallPage(bytes_, MakePage(kPage, {kSpace, 2}, kLsn, innodb::kPageBlob));

  EXPECT_THAT(Check(bytes_), ElementsAre(HasSubstr("page 2 at offset 8192: a page of a type")));
}

TEST_F(PreparedTablespaceCheckTest, DamageOfAFreePageIsNone) {
  std::string first = bytes_.substr(0, kPage);
  StoreBe32(MutableBytes(first), innodb::kFspFreeLimit, 7);
  PutSmallPage(bytes_, first);
  bytes_[7 * kPage + 100] ^= 4;

  EXPECT_THAT(Check(bytes_), IsEmpty());
}

TEST_F(PreparedTablespaceCheckTest, ALostPageInTheMiddleOfAnIndexIsFound) {
  PutSmallPage(bytes_, IndexPage(4, 0xFFFFFFFF, 5));
  PutSmallPage(bytes_, IndexPage(6, 5, 7));
  PutSmallPage(bytes_, IndexPage(7, 6, 0xFFFFFFFF));
  bytes_.replace(5 * kPage, kPage, std::string(kPage, '\0'));

  EXPECT_THAT(Check(bytes_),
              ElementsAre(HasSubstr("page 5 at offset 20480: in use, and all zero")));
}

// A load that is at work has allocated the page that comes next.
TEST_F(PreparedTablespaceCheckTest, AnEmptyPageAtTheEndOfAnIndexIsLegal) {
  PutSmallPage(bytes_, IndexPage(4, 0xFFFFFFFF, 5));
  bytes_.replace(5 * kPage, kPage, std::string(kPage, '\0'));

  EXPECT_THAT(Check(bytes_), IsEmpty());
  EXPECT_EQ(counts.empty_pages, 1U);
}

TEST_F(PreparedTablespaceCheckTest, AFileShorterThanItSaysIsFound) {
  EXPECT_THAT(Check(bytes_.substr(0, 12 * kPage)),
              ElementsAre(HasSubstr("the file is shorter than its first page says")));
}

TEST_F(PreparedTablespaceCheckTest, TwoFilesOfOneTablespaceAreFound) {
  EXPECT_THAT(Check(bytes_), IsEmpty());
  EXPECT_THAT(Check(bytes_, nullptr, "db/u.ibd"),
              ElementsAre(HasSubstr("another file has the same tablespace")));
}

}  // namespace
}  // namespace hbk::verify::tablespace_check_test

#include "page_redo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"

#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::page_redo_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MtrBuilder;
using testing::MutableBytes;
using testing::StatusIs;

constexpr size_t kPageSize = 4096;
constexpr innodb::PageId kPage = {.space = 5, .page = 3};
constexpr innodb::Lsn kPageLsn = 500;
constexpr innodb::Lsn kLogStart = 400;

class ApplyPageRedoTest : public ::testing::Test {
 protected:
  // An mtr that starts at `lsn` and has 50 bytes.
  void Add(innodb::Lsn lsn, const MtrBuilder& mtr, bool is_rebuild = false, bool is_free = false) {
    RedoEntryHeader header;
    header.start_lsn = lsn;
    header.mtr_bytes = 50;
    header.space = kPage.space;
    header.page = kPage.page;
    header.length = static_cast<uint32_t>(mtr.body().size()) & 0x3FFFFFFF;
    header.is_rebuild = is_rebuild;
    header.is_free = is_free;
    items_.push_back({static_cast<uint32_t>(bytes_.size())});
    bytes_ += AsText(HeaderBytes(header));
    bytes_ += mtr.body();
  }

  void AddWrite(innodb::Lsn lsn, uint32_t offset, std::string_view text) {
    Add(lsn, MtrBuilder().Write(kPage, offset, text));
  }

  Result<PageChange> Apply() {
    PageRedo redo;
    redo.page = kPage;
    redo.bytes = AsBytes(bytes_);
    redo.items = items_;
    redo.is_rebuilt_here = redo.Header(items_.front()).is_rebuild != 0;
    return ApplyPageRedo(redo, MutableBytes(frame_), false, kLogStart);
  }

  innodb::Lsn FrameLsn() { return innodb::PageLsn(AsBytes(frame_)); }

  std::string frame_ = testing::MakePage(kPageSize, kPage, kPageLsn, innodb::kPageBlob);
  std::string bytes_;
  std::vector<PageRedo::Item> items_;
};

TEST_F(ApplyPageRedoTest, LsnBecomesTheEndOfTheLastMtr) {
  AddWrite(500, 100, "one");
  AddWrite(700, 200, "two");

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_TRUE(change->is_changed);
  EXPECT_EQ(frame_.substr(100, 3), "one");
  EXPECT_EQ(frame_.substr(200, 3), "two");
  EXPECT_EQ(FrameLsn(), 750U);
}

TEST_F(ApplyPageRedoTest, MtrThatStartsBelowThePageLsnIsInThePageAlready) {
  AddWrite(450, 100, "old");
  AddWrite(500, 200, "new");

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_EQ(frame_.substr(100, 3), std::string(3, '\0'));
  EXPECT_EQ(frame_.substr(200, 3), "new");
  EXPECT_FALSE(change->has_foreign_lsn);  // 450 + 50 is the page's LSN
}

TEST_F(ApplyPageRedoTest, PageThatHasAllOfTheRedoStaysAsItIs) {
  AddWrite(410, 100, "old");
  AddWrite(450, 100, "new");
  const std::string before = frame_;

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_FALSE(change->is_changed);
  EXPECT_EQ(frame_, before);
}

TEST_F(ApplyPageRedoTest, LsnOfTheRedoThatNoMtrOfThePageEndsAtIsForeign) {
  AddWrite(420, 100, "old");  // ends at 470, the page says 500
  AddWrite(600, 200, "new");

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_TRUE(change->is_changed);
  EXPECT_TRUE(change->has_foreign_lsn);
}

TEST_F(ApplyPageRedoTest, LsnFromBeforeTheRedoIsNotForeign) {
  StoreBe64(MutableBytes(frame_), innodb::kFilLsn, kLogStart);
  AddWrite(600, 200, "new");

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_FALSE(change->has_foreign_lsn);
}

TEST_F(ApplyPageRedoTest, RebuiltPageMayHaveBeenAnything) {
  frame_ = std::string(kPageSize, '\xFF');  // its LSN is above all redo
  Add(600, MtrBuilder().InitPage(kPage).Write(kPage, 100, "anew"), true);

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_TRUE(change->is_changed);
  EXPECT_FALSE(change->has_foreign_lsn);
  std::string expected = testing::MakePage(kPageSize, kPage, 650, innodb::kPageAllocated);
  expected.replace(100, 4, "anew");
  EXPECT_EQ(frame_, expected);
}

TEST_F(ApplyPageRedoTest, PageThatEndsFreedIsNotChanged) {
  AddWrite(600, 100, "soon gone");
  Add(700, MtrBuilder().FreePage(kPage), true, true);

  const auto change = Apply();

  ASSERT_THAT(change, IsOk());
  EXPECT_FALSE(change->is_changed);
  EXPECT_EQ(FrameLsn(), kPageLsn);
}

TEST_F(ApplyPageRedoTest, PageOfAnotherPlaceIsCorruption) {
  frame_ = testing::MakePage(kPageSize, {.space = 6, .page = 4}, kPageLsn, innodb::kPageBlob);
  AddWrite(600, 100, "x");

  EXPECT_THAT(Apply(),
              StatusIs(StatusCode::kCorruption, AllOf(HasSubstr("5:3"), HasSubstr("6:4"))));
}

TEST_F(ApplyPageRedoTest, PageOfZerosCannotTakeAChange) {
  frame_ = std::string(kPageSize, '\0');
  AddWrite(600, 100, "x");

  EXPECT_THAT(Apply(), StatusIs(StatusCode::kCorruption, HasSubstr("finds page 0:0")));
}

TEST_F(ApplyPageRedoTest, RecordThatDoesNotFitThePageIsNamedByItsLsn) {
  AddWrite(600, 100, "good");
  AddWrite(700, kPageSize - 2, "beyond the end");

  EXPECT_THAT(Apply(), StatusIs(StatusCode::kCorruption, HasSubstr("redo at LSN 700")));
}

}  // namespace
}  // namespace hbk::prepare::page_redo_test

#include "hbk/innodb/undo_segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"

#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/undo_builder.h"

namespace hbk::innodb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::kUndoActive;
using testing::kUndoCached;
using testing::kUndoLogOffset;
using testing::kUndoPrepared;
using testing::kUndoStateOffset;
using testing::MakeRollbackSegmentPage;
using testing::MakeServerXid;
using testing::MakeUndoPage;
using testing::MakeUserXid;
using testing::MutableBytes;
using testing::StatusIs;
using testing::Xid;

constexpr size_t kPageSize = 4096;
constexpr PageId kPage{.space = 1, .page = 50};

std::string UndoPage(uint16_t state, const Xid& xid, size_t size = kPageSize) {
  return MakeUndoPage(size, kPage, 1000, state, xid);
}

TEST(UndoSegmentTest, SegmentsAreThoseOfUsedSlots) {
  std::string page = MakeRollbackSegmentPage(kPageSize, kPage, 1000, {70, 71});
  StoreBe32(MutableBytes(page), 72 + 4 * 255, 4000);
  // Behind the slots.
  StoreBe32(MutableBytes(page), 72 + 4 * 256, 5);

  EXPECT_THAT(ParseUndoSegments(AsBytes(page)), ElementsAre(70, 71, 4000));
}

TEST(UndoSegmentTest, SlotsGrowWithThePage) {
  std::string page = MakeRollbackSegmentPage(65536, kPage, 1000, {});
  StoreBe32(MutableBytes(page), 72 + 4 * 4095, 4000);

  EXPECT_THAT(ParseUndoSegments(AsBytes(page)), ElementsAre(4000));
}

TEST(UndoSegmentTest, TheServersXidIsKnown) {
  for (const size_t size : {4096U, 8192U, 16384U, 32768U, 65536U}) {
    EXPECT_THAT(IsPreparedByServer(AsBytes(UndoPage(kUndoPrepared, MakeServerXid(), size))),
                IsOkAndHolds(true));
  }
}

TEST(UndoSegmentTest, OtherStatesAreNotPrepared) {
  for (const uint16_t state : {uint16_t{0}, kUndoActive, kUndoCached, uint16_t{3}, uint16_t{4},
                               uint16_t{6}, uint16_t{0x0500}}) {
    EXPECT_THAT(IsPreparedByServer(AsBytes(UndoPage(state, MakeServerXid()))), IsOkAndHolds(false))
        << state;
  }
}

TEST(UndoSegmentTest, XidsOfUsersAreNotTheServers) {
  const std::string server = MakeServerXid().global;
  const Xid of_users[] = {
      MakeUserXid(),
      {.format = 7, .global = server},
      {.format = 1, .global = server, .branch = "b"},
      {.format = 1, .global = server.substr(0, 23)},
      {.format = 1, .global = server + "x"},
      {.format = 1, .global = "MySQLXid"},
      {.format = 1, .global = "mysqlxid" + server.substr(8)},
      // Of a Galera node, which settles them itself.
      {.format = 1, .global = "WSREPXid" + server.substr(8)},
  };
  for (const Xid& xid : of_users) {
    EXPECT_THAT(IsPreparedByServer(AsBytes(UndoPage(kUndoPrepared, xid))), IsOkAndHolds(false))
        << xid.global;
  }
}

TEST(UndoSegmentTest, XidThatIsNotThereDoesNotCount) {
  std::string page = UndoPage(kUndoPrepared, MakeServerXid());
  page[kUndoLogOffset + 20] = 0;

  EXPECT_THAT(IsPreparedByServer(AsBytes(page)), IsOkAndHolds(false));
}

TEST(UndoSegmentTest, LogOutsideOfThePageIsCorruption) {
  std::string page = UndoPage(kUndoPrepared, MakeServerXid());
  // The last place that has room for a header, and a trailer behind it.
  constexpr uint16_t kLast = kPageSize - 8 - 186;
  for (const uint16_t log : {uint16_t{0}, uint16_t{85}, uint16_t{kLast + 1}, uint16_t{0xFFFF}}) {
    StoreBe16(MutableBytes(page), kUndoStateOffset + 2, log);
    EXPECT_THAT(IsPreparedByServer(AsBytes(page)),
                StatusIs(StatusCode::kCorruption, HasSubstr("log header at offset")));
  }
  StoreBe16(MutableBytes(page), kUndoStateOffset + 2, kLast);
  EXPECT_THAT(IsPreparedByServer(AsBytes(page)), IsOkAndHolds(false));
}

TEST(UndoSegmentTest, AnotherPageIsCorruption) {
  std::string page = UndoPage(kUndoPrepared, MakeServerXid());
  StoreBe16(MutableBytes(page), kFilType, kPageIndex);

  EXPECT_THAT(IsPreparedByServer(AsBytes(page)),
              StatusIs(StatusCode::kCorruption, HasSubstr("page type 17855")));
}

TEST(UndoSegmentTest, ActiveOnesDifferInNothingElse) {
  std::string page = UndoPage(kUndoPrepared, MakeServerXid());

  MakeActive(MutableBytes(page));

  EXPECT_EQ(page, UndoPage(kUndoActive, MakeServerXid()));
}

}  // namespace
}  // namespace hbk::innodb

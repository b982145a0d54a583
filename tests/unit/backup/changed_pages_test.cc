#include "changed_pages.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/redo/log_block.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using ::hbk::testing::BlockLogBuilder;
using ::hbk::testing::IsOk;
using ::hbk::testing::LogBuilder;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr Lsn kFirstLsn = 20'000;
constexpr uint64_t kCapacity = 64'000;

MtrBuilder Change(SpaceId space, PageNo page) {
  return MtrBuilder().Write({space, page}, 100, "some bytes").Write({space, page}, 300, "more");
}

class ChangedPagesTest : public ::testing::Test {
 protected:
  Result<ChangedPages> Scan(const std::string& file, Lsn from, Lsn to) {
    fs_.PutFile("/log", file);
    return ScanChangedPages(fs_,
                            {.log_path = "/log",
                             .from = from,
                             .to = to,
                             .read_lsn = [this]() -> Result<Lsn> {
                               return server_lsn_;
                             }},
                            stop_.get_token());
  }

  MemFileSystem fs_;
  Lsn server_lsn_ = kFirstLsn;
  std::stop_source stop_;
};

TEST_F(ChangedPagesTest, PagesAreNamedOnceAndInOrder) {
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + kCapacity);
  (void)log.Append(Change(5, 1));
  const Lsn from = log.Append(Change(5, 2));
  (void)log.Append(Change(5, 9));
  (void)log.Append(Change(7, 3));
  (void)log.Append(MtrBuilder().FileModify(5, "./d/t.ibd"));
  (void)log.Append(MtrBuilder().FreePage({5, 4}).InitPage({5, 4}));
  const Lsn to = log.Append(MtrBuilder().Write({5, 9}, 50, "x").Write({7, 3}, 50, "x"));
  (void)log.Append(Change(5, 6));

  const auto changed = Scan(log.file(), from, to);

  ASSERT_THAT(changed, IsOk());
  EXPECT_THAT(changed->pages, ElementsAre(Pair(5, ElementsAre(4, 9)), Pair(7, ElementsAre(3))));
  EXPECT_TRUE(changed->remade.empty());
  EXPECT_EQ(changed->to, to);
  EXPECT_EQ(changed->Of(6), nullptr);
}

TEST_F(ChangedPagesTest, FilesThatCameWentOrWereRenamedAreTold) {
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + kCapacity);
  (void)log.Append(MtrBuilder().FileCreate(5, "./d/a.ibd").InitPage({5, 0}));
  (void)log.Append(MtrBuilder().FileRename(6, "./d/b.ibd", "./d/c.ibd"));
  (void)log.Append(MtrBuilder().FileDelete(7, "./d/d.ibd"));
  const Lsn to = log.Append(MtrBuilder().FileModify(8, "./d/e.ibd"));

  const auto changed = Scan(log.file(), kFirstLsn, to);

  ASSERT_THAT(changed, IsOk());
  EXPECT_THAT(changed->remade, ElementsAre(5, 6, 7));
}

TEST_F(ChangedPagesTest, WithoutAGapNothingIsReadAndNothingIsNamed) {
  const auto changed = Scan("no log at all", 500, 400);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(changed->pages.empty());
}

TEST_F(ChangedPagesTest, TheRingIsReadOverItsEnd) {
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + kCapacity);
  Lsn from = 0;
  PageNo page = 0;
  while (log.end_lsn() < kFirstLsn + kCapacity * 3 / 2) {
    if (from == 0 && log.end_lsn() > kFirstLsn + kCapacity * 9 / 10) {
      from = log.end_lsn();
      page = 0;
    }
    (void)log.Append(Change(5, page++));
  }
  server_lsn_ = log.end_lsn();

  const auto changed = Scan(log.file(), from, log.end_lsn());

  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->pages.at(5).size(), page);
}

TEST_F(ChangedPagesTest, WhatMayHaveBeenOverwrittenMeanwhileIsNotBelieved) {
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + kCapacity);
  const Lsn to = log.Append(Change(5, 1));
  server_lsn_ = kFirstLsn + kCapacity - 16384;
  EXPECT_THAT(Scan(log.file(), kFirstLsn, to), IsOk());

  ++server_lsn_;

  EXPECT_THAT(Scan(log.file(), kFirstLsn, to),
              StatusIs(StatusCode::kRedoOverrun, HasSubstr("holds 64000 bytes")));
}

TEST_F(ChangedPagesTest, ALogThatBeginsBehindTheBaseOrDoesNotGoOnIsNotUsed) {
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + kCapacity);
  const Lsn middle = log.Append(Change(5, 1));
  const Lsn end = log.Append(Change(5, 2));

  EXPECT_THAT(Scan(log.file(), kFirstLsn - 1, end),
              StatusIs(StatusCode::kRedoOverrun, HasSubstr("")));
  EXPECT_THAT(Scan(log.file(), kFirstLsn, kFirstLsn + kCapacity + 1),
              StatusIs(StatusCode::kRedoOverrun, HasSubstr("")));
  EXPECT_THAT(Scan(log.file(), kFirstLsn, end + 1),
              StatusIs(StatusCode::kCorruption, HasSubstr("does not go on")));
  EXPECT_THAT(Scan(log.file(), kFirstLsn, middle + 1),
              StatusIs(StatusCode::kCorruption, HasSubstr("ends at LSN")));
  EXPECT_THAT(Scan(log.file(), middle + 1, end),
              StatusIs(StatusCode::kCorruption, HasSubstr("does not go on")));
  stop_.request_stop();
  EXPECT_THAT(Scan(log.file(), kFirstLsn, end), StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

TEST_F(ChangedPagesTest, LogsInBlocksAreReadToo) {
  BlockLogBuilder log(51200 + 12, redo::kBlockLogHeadBytes + 200 * 512);
  const Lsn from = log.Append(Change(5, 1));
  Lsn to = 0;
  for (PageNo page = 2; page < 200; ++page)
    to = log.Append(Change(5, page));
  server_lsn_ = to;

  const auto changed = Scan(log.file(), from, to);

  ASSERT_THAT(changed, IsOk());
  EXPECT_EQ(changed->pages.at(5).size(), 198U);
}

TEST_F(ChangedPagesTest, AnEncryptedLogTellsNothing) {
  BlockLogBuilder log(51200 + 12, redo::kBlockLogHeadBytes + 200 * 512);
  log.Encrypt({.key_id = 1, .key_version = 1}, crypto::CipherMode::kCbc, crypto::Block{});
  const Lsn to = log.Append(Change(5, 1));

  EXPECT_THAT(Scan(log.file(), 51200 + 12, to),
              StatusIs(StatusCode::kUnsupported, HasSubstr("encrypted")));
}

}  // namespace
}  // namespace hbk::backup

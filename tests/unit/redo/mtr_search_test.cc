#include "hbk/redo/mtr_search.h"

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/redo_builder.h"

namespace hbk::redo::mtr_search_test {
namespace {

using testing::LogBuilder;
using testing::MtrBuilder;

constexpr Lsn kFirstLsn = 12288;

class MtrSearchTest : public ::testing::Test {
 protected:
  void AppendSome(int count) {
    for (int i = 0; i < count; ++i) {
      starts_.insert(log_.end_lsn());
      log_.Append(MtrBuilder().Write({5, 3}, 100, std::string(random_() % 200 + 1, 'x')));
    }
  }

  std::optional<Lsn> Find(Lsn from) {
    const ByteView stream = AsBytes(log_.file()).subspan(kLogStart);
    const auto offset =
        FindMiniTransaction(stream.subspan(from - kFirstLsn), from, log_.geometry(), false);
    return offset ? std::optional(from + *offset) : std::nullopt;
  }

  std::minstd_rand random_{11};
  LogBuilder log_{kFirstLsn, 1 << 20};
  std::set<Lsn> starts_;
};

TEST_F(MtrSearchTest, FromAnyByteItIsTheNextStart) {
  AppendSome(60);
  const Lsn last = *std::prev(starts_.end(), static_cast<ptrdiff_t>(kMtrSearchRun));
  for (Lsn from = kFirstLsn; from <= last; ++from)
    ASSERT_EQ(Find(from), *starts_.lower_bound(from)) << from;
}

TEST_F(MtrSearchTest, TooFewThatFollowOneAnotherAreNoStart) {
  AppendSome(kMtrSearchRun);
  EXPECT_EQ(Find(kFirstLsn), kFirstLsn);
  EXPECT_EQ(Find(kFirstLsn + 1), std::nullopt);
}

TEST_F(MtrSearchTest, ZerosAndNothingAreNoStart) {
  EXPECT_EQ(Find(kFirstLsn), std::nullopt);
  EXPECT_EQ(FindMiniTransaction({}, kFirstLsn, log_.geometry(), false), std::nullopt);
}

TEST_F(MtrSearchTest, OneThatIsFarOffIsNotFound) {
  log_.Append(MtrBuilder().Write({5, 3}, 100, std::string(kMtrSearchBytes + 10, 'x')));
  AppendSome(20);
  EXPECT_EQ(Find(kFirstLsn + 1), std::nullopt);
  EXPECT_EQ(Find(kFirstLsn + 100), *starts_.begin());
}

TEST_F(MtrSearchTest, AfterAFullPageItIsTheNext) {
  log_.Append(MtrBuilder().Write({5, 3}, 100, std::string(16384, 'x')));
  AppendSome(20);
  EXPECT_EQ(Find(kFirstLsn + 1), *starts_.begin());
}

// One of a real server, several times; its sequence byte is that of the first round of the ring.
TEST_F(MtrSearchTest, EncryptedOnesAreFoundByTheirNonceAndChecksum) {
  const std::string mtr = testing::FromHex("34 b8e79761 01 000000000000bcd7 ffff8a94");
  std::string bytes = "xx";
  for (size_t i = 0; i < kMtrSearchRun; ++i)
    bytes += mtr;

  EXPECT_EQ(FindMiniTransaction(AsBytes(bytes), kFirstLsn, log_.geometry(), true), 2U);
  EXPECT_EQ(FindMiniTransaction(AsBytes(bytes), kFirstLsn, log_.geometry(), false), std::nullopt);
}

// That is why it is only a guess.
TEST_F(MtrSearchTest, WhatARowHoldsMayLookLikeRedo) {
  AppendSome(20);
  const std::string stored = log_.file().substr(kLogStart, log_.end_lsn() - kFirstLsn);
  const Lsn start = log_.end_lsn();
  log_.Append(MtrBuilder().Write({5, 3}, 100, stored));
  starts_.insert(start);
  AppendSome(20);

  const auto found = Find(start + 1);

  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(starts_.count(*found), 0U);
}

}  // namespace
}  // namespace hbk::redo::mtr_search_test

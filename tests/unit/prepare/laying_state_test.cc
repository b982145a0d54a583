#include "laying_state.h"

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::laying_state_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kPath = "/b/" + std::string(kLayingStateName);

class LayingStateTest : public ::testing::Test {
 protected:
  LayingStateTest() { fs_.PutDirectory("/b"); }

  MemFileSystem fs_;
};

TEST_F(LayingStateTest, ThereMayBeNone) {
  const auto state = LoadLayingState(fs_, "/b");

  ASSERT_THAT(state, IsOk());
  EXPECT_FALSE(state->has_value());
  EXPECT_THAT(RemoveLayingState(fs_, "/b"), IsOk());
}

TEST_F(LayingStateTest, WhatIsStoredSurvivesAPowerCut) {
  for (const LayingPhase phase : {LayingPhase::kBegun, LayingPhase::kNamed, LayingPhase::kLaid}) {
    const LayingState stored{.phase = phase, .increments = {{"u-1", "/i 1"}, {"u-2", "/i2"}}};
    ASSERT_THAT(StoreLayingState(fs_, "/b", stored), IsOk());
    fs_.Crash(/*seed=*/0);

    const auto state = LoadLayingState(fs_, "/b");

    ASSERT_THAT(state, IsOk());
    ASSERT_TRUE(state->has_value());
    EXPECT_EQ((*state)->phase, phase);
    EXPECT_THAT((*state)->Uuids(), ElementsAre("u-1", "u-2"));
    EXPECT_EQ((*state)->increments[0].dir, "/i 1");
  }
}

TEST_F(LayingStateTest, TheCommandThatGoesOnNamesAllIncrements) {
  const LayingState state{.phase = LayingPhase::kBegun, .increments = {{"u", "/i1"}, {"v", "/i2"}}};

  EXPECT_EQ(state.Command("/b"),
            "hbk prepare --target-dir=/b --incremental-dir=/i1 --incremental-dir=/i2");
}

TEST_F(LayingStateTest, WhatCannotBeReadIsNotGuessed) {
  for (const std::string& text :
       {std::string(), std::string("phase begun\n"), std::string("phase half\nincrement u /i\n"),
        std::string("phase begun\nincrement u\n"), std::string("phase begun\nincrement  /i\n"),
        std::string("phase begun\nincrement u /i"), std::string("phase begun\nother\n")}) {
    fs_.PutFile(kPath, text);

    EXPECT_THAT(LoadLayingState(fs_, "/b"), StatusIs(StatusCode::kCorruption, HasSubstr(kPath)))
        << text;
  }
}

TEST_F(LayingStateTest, ARemovedOneDoesNotComeBack) {
  ASSERT_THAT(
      StoreLayingState(fs_, "/b", {.phase = LayingPhase::kBegun, .increments = {{"u", "/i"}}}),
      IsOk());
  ASSERT_THAT(RemoveLayingState(fs_, "/b"), IsOk());
  fs_.Crash(/*seed=*/0);

  const auto state = LoadLayingState(fs_, "/b");

  ASSERT_THAT(state, IsOk());
  EXPECT_FALSE(state->has_value());
}

}  // namespace
}  // namespace hbk::prepare::laying_state_test

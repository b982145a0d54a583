#include "phase_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/silent_reporter.h"

namespace hbk::drill {
namespace {

using hbk::testing::SilentReporter;
using ::testing::ElementsAre;

class PhaseClockTest : public ::testing::Test {
 protected:
  void Pass(int seconds) { now_ += std::chrono::seconds(seconds); }

  PhaseClock::Clock::time_point now_;
  SilentReporter inner_;
  PhaseClock clock_{inner_, [this] {
                      return now_;
                    }};
};

TEST_F(PhaseClockTest, EachPhaseLastsUntilTheNextBegins) {
  Pass(1);
  clock_.BeginPhase("copy");
  Pass(2);
  clock_.BeginPhase("check");
  Pass(3);

  const auto times = clock_.times();

  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times[0].name, "copy");
  EXPECT_EQ(times[0].seconds, 2);
  EXPECT_EQ(times[1].seconds, 3);
  EXPECT_EQ(clock_.seconds(), 6);
  EXPECT_EQ(clock_.current(), "check");
}

TEST_F(PhaseClockTest, APhaseThatComesAgainIsAddedUp) {
  clock_.BeginPhase("sync");
  Pass(2);
  clock_.BeginPhase("check");
  Pass(1);
  clock_.BeginPhase("sync");
  Pass(4);

  const auto times = clock_.times();

  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times[0].seconds, 6);
}

TEST_F(PhaseClockTest, WarningsAreHandedOnAndKept) {
  clock_.Warning("careful");

  EXPECT_EQ(inner_.warning_count(), 1U);
  EXPECT_EQ(clock_.warning_count(), 1U);
  EXPECT_THAT(clock_.warnings(), ElementsAre("careful"));
}

}  // namespace
}  // namespace hbk::drill

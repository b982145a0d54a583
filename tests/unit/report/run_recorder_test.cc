#include "hbk/report/run_recorder.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::report {
namespace {

class RunRecorderTest : public ::testing::Test {
 protected:
  void Advance(int time_s) { now_ += std::chrono::seconds(time_s); }

  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::optional<RunRecord> record_;
  RunRecorder recorder_{[this](const RunRecord& record) { record_ = record; },
                        [this] {
                          return now_;
                        }};
};

TEST_F(RunRecorderTest, PhasesAreTimedAndThoseOfOneNameAddUp) {
  Advance(1);
  recorder_.BeginPhase("connect", {});
  Advance(2);
  recorder_.BeginPhase("copy", {});
  Advance(4);
  recorder_.BeginPhase("connect", {});
  Advance(8);
  recorder_.Finish(OkStatus(), {{"bytes", "7"}});

  ASSERT_TRUE(record_);
  EXPECT_EQ(record_->seconds, 15);
  ASSERT_EQ(record_->phases.size(), 2U);
  EXPECT_EQ(record_->phases[0].name, "connect");
  EXPECT_EQ(record_->phases[0].seconds, 10);
  EXPECT_EQ(record_->phases[1].name, "copy");
  EXPECT_EQ(record_->phases[1].seconds, 4);
  EXPECT_TRUE(record_->status.ok());
  ASSERT_EQ(record_->facts.size(), 1U);
  EXPECT_EQ(record_->facts[0].value, "7");
}

TEST_F(RunRecorderTest, ARunThatFailsAtOnceHasNoPhases) {
  recorder_.Warning("careful", {});
  EXPECT_EQ(recorder_.warning_count(), 1U);

  recorder_.Finish(UsageError("no"), {});

  ASSERT_TRUE(record_);
  EXPECT_TRUE(record_->phases.empty());
  EXPECT_EQ(record_->warning_count, 1U);
  EXPECT_EQ(record_->status.code(), StatusCode::kUsage);
}

}  // namespace
}  // namespace hbk::report

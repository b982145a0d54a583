// ProgressMeter: rate over a window, out-of-order reports, unknown total.
#include "progress_meter.h"

#include <chrono>

#include <gtest/gtest.h>

namespace hbk::report {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ProgressMeter::TimePoint kStart = ProgressMeter::TimePoint() + seconds(100);

TEST(ProgressMeterTest, SaysNoRateBeforeThereIsOne) {
  ProgressMeter meter;
  meter.Begin(kStart);

  meter.Update(1000, 2000, kStart + milliseconds(10));

  EXPECT_EQ(meter.RateBytesPerS(), std::nullopt);
  EXPECT_EQ(meter.Line("copy"), "copy  50 %  1000 B of 2.0 KiB");
}

TEST(ProgressMeterTest, TheRateForgetsWhatWasTenSecondsAgo) {
  ProgressMeter meter;
  meter.Begin(kStart);
  for (int s = 1; s <= 20; ++s)
    meter.Update(static_cast<uint64_t>(s) * 1000, 0, kStart + seconds(s));
  for (int s = 1; s <= 10; ++s)
    meter.Update(20'000 + static_cast<uint64_t>(s) * 10, 0, kStart + seconds(20 + s));

  EXPECT_EQ(meter.RateBytesPerS(), 10);
  EXPECT_EQ(meter.EtaS(), std::nullopt);
}

TEST(ProgressMeterTest, ALateReportOfAnEarlierPointIsIgnored) {
  ProgressMeter meter;
  meter.Begin(kStart);
  meter.Update(5000, 10'000, kStart + seconds(1));

  meter.Update(4000, 10'000, kStart + seconds(2));

  EXPECT_EQ(meter.done_bytes(), 5000U);
}

TEST(ProgressMeterTest, AStandstillHasNoEnd) {
  ProgressMeter meter;
  meter.Begin(kStart);

  meter.Update(0, 10'000, kStart + seconds(5));

  EXPECT_EQ(meter.EtaS(), std::nullopt);
  EXPECT_EQ(meter.Line("copy"), "copy   0 %  0 B of 9.8 KiB  0 B/s");
}

TEST(ProgressMeterTest, MoreThanTheTotalIsHundredPercent) {
  ProgressMeter meter;
  meter.Begin(kStart);

  meter.Update(3 << 20, 2 << 20, kStart + seconds(1));

  EXPECT_EQ(meter.EtaS(), 0);
  EXPECT_EQ(meter.Line("copy"), "copy  100 %  3.0 of 2.0 MiB  3.0 MiB/s  ETA 1 s");
}

TEST(ProgressMeterTest, AnUnknownTotalLeavesTheShareOut) {
  ProgressMeter meter;
  meter.Begin(kStart);

  meter.Update(2 << 20, 0, kStart + seconds(1));

  EXPECT_EQ(meter.Line("tail"), "tail  2.0 MiB  2.0 MiB/s");
}

}  // namespace
}  // namespace hbk::report

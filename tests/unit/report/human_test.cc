// HumanBytes and HumanSeconds at the edges where the unit or the digits change.
#include <limits>

#include <gtest/gtest.h>

#include "hbk/report/reporter.h"

namespace hbk::report {
namespace {

TEST(HumanTest, Bytes) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(831), "831 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1024), "1.0 KiB");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(12 << 20), "12 MiB");
  EXPECT_EQ(HumanBytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(HumanBytes(10 * 1024 - 1), "10 KiB");
  EXPECT_EQ(HumanBytes(uint64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(HumanBytes(std::numeric_limits<uint64_t>::max()), "16 EiB");
}

TEST(HumanTest, Seconds) {
  EXPECT_EQ(HumanSeconds(0), "0 ms");
  EXPECT_EQ(HumanSeconds(0.012), "12 ms");
  EXPECT_EQ(HumanSeconds(3.21), "3.2 s");
  EXPECT_EQ(HumanSeconds(9.96), "10 s");
  EXPECT_EQ(HumanSeconds(59.6), "1 min 00 s");
  EXPECT_EQ(HumanSeconds(303), "5 min 03 s");
  EXPECT_EQ(HumanSeconds(2 * 3600 + 5 * 60), "2 h 05 min");
  EXPECT_EQ(HumanSeconds(100 * 3600), "4 d 04 h");
}

TEST(HumanTest, SecondsThatAreNoTime) {
  EXPECT_EQ(HumanSeconds(-1), "0 ms");
  EXPECT_EQ(HumanSeconds(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(HumanSeconds(std::numeric_limits<double>::quiet_NaN()), "?");
}

}  // namespace
}  // namespace hbk::report

#include "hbk/aria/control_file.h"

#include "tests/support/status_matchers.h"

namespace hbk::aria {
namespace {

using hbk::testing::IsOk;

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// The control file of a 10.11.19 server: checkpoint in log 1, last log 1.
std::string RealControl() {
  return Unhex(
      "fefe0c015b0e5334e51611f18f7e02fc000000011e00160000200ea991f6"
      "cc68813f0100007ea606000100000056010000000000");
}

TEST(ControlFileTest, ParsesTheFileOfAServer) {
  const auto control = ParseControlFile(RealControl());

  ASSERT_THAT(control, IsOk());
  EXPECT_EQ(control->block_size, 8192U);
  EXPECT_EQ(control->checkpoint_log, 1U);
  EXPECT_EQ(control->last_log, 1U);
}

TEST(ControlFileTest, EveryFlippedByteIsFound) {
  const std::string good = RealControl();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(ParseControlFile(bad).ok()) << i;
  }
}

TEST(ControlFileTest, EveryShortFileIsRefused) {
  const std::string good = RealControl();
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(ParseControlFile(good.substr(0, size)).ok()) << size;
}

TEST(ControlFileTest, RenderedControlParsesWithTheNewNumber) {
  const auto control = ParseControlFile(RealControl());
  ASSERT_THAT(control, IsOk());

  const auto again = ParseControlFile(RenderControlFile(*control, 7));

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->last_log, 7U);
  EXPECT_EQ(again->checkpoint_log, control->checkpoint_log);
  EXPECT_EQ(RenderControlFile(*control, control->last_log), RealControl());
}

TEST(ControlFileTest, LogFilesAreNamedByEightDigits) {
  EXPECT_EQ(LogFileName(12), "aria_log.00000012");
}

}  // namespace
}  // namespace hbk::aria

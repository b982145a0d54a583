#include "file_writers.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::extract {
namespace {

using hbk::testing::FaultKind;
using hbk::testing::FaultyFileSystem;
using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::Contains;

class FileWritersTest : public ::testing::Test {
 protected:
  FileWritersTest() { fs_.PutDirectory("/w"); }

  static Status Write(FileWriters& writers, uint64_t file, uint64_t offset,
                      const std::string& bytes) {
    std::vector<uint8_t> copy(bytes.begin(), bytes.end());
    return writers.Write(file, offset, copy);
  }

  MemFileSystem fs_;
};

TEST_F(FileWritersTest, FilesAreWrittenInTheirOrderAndSynced) {
  FileWriters writers(fs_, "/w", 3);
  for (uint64_t file = 1; file <= 10; ++file)
    ASSERT_THAT(writers.Open(file), IsOk());
  for (uint64_t piece = 0; piece < 50; ++piece) {
    for (uint64_t file = 1; file <= 10; ++file)
      ASSERT_THAT(Write(writers, file, piece * 3, "abcd"), IsOk());
  }
  for (uint64_t file = 1; file <= 10; ++file)
    ASSERT_THAT(writers.Close(file, std::nullopt), IsOk());
  ASSERT_THAT(writers.Remove(4), IsOk());
  ASSERT_THAT(writers.Finish(), IsOk());
  std::string expected;
  for (int i = 0; i < 50; ++i)
    expected += "abc";
  EXPECT_EQ(fs_.Contents("/w/7"), expected + "d");
  EXPECT_EQ(fs_.Tree("/w").size(), 9U);
  EXPECT_EQ(writers.bytes(), 9 * 151U);
  EXPECT_THAT(fs_.synced(), Contains("/w/7"));
}

TEST_F(FileWritersTest, ZerosBecomeHolesButNotOverBytes) {
  FileWriters writers(fs_, "/w", 1);
  const std::string zeros(200'000, '\0');
  ASSERT_THAT(writers.Open(1), IsOk());
  ASSERT_THAT(Write(writers, 1, 0, zeros), IsOk());
  ASSERT_THAT(Write(writers, 1, 200'000, "x" + zeros), IsOk());
  ASSERT_THAT(writers.Close(1, std::nullopt), IsOk());
  ASSERT_THAT(writers.Open(2), IsOk());
  ASSERT_THAT(Write(writers, 2, 0, std::string(200'000, 'y')), IsOk());
  ASSERT_THAT(Write(writers, 2, 1000, zeros.substr(0, 150'000)), IsOk());
  ASSERT_THAT(writers.Close(2, 180'000), IsOk());
  ASSERT_THAT(writers.Open(3), IsOk());
  ASSERT_THAT(writers.Close(3, 100), IsOk());
  ASSERT_THAT(writers.Finish(), IsOk());
  EXPECT_TRUE(fs_.Contents("/w/1") == zeros + "x" + zeros);
  EXPECT_TRUE(fs_.Contents("/w/2") ==
              std::string(1000, 'y') + zeros.substr(0, 150'000) + std::string(29'000, 'y'));
  EXPECT_EQ(fs_.Contents("/w/3"), std::string(100, '\0'));
  EXPECT_EQ(writers.bytes(), 400'001U + 180'000U + 100U);
}

TEST_F(FileWritersTest, EveryFailureComesBack) {
  for (uint64_t k = 1;; ++k) {
    FaultyFileSystem faulty(fs_);
    faulty.Arm(FaultKind::kNoSpace, k);
    Status status;
    {
      FileWriters writers(faulty, "/w", 2);
      const auto run = [&]() -> Status {
        for (uint64_t i = k * 100; i < k * 100 + 20; ++i) {
          HBK_RETURN_IF_ERROR(writers.Open(i));
          HBK_RETURN_IF_ERROR(Write(writers, i, 0, "abc"));
          HBK_RETURN_IF_ERROR(writers.Close(i, 2));
        }
        return OkStatus();
      };
      status = run();
      if (status.ok()) status = writers.Finish();
    }
    if (!faulty.has_fired()) {
      EXPECT_THAT(status, IsOk());
      break;
    }
    EXPECT_THAT(status, StatusIs(StatusCode::kNoSpace, _)) << k;
  }
}

}  // namespace
}  // namespace hbk::extract

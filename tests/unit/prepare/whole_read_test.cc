#include "whole_read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(WholeReadTest, AReadMayEndWhereTheFileDoes) {
  MemFileSystem fs;
  fs.PutFile("/f", "0123456789");
  const auto file = fs.Open("/f", {});
  ASSERT_THAT(file, IsOk());

  EXPECT_THAT(CheckReadToEnd(**file, 0, 4, 4), IsOk());
  EXPECT_THAT(CheckReadToEnd(**file, 4, 6, 16), IsOk());
  EXPECT_THAT(CheckReadToEnd(**file, 20, 0, 16), IsOk());
  EXPECT_THAT(CheckReadToEnd(**file, 4, 5, 16),
              StatusIs(StatusCode::kFailed, HasSubstr("/f ended at offset 9")));
}

}  // namespace
}  // namespace hbk::prepare

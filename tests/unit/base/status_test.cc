// Status, Result and the macros that pass them on.
#include "hbk/base/status.h"

#include <cerrno>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk {
namespace {

using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::StartsWith;
using testing::StatusIs;

TEST(StatusTest, ADefaultOneIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_TRUE(OkStatus().ok());
  EXPECT_EQ(OkStatus().ToString(), "ok");
}

TEST(StatusTest, ContextGoesInFront) {
  const Status status = CorruptionError("bad page").WithContext("copying a.ibd");

  EXPECT_THAT(status, StatusIs(StatusCode::kCorruption, "copying a.ibd: bad page"));
  EXPECT_THAT(OkStatus().WithContext("copying"), IsOk());
}

TEST(StatusTest, TheInnermostHintStays) {
  const Status status = FailedError("x").WithHint("inner").WithContext("y").WithHint("outer");

  EXPECT_EQ(status.hint(), "inner");
  EXPECT_EQ(status.ToString(), "failed: y: x (hint: inner)");
  EXPECT_EQ(OkStatus().WithHint("none").hint(), "");
}

TEST(StatusTest, CodesHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  const int count = static_cast<int>(StatusCode::kInterrupted) + 1;
  for (int code = 0; code < count; ++code)
    names.insert(StatusCodeName(static_cast<StatusCode>(code)));

  EXPECT_EQ(names.size(), static_cast<size_t>(count));
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(StatusTest, ErrnoMapsToTheCodesThatSomebodyReactsTo) {
  EXPECT_EQ(ErrnoStatus(ENOSPC, "x").code(), StatusCode::kNoSpace);
  EXPECT_EQ(ErrnoStatus(EDQUOT, "x").code(), StatusCode::kNoSpace);
  EXPECT_EQ(ErrnoStatus(ENOENT, "x").code(), StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus(EEXIST, "x").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrnoStatus(EACCES, "x").code(), StatusCode::kMissingPrivilege);
  EXPECT_EQ(ErrnoStatus(EPERM, "x").code(), StatusCode::kMissingPrivilege);
  EXPECT_THAT(ErrnoStatus(EIO, "reading /x"),
              StatusIs(StatusCode::kFailed, StartsWith("reading /x: ")));
}

TEST(StatusDeathTest, AnErrorCannotBeOk) {
  EXPECT_DEATH((void)Status(StatusCode::kOk, "x"), "check failed");
  EXPECT_DEATH((void)Result<int>{OkStatus()}, "check failed");
  EXPECT_DEATH((void)Result<int>(FailedError("x")).value(), "check failed");
}

Result<int> Half(int x) {
  if (x % 2 != 0) return FailedError("odd");
  return x / 2;
}

Result<int> Quarter(int x) {
  HBK_ASSIGN_OR_RETURN(const int half, Half(x));
  HBK_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status CheckTwice(int x) {
  HBK_RETURN_IF_ERROR(Half(x).status());
  HBK_RETURN_IF_ERROR(Half(x / 2).status().WithContext("second"));
  return OkStatus();
}

TEST(ResultTest, MacrosPassValuesAndErrorsOn) {
  EXPECT_THAT(Quarter(8), IsOkAndHolds(2));
  EXPECT_THAT(Quarter(6), StatusIs(StatusCode::kFailed, "odd"));
  EXPECT_THAT(CheckTwice(4), IsOk());
  EXPECT_THAT(CheckTwice(3), StatusIs(StatusCode::kFailed, "odd"));
  EXPECT_THAT(CheckTwice(6), StatusIs(StatusCode::kFailed, "second: odd"));
}

TEST(ResultTest, HoldsWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);

  ASSERT_TRUE(result.ok());
  const std::unique_ptr<int> value = std::move(result).value();

  EXPECT_EQ(*value, 7);
}

TEST(ResultTest, ArrowAndStarReachTheValue) {
  Result<std::string> result = std::string("abc");

  EXPECT_EQ(result->size(), 3U);
  *result += "d";

  EXPECT_THAT(result, IsOkAndHolds(std::string("abcd")));
}

}  // namespace
}  // namespace hbk

#include "exit_code.h"

#include <algorithm>
#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::cli {
namespace {

TEST(ExitCodeTest, EachStatusCodeHasItsExitCode) {
  struct Case {
    StatusCode code;
    int exit_code;
  };
  const Case cases[] = {
      {StatusCode::kOk, 0},
      {StatusCode::kFailed, 1},
      {StatusCode::kNotFound, 1},
      {StatusCode::kUsage, 2},
      {StatusCode::kMissingPrivilege, 13},
      {StatusCode::kNoSpace, 14},
      {StatusCode::kCannotConnect, 15},
      {StatusCode::kConnectionLost, 15},
      {StatusCode::kLockWaitTimeout, 16},
      {StatusCode::kRedoOverrun, 17},
      {StatusCode::kUnsupported, 18},
      {StatusCode::kChainBroken, 19},
      {StatusCode::kCorruption, 20},
      {StatusCode::kAlreadyExists, 21},
      {StatusCode::kTargetInUse, 21},
      {StatusCode::kMissingKey, 22},
      {StatusCode::kDrillFailed, 23},
      {StatusCode::kInterrupted, 130},
  };
  for (const Case& c : cases)
    EXPECT_EQ(ExitCodeFor(c.code, 0, 0), c.exit_code) << StatusCodeName(c.code);
}

TEST(ExitCodeTest, WarningsCountOnlyWhereTheRunWasDone) {
  EXPECT_EQ(ExitCodeFor(StatusCode::kOk, 2, 0), 3);
  EXPECT_EQ(ExitCodeFor(StatusCode::kNoSpace, 2, 0), 14);
}

TEST(ExitCodeTest, InterruptionNamesItsSignal) {
  EXPECT_EQ(ExitCodeFor(StatusCode::kInterrupted, 0, SIGTERM), 143);
  EXPECT_EQ(ExitCodeFor(StatusCode::kInterrupted, 1, SIGHUP), 129);
}

// A signal that came after the work was done changes nothing.
TEST(ExitCodeTest, SuccessIsSuccessInSpiteOfASignal) {
  EXPECT_EQ(ExitCodeFor(StatusCode::kOk, 0, SIGTERM), 0);
}

TEST(ExitCodeTest, TableListsEveryCodeOnceAscending) {
  const auto table = ExitCodeTable();
  EXPECT_TRUE(std::ranges::is_sorted(table, {}, &ExitCodeEntry::code));
  std::set<int> listed;
  for (const ExitCodeEntry& entry : table)
    EXPECT_TRUE(listed.insert(entry.code).second) << entry.code;
  for (int code = 0; code <= static_cast<int>(StatusCode::kInterrupted); ++code)
    EXPECT_TRUE(listed.contains(ExitCodeFor(static_cast<StatusCode>(code), 0, 0))) << code;
}

}  // namespace
}  // namespace hbk::cli

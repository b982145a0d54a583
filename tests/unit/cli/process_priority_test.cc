#include "process_priority.h"

#include <cerrno>
#include <string_view>
#include <thread>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::cli {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(ProcessPriorityTest, ReadsClassesAndLevels) {
  EXPECT_EQ(ParseIoPriority("idle").value(), (IoPriority{IoClass::kIdle, 0}));
  EXPECT_EQ(ParseIoPriority("best-effort").value(), (IoPriority{IoClass::kBestEffort, 4}));
  EXPECT_EQ(ParseIoPriority("best-effort:0").value(), (IoPriority{IoClass::kBestEffort, 0}));
  EXPECT_EQ(ParseIoPriority("best-effort:7").value(), (IoPriority{IoClass::kBestEffort, 7}));
}

TEST(ProcessPriorityTest, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", "Idle", "idle:1", "best-effort:", "best-effort:8", "best-effort:-1", "best-effort:12",
        "best-effort;3", "realtime"}) {
    EXPECT_THAT(ParseIoPriority(text), StatusIs(StatusCode::kUsage, HasSubstr("--ionice=")))
        << text;
  }
}

// In a thread, since it is a thread's on Linux, and those of it inherit it.
TEST(ProcessPriorityTest, ThreadsThatAreStartedLaterInheritIt) {
  int nice = 0;
  long io = 0;
  std::thread([&] {
    ASSERT_THAT(SetProcessPriority(19, IoPriority{IoClass::kBestEffort, 6}), IsOk());
    std::thread([&] {
      nice = getpriority(PRIO_PROCESS, 0);
      io = syscall(SYS_ioprio_get, 1, 0);
    }).join();
  }).join();
  EXPECT_EQ(nice, 19);
  EXPECT_EQ(io, (2 << 13) | 6);
}

TEST(ProcessPriorityTest, WhatIsNotGivenStaysAsItIs) {
  const int before = getpriority(PRIO_PROCESS, 0);
  const long io_before = syscall(SYS_ioprio_get, 1, 0);
  ASSERT_THAT(SetProcessPriority(std::nullopt, std::nullopt), IsOk());
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
  EXPECT_EQ(syscall(SYS_ioprio_get, 1, 0), io_before);
}

}  // namespace
}  // namespace hbk::cli

#include "urgency.h"

#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hbk::backup {
namespace {

int NiceOfThisThread() {
  return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
}

TEST(UrgencyTest, EndsWithItsBlock) {
  const int before = NiceOfThisThread();
  {
    const Urgency urgency;
    EXPECT_EQ(NiceOfThisThread() < before, urgency.is_granted());
  }
  EXPECT_EQ(NiceOfThisThread(), before);
}

TEST(UrgencyTest, ThreadsThatAreStartedMeanwhileHaveIt) {
  const Urgency urgency;
  int nice = 0;
  std::thread([&nice] { nice = NiceOfThisThread(); }).join();
  EXPECT_EQ(nice, NiceOfThisThread());
}

}  // namespace
}  // namespace hbk::backup

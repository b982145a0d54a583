#include "signal_watcher.h"

#include <condition_variable>
#include <mutex>

#include <signal.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "child_process.h"

namespace hbk::cli {
namespace {

// Waits until stop is requested, without polling.
void WaitForStop(const std::stop_source& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop.get_token(), [] { return false; });
}

TEST(SignalWatcherTest, FirstSignalAsksToStop) {
  const ChildResult child = RunInChild([] {
    std::stop_source stop;
    SignalWatcher watcher(stop);
    if (!watcher.Start().ok() || watcher.signal_number() != 0) return 1;
    kill(getpid(), SIGTERM);
    WaitForStop(stop);
    return watcher.signal_number();
  });

  EXPECT_EQ(child.exit_code, SIGTERM);
}

TEST(SignalWatcherTest, SecondSignalEndsTheProcess) {
  const ChildResult child = RunInChild([] {
    std::stop_source stop;
    SignalWatcher watcher(stop);
    if (!watcher.Start().ok()) return 1;
    kill(getpid(), SIGHUP);
    WaitForStop(stop);
    kill(getpid(), SIGINT);
    while (true)
      pause();
  });

  EXPECT_EQ(child.exit_code, 130);
  EXPECT_THAT(child.err, ::testing::HasSubstr("second signal"));
}

TEST(SignalWatcherTest, IgnoredSignalStaysIgnored) {
  const ChildResult child = RunInChild([] {
    signal(SIGHUP, SIG_IGN);
    std::stop_source stop;
    SignalWatcher watcher(stop);
    if (!watcher.Start().ok()) return 1;
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGTERM);
    WaitForStop(stop);
    return watcher.signal_number();
  });

  EXPECT_EQ(child.exit_code, SIGTERM);
}

TEST(SignalWatcherTest, BrokenPipeDoesNotEndTheProcess) {
  const ChildResult child = RunInChild([] {
    std::stop_source stop;
    SignalWatcher watcher(stop);
    if (!watcher.Start().ok()) return 1;
    kill(getpid(), SIGPIPE);
    return 42;
  });

  EXPECT_EQ(child.exit_code, 42);
}

}  // namespace
}  // namespace hbk::cli

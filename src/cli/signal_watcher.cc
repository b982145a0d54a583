#include "signal_watcher.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "exit_code.h"

namespace hbk::cli {
namespace {

constexpr std::array kWatchedSignals = {SIGINT, SIGTERM, SIGHUP};

bool IsIgnored(int signal_number) {
  struct sigaction action = {};
  return sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Straight to the file descriptor: whoever holds the locks of stderr may be what hangs.
void Say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Status SignalWatcher::Start() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal_number : kWatchedSignals) {
    if (!IsIgnored(signal_number)) sigaddset(&watched, signal_number);
  }
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  if (sigaction(SIGPIPE, &ignore, nullptr) != 0) return ErrnoStatus(errno, "ignoring SIGPIPE");
  const int error = pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  if (error != 0) return ErrnoStatus(error, "blocking signals");
  signal_fd_ = signalfd(-1, &watched, SFD_CLOEXEC);
  if (signal_fd_ < 0) return ErrnoStatus(errno, "opening a signal descriptor");
  wake_fd_ = eventfd(0, EFD_CLOEXEC);
  if (wake_fd_ < 0) return ErrnoStatus(errno, "opening an event descriptor");
  thread_ = std::thread([this] { Watch(); });
  return OkStatus();
}

SignalWatcher::~SignalWatcher() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
    thread_.join();
  }
  if (signal_fd_ >= 0) close(signal_fd_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

void SignalWatcher::Watch() {
  std::array<pollfd, 2> events = {{{signal_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
  while (true) {
    if (poll(events.data(), events.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if ((events[1].revents & POLLIN) != 0) return;
    signalfd_siginfo info = {};
    if (read(signal_fd_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) continue;
    const int signal_number = static_cast<int>(info.ssi_signo);
    if (signal_number_.load() != 0) {
      Say("\nhbk: second signal: ending at once\n");
      _exit(ExitCodeFor(StatusCode::kInterrupted, 0, signal_number));
    }
    signal_number_.store(signal_number);
    stop_.request_stop();
  }
}

}  // namespace hbk::cli

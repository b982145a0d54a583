#include "tests/support/live/process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/support/live/scratch_dir.h"

namespace hbk::testing {
namespace {

using std::chrono::duration_cast;
using std::chrono::steady_clock;

// What the child needs between fork and exec, made before the fork: only async-signal-safe calls
// are allowed there.
struct ChildPlan {
  std::string program;
  std::vector<char*> argv;
  std::vector<char*> environment;
  int stdout_fd = -1;
  int stderr_fd = -1;
  const char* working_dir = nullptr;
  pid_t parent = 0;
};

// <sys/pidfd.h> of glibc 2.36 declares these without C linkage.
int PidFdOpen(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}
void PidFdSendSignal(int pid_fd, int signal) {
  syscall(SYS_pidfd_send_signal, pid_fd, signal, nullptr, 0);
}

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  constexpr int kCannotExec = 127;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != plan.parent) {
    _exit(kCannotExec);
  }
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(plan.stdout_fd, STDOUT_FILENO) < 0 ||
      dup2(plan.stderr_fd, STDERR_FILENO) < 0) {
    _exit(kCannotExec);
  }
  if (plan.working_dir != nullptr && chdir(plan.working_dir) != 0) {
    _exit(kCannotExec);
  }
  execve(plan.program.c_str(), plan.argv.data(), plan.environment.data());
  _exit(kCannotExec);
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& additions) {
  std::vector<std::string> all = additions;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool is_replaced = false;
    for (const std::string& addition : additions) {
      is_replaced = is_replaced || addition.starts_with(name);
    }
    if (!is_replaced) {
      all.emplace_back(text);
    }
  }
  return all;
}

Result<int> OpenForOutput(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return ErrnoStatus(errno, "opening " + path);
  }
  return fd;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::string ProcessEnd::Describe() const {
  const std::string how = is_late      ? "did not end in time"
                          : signal > 0 ? fmt::format("killed by signal {}", signal)
                                       : fmt::format("exit code {}", exit_code);
  return fmt::format("{} after {:.1f} s; last lines:\n{}", how, seconds, Tail(output));
}

std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return name;
  }
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::string directories = path == nullptr ? "" : path;
  directories += ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin";
  for (size_t begin = 0; begin < directories.size();) {
    const size_t end = std::min(directories.find(':', begin), directories.size());
    std::string candidate = directories.substr(begin, end - begin) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    begin = end + 1;
  }
  return name;
}

Process::Process(pid_t pid, int pid_fd, std::string output_path)
    : pid_(pid),
      pid_fd_(pid_fd),
      output_path_(std::move(output_path)),
      start_(steady_clock::now()) {}

Result<std::unique_ptr<Process>> Process::Start(const std::vector<std::string>& argv,
                                                const ProcessOptions& options) {
  HBK_ASSIGN_OR_RETURN(const int stderr_fd, OpenForOutput(options.output_path));
  int stdout_fd = stderr_fd;
  if (!options.stdout_path.empty()) {
    HBK_ASSIGN_OR_RETURN(stdout_fd, OpenForOutput(options.stdout_path));
  }
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = EnvironmentWith(options.environment);
  ChildPlan plan{.program = FindProgram(argv.at(0)),
                 .argv = Pointers(arguments),
                 .environment = Pointers(environment),
                 .stdout_fd = stdout_fd,
                 .stderr_fd = stderr_fd,
                 .parent = getpid()};
  if (!options.working_dir.empty()) {
    plan.working_dir = options.working_dir.c_str();
  }
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProgram(plan);
  }
  const int fork_error = errno;
  close(stderr_fd);
  if (stdout_fd != stderr_fd) {
    close(stdout_fd);
  }
  if (pid < 0) {
    return ErrnoStatus(fork_error, "starting " + plan.program);
  }
  const int pid_fd = PidFdOpen(pid);
  if (pid_fd < 0) {
    return ErrnoStatus(errno, "pidfd_open");
  }
  return std::unique_ptr<Process>(new Process(pid, pid_fd, options.output_path));
}

Process::~Process() {
  if (!end_) {
    Signal(SIGKILL);
    Reap(false);
  }
  close(pid_fd_);
}

void Process::Signal(int signal) const {
  // Through the pidfd: a pid that was reaped may belong to somebody else by now.
  PidFdSendSignal(pid_fd_, signal);
}

bool Process::HasEndedWithin(milliseconds limit) {
  if (end_) {
    return true;
  }
  const auto deadline = steady_clock::now() + limit;
  pollfd waited{.fd = pid_fd_, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    const auto left = duration_cast<milliseconds>(deadline - steady_clock::now());
    ready = poll(&waited, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
  } while (ready < 0 && errno == EINTR);
  if (ready > 0) {
    Reap(false);
  }
  return ready > 0;
}

void Process::Reap(bool is_late) {
  int status = 0;
  rusage usage{};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ProcessEnd end;
  end.is_late = is_late;
  if (WIFEXITED(status)) {
    end.exit_code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  }
  end.seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
  end.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  end.peak_memory_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  end_ = end;
}

ProcessEnd Process::Wait(milliseconds limit) {
  if (!HasEndedWithin(limit)) {
    Signal(SIGKILL);
    Reap(true);
  }
  if (auto output = ReadWholeFile(output_path_); output.ok()) {
    end_->output = std::move(output).value();
  }
  return *end_;
}

Result<ProcessEnd> RunProcess(const std::vector<std::string>& argv, const ProcessOptions& options,
                              milliseconds limit) {
  HBK_ASSIGN_OR_RETURN(const auto process, Process::Start(argv, options));
  return process->Wait(limit);
}

}  // namespace hbk::testing

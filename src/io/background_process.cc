#include "hbk/io/background_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "scoped_fd.h"

extern char** environ;

namespace hbk::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{20};
constexpr int kLevelNeeded = 2;  // below, no rename between directories would be allowed
constexpr int kLevelOfTruncate = 3;
constexpr uint64_t kAccessTruncate = 1ULL << 14;  // newer than the header of Debian 12
constexpr uint64_t kAccessToChange =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

// A service manager would take what the program says there for words of hbk.
constexpr std::array<std::string_view, 5> kVariablesOfManager = {
    "NOTIFY_SOCKET=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "WATCHDOG_"};

uint64_t AccessToChange(int level) {
  return level >= kLevelOfTruncate ? kAccessToChange | kAccessTruncate : kAccessToChange;
}

Status AllowBelow(int ruleset, const std::string& path, uint64_t access) {
  const ScopedFd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (place.get() < 0) return ErrnoStatus(errno, "opening " + path);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = place.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return ErrnoStatus(errno, "allowing changes below " + path);
  return OkStatus();
}

// The rules that the child puts on itself; no descriptor: there are none.
Status MakeRules(const std::vector<std::string>& writable, ScopedFd& rules) {
  const int level = LandlockLevel();
  if (writable.empty() || level < kLevelNeeded) return OkStatus();
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = AccessToChange(level);
  rules.Reset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0)));
  if (rules.get() < 0) return ErrnoStatus(errno, "making rules for a process");
  for (const std::string& directory : writable)
    HBK_RETURN_IF_ERROR(AllowBelow(rules.get(), directory, attributes.handled_access_fs));
  uint64_t of_file = LANDLOCK_ACCESS_FS_WRITE_FILE;
  if (level >= kLevelOfTruncate) of_file |= kAccessTruncate;
  return AllowBelow(rules.get(), "/dev/null", of_file);
}

// What the child needs between fork and exec, where only async-signal-safe calls are allowed.
struct ChildPlan {
  const char* program = nullptr;
  char* const* words = nullptr;
  char* const* environment = nullptr;
  int output_fd = -1;
  int input_fd = -1;
  int rules_fd = -1;
  int failure_fd = -1;  // gets errno of what could not be done
  pid_t parent = 0;
};

bool Restrict(const ChildPlan& plan) {
  if (plan.rules_fd < 0) return true;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_landlock_restrict_self, plan.rules_fd, 0) == 0;
}

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  constexpr int kCannotExec = 127;
  for (int number = 1; number < SIGRTMAX; ++number)
    std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  const bool is_ready = setpgid(0, 0) == 0 && sigprocmask(SIG_SETMASK, &none, nullptr) == 0 &&
                        prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == plan.parent &&
                        dup2(plan.input_fd, STDIN_FILENO) >= 0 &&
                        dup2(plan.output_fd, STDOUT_FILENO) >= 0 &&
                        dup2(plan.output_fd, STDERR_FILENO) >= 0 && Restrict(plan);
  if (is_ready) execve(plan.program, plan.words, plan.environment);
  const int error = errno;
  // If that fails, too, the parent sees the exit code.
  const ssize_t written = write(plan.failure_fd, &error, sizeof(error));
  _exit(written < 0 ? kCannotExec - 1 : kCannotExec);
}

std::vector<char*> EnvironmentOfChild() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool is_of_manager =
        std::any_of(kVariablesOfManager.begin(), kVariablesOfManager.end(),
                    [text](std::string_view name) { return text.starts_with(name); });
    if (!is_of_manager) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

// 0: the program runs. The pipe is closed by the exec.
int ReadFailure(int fd) {
  int error = 0;
  ssize_t size = 0;
  do {
    size = read(fd, &error, sizeof(error));
  } while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(sizeof(error)) ? error : 0;
}

}  // namespace

std::string ProcessEnd::ToString() const {
  if (signal_number == 0) return fmt::format("ended with exit code {}", exit_code);
  const char* name = sigdescr_np(signal_number);
  return fmt::format("was ended by signal {} ({})", signal_number,
                     name == nullptr ? "unknown" : name);
}

int LandlockLevel() {
  const auto level =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return level < 0 ? 0 : static_cast<int>(level);
}

Result<std::unique_ptr<BackgroundProcess>> BackgroundProcess::Start(const BackgroundPlan& plan) {
  HBK_CHECK(!plan.words.empty());
  const std::string& program = plan.words.front();
  ScopedFd rules;
  HBK_RETURN_IF_ERROR(MakeRules(plan.writable, rules).WithContext("starting " + program));
  const ScopedFd input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (input.get() < 0) return ErrnoStatus(errno, "opening /dev/null");
  const ScopedFd output(
      open(plan.output_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (output.get() < 0) return ErrnoStatus(errno, "opening " + plan.output_path);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoStatus(errno, "making a pipe");
  const ScopedFd failure(ends[0]);
  ScopedFd failure_of_child(ends[1]);

  std::vector<std::string> words = plan.words;
  std::vector<char*> word_pointers;
  for (std::string& word : words)
    word_pointers.push_back(word.data());
  word_pointers.push_back(nullptr);
  const std::vector<char*> environment = EnvironmentOfChild();
  ChildPlan child{.program = program.c_str(),
                  .words = word_pointers.data(),
                  .environment = environment.data(),
                  .output_fd = output.get(),
                  .input_fd = input.get(),
                  .rules_fd = rules.get(),
                  .failure_fd = failure_of_child.get(),
                  .parent = getpid()};
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "starting " + program);
  if (pid == 0) BecomeProgram(child);
  failure_of_child.Reset(-1);
  std::unique_ptr<BackgroundProcess> process(new BackgroundProcess(pid, rules.get() >= 0));
  const int error = ReadFailure(failure.get());
  if (error != 0) return ErrnoStatus(error, "starting " + program);
  return process;
}

BackgroundProcess::~BackgroundProcess() {
  (void)Kill();
}

std::optional<ProcessEnd> BackgroundProcess::Reap(bool waits) {
  if (end_) return end_;
  // Until it is reaped nobody else has its pid: what is left of the group can be ended.
  siginfo_t info{};
  int failed = 0;
  do {
    failed =
        waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | (waits ? 0 : WNOHANG));
  } while (failed != 0 && errno == EINTR);
  if (failed == 0 && info.si_pid == 0) return std::nullopt;
  kill(-pid_, SIGKILL);
  int status = 0;
  pid_t ended = 0;
  do {
    ended = waitpid(pid_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  ProcessEnd end;
  if (ended == pid_ && WIFSIGNALED(status)) end.signal_number = WTERMSIG(status);
  if (ended == pid_ && WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  end_ = end;
  return end_;
}

std::optional<ProcessEnd> BackgroundProcess::HasEnded() {
  MutexLock lock(mutex_);
  return Reap(/*waits=*/false);
}

std::optional<ProcessEnd> BackgroundProcess::Stop(uint64_t wait_ms) {
  {
    MutexLock lock(mutex_);
    if (!Reap(/*waits=*/false)) kill(pid_, SIGTERM);
  }
  const auto deadline = Clock::now() + std::chrono::milliseconds(wait_ms);
  while (true) {
    const auto end = HasEnded();
    if (end || Clock::now() >= deadline) return end;
    std::this_thread::sleep_for(kPoll);
  }
}

ProcessEnd BackgroundProcess::Kill() {
  MutexLock lock(mutex_);
  if (!Reap(/*waits=*/false)) kill(-pid_, SIGKILL);
  return *Reap(/*waits=*/true);
}

}  // namespace hbk::io

#include "hbk/io/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spawn.h>

extern char** environ;

namespace hbk::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kShell = "/bin/sh";
constexpr int kPollMs = 50;  // how late a stop, a timeout or a death may be noticed
constexpr size_t kPipeBufferBytes = 4096;

class Pipe {
 public:
  Pipe() = default;
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  Status Open() {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) return ErrnoStatus(errno, "making a pipe");
    read_ = fds[0];
    write_ = fds[1];
    if (fcntl(read_, F_SETFL, O_NONBLOCK) != 0) return ErrnoStatus(errno, "making a pipe");
    return OkStatus();
  }
  void CloseRead() { Close(read_); }
  void CloseWrite() { Close(write_); }
  [[nodiscard]] int read_fd() const { return read_; }
  [[nodiscard]] int write_fd() const { return write_; }

 private:
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }

  int read_ = -1;
  int write_ = -1;
};

std::vector<char*> PointersTo(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.c_str()));  // NOLINT: the C interface; not written to
  return pointers;
}

// Whether one of them sets the same variable.
bool IsAmong(const std::vector<std::string>& environment, std::string_view inherited) {
  const std::string_view name = inherited.substr(0, inherited.find('='));
  return std::any_of(environment.begin(), environment.end(), [name](std::string_view each) {
    return each.substr(0, each.find('=')) == name;
  });
}

// What posix_spawn() is told; its calls fail for want of memory only.
class SpawnSettings {
 public:
  SpawnSettings() {
    Note(posix_spawn_file_actions_init(&actions_));
    Note(posix_spawnattr_init(&attributes_));
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // Without `out_fd` (-1) what is printed goes nowhere.
  void Connect(int out_fd, int err_fd) {
    Note(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
    if (out_fd < 0) {
      Note(posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
    } else {
      Note(posix_spawn_file_actions_adddup2(&actions_, out_fd, STDOUT_FILENO));
    }
    Note(posix_spawn_file_actions_adddup2(&actions_, err_fd, STDERR_FILENO));
  }

  // hbk blocks and handles signals: its children must not.
  void SeparateFromParent() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    Note(posix_spawnattr_setsigmask(&attributes_, &none));
    Note(posix_spawnattr_setsigdefault(&attributes_, &all));
    Note(posix_spawnattr_setpgroup(&attributes_, 0));
    Note(posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  }

  Result<pid_t> Spawn(const std::vector<std::string>& words,
                      const std::vector<std::string>& environment) {
    if (error_ != 0) return ErrnoStatus(error_, "preparing to start a command");
    std::vector<char*> argv = PointersTo(words);
    argv.push_back(nullptr);
    std::vector<char*> variables = PointersTo(environment);
    for (char** inherited = environ; *inherited != nullptr; ++inherited) {
      if (!IsAmong(environment, *inherited)) variables.push_back(*inherited);
    }
    variables.push_back(nullptr);
    pid_t pid = 0;
    const int error =
        posix_spawn(&pid, kShell, &actions_, &attributes_, argv.data(), variables.data());
    if (error != 0) return ErrnoStatus(error, fmt::format("starting {}", kShell));
    return pid;
  }

 private:
  void Note(int error) {
    if (error != 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  int error_ = 0;
};

// The command, from its start until it is known to be dead.
class Child {
 public:
  Child(const ChildLimits& limits, std::stop_token stop)
      : limits_(limits),
        stop_(std::move(stop)),
        deadline_(Clock::now() + std::chrono::milliseconds(limits.timeout_ms)) {
    out_text_.reserve(limits.stdout_bytes_max + kPipeBufferBytes);  // no copies left behind
  }
  ~Child() {
    if (pid_ > 0) Kill();
    std::fill(out_text_.begin(), out_text_.end(), '\0');
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Status Start(const std::vector<std::string>& words) {
    HBK_RETURN_IF_ERROR(out_.Open());
    HBK_RETURN_IF_ERROR(err_.Open());
    SpawnSettings settings;
    settings.Connect(limits_.discards_stdout ? -1 : out_.write_fd(), err_.write_fd());
    settings.SeparateFromParent();
    HBK_ASSIGN_OR_RETURN(pid_, settings.Spawn(words, limits_.environment));
    out_.CloseWrite();
    err_.CloseWrite();
    return OkStatus();
  }

  // Until the command is dead. A process that it left behind may still hold the pipes: that one is
  // not waited for.
  Result<ChildResult> Wait() {
    while (true) {
      HBK_RETURN_IF_ERROR(ReadWhatIsThere(kPollMs));
      HBK_ASSIGN_OR_RETURN(const bool is_dead, HasEnded());
      if (is_dead) break;
      if (stop_.stop_requested()) return InterruptedError();
      if (Clock::now() >= deadline_) {
        return FailedError(
            fmt::format("the command did not end within {} seconds", limits_.timeout_ms / 1000));
      }
    }
    HBK_RETURN_IF_ERROR(ReadWhatIsThere(0));
    ChildResult result;
    if (WIFSIGNALED(wait_status_)) result.signal_number = WTERMSIG(wait_status_);
    if (WIFEXITED(wait_status_)) result.exit_code = WEXITSTATUS(wait_status_);
    result.out = Secret(out_text_);
    result.err = err_text_;
    return result;
  }

 private:
  Status ReadWhatIsThere(int wait_ms) {
    std::array<pollfd, 2> fds = {{{out_.read_fd(), POLLIN, 0}, {err_.read_fd(), POLLIN, 0}}};
    const bool is_any_open = out_.read_fd() >= 0 || err_.read_fd() >= 0;
    if (!is_any_open && wait_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // it closed both, and will end
      return OkStatus();
    }
    if (poll(fds.data(), fds.size(), wait_ms) < 0 && errno != EINTR) {
      return ErrnoStatus(errno, "waiting for a command");
    }
    Drain(out_, limits_.stdout_bytes_max + 1, out_text_);
    Drain(err_, limits_.stderr_bytes_kept, err_text_);
    if (out_text_.size() > limits_.stdout_bytes_max) {
      return FailedError(
          fmt::format("the command prints more than {} bytes", limits_.stdout_bytes_max));
    }
    return OkStatus();
  }

  // Reads until the pipe is empty or closed; keeps the first `bytes_max` bytes.
  static void Drain(Pipe& pipe, size_t bytes_max, std::string& text) {
    std::array<char, kPipeBufferBytes> buffer{};
    while (pipe.read_fd() >= 0) {
      const ssize_t size = read(pipe.read_fd(), buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) break;
      if (size <= 0) {
        pipe.CloseRead();
        break;
      }
      const size_t room = bytes_max - std::min(bytes_max, text.size());
      text.append(buffer.data(), std::min(room, static_cast<size_t>(size)));
      if (room == 0) break;  // an endless printer must not keep us here
    }
    explicit_bzero(buffer.data(), buffer.size());
  }

  Result<bool> HasEnded() {
    const pid_t ended = waitpid(pid_, &wait_status_, WNOHANG);
    if (ended < 0 && errno != EINTR) return ErrnoStatus(errno, "waiting for a command");
    if (ended != pid_) return false;
    pid_ = 0;
    return true;
  }

  void Kill() {
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

  const ChildLimits limits_;
  const std::stop_token stop_;
  const Clock::time_point deadline_;
  Pipe out_;
  Pipe err_;
  std::string out_text_;
  std::string err_text_;
  pid_t pid_ = 0;
  int wait_status_ = 0;
};

}  // namespace

Result<ChildResult> RunShellCommand(const std::string& command,
                                    const std::vector<std::string>& arguments,
                                    const ChildLimits& limits, std::stop_token stop) {
  // The shell puts the arguments where "$@" is: nothing in them can be taken for its own words.
  // Not where there are none: nothing can follow "fi".
  const std::string_view end = arguments.empty() ? "" : " \"$@\"";
  std::vector<std::string> words = {"sh", "-c", command + std::string(end), "sh"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  Child child(limits, std::move(stop));
  HBK_RETURN_IF_ERROR(child.Start(words));
  return child.Wait();
}

}  // namespace hbk::io

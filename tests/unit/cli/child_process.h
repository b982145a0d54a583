// Runs a function in a child process and collects what it writes: for code that changes the
// process it runs in (signals, limits, terminal).
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace hbk::cli {

struct ChildResult {
  int exit_code = -1;    // -1: ended by a signal
  std::string out, err;  // stdout and stderr, each short enough for a pipe
};

// The child ends with what `body` returns.
inline ChildResult RunInChild(const std::function<int()>& body) {
  int out[2];
  int err[2];
  if (pipe(out) != 0 || pipe(err) != 0) return {};
  std::fflush(nullptr);  // or the child writes what is in the buffers, too
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    _exit(body());
  }
  close(out[1]);
  close(err[1]);
  const auto read_all = [](int fd) {
    std::string text;
    char c = 0;
    while (read(fd, &c, 1) == 1)
      text += c;
    close(fd);
    return text;
  };
  ChildResult result;
  result.out = read_all(out[0]);
  result.err = read_all(err[0]);
  int status = 0;
  if (waitpid(pid, &status, 0) == pid && WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace hbk::cli

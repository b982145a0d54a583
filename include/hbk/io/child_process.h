// Runs a command of the shell and takes what it prints.
//
// The command gets no terminal and no input: stdin is /dev/null, and it is a process group of its
// own, all of which ends when the time is up. It inherits the environment, not open files.
//
// Units    Bytes, milliseconds.
// Errors   kFailed: it cannot be started, does not end in time, or prints more than allowed.
//          kInterrupted: `stop` was requested. A command that fails is no error: see exit_code.
//          No message holds the command or its output.
// Threads  Any number at a time.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::io {

struct ChildLimits {
  uint64_t timeout_ms = 30000;
  size_t stdout_bytes_max = 4096;
  size_t stderr_bytes_kept = 1024;  // the rest is thrown away
  bool discards_stdout = false;     // it may print as much as it wants, and nobody gets it
  // "NAME=VALUE", besides the environment that it inherits, and before that.
  std::vector<std::string> environment = {};
};

struct ChildResult {
  int exit_code = 0;      // of the shell: 126, 127: the program could not be run
  int signal_number = 0;  // not 0: a signal ended it
  Secret out;
  std::string err;
};

// `command` is text for /bin/sh, which gets `arguments` as further words behind it, unchanged;
// without arguments it may be any text, also one that no word can follow.
Result<ChildResult> RunShellCommand(const std::string& command,
                                    const std::vector<std::string>& arguments,
                                    const ChildLimits& limits, std::stop_token stop);

}  // namespace hbk::io

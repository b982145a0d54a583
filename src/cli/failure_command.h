// --on-failure: a command of the user that tells somebody.
//
// Threads  One at a time.
#pragma once

#include <string>
#include <string_view>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::cli {

// What the command gets in its environment.
struct Failure {
  std::string_view command;  // HBK_COMMAND: "backup"
  int exit_code = 0;         // HBK_EXIT_CODE
  std::string message;       // HBK_MESSAGE, without control characters
  std::string target_dir;    // HBK_TARGET_DIR
};

// Runs it by /bin/sh, until it ends or the time is up. kFailed: it cannot be started, did not end
// in time, or failed itself; no message holds its text.
Status RunFailureCommand(const Secret& shell_command, const Failure& failure,
                         uint64_t timeout_ms = 60000);

}  // namespace hbk::cli

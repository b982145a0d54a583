#include "failure_command.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/io/child_process.h"

namespace hbk::cli {
namespace {

// Names of files and what a server says: nothing in it may end a line of a mail's head, and the
// environment has no room for a NUL.
std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

}  // namespace

Status RunFailureCommand(const Secret& shell_command, const Failure& failure, uint64_t timeout_ms) {
  io::ChildLimits limits;
  limits.timeout_ms = timeout_ms;
  limits.discards_stdout = true;
  limits.environment = {fmt::format("HBK_COMMAND={}", failure.command),
                        fmt::format("HBK_EXIT_CODE={}", failure.exit_code),
                        "HBK_MESSAGE=" + OneLine(failure.message),
                        "HBK_TARGET_DIR=" + OneLine(failure.target_dir)};
  // A run that was told to stop has all the more to say: only the time ends it.
  const auto result =
      io::RunShellCommand(std::string(shell_command.Reveal()), {}, limits, std::stop_token());
  HBK_RETURN_IF_ERROR(result.status().WithContext("--on-failure"));
  if (result->signal_number != 0) {
    return FailedError(
        fmt::format("--on-failure: the command was ended by signal {}", result->signal_number));
  }
  if (result->exit_code != 0) {
    return FailedError(
        fmt::format("--on-failure: the command ended with exit code {}", result->exit_code));
  }
  return OkStatus();
}

}  // namespace hbk::cli

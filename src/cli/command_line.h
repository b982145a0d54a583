// The words of the command line: which command, which option files, which options.
//
// Errors   kUsage with a hint. No message holds a password.
// Threads  A pure function.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/seal/key_slot_runner.h"

#include "option_table.h"
#include "option_values.h"

namespace hbk::cli {

// The options that say which option files are read; they come before all others.
struct DefaultsOptions {
  bool no_defaults = false;
  bool print_defaults = false;
  std::string file;        // --defaults-file: this one only
  std::string extra_file;  // --defaults-extra-file: this one too
  std::string group_suffix;
};

struct CommandLine {
  enum class Action { kRun, kHelp, kVersion };
  Action action = Action::kRun;
  std::optional<Command> command;
  std::optional<seal::KeySlotAction> key_action;  // of Command::kKey, where it runs
  std::vector<std::string> directories;           // of Command::kInfo
  DefaultsOptions defaults;
};

// `words` without the program's name. Puts the options into `values` at the highest rank.
Result<CommandLine> ParseCommandLine(std::span<const std::string> words, OptionValues& values);

// The error for a name that hbk does not know; `origin` says where it was given.
Status UnknownOptionError(const OptionName& name, std::string_view origin);

}  // namespace hbk::cli

// The exit code of the program: the one place where it is made.
//
// Format   docs/exit-codes.md, which also says what the operator should do.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hbk/base/status.h"

namespace hbk::cli {

struct ExitCodeEntry {
  int code = 0;
  std::string_view meaning;  // for --help and the table of docs/exit-codes.md
};
// Every code that hbk ends with, ascending.
std::span<const ExitCodeEntry> ExitCodeTable();

// `signal_number`: the signal that interrupted the run; 0: none did.
int ExitCodeFor(StatusCode code, uint64_t warning_count, int signal_number);

}  // namespace hbk::cli

// Asks for a password on the terminal, without showing it.
//
// Errors   kUsage: there is no terminal. kInterrupted: Ctrl-C.
// Threads  Main thread, before SignalWatcher.
#pragma once

#include <string_view>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::cli {

// `variable` of the environment may hold it where there is no terminal.
Result<Secret> AskPassword(std::string_view prompt, std::string_view variable);

}  // namespace hbk::cli

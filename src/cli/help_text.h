// What --help and help COMMAND print.
//
// Threads  Pure functions.
#pragma once

#include <optional>
#include <string>

#include "option_table.h"

namespace hbk::cli {

// nullopt: what hbk is and its commands. Ends with a newline.
std::string HelpText(std::optional<Command> command);
std::string VersionText();

}  // namespace hbk::cli

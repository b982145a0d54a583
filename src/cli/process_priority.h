// How much of processor and disk the process gets when others want them, too.
//
// Errors   kUsage: no such class or level. kFailed: the system refused it.
// Threads  Before the first thread is started: those that are started later inherit it.
#pragma once

#include <optional>
#include <string_view>

#include "hbk/base/status.h"

namespace hbk::cli {

enum class IoClass { kBestEffort = 2, kIdle = 3 };  // the kernel's numbers

struct IoPriority {
  IoClass io_class = IoClass::kBestEffort;
  int level = 0;  // of best-effort: 0 to 7, the lowest
  bool operator==(const IoPriority&) const = default;
};

// "idle", "best-effort", "best-effort:7". Without a level it is 4, the kernel's own.
Result<IoPriority> ParseIoPriority(std::string_view text);

// Leaves as it is what is not given. `nice`: as nice(1) has it.
Status SetProcessPriority(std::optional<int> nice, std::optional<IoPriority> io);

}  // namespace hbk::cli

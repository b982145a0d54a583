#include "process_priority.h"

#include <cerrno>
#include <string>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace hbk::cli {
namespace {

constexpr int kUsualLevel = 4;
constexpr char kLowestLevel = '7';
constexpr std::string_view kBestEffort = "best-effort";

// Of the kernel's linux/ioprio.h, which not every version of can be read by a C++ compiler.
constexpr int kWhoProcess = 1;
constexpr int kClassShift = 13;

}  // namespace

Result<IoPriority> ParseIoPriority(std::string_view text) {
  if (text == "idle") return IoPriority{IoClass::kIdle, 0};
  if (text == kBestEffort) return IoPriority{IoClass::kBestEffort, kUsualLevel};
  const bool has_level = text.size() == kBestEffort.size() + 2 && text.starts_with(kBestEffort) &&
                         text[kBestEffort.size()] == ':';
  if (has_level && text.back() >= '0' && text.back() <= kLowestLevel)
    return IoPriority{IoClass::kBestEffort, text.back() - '0'};
  return UsageError(fmt::format("--ionice={} is no disk priority", text))
      .WithHint("idle, best-effort, or best-effort:0 to best-effort:7");
}

Status SetProcessPriority(std::optional<int> nice, std::optional<IoPriority> io) {
  if (nice && setpriority(PRIO_PROCESS, 0, *nice) != 0) {
    return ErrnoStatus(errno, fmt::format("--nice={}", *nice))
        .WithHint(
            "without more rights a process can only give way: leave the option out, or use a "
            "larger number");
  }
  if (!io) return OkStatus();
  const int value = (static_cast<int>(io->io_class) << kClassShift) | io->level;
  // There is no function for it in the C library.
  if (syscall(SYS_ioprio_set, kWhoProcess, 0, value) != 0) {
    return ErrnoStatus(errno, "--ionice").WithHint("leave the option out");
  }
  return OkStatus();
}

}  // namespace hbk::cli

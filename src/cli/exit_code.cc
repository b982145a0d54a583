#include "exit_code.h"

#include <array>
#include <csignal>

namespace hbk::cli {
namespace {

constexpr int kSignalBase = 128;  // as shells do

constexpr std::array kTable = {
    ExitCodeEntry{0, "done"},
    ExitCodeEntry{1, "failed"},
    ExitCodeEntry{2, "wrong usage or option file"},
    ExitCodeEntry{3, "done, with warnings"},
    ExitCodeEntry{13, "a privilege or a file permission is missing"},
    ExitCodeEntry{14, "no space"},
    ExitCodeEntry{15, "no connection to the server, or it was lost"},
    ExitCodeEntry{16, "a backup lock was not granted in time"},
    ExitCodeEntry{17, "the server overwrote redo before it was copied"},
    ExitCodeEntry{18, "version, format or feature not supported"},
    ExitCodeEntry{19, "backup chain broken, or a parent missing"},
    ExitCodeEntry{20, "corruption found"},
    ExitCodeEntry{21, "target not empty, or in use by a server"},
    ExitCodeEntry{22, "an encryption key is missing or wrong"},
    ExitCodeEntry{23, "the backup failed the drill"},
    ExitCodeEntry{129, "interrupted by SIGHUP"},
    ExitCodeEntry{130, "interrupted by SIGINT"},
    ExitCodeEntry{143, "interrupted by SIGTERM"},
};

}  // namespace

std::span<const ExitCodeEntry> ExitCodeTable() {
  return kTable;
}

int ExitCodeFor(StatusCode code, uint64_t warning_count, int signal_number) {
  switch (code) {
    case StatusCode::kOk: return warning_count == 0 ? 0 : 3;
    case StatusCode::kFailed:
    case StatusCode::kNotFound: return 1;
    case StatusCode::kUsage: return 2;
    case StatusCode::kMissingPrivilege: return 13;
    case StatusCode::kNoSpace: return 14;
    case StatusCode::kCannotConnect:
    case StatusCode::kConnectionLost: return 15;
    case StatusCode::kLockWaitTimeout: return 16;
    case StatusCode::kRedoOverrun: return 17;
    case StatusCode::kUnsupported: return 18;
    case StatusCode::kChainBroken: return 19;
    case StatusCode::kCorruption: return 20;
    case StatusCode::kAlreadyExists:
    case StatusCode::kTargetInUse: return 21;
    case StatusCode::kMissingKey: return 22;
    case StatusCode::kDrillFailed: return 23;
    case StatusCode::kInterrupted:
      return kSignalBase + (signal_number == 0 ? SIGINT : signal_number);
  }
  return 1;
}

}  // namespace hbk::cli

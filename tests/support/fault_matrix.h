// Every fault at every operation of a run: what it may end in, and how many ends there were.
//
// The run is done once undisturbed, which counts its operations, and then anew, on files of its
// own, for each fault and each of those operations (or every n-th: see `stride`). Allowed ends:
//
//   success   and the files that are durable then, as `check` wants them; a power cut follows every
//             success, so that nothing counts which was not synced
//   an error  with the code that belongs to the fault, and the files as `check` wants them
//
// HBK_FAULTS=all does every operation, whatever `stride` says. The count is printed.
//
// Threads  The run may have several; then which operation is the k-th is chance, and a case in
//          which it does not come is an undisturbed one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"

namespace hbk::testing {

struct FaultCase {
  FaultKind kind = FaultKind::kNone;
  uint64_t k = 0;
  bool has_fired = false;
  [[nodiscard]] std::string ToString() const;  // "short-write at 17"
};

struct FaultMatrix {
  std::string name;  // in what is printed
  std::function<void(MemFileSystem&)> set_up;
  std::function<Status(io::FileSystem&)> run;
  // The files after `ended`, and after a power cut if it was one or if it ended well. Fails the
  // test where they are not allowed.
  std::function<void(MemFileSystem&, const FaultCase&, const Status& ended)> check;
  uint64_t stride = 1;
  std::vector<FaultKind> kinds = {FaultKind::kIoError,    FaultKind::kNoSpace,
                                  FaultKind::kShortWrite, FaultKind::kShortRead,
                                  FaultKind::kSyncFails,  FaultKind::kCrash};
};

struct FaultCounts {
  uint64_t cases = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
};

FaultCounts RunFaultMatrix(const FaultMatrix& matrix);

}  // namespace hbk::testing

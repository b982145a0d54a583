#include "tests/support/fault_matrix.h"

#include <cstdlib>
#include <iostream>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hbk::testing {
namespace {

std::string_view NameOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kNone: return "none";
    case FaultKind::kIoError: return "io-error";
    case FaultKind::kNoSpace: return "no-space";
    case FaultKind::kShortWrite: return "short-write";
    case FaultKind::kShortRead: return "short-read";
    case FaultKind::kSyncFails: return "sync-fails";
    case FaultKind::kCrash: return "crash";
  }
  return "";
}

// Of the undisturbed run, those that the fault can hit.
uint64_t OperationsFor(FaultKind kind, const FaultyFileSystem& fs) {
  switch (kind) {
    case FaultKind::kNone: return 0;
    case FaultKind::kIoError: return fs.operation_count();
    case FaultKind::kShortRead: return fs.read_count();
    case FaultKind::kSyncFails: return fs.sync_count();
    case FaultKind::kNoSpace:
    case FaultKind::kShortWrite:
    case FaultKind::kCrash: return fs.change_count();
  }
  return 0;
}

// What the user is told. A file that seems to be cut off is damage, or something that cannot be
// read; which, depends on the file.
bool IsAllowed(StatusCode code, FaultKind kind) {
  switch (kind) {
    case FaultKind::kNoSpace:
    case FaultKind::kShortWrite: return code == StatusCode::kNoSpace;
    case FaultKind::kShortRead:
      return code == StatusCode::kCorruption || code == StatusCode::kFailed ||
             code == StatusCode::kUnsupported || code == StatusCode::kMissingKey ||
             code == StatusCode::kChainBroken;
    default: return code == StatusCode::kFailed;
  }
}

bool WantsAll() {
  const char* value = std::getenv("HBK_FAULTS");  // NOLINT(concurrency-mt-unsafe): one thread yet
  return value != nullptr && std::string_view(value) == "all";
}

FaultCase RunCase(const FaultMatrix& matrix, FaultKind kind, uint64_t k, FaultCounts& counts) {
  MemFileSystem mem;
  matrix.set_up(mem);
  FaultyFileSystem faulty(mem);
  faulty.Arm(kind, k);
  const Status ended = matrix.run(faulty);
  const FaultCase fault{.kind = kind, .k = k, .has_fired = faulty.has_fired()};
  SCOPED_TRACE(matrix.name + ", " + fault.ToString() + ": " + ended.ToString());
  ++counts.cases;
  ++(ended.ok() ? counts.succeeded : counts.failed);
  if (!fault.has_fired) {
    EXPECT_TRUE(ended.ok()) << "although nothing was wrong";
  }
  if (!ended.ok() && fault.has_fired) {
    EXPECT_TRUE(IsAllowed(ended.code(), kind));
  }
  if (ended.ok()) {
    mem.Crash(0);
  } else if (kind == FaultKind::kCrash) {
    // One of three keeps nothing, the others a random part.
    mem.Crash(k % 3 == 0 ? 0 : static_cast<uint32_t>(k));
  }
  matrix.check(mem, fault, ended);
  return fault;
}

}  // namespace

std::string FaultCase::ToString() const {
  return fmt::format("{} at {}{}", NameOf(kind), k, has_fired ? "" : " (which did not come)");
}

FaultCounts RunFaultMatrix(const FaultMatrix& matrix) {
  FaultCounts total;
  MemFileSystem mem;
  matrix.set_up(mem);
  FaultyFileSystem undisturbed(mem);
  const Status good = matrix.run(undisturbed);
  EXPECT_TRUE(good.ok()) << matrix.name << ": " << good.ToString();
  if (!good.ok()) return total;
  const uint64_t stride = WantsAll() ? 1 : matrix.stride;
  for (const FaultKind kind : matrix.kinds) {
    FaultCounts counts;
    const uint64_t operations = OperationsFor(kind, undisturbed);
    EXPECT_GT(operations, 0U) << matrix.name << ": " << NameOf(kind);
    // Each stretch of operations has its turn, also with few of them.
    for (uint64_t k = 1 + operations % stride; k <= operations; k += stride) {
      RunCase(matrix, kind, k, counts);
      if (::testing::Test::HasFatalFailure()) return total;
    }
    EXPECT_GT(counts.failed, 0U) << matrix.name << ": no " << NameOf(kind) << " was ever noticed";
    std::cout << fmt::format("{}, {}: {} cases of {}, {} succeeded, {} failed as they should\n",
                             matrix.name, NameOf(kind), counts.cases, operations, counts.succeeded,
                             counts.failed);
    total.cases += counts.cases;
    total.succeeded += counts.succeeded;
    total.failed += counts.failed;
  }
  std::cout << fmt::format("{}: {} cases, {} succeeded, {} failed\n", matrix.name, total.cases,
                           total.succeeded, total.failed);
  return total;
}

}  // namespace hbk::testing

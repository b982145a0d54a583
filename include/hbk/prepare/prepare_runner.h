// `hbk prepare`: makes a backup consistent by applying its redo, without a server.
//
// Reads the redo once, partitions it by page, applies it with all workers within a memory limit,
// then replaces the log by an empty one at the end LSN. Restartable: killed at any moment, a
// second run ends in the same bytes (docs/design/0002-restartable-prepare.md).
//
// Errors   kCorruption: log ends before the backup's last LSN; a damaged page or log; a page of
//          another space. kUnsupported: a format or a page compression this build cannot apply.
//          kMissingKey: a missing or wrong key, found before anything is changed. kNotFound: no
//          backup here. kTargetInUse: a server or another prepare works on it. kChainBroken:
//          increments that do not fit, found before anything is changed.
// Threads  Run is called once, from the main thread; `stop` may be requested from any.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"
#include "hbk/report/reporter.h"
#include "hbk/seal/sealing_keys.h"

namespace hbk::prepare {

struct PrepareOptions {
  std::string target_dir;
  // Increments to the backup in target_dir, oldest first; they are laid onto it.
  std::vector<std::string> incremental_dirs{};
  // Not empty: the prepared backup is made there (absent or empty), and no byte of the one in
  // target_dir changes. After an error nothing is left there.
  std::string output_dir{};
  uint64_t use_memory_bytes = 256ULL << 20;
  uint32_t parallel = 0;  // worker threads; 0: from the cores
  keys::GivenKeyOptions keys{};
  seal::SealingKeyOptions sealing_keys{};  // of sealed backups
};

struct PrepareSummary {
  bool was_prepared_already = false;
  uint64_t start_lsn = 0;
  uint64_t end_lsn = 0;
  uint64_t mtr_count = 0;
  uint64_t page_count = 0;            // pages written
  uint64_t increment_page_count = 0;  // pages that came from increments
  uint64_t redo_bytes = 0;
};

Result<PrepareSummary> RunPrepare(const PrepareOptions& options, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop);

}  // namespace hbk::prepare

// `hbk verify`: whether a backup, or a chain of them, is what was made, and what a server can use.
//
// Every file is read once; its digest, and the pages in it, are judged from the same bytes. Nothing
// of the backup is changed but hbk_verified.json, the record of the run (manifest/verify_record.h).
// What is wrong is collected and told at the end, all of it: a run goes on after a finding.
//
// Format   docs/verify.md: what is checked of which backup.
// Errors   What is wrong with the backup is no error but a finding. kNotFound: no backup.
//          kTargetInUse: it is being changed. kMissingKey: of a sealed backup. kMissingPrivilege: a
//          file may not be read. kInterrupted: what was found until then was told.
// Threads  Run is called once, from the main thread; `stop` may be requested from any.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/byte_stream.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"
#include "hbk/report/reporter.h"
#include "hbk/seal/sealing_keys.h"
#include "hbk/verify/finding.h"

namespace hbk::verify {

struct VerifyOptions {
  std::string target_dir;
  std::vector<std::string> incremental_dirs{};  // increments to it, oldest first
  bool is_fast = false;                         // manifests and digests only
  double sample_share = 1;                      // less than 1: of the files, this share is read
  uint64_t seed = 0;                            // of the choice
  uint64_t budget_s = 0;                        // 0: no limit
  uint32_t parallel = 0;                        // worker threads; 0: from the cores
  uint64_t findings_per_file_max = 20;          // that are told; all are counted
  keys::GivenKeyOptions keys{};
  seal::SealingKeyOptions sealing_keys{};
};

struct VerifySummary {
  uint64_t file_count = 0;
  uint64_t bytes = 0;  // that were read
  uint64_t page_count = 0;
  uint64_t finding_count = 0;
  uint64_t bad_file_count = 0;
  bool is_complete = true;        // false: the budget has ended it
  std::vector<Finding> findings;  // as many as were told
};

Result<VerifySummary> RunVerify(const VerifyOptions& options, io::FileSystem& fs,
                                report::Reporter& reporter, std::stop_token stop);

// Of an archive, without writing it anywhere: what extract would refuse, and the digests in its
// manifest where files lie in it as they are. `stop` is also to end reads of `source` that wait.
Result<VerifySummary> RunVerifyStream(std::unique_ptr<io::ByteSource> source,
                                      report::Reporter& reporter, std::stop_token stop);

// What becomes of the run: kCorruption if anything was found.
Status VerdictOf(const VerifySummary& summary, const std::string& what);

}  // namespace hbk::verify

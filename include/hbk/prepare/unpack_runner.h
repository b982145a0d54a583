// `hbk decompress` and `hbk decrypt`: make the files of a compressed or sealed backup plain ones,
// in place.
//
// One file after another, on several threads: the plain one is written beside the stored one,
// checked against the digest in the manifest and made durable; then the stored one is removed. A
// run that was ended is gone on with by the next one, or by prepare in place. Until then a
// compressed backup can be read as before, since a file counts as plain only when its stored one is
// gone; of a sealed one nobody else believes a plain file. The manifest says that the files are
// plain when all of them are.
//
// Errors   kNotFound: no backup here. kNoSpace: before anything is changed, if that can be
//          foreseen. kCorruption: a file is damaged, or not what the manifest says; it is left as
//          it was. kMissingKey: of a sealed backup. kUsage: to decompress a sealed one.
//          kTargetInUse: a prepare works on the directory, or has changed it by half.
// Threads  Run is called once, from the main thread; `stop` may be requested from any.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/report/reporter.h"
#include "hbk/seal/sealing_keys.h"

namespace hbk::prepare {

enum class UnpackDepth {
  kUnsealed,      // what is compressed stays so
  kDecompressed,  // of a backup that is not sealed
  kPlain,         // whatever it is
};

struct UnpackOptions {
  std::string target_dir;
  UnpackDepth depth = UnpackDepth::kPlain;
  uint32_t parallel = 0;  // worker threads; 0: from the cores
  seal::SealingKeyOptions sealing_keys{};
};

struct UnpackSummary {
  bool was_plain_already = false;
  uint64_t file_count = 0;
  uint64_t stored_bytes = 0;  // of these files, before
  uint64_t bytes = 0;         // after
};

// Removes the key slots, and the sealed manifest, that a run has left which was ended when all else
// was done: of a backup that is not sealed. Any other directory stays as it is.
Status RemoveSpareKeySlots(io::FileSystem& fs, const std::string& backup_dir);

Result<UnpackSummary> RunUnpack(const UnpackOptions& options, io::FileSystem& fs,
                                report::Reporter& reporter, std::stop_token stop);

}  // namespace hbk::prepare

// The checkpoint blocks of the log of MariaDB 10.5 to 10.7.
//
// Format   docs/format/redo-log.md, "The file of 10.5 to 10.7".
// Threads  Pure functions.
#pragma once

#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/redo/log_file.h"

namespace hbk::redo {

struct BlockCheckpoint {
  Checkpoint checkpoint;
  LogCrypt crypt;  // zeros in a plain log
};

// The valid one with the highest number. `head` is the beginning of the file.
Result<BlockCheckpoint> NewestBlockCheckpoint(ByteView head, bool is_encrypted);

// The checkpoint block of a backup: the log begins with the block that holds the checkpoint.
std::string RenderBlockCheckpoint(const Checkpoint& checkpoint, const LogCrypt& crypt);

// Where that stands in the head.
constexpr size_t kBlockCheckpointOffset1 = 512;
constexpr size_t kBlockCheckpointOffset2 = 1536;

}  // namespace hbk::redo

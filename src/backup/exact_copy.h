// Copies a part of a file that its owner goes on writing.
//
// For the few files where "the bytes as they are" would be wrong: log tables, which grow in every
// stage.
//
// Units    Sizes are bytes.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

struct ExactCopy {
  uint64_t size = 0;
  std::string digest;
  uint64_t line_feed_count = 0;  // of CopyFirstBytes
};

// The first `size` bytes of the source into a new file. kCorruption if there are fewer.
Result<ExactCopy> CopyFirstBytes(io::FileSystem& fs, io::File& source, uint64_t size,
                                 const std::string& target_path, const std::stop_token& stop);

// Where the last complete row of a CSV file ends: after its last line feed (those inside values
// are escaped).
Result<uint64_t> EndOfLastRow(io::File& csv);

// The state file of a CSV table (.CSM) with this number of rows, marked as cleanly closed: that of
// a log table never is, and its count lags behind.
Result<std::string> CleanCsvState(std::string_view csm, uint64_t row_count);

}  // namespace hbk::backup

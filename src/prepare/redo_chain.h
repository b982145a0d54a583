// The redo of a backup, or of a base and its increments, read as one.
//
// Format   docs/format/redo-log.md; where the redo of an increment begins:
// design/0007-increments.md. Errors   kCorruption: a log that is missing, or ends before what its
// backup needs. kMissingKey, kUnsupported: see RedoReader. Threads  One.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/crypto/key_source.h"
#include "hbk/redo/log_file.h"
#include "hbk/report/reporter.h"

#include "backup_set.h"
#include "increment_set.h"
#include "partition_store.h"
#include "redo_scan.h"
#include "redo_sections.h"

namespace hbk::prepare {

class RedoChain {
 public:
  // Looks at the heads of all logs. `fs`, `base` and `keys` are borrowed. `base_is_begun`: an
  // earlier run may have replaced the base's log by an empty one.
  static Result<std::unique_ptr<RedoChain>> Open(io::FileSystem& fs, const BackupSet& base,
                                                 const IncrementList& increments,
                                                 bool base_is_begun, crypto::KeySource* keys);

  // Of the newest backup's log.
  [[nodiscard]] const redo::LogFileHeader& header() const { return parts_.back().header; }
  [[nodiscard]] bool is_encrypted() const;
  [[nodiscard]] uint64_t bytes() const;            // of all log files
  [[nodiscard]] redo::Lsn start_lsn() const;       // of the oldest redo
  [[nodiscard]] redo::Lsn last_start_lsn() const;  // of the newest backup's redo

  // `filter`: null if there are no increments. With as many threads as the store has sections, each
  // of which reads `window_bytes` at a time.
  Result<RedoScan> Scan(const ChainFilter* filter, size_t window_bytes, PartitionStore& store,
                        report::Reporter& reporter, const std::stop_token& stop) const;

 private:
  struct Part {
    std::string path;
    redo::LogFileHeader header;
    uint64_t bytes = 0;
    redo::Lsn start_lsn = 0;
    redo::Lsn needed_lsn = 0;
    redo::Lsn from_lsn = 0;  // of an increment: it has the pages above it
    redo::Lsn last_lsn = 0;  // where its backup ends: the next one is about what is behind
    bool is_done = false;    // an empty file, which an earlier run has left
  };

  RedoChain(io::FileSystem& fs, const BackupSet& base, crypto::KeySource* keys)
      : fs_(fs), base_(base), keys_(keys) {}
  Status AddBase(bool is_begun);
  Status AddIncrement(const IncrementSource& increment);
  [[nodiscard]] Status CheckHistory(const IncrementSource& increment, const Part& part) const;
  // Where the redo of the part begins that older parts do not have.
  [[nodiscard]] redo::Lsn BeginOf(size_t part) const;
  // Where it is not read any more.
  [[nodiscard]] redo::Lsn EndOf(size_t part) const;
  // What is to be read of it, as far as that is known.
  [[nodiscard]] uint64_t RedoBytes(size_t part) const;
  [[nodiscard]] Result<std::unique_ptr<RedoReader>> OpenPart(size_t part,
                                                             size_t window_bytes) const;
  // Of `count` sections of about the same size; of fewer where none could be found.
  [[nodiscard]] Result<std::vector<RedoPlace>> FindBegins(uint32_t count) const;
  Result<RedoPlace> ReadFrom(const RedoPlace& begin, const std::optional<RedoPlace>& end,
                             const ChainFilter* filter, size_t window_bytes,
                             PartitionStore::Section& section, RedoScan& scan,
                             ScanWatch& watch) const;

  io::FileSystem& fs_;
  const BackupSet& base_;
  crypto::KeySource* const keys_;
  std::vector<Part> parts_;
  redo::Lsn to_lsn_ = 0;  // newest checkpoint of the last backup that was added
};

}  // namespace hbk::prepare

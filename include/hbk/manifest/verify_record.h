// hbk_verified.json: what `hbk verify` has seen last of a backup, and where it is to go on.
//
// It lies in the backup directory, is no part of the backup, and is never copied from there. It
// names the state that it is about by the digest of the manifest: once that is another one
// (prepare, decrypt), it says nothing.
//
// Format   docs/verify.md, "The record". JSON. No names of tables are in it.
// Errors   kCorruption: not such a file. kNotFound.
// Threads  A value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::manifest {

constexpr std::string_view kVerifyRecordName = "hbk_verified.json";

struct VerifyRecord {
  // Where a run whose time was over is gone on with.
  struct Resume {
    uint64_t backup = 0;  // of the chain, 0 is the base
    uint64_t file = 0;    // of its files, in order
    uint64_t offset = 0;
    bool operator==(const Resume&) const = default;
  };

  std::string hbk_version;
  std::string time;                   // when it ended, RFC 3339 in UTC
  std::string mode;                   // "full", "fast", "sample"
  double share = 1;                   // that was read
  std::vector<std::string> subjects;  // digests of the manifests: of the backup, of each increment
  // Sums over the runs that went on with one another.
  uint64_t file_count = 0;
  uint64_t bytes = 0;
  uint64_t page_count = 0;
  uint64_t finding_count = 0;
  std::map<std::string, uint64_t> findings;     // by kind, as FindingKindName
  std::optional<Resume> resume = std::nullopt;  // nothing: the run came to its end
};

std::string RenderVerifyRecord(const VerifyRecord& record);
Result<VerifyRecord> ParseVerifyRecord(std::string_view text);

Result<VerifyRecord> LoadVerifyRecord(io::FileSystem& fs, const std::string& backup_dir);
Status StoreVerifyRecord(io::FileSystem& fs, const std::string& backup_dir,
                         const VerifyRecord& record);

}  // namespace hbk::manifest

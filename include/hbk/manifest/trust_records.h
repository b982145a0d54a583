// What was found out about a backup after it was made: the last `hbk verify` and the last
// `hbk drill`, each a small file in the backup that the next one replaces.
//
// Each says by a digest what it was about. A backup whose manifest has changed since (it was
// prepared, say) is another one, and the record says nothing about it: compare.
// Nobody needs a key to write such a file: whoever can write there can also lie there.
//
// Format   docs/format/manifest.md, "What was found out later". JSON; unknown members are ignored.
// Units    Times RFC 3339 in UTC, to the second: "2026-01-31T16:55:30Z".
// Errors   kCorruption: not such a document. Load: kNotFound, with the path. Store refuses what
//          Parse would not take back.
// Threads  Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::manifest {

constexpr std::string_view kVerifiedRecordName = "hbk_verified.json";
constexpr std::string_view kDrilledRecordName = "hbk_drilled.json";

enum class VerifyKind {
  kFull,    // every file, page and record
  kFast,    // sizes and digests only
  kSample,  // a part of the pages
};
std::string_view VerifyKindName(VerifyKind kind);  // "full", "fast", "sample"

struct VerifiedRecord {
  std::string verified_at;
  VerifyKind kind = VerifyKind::kFull;
  uint64_t findings = 0;  // 0: nothing wrong
  std::string manifest_digest;
  bool operator==(const VerifiedRecord&) const = default;
};

struct DrilledRecord {
  std::string drilled_at;
  bool ok = false;
  double restore_seconds = 0;  // until the restored server could be asked
  std::string server_version;  // of the server that was started on it
  std::string manifest_digest;
  // Which turn of the rotating sample it was; the next drill takes the next one.
  uint64_t sample_turn = 0;
  bool operator==(const DrilledRecord&) const = default;
};

std::string RenderVerifiedRecord(const VerifiedRecord& record);
Result<VerifiedRecord> ParseVerifiedRecord(std::string_view json);
std::string RenderDrilledRecord(const DrilledRecord& record);
Result<DrilledRecord> ParseDrilledRecord(std::string_view json);

Result<VerifiedRecord> LoadVerifiedRecord(io::FileSystem& fs, const std::string& backup_dir);
Result<DrilledRecord> LoadDrilledRecord(io::FileSystem& fs, const std::string& backup_dir);
// Replaces the file, durably.
Status StoreVerifiedRecord(io::FileSystem& fs, const std::string& backup_dir,
                           const VerifiedRecord& record);
Status StoreDrilledRecord(io::FileSystem& fs, const std::string& backup_dir,
                          const DrilledRecord& record);

// What `manifest_digest` is: filter::DigestOf the bytes of the manifest as it lies there, itself
// sealed or not (no key is needed); in a directory of mariadb-backup, of its checkpoints file.
// kNotFound if there is none of these.
Result<std::string> DigestOfStoredManifest(io::FileSystem& fs, const std::string& backup_dir);

}  // namespace hbk::manifest

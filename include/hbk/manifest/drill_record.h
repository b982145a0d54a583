// hbk_drilled.json: what the last `hbk drill` of a backup has shown. The next one replaces it.
//
// It says by a digest what it was about. A backup whose manifest has changed since (it was
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

constexpr std::string_view kDrilledRecordName = "hbk_drilled.json";

struct DrilledRecord {
  std::string drilled_at;
  bool ok = false;
  double restore_seconds = 0;   // until the restored server could be asked
  std::string server_version;   // of the server that was started on it
  std::string manifest_digest;  // DigestOfStoredManifest
  // Which turn of the rotating sample it was; the next drill takes the next one.
  uint64_t sample_turn = 0;
  bool operator==(const DrilledRecord&) const = default;
};

std::string RenderDrilledRecord(const DrilledRecord& record);
Result<DrilledRecord> ParseDrilledRecord(std::string_view json);

Result<DrilledRecord> LoadDrilledRecord(io::FileSystem& fs, const std::string& backup_dir);
// Replaces the file, durably.
Status StoreDrilledRecord(io::FileSystem& fs, const std::string& backup_dir,
                          const DrilledRecord& record);

}  // namespace hbk::manifest

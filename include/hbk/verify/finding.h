// What verify has found wrong with a backup: where, what was expected there, and what is there.
//
// Threads  Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hbk::verify {

enum class FindingKind {
  kManifest,     // it is damaged, missing, or not that of this backup
  kMetadata,     // another file that says what the backup is
  kMissingFile,  // the manifest lists it
  kUnknownFile,  // the manifest does not list it
  kSize,
  kDigest,
  kUnreadable,  // an error of the disk, or of what is compressed or sealed
  kPage,
  kTablespace,  // its first page, or what its pages say of one another
  kDelta,
  kRedo,
  kAria,
  kChain,
};
// Stable, lower case: "missing-file".
std::string_view FindingKindName(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kManifest;
  std::string backup_dir;
  std::string file = {};  // as the manifest calls it; empty: the backup as a whole
  std::string what;       // "bad checksum"
  std::optional<uint64_t> page = std::nullopt;    // its number in its tablespace, or Aria file
  std::optional<uint64_t> offset = std::nullopt;  // in the file
  std::string expected = {};                      // empty: `what` says it
  std::string found = {};
};

// "db.t" of "db/t#P#p1.ibd"; empty if the file is of no table. Names stay as the server encodes
// them in file names.
std::string TableOf(std::string_view file);

// "DIR: db/t.ibd: page 5 at offset 81920: bad checksum".
std::string Describe(const Finding& finding);

}  // namespace hbk::verify

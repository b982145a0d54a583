// What a directory is, as a backup: from its manifest, or from the metadata files of
// mariadb-backup.
//
// Names and sizes of files are looked at, their content is not: that is hbk verify. Of a sealed
// backup as much is said as can be read with what was given.
//
// Units    Bytes, seconds. Times as they stand: RFC 3339 in UTC of hbk, local time of
// mariadb-backup. Errors   In `status`, beside what could be learned nevertheless. kNotFound: no
// backup; kFailed: one
//          that is not complete; kCorruption: damaged, or files are missing; kMissingKey: of a
//          manifest that is sealed itself, or a wrong key; kUnsupported: of a newer hbk.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/drill_record.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/manifest/verify_record.h"

namespace hbk::info {

enum class BackupTool { kUnknown, kHbk, kMariadbBackup };

enum class DirectoryState {
  kNoBackup,
  kIncomplete,    // backup, extract or a prepare with --output-dir has not come to its end
  kClosed,        // a key is needed to read more
  kUnreadable,    // a backup whose manifest or metadata cannot be read
  kMetadataOnly,  // what --extra-lsndir leaves
  kUnprepared,
  kPrepareInterrupted,
  kPrepared,
};
// "no backup", "incomplete", "closed", ...
std::string_view DirectoryStateName(DirectoryState state);

// How sure it is that somebody with a key wrote the manifest.
enum class SealCheck {
  kNone,        // not sealed: nobody can tell
  kNotChecked,  // sealed, and no key was given
  kGenuine,
};

// A record of hbk verify or hbk drill.
template <typename Record>
struct TrustFinding {
  std::optional<Record> record;
  bool is_of_this = false;  // its digest is that of the manifest that is there now
  std::string problem;      // why there is no record though there is a file
};

struct BackupDescription {
  std::string directory;
  Status status;
  DirectoryState state = DirectoryState::kNoBackup;
  BackupTool tool = BackupTool::kUnknown;
  std::string tool_version;
  std::string prepared_by;
  std::string prepared_time;

  std::string backup_uuid;
  std::optional<manifest::BaseBackup> base;  // of an increment
  std::vector<std::string> merged;           // as in the manifest
  std::string start_time;
  std::string end_time;
  std::optional<uint64_t> duration_s;

  uint64_t start_checkpoint_lsn = 0;  // 0: not known, likewise
  uint64_t to_lsn = 0;
  uint64_t last_lsn = 0;
  manifest::ServerDescription server;

  std::optional<manifest::BinlogPosition> binlog;
  std::optional<manifest::ReplicaPosition> replica;
  std::optional<manifest::GaleraPosition> galera;
  // Of mariadb-backup: the text of its files, as it stands.
  std::string binlog_text;
  std::string replica_text;
  std::string galera_text;

  std::vector<manifest::StageTime> stages;
  std::optional<uint64_t> redo_bytes;
  std::optional<uint64_t> redo_margin_bytes;
  std::optional<double> redo_margin;

  std::string compression;  // "zstd:3"; empty: none
  bool is_sealed = false;
  bool has_sealed_names = false;
  SealCheck seal_check = SealCheck::kNone;
  std::optional<uint64_t> key_slot_count;
  std::vector<manifest::EncryptionKeyUse> encryption_keys;
  std::vector<std::string> warnings;

  std::optional<uint64_t> file_count;     // that belong to it
  std::optional<uint64_t> logical_bytes;  // of the files when they are restored
  uint64_t stored_file_count = 0;         // that lie there
  uint64_t stored_bytes = 0;
  uint64_t disk_bytes = 0;

  TrustFinding<manifest::VerifyRecord> verified;
  TrustFinding<manifest::DrilledRecord> drilled;
};

// `has_keys`: the ring was given some to look for. Always describes something.
BackupDescription DescribeBackup(io::FileSystem& fs, const std::string& dir,
                                 manifest::SealingKeyRing& keys, bool has_keys);

}  // namespace hbk::info

// hbk_manifest.json: what a backup is. A backup exists when its manifest does.
//
// Written last and atomically, by backup; replaced atomically by prepare. Commands believe it and
// never guess. A directory that mariadb-backup made has none: see mariadb_backup_files.h.
//
// Format   docs/format/manifest.md. JSON, UTF-8; unknown members are ignored, an unknown
//          format_version is refused.
// Units    Sizes are bytes; *_ms milliseconds; times RFC 3339 in UTC.
// Errors   kCorruption: not such a document, or fields that contradict each other; file names that
//          are absolute, hold "..", more than one '/', or control characters; a manifest whose own
//          digest, its last member, does not fit. kUnsupported: another format_version.
// Threads  A value.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/data_key.h"

namespace hbk::manifest {

constexpr std::string_view kManifestFileName = "hbk_manifest.json";
// Where it is, itself sealed, if the names of the files are.
constexpr std::string_view kSealedManifestFileName = "hbk_manifest.json.sealed";
// Exists in the target from the first byte until the manifest is there.
constexpr std::string_view kIncompleteMarkerName = "hbk_incomplete";
constexpr int kManifestFormatVersion = 1;

enum class BackupState { kUnprepared, kPrepared };

// Where the content of a file is.
enum class FileContent {
  kWhole,  // in this backup, under its name
  kDelta,  // pages of it, under its name and delta::kDeltaSuffix; the others are in the base
  kBase,   // in the base: nothing of it has changed. A tablespace may have another name and length
};

// Of a tablespace file: what does not change with its name.
struct SpaceFacts {
  uint32_t space_id = 0;
  uint32_t page_size = 0;  // of an image in the file: less than the server's if it is COMPRESSED
  uint32_t flags = 0;      // as in page 0; of the system tablespace, of its first file
  bool operator==(const SpaceFacts&) const = default;
};

// What stat() said of a file of the server when it was copied. The next increment learns from it
// whether the file is the same one, and with --trust-file-times whether it was written since.
struct SourceFile {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_ns = 0;  // 0: the file system does not say
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  // It did not change while it was copied, and had been at rest before: a later change shows.
  bool is_at_rest = false;
  // Increments in a row that did not read it.
  uint32_t skip_count = 0;
  bool operator==(const SourceFile&) const = default;
};

struct ManifestFile {
  std::string name;  // relative, '/' separated: "ibdata1", "db/t.ibd"
  std::string kind;  // datadir::FileKindName
  // Of the file as it is after the increment has been applied, before its redo.
  uint64_t size = 0;
  // filter::TreeDigest; empty: not known, only the size can be checked. kDelta: of the delta file.
  // kBase: as the base has it.
  std::string digest;
  // seal::FileIdText of what there is of it in the backup; empty: it is not sealed.
  std::string seal_id = {};
  std::string stage;  // in which it was copied: "start", "block-ddl", "prepare", ...

  FileContent content = FileContent::kWhole;
  // kDelta: of the delta file; 0: there is none, since no page is in it.
  uint64_t delta_size = 0;
  // kDelta: nothing of the base's file counts, pages that are not in the delta are zeros.
  bool replaces_base = false;
  std::optional<SpaceFacts> space = std::nullopt;   // tablespace files whose page 0 was there
  std::optional<SourceFile> source = std::nullopt;  // of files that were copied as they were
};

struct StageTime {
  std::string stage;        // "start", "flush", "block-ddl", "block-commit"
  uint64_t wait_ms = 0;     // until it was granted
  uint64_t held_ms = 0;     // until the next was asked for
  uint64_t file_count = 0;  // copied in it
};

struct ServerDescription {
  std::string version;  // "10.11.19-MariaDB-0+deb12u1-log"
  std::string uid;      // @@server_uid
  std::string hostname;
  uint64_t server_id = 0;
  uint32_t page_size = 0;
  std::string data_file_path;                   // innodb_data_file_path with base names
  std::string undo_tablespaces;                 // as the server says
  std::map<std::string, std::string> settings;  // what prepare and restore may need; no secrets
};

// A key that pages or redo of the backup need. Never the key itself.
struct EncryptionKeyUse {
  uint32_t key_id = 0;
  uint32_t key_version = 0;
  auto operator<=>(const EncryptionKeyUse&) const = default;
};

struct BinlogPosition {
  std::string file;
  uint64_t position = 0;
  std::string gtid;             // gtid_current_pos, as mariadb-backup writes it
  std::string gtid_binlog_pos;  // for a new replica of this server
  std::string gtid_slave_pos;   // for a clone of this replica
  std::string gtid_binlog_state;
};

// From where a replica was following one of its sources.
struct SourceConnection {
  std::string name;  // "" is the default connection
  std::string host;
  uint16_t port = 0;
  bool uses_gtid = false;
  std::string file;  // next event to execute, in the source's binlog
  uint64_t position = 0;
  bool operator==(const SourceConnection&) const = default;
};

// Of a backup of a replica, with --slave-info.
struct ReplicaPosition {
  std::string gtid_slave_pos;
  std::vector<SourceConnection> connections;  // in the server's order
  bool operator==(const ReplicaPosition&) const = default;
};

// Of a backup of a node of a Galera cluster, with --galera-info.
struct GaleraPosition {
  std::string cluster_uuid;
  uint64_t seqno = 0;           // of the last write set that is in the backup
  uint64_t gtid_domain_id = 0;  // wsrep_gtid_domain_id
  bool operator==(const GaleraPosition&) const = default;
};

// What an increment is an increment to.
struct BaseBackup {
  std::string backup_uuid;  // empty: not one of ours
  std::string origin;       // "hbk", "mariadb-backup", or "lsn": only an LSN was given
  uint64_t last_lsn = 0;    // its end: pages above it are in the increment
  bool operator==(const BaseBackup&) const = default;
};

// What --record-checksums saw of a table in the moment that the backup is of.
struct TableChecksum {
  std::string database;  // as users write it
  std::string table;
  uint64_t row_count = 0;
  uint64_t checksum = 0;  // CHECKSUM TABLE .. EXTENDED
  auto operator<=>(const TableChecksum&) const = default;
};

struct BackupManifest {
  std::string hbk_version;
  std::string backup_uuid;
  std::optional<BaseBackup> base;  // of an increment
  // The backups that prepare has laid together, oldest first, this one last; empty: only this one.
  std::vector<std::string> merged;
  codec::FrameChoice compression;  // of the files but metadata: they are in frames
  // All files but those of hbk itself are sealed; what is sealed has a seal_id.
  bool is_sealed = false;
  // And have names that say nothing, and the manifest is sealed, too.
  bool has_sealed_names = false;

  // Its files are to be plain ones.
  void SetPlain();
  std::string boot_id;  // of the machine: what SourceFile says holds within one boot; may be empty
  BackupState state = BackupState::kUnprepared;
  std::string start_time;
  std::string end_time;
  ServerDescription server;

  uint64_t start_checkpoint_lsn = 0;  // the redo copy starts here
  uint64_t to_lsn = 0;                // newest checkpoint at the end
  uint64_t last_lsn = 0;              // the redo copy ends here
  std::string redo_creator;           // of the source's log file
  uint64_t redo_bytes = 0;
  // Smallest distance the tailer had to the point where the server overwrites, in bytes and as a
  // share of the log's capacity (0..1); nothing if no redo was written.
  uint64_t redo_margin_bytes = 0;
  double redo_margin = 1;

  std::optional<BinlogPosition> binlog;
  std::optional<ReplicaPosition> replica;
  std::optional<GaleraPosition> galera;
  std::vector<StageTime> stages;
  std::vector<std::string> options;  // as given, secrets left out
  std::vector<std::string> warnings;
  std::vector<std::string> databases;
  std::vector<EncryptionKeyUse> encryption_keys;  // sorted, each once
  std::vector<TableChecksum> table_checksums;     // sorted; empty: none were asked for
  std::vector<ManifestFile> files;  // sorted by name; the manifest itself is not among them

  // Set by prepare.
  std::string prepared_by;  // hbk version
  std::string prepared_time;
  uint64_t prepared_lsn = 0;
};

// `data_key`: of a sealed backup; the text then has a code that only somebody with it can make.
std::string RenderManifest(const BackupManifest& manifest);
Result<std::string> RenderManifest(const BackupManifest& manifest, const seal::DataKey* data_key);
// kCorruption: the text, of a sealed backup, is not as somebody with that key has written it.
Status CheckManifestSeal(std::string_view text, const seal::DataKey& data_key);
Result<BackupManifest> ParseManifest(std::string_view json);

// kNotFound if the directory has none; kMissingKey if it is sealed (stored_backup.h opens it).
// Messages name the file.
Result<BackupManifest> LoadManifest(io::FileSystem& fs, const std::string& backup_dir);
// kCorruption, and nothing is written, if LoadManifest() would not take it back: an unknown kind, a
// page size that is none, a last_lsn before to_lsn, ...
Status StoreManifest(io::FileSystem& fs, const std::string& backup_dir,
                     const BackupManifest& manifest, const seal::DataKey* data_key = nullptr);
// The text that LoadManifest() parses. Errors as those of it.
Result<std::string> ReadManifestText(io::FileSystem& fs, const std::string& backup_dir);
// By what records of a verify or drill name the backup that they are about: filter::DigestOf the
// bytes of the manifest as it lies there, itself sealed or not (no key is needed); in a directory
// of mariadb-backup, of its checkpoints file. kNotFound if there is none of these.
Result<std::string> DigestOfStoredManifest(io::FileSystem& fs, const std::string& backup_dir);

// True for a name that may stand in a manifest (see Errors above).
bool IsSafeFileName(std::string_view name);

}  // namespace hbk::manifest

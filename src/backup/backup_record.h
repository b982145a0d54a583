// What a backup run has found out and done so far, and the metadata files made from it.
//
// Format   docs/format/manifest.md, docs/format/mariadb-backup-files.md.
// Threads  A value.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/backup/log_tailer.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/layout.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/chunk_hashes.h"
#include "hbk/server/backup_history.h"
#include "hbk/server/backup_stage.h"
#include "hbk/server/server_facts.h"

#include "copy_plan.h"
#include "position_reader.h"

namespace hbk::backup {

// A tablespace that was copied with damaged pages in it.
struct DamagedFile {
  innodb::SpaceId space_id = 0;
  std::vector<DamagedPage> pages;
};

struct BackupRecord {
  std::string uuid;
  std::time_t start_time = 0;
  std::time_t end_time = 0;
  server::ServerFacts facts;
  datadir::Layout layout;
  LogTailerResult redo;
  Positions positions;
  std::vector<server::StageTimes> stages;
  std::vector<std::string> options;
  std::vector<std::string> warnings;
  std::vector<std::string> databases;
  std::vector<manifest::TableChecksum> table_checksums;
  std::map<std::string, manifest::ManifestFile> files;  // by name
  std::set<manifest::EncryptionKeyUse> keys;            // that pages and redo name
  std::map<std::string, DamagedFile> damaged;           // by name of the file
  std::set<std::string> synced;                         // files as they are in the target, by name
  manifest::ChunkHashes chunk_hashes;                   // also of copies that are gone again
  // Of an increment.
  std::optional<manifest::BaseBackup> base;
  std::string boot_id;                              // of this machine; may be empty
  std::string history_name;                         // --history=NAME
  std::map<std::string, uint64_t> increment_pages;  // by name of the file, of those with a delta

  // What was copied, or is as the base has it.
  void AddCopied(datadir::FileKind kind, CopyStage stage, const CopyResult& result);
  // A file that was made.
  void AddFile(const std::string& name, datadir::FileKind kind, CopyStage stage, uint64_t size,
               const std::string& digest);
  void Forget(const std::string& name);
  // All as one step: names may be swapped. The files must be there.
  void RenameFiles(const std::vector<std::pair<std::string, std::string>>& renames);

  // Milliseconds between the grant of BLOCK_DDL and END.
  [[nodiscard]] uint64_t LockMilliseconds() const;
};

// Name and content of the files that mariadb-backup would write, for the server's series. One of
// them, if there are damaged pages, is the list of these.
std::vector<std::pair<std::string, std::string>> RenderMetadataFiles(const BackupRecord& record);

// What the server's list of backups gets.
server::HistoryRow MakeHistoryRow(const BackupRecord& record);

manifest::BackupManifest MakeManifest(const BackupRecord& record);

}  // namespace hbk::backup

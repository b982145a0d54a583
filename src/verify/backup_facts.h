// What one directory of the backup or chain says that it is.
//
// Errors   kNotFound: no backup, or one that was never finished. kTargetInUse: a prepare is at work
//          on it, or was killed. kMissingKey and others of the file system. What is damaged is a
//          finding, and no error.
// Threads  Values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/trx_sys.h"
#include "hbk/innodb/types.h"
#include "hbk/keys/key_options.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/chunk_hashes.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/manifest/mariadb_backup_files.h"

#include "content_check.h"

namespace hbk::verify {

// The files of the system tablespace, whose pages are counted through.
struct SystemSpace {
  std::optional<innodb::TablespaceHeader> header;  // nothing: it could not be read
  std::optional<innodb::DoublewriteBuffer> doublewrite;
  std::map<std::string, innodb::PageNo, std::less<>> first_pages;  // of each file
  uint64_t page_count = 0;                                         // of all
};

struct BackupFacts {
  std::string dir;
  // Of a backup of ours whose files it still describes.
  std::optional<manifest::BackupManifest> manifest;
  std::optional<manifest::MariadbBackupSet> metadata;
  std::string subject;  // digest of what says what it is
  bool is_increment = false;
  bool is_prepared = false;
  bool is_prepared_elsewhere = false;  // one of ours, by mariadb-backup
  innodb::Lsn lsn_max = 0;             // no page is newer
  uint32_t page_size = 0;
  std::vector<std::string> system_files;
  keys::Settings settings;
  manifest::DamagedPageList damaged;
  manifest::ChunkHashes chunks;
  SystemSpace system;

  [[nodiscard]] std::string Path(std::string_view name) const { return io::JoinPath(dir, name); }
};

// Nothing: what says what it is is damaged, which is in the findings.
Result<std::optional<BackupFacts>> ReadBackupFacts(const std::string& dir, CheckContext& context);

// Once it is known that the files are there: of a full backup.
Status ReadSystemSpace(BackupFacts& facts, CheckContext& context);

}  // namespace hbk::verify

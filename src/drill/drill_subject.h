// What a drill needs to know of a backup before it restores it, and of the copy afterwards.
//
// Errors   As manifest::OpenManifest. kNotFound: no backup there. kUnsupported: a table whose file
//          lies in a directory of its own that exists on this machine.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"

#include "drill_report.h"

namespace hbk::drill {

struct DrillSubject {
  std::string uuid;  // empty: mariadb-backup made it, as are the next two
  std::string end_time;
  std::string data_file_path;  // base names
  std::string server_version;  // empty: not known
  uint32_t page_size = 0;
  std::string undo_tablespaces;                 // as the server says; empty: not known
  std::map<std::string, std::string> settings;  // those of keys, and others
  std::vector<manifest::TableChecksum> table_checksums;
};

// Of the last backup of a chain: what it says holds for the whole.
Result<DrillSubject> LoadBackupFacts(io::FileSystem& fs, const std::string& backup_dir,
                                     manifest::SealingKeyRing& keys);

// Bytes of all files below the directory.
Result<uint64_t> StoredBytes(io::FileSystem& fs, const std::string& dir);

// What lies in the restored copy.
struct CopyFacts {
  uint64_t bytes = 0;
  std::vector<DatabaseSize> databases;  // the largest first
  std::set<std::string> engines;        // of the tables, in capitals
  bool has_rocksdb_files = false;
};
Result<CopyFacts> LookAtCopy(io::FileSystem& fs, const std::string& data_dir);

// A table with DATA DIRECTORY has its file in the copy, and a link to where the server had it. A
// server that found a file there would open that one, which may be in use: then there is no drill.
// Else the links are removed, and the server takes the file in the copy.
Result<uint64_t> RemoveTablespaceLinks(io::FileSystem& fs, const std::string& data_dir);

}  // namespace hbk::drill

// What a file of a data directory or backup is, judged by its name alone.
//
// Format   docs/format/data-directory.md: the names, and what belongs into a backup.
// Threads  Pure functions.
#pragma once

#include <optional>
#include <string_view>

namespace hbk::datadir {

enum class FileKind {
  kSystemTablespace,  // ibdata1 ... (the names come from innodb_data_file_path)
  kUndoTablespace,    // undo001 ... undo127
  kTablespace,        // db/t.ibd
  kTablespaceLink,    // db/t.isl: where a DATA DIRECTORY table lies
  kDefinition,        // .frm .par .TRG .TRN .MRG db.opt: small, changed by DDL only
  kAriaTable,         // .MAI .MAD
  kAriaControl,       // aria_log_control
  kAriaLog,           // aria_log.00000001 ...
  kMyisamTable,       // .MYI .MYD
  kCsvTable,          // .CSV .CSM
  kArchiveTable,      // .ARZ .ARM
  kMroonga,           // a root file with ".mrn" in its name
  kRocksdb,           // a file of a MyRocks checkpoint, in kRocksdbDirectory
  kBufferPoolDump,    // ib_buffer_pool
  kUpgradeMarker,     // mysql_upgrade_info, mariadb_upgrade_info
  kRedoLog,           // ib_logfile0; never copied as a file
  kMetadata,          // xtrabackup_*, mariadb_backup_*, backup-my.cnf, hbk_* ...: by backup tools
};

// Where a backup, and by default a data directory, has the files of MyRocks. No database: a '#' in
// a database's name is encoded.
constexpr std::string_view kRocksdbDirectory = "#rocksdb";

// Stable name, as the manifest has it: "system-tablespace", "definition", ...
std::string_view FileKindName(FileKind kind);
std::optional<FileKind> FileKindByName(std::string_view name);

// A file inside a database directory. Nothing: it never belongs into a backup (this includes
// every "#sql*" name: '#' is encoded in user names, so these are the server's intermediate files).
std::optional<FileKind> ClassifyDatabaseFile(std::string_view file_name);

// A file in the root of a data directory or of a backup. System tablespace files are not known by
// their names: the caller compares with innodb_data_file_path first.
std::optional<FileKind> ClassifyRootFile(std::string_view file_name);

// True for "#rocksdb/<one component>": the name of a kRocksdb file in a backup.
bool IsRocksdbFileName(std::string_view name);

// False for what can be no database: "lost+found", names starting with '.' or "#".
bool IsDatabaseDirectoryName(std::string_view name);

// True for a name that one directory level can have and a text file can carry: valid UTF-8 of 1 to
// 255 bytes without '/' and control characters, and neither "." nor "..". The names that the server
// makes are plain ASCII.
bool IsSafeNameComponent(std::string_view name);

}  // namespace hbk::datadir

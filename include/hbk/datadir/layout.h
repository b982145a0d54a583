// Where the parts of an instance lie: the directories a server can keep apart.
//
// Format   innodb_data_file_path: docs/format/data-directory.md.
// Errors   kUsage: text that the server would not take either. kUnsupported: raw devices; two files
//          of the same base name, which a flat backup cannot hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::datadir {

// One file of the system tablespace. All but the last have a fixed size.
struct SystemFile {
  std::string path;   // as written: relative to innodb_data_home_dir, or absolute
  uint64_t size = 0;  // initial size
  bool is_autoextend = false;
  uint64_t max_size = 0;  // of an autoextend file; 0: no limit
};

// "ibdata1:12M;ibdata2:50M:autoextend:max:1G". Sizes take K, M, G; autoextend may be followed by
// autoshrink (11.2 and later), which means nothing to a backup.
Result<std::vector<SystemFile>> ParseDataFilePath(std::string_view spec);

// The same in a flat directory: base names only. What a backup's metadata hold.
std::string FlatDataFilePath(const std::vector<SystemFile>& files);

// Absolute, without empty and "." components and without a slash at the end. ".." stays: what it
// means depends on symlinks.
std::string CleanPath(std::string_view path);
// Both clean; a directory is inside itself.
bool IsInside(std::string_view path, std::string_view dir);

// All paths absolute, without a slash at the end.
struct Layout {
  std::string datadir;
  std::string innodb_data_home;  // of relative system files
  std::vector<SystemFile> system_files;
  std::string undo_dir;
  std::string redo_dir;
  std::string aria_log_dir;
  std::string rocksdb_dir;      // of MyRocks; empty: there is none
  std::string rocksdb_wal_dir;  // of its log files

  // With MyRocks: places that were not given become the usual ones. Without: there are none.
  void SetHasRocksdb(bool has_rocksdb);
  // Absolute path of a system file.
  [[nodiscard]] std::string SystemFilePath(const SystemFile& file) const;
  // Every directory above, each once, datadir first.
  [[nodiscard]] std::vector<std::string> Roots() const;
};

// What options or the server say; empty means the default, which is the datadir. Relative paths
// are relative to the datadir, which itself may be relative to the working directory.
struct LayoutOptions {
  std::string datadir;
  std::string innodb_data_home_dir;
  std::string innodb_data_file_path;  // empty: "ibdata1:12M:autoextend"
  std::string innodb_undo_directory;
  std::string innodb_log_group_home_dir;
  std::string aria_log_dir_path;
  std::string rocksdb_datadir;  // empty: no place is given, see Layout::SetHasRocksdb()
  std::string rocksdb_wal_dir;  // empty: rocksdb_datadir
};
Result<Layout> MakeLayout(const LayoutOptions& options);

}  // namespace hbk::datadir

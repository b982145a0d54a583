// Aria tables that are copied while they are written: transactional ones with page checksums.
//
// Each page is checked as it is copied, and the Aria log, copied last, repairs what changed
// meanwhile. That holds for one generation of a table under one name: recovery finds tables by
// name, leaves out DDL, and knows nothing of rows that were loaded without logging. So the copy of
// a table that was renamed, truncated, rebuilt or bulk-loaded since is made again, under BLOCK_DDL,
// or under BLOCK_COMMIT for a load that ended between the two.
//
// Other Aria tables are files at rest, as those of MyISAM: table_files.h.
//
// Errors   Those of FileCopier.
// Threads  One at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/aria/table_header.h"
#include "hbk/backup/file_copier.h"
#include "hbk/base/status.h"
#include "hbk/datadir/scanner.h"
#include "hbk/io/file_identity.h"

#include "backup_record.h"

namespace hbk::backup {

class AriaTables {
 public:
  // Copies are noted in the record. Everything must outlive this.
  AriaTables(io::FileSystem& fs, FileCopier& copier, std::string target_dir, BackupRecord& record)
      : fs_(fs), copier_(copier), target_dir_(std::move(target_dir)), record_(record) {}

  // Looks at what tables there are, and forgets copies that do not count any more. `stage` is what
  // the server is in: before BLOCK_DDL a table may vanish while it is looked at. `must_copy` are
  // tables whose copies do not count, whatever their headers say.
  Status Look(const datadir::Scan& scan, CopyStage stage,
              const std::function<bool(const datadir::DataFile&)>& must_copy);
  // After Look: whether this file, a .MAI or .MAD one, is of a table that is copied here.
  [[nodiscard]] bool Owns(std::string_view name) const;
  // After Look: makes the copies that are missing.
  Status Copy(CopyStage stage, std::stop_token stop);
  // Under BLOCK_COMMIT, when no statement can end any more: makes copies again of tables that were
  // loaded without logging since BLOCK_DDL.
  Status CopyChangedSince(std::stop_token stop);

  // Copies made again; for the report.
  [[nodiscard]] uint64_t copied_again_count() const { return copied_again_count_; }

 private:
  struct Table {
    datadir::DataFile index;
    datadir::DataFile data;
    aria::TableHeader header;  // when last looked at
    int64_t looked_ns = 0;     // after `index` was listed, before `header` was read
    // Of the copy. Nothing: there is none that counts.
    std::optional<aria::TableGeneration> copied_generation;
    io::FileIdentity copied_index;
    io::FileIdentity copied_data;
  };
  using Tables = std::map<std::string, Table, std::less<>>;  // by name without extension

  Status LookAt(const datadir::DataFile& index, const datadir::DataFile& data, CopyStage stage,
                bool must_copy, Tables& tables);
  // Nothing: vanished, or no header of a table.
  Result<std::optional<aria::TableHeader>> ReadHeader(const std::string& path, bool may_vanish);
  [[nodiscard]] static bool IsHeaderKnown(const Table& table, const io::FileInfo& info);
  [[nodiscard]] static bool IsCopyOf(const Table& table);
  Status Forget(Table& table);
  Status CopyFiles(const std::vector<Table*>& tables, aria::AriaFile file, CopyStage stage,
                   std::stop_token stop);
  void Note(Table& table, aria::AriaFile file, CopyStage stage, const CopyResult& result);

  io::FileSystem& fs_;
  FileCopier& copier_;
  std::string target_dir_;
  BackupRecord& record_;
  Tables tables_;
  uint64_t copied_again_count_ = 0;
};

}  // namespace hbk::backup

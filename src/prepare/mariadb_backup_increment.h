// An increment that mariadb-backup made: pages in .delta files, other files whole, no manifest.
//
// It says less than one of ours. Which tablespaces replace those of the base is not told, nor how
// long their files are; there are no digests. What can be checked is: each page by its checksum and
// its LSN, each file by what must be beside it.
//
// Format   docs/format/mariadb-backup-deltas.md.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hbk/datadir/layout.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/manifest/mariadb_backup_files.h"

#include "increment_source.h"
#include "mariadb_backup_listing.h"

namespace hbk::prepare {

class MariadbBackupIncrement final : public IncrementSource {
 public:
  // kUnsupported, kChainBroken: see ListMariadbBackupIncrement.
  static Result<std::unique_ptr<IncrementSource>> Open(io::FileSystem& fs, const std::string& dir,
                                                       const manifest::MariadbBackupSet& metadata);

  [[nodiscard]] const std::string& dir() const override { return dir_; }
  // What it has of tablespaces is only right after Verify.
  [[nodiscard]] const manifest::BackupManifest& manifest() const override { return manifest_; }
  [[nodiscard]] bool has_open_sizes() const override { return true; }
  [[nodiscard]] bool tells_spaces() const override { return false; }
  [[nodiscard]] bool is_partial() const override { return is_partial_; }
  Status Verify(uint32_t worker_count, const std::stop_token& stop) override;
  [[nodiscard]] const DeltaRuns& runs() const override { return runs_; }
  Result<std::unique_ptr<PageSource>> OpenPages(const std::string& name) const override;
  [[nodiscard]] std::string PathOf(const std::string& name) const override;

 private:
  struct Verified {
    std::vector<delta::DeltaRun> runs;
    manifest::ManifestFile file;
    std::set<manifest::EncryptionKeyUse> keys;
  };

  MariadbBackupIncrement(io::FileSystem& fs, std::string dir, MariadbBackupListing listing)
      : fs_(fs), dir_(std::move(dir)), listing_(std::move(listing)) {}
  Status ReadInfo(const manifest::MariadbBackupSet& metadata);
  void DescribeServer(const manifest::MariadbBackupSet& metadata);
  [[nodiscard]] innodb::PageNo FirstPageOf(const ListedTablespace& space) const;
  [[nodiscard]] bool IsLastSystemFile(const ListedTablespace& space) const;
  [[nodiscard]] uint64_t LeastSize(const ListedTablespace& space,
                                   const std::vector<delta::DeltaRun>& runs,
                                   const innodb::FirstPage& first) const;
  Result<innodb::FirstPage> ReadFirstPage(const ListedTablespace& space) const;
  Status VerifyDelta(const ListedTablespace& space, const std::stop_token& stop,
                     Verified& verified) const;
  Status VerifyWhole(const ListedTablespace& space, const std::stop_token& stop,
                     Verified& verified) const;

  io::FileSystem& fs_;
  const std::string dir_;
  MariadbBackupListing listing_;
  std::vector<datadir::SystemFile> system_files_;
  manifest::DamagedPageList damaged_;
  bool is_partial_ = false;
  manifest::BackupManifest manifest_;
  DeltaRuns runs_;
  std::map<std::string, const ListedTablespace*> spaces_;  // by name
};

}  // namespace hbk::prepare

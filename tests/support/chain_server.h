// A server in memory that works, flushes, makes checkpoints and changes its files, and of which
// full backups and increments can be taken while it does: to see whether a chain of them gives what
// the server has.
//
// All of it is pages of 4 KiB in full_crc32 tablespaces and redo of 10.8 and later. Only what the
// redo does to a page is done by the code under test (redo::ApplyRecords).
//
// Threads  One.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "hbk/innodb/types.h"
#include "hbk/manifest/backup_manifest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"

namespace hbk::testing {

class ChainServer {
 public:
  explicit ChainServer(uint32_t seed);

  // So many random changes of pages, flushes and checkpoints.
  void Work(int steps);
  // One random change of files: tables made, dropped, renamed, imported; undo truncated.
  void ChangeFiles();

  // While the server works. The backup that an increment is to is named by its place in the order
  // of backups taken. Returns its own place.
  size_t TakeFull(MemFileSystem& fs, const std::string& dir);
  size_t TakeIncrement(MemFileSystem& fs, const std::string& dir, size_t base);
  // As mariadb-backup takes them. It does not see what is imported: tables are renamed instead.
  size_t TakeFullAsTheirs(MemFileSystem& fs, const std::string& dir);
  size_t TakeIncrementAsTheirs(MemFileSystem& fs, const std::string& dir, size_t base);
  void ImportNothing() { has_imports_ = false; }

  // What each page of each file is, were all of them written: by name of the file. Pages of zeros
  // are not in use.
  [[nodiscard]] std::map<std::string, std::string> Files() const;
  // Names of other files, with their content.
  [[nodiscard]] const std::map<std::string, std::string>& others() const { return others_; }
  // Pages that nothing is said about: they are free.
  [[nodiscard]] bool IsFree(const std::string& file, uint32_t page) const;

 private:
  struct Page {
    std::string pool;  // empty: zeros
    std::string disk;
    innodb::Lsn dirty_since = 0;  // 0: clean
    bool is_free = false;
  };
  struct Space {
    innodb::SpaceId id = 0;
    std::string name;
    uint32_t generation = 0;  // another file
    innodb::Lsn made_lsn = 0;
    std::vector<Page> pages;
  };
  struct Mtr {
    innodb::Lsn start_lsn = 0;
    std::string body;
  };
  struct Copy {
    std::vector<std::string> pages;
    uint32_t generation = 0;
  };
  struct Taken {
    manifest::BackupManifest manifest;
    std::map<innodb::SpaceId, uint32_t> generations;  // of tablespaces with a first page
    bool has_unknown = false;                         // a tablespace without one
    std::map<std::string, std::string> others;
    bool is_theirs = false;  // of mariadb-backup: there is no manifest
  };

  uint32_t Random(uint32_t end) {
    return std::uniform_int_distribution<uint32_t>(0, end - 1)(rng_);
  }
  innodb::Lsn Append(const MtrBuilder& mtr);
  void AppendFirstPage(MtrBuilder& mtr, innodb::SpaceId id, uint32_t size);
  Space* FindSpace(innodb::SpaceId id);
  Space& AnyTable();
  void NameSpace(const Space& space);
  void ChangePages();
  void Grow(Space& space);
  void Flush(Page& page);
  void Checkpoint();
  void CreateTable();
  void DropTable();
  void RenameTable();
  void ImportTable();
  void TruncateUndo();
  std::map<innodb::SpaceId, Copy> CopyPages();
  manifest::BackupManifest NewManifest() const;
  std::string LogFrom(innodb::Lsn start, bool is_checkpoint) const;
  size_t Finish(MemFileSystem& fs, const std::string& dir, Taken taken, innodb::Lsn start,
                bool is_checkpoint, const Taken* base);
  void MakeTheirs(MemFileSystem& fs, const std::string& dir, innodb::Lsn from_lsn);
  void PutTheirFile(MemFileSystem& fs, const std::string& dir, const Space& space,
                    const std::vector<std::string>& pages, const std::string& delta_name,
                    innodb::Lsn from_lsn) const;

  std::mt19937 rng_;
  LogBuilder log_;
  std::vector<Mtr> mtrs_;
  std::vector<Space> spaces_;
  std::set<innodb::SpaceId> named_;  // since the last checkpoint
  std::map<std::string, std::string> others_;
  bool has_imports_ = true;
  innodb::SpaceId last_id_ = 3;
  uint32_t last_generation_ = 0;
  uint32_t last_name_ = 0;
  innodb::Lsn checkpoint_lsn_;
  innodb::Lsn checkpoint_end_lsn_;
  std::vector<Taken> taken_;
};

}  // namespace hbk::testing

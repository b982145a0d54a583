#include "tests/support/small_backup.h"

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "tests/support/page_builder.h"
#include "tests/support/undo_builder.h"

namespace hbk::testing {
namespace {

using innodb::PageId;
using innodb::SpaceId;

constexpr uint32_t kZipFlags = 0xE3;  // 4 KiB pages, compressed to 1 KiB

std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(MutableBytes(bytes), 0, value);
  return bytes;
}

void MakePageAnew(MtrBuilder& mtr, PageId page, uint16_t type) {
  mtr.InitPage(page);
  const std::string type_bytes{static_cast<char>(type >> 8), static_cast<char>(type & 0xFF)};
  mtr.Write(page, innodb::kFilType, type_bytes);
}

void MakeFirstPageAnew(MtrBuilder& mtr, SpaceId space, uint32_t size, uint32_t flags) {
  const PageId page{.space = space, .page = 0};
  MakePageAnew(mtr, page, innodb::kPageFspHeader);
  mtr.Write(page, innodb::kFspSpaceId, Be32(space));
  mtr.Write(page, innodb::kFspSize, Be32(size));
  mtr.Write(page, innodb::kFspFlags, Be32(flags));
}

void AppendChanges(LogBuilder& log) {
  for (uint32_t round = 0; round < 20; ++round) {
    MtrBuilder mtr;
    mtr.Write({0, 2 + round % 5}, 1200 + round * 8, fmt::format("system {}", round));
    mtr.Write({5, 1 + round % 7}, 200 + round * 16, fmt::format("table a {}", round));
    mtr.Write({7, 1 + round % 3}, 300, fmt::format("x {}", round));
    mtr.Write({8, 1 + round % 3}, 400 + round, fmt::format("y {}", round));
    log.Append(mtr);
  }
  // Pages that the file does not have yet.
  MtrBuilder grow;
  grow.Write({5, 0}, innodb::kFspSize, Be32(12));
  for (uint32_t page = 8; page < 12; ++page) {
    MakePageAnew(grow, {5, page}, innodb::kPageBlob);
    grow.Memset({5, page}, 100, 500, "ab");
  }
  log.Append(grow);
  // Freed after a change: stays as it is in the file.
  log.Append(MtrBuilder().Write({5, 7}, 2000, "soon gone"));
  log.Append(MtrBuilder().FreePage({5, 7}));
  // Changed, dropped and made anew within one mtr.
  MtrBuilder anew;
  anew.Memset({5, 6}, 500, 100, "x");
  MakePageAnew(anew, {5, 6}, innodb::kPageBlob);
  anew.Write({5, 6}, 600, "anew");
  log.Append(anew);
}

void AppendUndoTruncation(LogBuilder& log) {
  log.Append(MtrBuilder().Write({1, 3}, 700, "before the truncation"));
  MtrBuilder trim;
  trim.TrimPages(1, 4);
  MakeFirstPageAnew(trim, 1, 4, 0x13);
  MakePageAnew(trim, {1, 1}, 5);
  log.Append(trim);
}

void AppendFileChanges(LogBuilder& log) {
  log.Append(MtrBuilder().FileModify(6, "./db/gone.ibd"));
  log.Append(MtrBuilder().Write({6, 1}, 100, "for nothing"));
  log.Append(MtrBuilder().FileDelete(6, "./db/gone.ibd"));
  log.Append(MtrBuilder().FileRename(7, "./db/x.ibd", "./db/t.ibd"));
  log.Append(MtrBuilder().FileRename(8, "./db/y.ibd", "./db/x.ibd"));
  log.Append(MtrBuilder().FileRename(7, "./db/t.ibd", "/elsewhere/db/y.ibd"));

  log.Append(MtrBuilder().FileModify(9, "./db/made.ibd"));
  MtrBuilder made;
  made.FileCreate(9, "./db/made.ibd");
  MakeFirstPageAnew(made, 9, 6, 0x13);
  log.Append(made);
  log.Append(MtrBuilder().FileCreate(10, "./db/z.ibd"));
  MtrBuilder zip;
  MakeFirstPageAnew(zip, 10, 9, kZipFlags);
  log.Append(zip);
  for (uint32_t page = 1; page < 6; ++page) {
    MtrBuilder mtr;
    MakePageAnew(mtr, {9, page}, innodb::kPageBlob);
    mtr.Write({9, page}, 100, fmt::format("made {}", page));
    MakePageAnew(mtr, {10, page}, innodb::kPageBlob);
    mtr.Write({10, page}, 100, fmt::format("compressed {}", page));
    log.Append(mtr);
  }
}

// A rollback segment in each, with a prepared transaction.
void PutRollbackSegments(MemFileSystem& fs) {
  constexpr size_t kSize = kSmallBackupPageSize;
  std::string system = MakeSmallTablespace(0, 8);
  PutSmallPage(system, MakeTrxSysPage(kSize, kSmallBackupPageLsn, {{0, 6}, {1, 2}}));
  PutSmallPage(system, MakeRollbackSegmentPage(kSize, {0, 6}, kSmallBackupPageLsn, {7}));
  PutSmallPage(system,
               MakeUndoPage(kSize, {0, 7}, kSmallBackupPageLsn, kUndoPrepared, MakeServerXid()));
  fs.PutFile(std::string(kSmallBackupDir) + "/ibdata1", system);
  std::string undo = MakeSmallTablespace(1, 9);
  PutSmallPage(undo, MakeRollbackSegmentPage(kSize, {1, 2}, kSmallBackupPageLsn, {3}));
  PutSmallPage(undo,
               MakeUndoPage(kSize, {1, 3}, kSmallBackupPageLsn, kUndoPrepared, MakeServerXid()));
  fs.PutFile(std::string(kSmallBackupDir) + "/undo001", undo);
}

}  // namespace

void PutSmallPage(std::string& file, std::string page) {
  const PageId id{.space = innodb::PageSpaceId(AsBytes(page)),
                  .page = innodb::PageNumber(AsBytes(page))};
  innodb::SealPage(MutableBytes(page), innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize),
                   id);
  file.replace(size_t{id.page} * kSmallBackupPageSize, page.size(), page);
}

std::string MakeSmallTablespace(SpaceId space, uint32_t page_count) {
  const auto flags = innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize);
  std::string file = MakeFirstPage(flags, space, page_count, kSmallBackupPageLsn);
  for (uint32_t number = 1; number < page_count; ++number) {
    const PageId id{.space = space, .page = number};
    std::string page = MakePage(kSmallBackupPageSize, id, kSmallBackupPageLsn, innodb::kPageBlob);
    const std::string text = fmt::format("page {} of {}", number, space);
    page.replace(50, text.size(), text);
    innodb::SealPage(MutableBytes(page), flags, id);
    file += page;
  }
  return file;
}

LogBuilder MakeSmallBackupLog() {
  LogBuilder log(kSmallBackupStartLsn, 64 << 10);
  log.Append(MtrBuilder().FileCheckpoint(kSmallBackupStartLsn));
  AppendChanges(log);
  AppendUndoTruncation(log);
  AppendFileChanges(log);
  return log;
}

void PutBackupMetadata(MemFileSystem& fs, innodb::Lsn last_lsn) {
  const std::string dir = kSmallBackupDir;
  fs.PutFile(dir + "/xtrabackup_checkpoints",
             fmt::format("backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = {}\nlast_lsn = {}\n",
                         kSmallBackupStartLsn, last_lsn));
  fs.PutFile(dir + "/backup-my.cnf",
             fmt::format("[mysqld]\ninnodb_data_file_path=ibdata1:1M:autoextend\n"
                         "innodb_page_size={}\ninnodb_undo_tablespaces=1\n",
                         kSmallBackupPageSize));
}

SmallBackup PutSmallBackup(MemFileSystem& fs) {
  const std::string dir = kSmallBackupDir;
  const LogBuilder log = MakeSmallBackupLog();
  PutBackupMetadata(fs, log.end_lsn());
  fs.PutFile(dir + "/ib_logfile0", log.file());
  PutRollbackSegments(fs);
  fs.PutFile(dir + "/db/a.ibd", MakeSmallTablespace(5, 8));
  fs.PutFile(dir + "/db/gone.ibd", MakeSmallTablespace(6, 4));
  fs.PutFile(dir + "/db/x.ibd", MakeSmallTablespace(7, 4));
  fs.PutFile(dir + "/db/y.ibd", MakeSmallTablespace(8, 4));
  fs.PutFile(dir + "/db/made.ibd", std::string(4 * kSmallBackupPageSize, '\0'));
  return {.end_lsn = log.end_lsn(), .log = log.file()};
}

}  // namespace hbk::testing

#include "tests/support/chain_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/check.h"
#include "hbk/delta/delta_file.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/trx_sys.h"
#include "hbk/redo/page_applier.h"

#include "tests/support/page_builder.h"

namespace hbk::testing {
namespace {

using innodb::Lsn;
using innodb::PageId;
using innodb::SpaceId;
using manifest::FileContent;
using manifest::ManifestFile;

constexpr uint32_t kPageSize = 4096;
constexpr Lsn kFirstLsn = 100000;
constexpr uint64_t kLogBytes = 256 << 10;
constexpr uint32_t kFlags = 0x13;
constexpr SpaceId kUndoId = 1;
constexpr PageId kTrxSysPage{.space = innodb::kSystemSpaceId, .page = innodb::kTrxSysPageNo};
constexpr uint32_t kUndoPages = 5;  // after a truncation

innodb::TablespaceFlags Flags() {
  return innodb::TablespaceFlags::FullCrc32(kPageSize);
}

std::string Zeros() {
  return std::string(kPageSize, '\0');
}

std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(MutableBytes(bytes), 0, value);
  return bytes;
}

bool IsZero(const std::string& page) {
  return page.empty() || IsAllZero(AsBytes(page));
}

Lsn LsnOf(const std::string& page) {
  return IsZero(page) ? 0 : innodb::PageLsn(AsBytes(page));
}

std::string KindOf(SpaceId id) {
  return id == 0 ? "system-tablespace" : id == kUndoId ? "undo-tablespace" : "tablespace";
}

ManifestFile NewFile(const std::string& name, const std::string& kind) {
  ManifestFile file;
  file.name = name;
  file.kind = kind;
  file.stage = "start";
  return file;
}

void MakePage(MtrBuilder& mtr, PageId page, uint16_t type) {
  mtr.InitPage(page);
  mtr.Write(page, innodb::kFilType,
            std::string{static_cast<char>(type >> 8), static_cast<char>(type & 0xFF)});
}

}  // namespace

ChainServer::ChainServer(uint32_t seed)
    : rng_(seed),
      log_(kFirstLsn, kLogBytes),
      checkpoint_lsn_(kFirstLsn),
      checkpoint_end_lsn_(kFirstLsn) {
  mtrs_.push_back({log_.end_lsn(), MtrBuilder().FileCheckpoint(kFirstLsn).body()});
  log_.Append(mtrs_.back().body);
  for (const auto& [id, name] : std::map<SpaceId, std::string>{
           {0, "ibdata1"}, {kUndoId, "undo001"}, {2, "db/a.ibd"}, {3, "db/b.ibd"}}) {
    Space& space = spaces_.emplace_back();
    space.id = id;
    space.name = name;
    space.generation = ++last_generation_;
    space.pages.resize(8);
    MtrBuilder mtr;
    AppendFirstPage(mtr, id, 8);
    Append(mtr);
    for (uint32_t page = 1; page < 8; ++page) {
      MtrBuilder more;
      MakePage(more, {id, page}, innodb::kPageBlob);
      // It has no rollback segments.
      if (PageId{id, page} == kTrxSysPage) more.Memset(kTrxSysPage, 40, 4000, "\xFF");
      Append(more);
    }
    for (Page& page : space.pages)
      Flush(page);
    if (id > kUndoId) others_["db/" + name.substr(3, 1) + ".frm"] = "frm of " + name;
  }
  others_["db/m.MYD"] = "rows";
  others_["db/s.MYI"] = "never changes";
  Checkpoint();
}

void ChainServer::AppendFirstPage(MtrBuilder& mtr, SpaceId id, uint32_t size) {
  const PageId page{.space = id, .page = 0};
  MakePage(mtr, page, innodb::kPageFspHeader);
  mtr.Write(page, innodb::kFspSpaceId, Be32(id));
  mtr.Write(page, innodb::kFspSize, Be32(size));
  mtr.Write(page, innodb::kFspFlags, Be32(kFlags));
}

// Does to the pages what the mtr says.
Lsn ChainServer::Append(const MtrBuilder& mtr) {
  const Lsn start = log_.end_lsn();
  const Lsn end = log_.Append(mtr);
  mtrs_.push_back({start, mtr.body()});
  struct Run {
    PageId page;
    ByteView bytes;
  };
  std::vector<Run> runs;
  redo::RecordReader reader(AsBytes(mtrs_.back().body));
  redo::RedoRecord record;
  while (*reader.Next(record)) {
    if (record.kind >= redo::RecordKind::kFileCreate) continue;
    if (record.kind == redo::RecordKind::kExtended &&
        record.extended_kind() == redo::ExtendedKind::kTrimPages) {
      continue;
    }
    if (record.is_same_page)
      runs.back().bytes = {runs.back().bytes.data(), runs.back().bytes.size() + record.raw.size()};
    else
      runs.push_back({record.page, record.raw});
  }
  for (const Run& run : runs) {
    Space* space = FindSpace(run.page.space);
    HBK_CHECK(space != nullptr && run.page.page < space->pages.size());
    Page& page = space->pages[run.page.page];
    if (page.pool.empty()) page.pool = Zeros();
    const MutableByteView frame = MutableBytes(page.pool);
    const auto applied = redo::ApplyRecords(run.bytes, frame, run.page, false);
    HBK_CHECK(applied.ok());
    page.is_free = !*applied;
    if (page.is_free) continue;
    StoreBe64(frame, innodb::kFilLsn, end);
    innodb::SealPage(frame, Flags(), run.page);
    if (page.dirty_since == 0) page.dirty_since = start;
  }
  return end;
}

ChainServer::Space* ChainServer::FindSpace(SpaceId id) {
  const auto found = std::find_if(spaces_.begin(), spaces_.end(),
                                  [&](const Space& space) { return space.id == id; });
  return found == spaces_.end() ? nullptr : &*found;
}

// The first tables stay, so that there is one.
ChainServer::Space& ChainServer::AnyTable() {
  return spaces_[2 + Random(static_cast<uint32_t>(spaces_.size()) - 2)];
}

void ChainServer::NameSpace(const Space& space) {
  if (space.id <= kUndoId || !named_.insert(space.id).second) return;
  Append(MtrBuilder().FileModify(space.id, "./" + space.name));
}

void ChainServer::Flush(Page& page) {
  if (page.dirty_since == 0) return;
  page.disk = page.pool;
  page.dirty_since = 0;
}

void ChainServer::Checkpoint() {
  Lsn oldest = log_.end_lsn();
  for (const Space& space : spaces_) {
    for (const Page& page : space.pages)
      if (page.dirty_since != 0) oldest = std::min(oldest, page.dirty_since);
  }
  checkpoint_lsn_ = oldest;
  checkpoint_end_lsn_ = log_.end_lsn();
  Append(MtrBuilder().FileCheckpoint(oldest));
  named_.clear();
}

void ChainServer::ChangePages() {
  MtrBuilder mtr;
  const uint32_t count = 1 + Random(3);
  for (uint32_t i = 0; i < count; ++i) {
    Space& space = spaces_[Random(static_cast<uint32_t>(spaces_.size()))];
    NameSpace(space);
    const auto number = 1 + Random(static_cast<uint32_t>(space.pages.size()) - 1);
    const PageId id{.space = space.id, .page = number};
    if (id == kTrxSysPage) continue;
    Page& page = space.pages[number];
    const uint32_t what = Random(12);
    if (what == 0 && i == 0 && !IsZero(page.pool) && !page.is_free) {
      Append(MtrBuilder().FreePage(id));
      return;
    }
    if (what <= 2 || IsZero(page.pool) || page.is_free) MakePage(mtr, id, innodb::kPageBlob);
    mtr.Write(id, 100 + 8 * Random(400), fmt::format("{:08}", Random(100'000'000)));
  }
  if (!mtr.body().empty()) Append(mtr);
}

void ChainServer::Grow(Space& space) {
  if (space.pages.size() > 40) return;
  NameSpace(space);
  space.pages.resize(space.pages.size() + 1 + Random(4));
  MtrBuilder mtr;
  mtr.Write({space.id, 0}, innodb::kFspSize, Be32(static_cast<uint32_t>(space.pages.size())));
  Append(mtr);
}

void ChainServer::Work(int steps) {
  for (int i = 0; i < steps; ++i) {
    const uint32_t what = Random(20);
    Space& space = spaces_[Random(static_cast<uint32_t>(spaces_.size()))];
    if (what < 10) {
      ChangePages();
    } else if (what < 17) {
      Flush(space.pages[Random(static_cast<uint32_t>(space.pages.size()))]);
    } else if (what < 18) {
      Grow(space);
    } else if (what < 19) {
      Checkpoint();
    } else {
      for (Page& page : space.pages)
        Flush(page);
    }
  }
  if (Random(4) == 0) others_["db/m.MYD"] = fmt::format("rows {}", Random(1000));
}

void ChainServer::CreateTable() {
  Space& space = spaces_.emplace_back();
  space.id = ++last_id_;
  space.name = fmt::format("db/n{}.ibd", ++last_name_);
  space.generation = ++last_generation_;
  space.pages.resize(6);
  others_[fmt::format("db/n{}.frm", last_name_)] = "frm of " + space.name;
  named_.insert(space.id);
  space.made_lsn = log_.end_lsn();
  MtrBuilder mtr;
  mtr.FileCreate(space.id, "./" + space.name);
  AppendFirstPage(mtr, space.id, 6);
  Append(mtr);
  for (uint32_t page = 1; page < 4; ++page) {
    MtrBuilder more;
    MakePage(more, {space.id, page}, innodb::kPageBlob);
    Append(more);
  }
}

void ChainServer::DropTable() {
  if (spaces_.size() < 5) return;
  const auto space = spaces_.begin() + 4 + Random(static_cast<uint32_t>(spaces_.size()) - 4);
  Append(MtrBuilder().FileDelete(space->id, "./" + space->name));
  others_.erase(space->name.substr(0, space->name.size() - 4) + ".frm");
  named_.erase(space->id);
  spaces_.erase(space);
}

void ChainServer::RenameTable() {
  Space& space = AnyTable();
  std::string name = fmt::format("db{}/r{}.ibd", Random(2) == 0 ? "" : "2", ++last_name_);
  // Two tables swap their names.
  Space& other = AnyTable();
  if (other.id != space.id && Random(2) == 0) {
    const std::string theirs = other.name;
    Append(MtrBuilder().FileRename(other.id, "./" + theirs, "./" + name));
    Append(MtrBuilder().FileRename(space.id, "./" + space.name, "./" + theirs));
    Append(MtrBuilder().FileRename(other.id, "./" + name, "./" + space.name));
    other.name = space.name;
    name = theirs;
  } else {
    Append(MtrBuilder().FileRename(space.id, "./" + space.name, "./" + name));
  }
  space.name = name;
}

// DISCARD and IMPORT: another file with pages of LSN 0, of which the redo says nothing.
void ChainServer::ImportTable() {
  Space& space = AnyTable();
  Append(MtrBuilder().FileDelete(space.id, "./" + space.name));
  named_.erase(space.id);
  space.generation = ++last_generation_;
  const auto size = 5 + Random(6);
  space.pages.assign(size, {});
  for (uint32_t number = 0; number < size; ++number) {
    std::string page = number == 0
                           ? MakeFirstPage(Flags(), space.id, size, 0)
                           : testing::MakePage(kPageSize, {space.id, number}, 0, innodb::kPageBlob);
    const std::string text = fmt::format("imported {}", Random(1000));
    if (number != 0) page.replace(200, text.size(), text);
    innodb::SealPage(MutableBytes(page), Flags(), {space.id, number});
    space.pages[number].pool = page;
    space.pages[number].disk = page;
  }
}

void ChainServer::TruncateUndo() {
  Space& space = *FindSpace(kUndoId);
  // What is on the disk stays there until it is written.
  space.pages.resize(kUndoPages);
  for (Page& page : space.pages)
    page = {.pool = {}, .disk = page.disk, .dirty_since = 0, .is_free = false};
  MtrBuilder mtr;
  mtr.TrimPages(kUndoId, kUndoPages);
  AppendFirstPage(mtr, kUndoId, kUndoPages);
  MakePage(mtr, {kUndoId, 1}, innodb::kPageBlob);
  Append(mtr);
}

void ChainServer::ChangeFiles() {
  switch (Random(7)) {
    case 0:
    case 1: CreateTable(); break;
    case 2: DropTable(); break;
    case 3:
    case 4: RenameTable(); break;
    case 5: has_imports_ ? ImportTable() : RenameTable(); break;
    default: TruncateUndo(); break;
  }
}

// Page by page, while the server goes on; what is new or replaced since, at the end.
std::map<SpaceId, ChainServer::Copy> ChainServer::CopyPages() {
  std::map<SpaceId, Copy> copies;
  std::vector<SpaceId> ids;
  for (const Space& space : spaces_)
    ids.push_back(space.id);
  for (const SpaceId id : ids) {
    Copy copy;
    for (uint32_t number = 0;; ++number) {
      const Space* space = FindSpace(id);
      if (space == nullptr || number >= space->pages.size()) break;
      if (number == 0) copy.generation = space->generation;
      if (copy.generation != space->generation) break;
      copy.pages.push_back(space->pages[number].disk);
      if (Random(4) == 0) Work(static_cast<int>(Random(3)));
      if (Random(60) == 0) ChangeFiles();
    }
    copies[id] = std::move(copy);
  }
  for (const Space& space : spaces_) {
    Copy& copy = copies[space.id];
    if (copy.generation != space.generation) {
      copy.generation = space.generation;
      copy.pages.clear();
      for (const Page& page : space.pages)
        copy.pages.push_back(page.disk);
    }
    copy.pages.resize(space.pages.size());
  }
  return copies;
}

manifest::BackupManifest ChainServer::NewManifest() const {
  manifest::BackupManifest manifest;
  manifest.hbk_version = "test";
  manifest.backup_uuid = fmt::format("uuid-{}", taken_.size());
  manifest.server.uid = "server";
  manifest.server.version = "10.11.19-MariaDB";
  manifest.server.page_size = kPageSize;
  manifest.server.data_file_path = "ibdata1:4096:autoextend";
  manifest.redo_creator = "MariaDB 10.11.19";
  manifest.databases = {"db", "db2"};
  return manifest;
}

std::string ChainServer::LogFrom(Lsn start, bool is_checkpoint) const {
  LogBuilder log(start, kLogBytes);
  log.SetCheckpoint({.checkpoint_lsn = start, .end_lsn = is_checkpoint ? checkpoint_end_lsn_ : 0});
  Lsn lsn = kFirstLsn;
  LogBuilder all(kFirstLsn, kLogBytes);
  for (const Mtr& mtr : mtrs_) {
    if (lsn >= start) log.Append(mtr.body);
    lsn = all.Append(mtr.body);
  }
  HBK_CHECK(log.end_lsn() == log_.end_lsn());
  // The log of a backup ends with its file.
  return log.file().substr(0, log.geometry().OffsetOf(log.end_lsn()));
}

size_t ChainServer::TakeFull(MemFileSystem& fs, const std::string& dir) {
  Taken taken;
  taken.manifest = NewManifest();
  const Lsn start = checkpoint_lsn_;
  const Lsn end_of_checkpoint = checkpoint_end_lsn_;
  const auto copies = CopyPages();
  for (const Space& space : spaces_) {
    std::string bytes;
    for (const std::string& page : copies.at(space.id).pages)
      bytes += page.empty() ? Zeros() : page;
    fs.PutFile(dir + "/" + space.name, bytes);
    ManifestFile file = NewFile(space.name, KindOf(space.id));
    file.size = bytes.size();
    file.digest = filter::DigestOf(AsBytes(bytes));
    taken.has_unknown |= IsZero(copies.at(space.id).pages[0]);
    if (!IsZero(copies.at(space.id).pages[0])) {
      file.space = manifest::SpaceFacts{space.id, kPageSize, kFlags};
      taken.generations[space.id] = space.generation;
    }
    taken.manifest.files.push_back(file);
  }
  checkpoint_end_lsn_ = end_of_checkpoint;
  return Finish(fs, dir, std::move(taken), start, true, nullptr);
}

size_t ChainServer::TakeIncrement(MemFileSystem& fs, const std::string& dir, size_t base_number) {
  const Taken& base = taken_[base_number];
  Taken taken;
  taken.manifest = NewManifest();
  const Lsn base_end = base.manifest.last_lsn;
  taken.manifest.base = manifest::BaseBackup{base.manifest.backup_uuid, "hbk", base_end};
  if (base.is_theirs) taken.manifest.base = manifest::BaseBackup{"", "mariadb-backup", base_end};
  const bool has_unwritten = std::any_of(spaces_.begin(), spaces_.end(), [](const Space& space) {
    return IsZero(space.pages[0].disk);
  });
  const bool is_checkpoint = checkpoint_lsn_ >= base_end || base.has_unknown || has_unwritten;
  const Lsn start = is_checkpoint ? checkpoint_lsn_ : base_end;
  const Lsn end_of_checkpoint = checkpoint_end_lsn_;
  const auto copies = CopyPages();
  for (const Space& space : spaces_) {
    const std::vector<std::string>& pages = copies.at(space.id).pages;
    ManifestFile file = NewFile(space.name, KindOf(space.id));
    file.size = pages.size() * kPageSize;
    if (IsZero(pages[0])) {
      std::string bytes;
      for (const std::string& page : pages)
        bytes += page.empty() ? Zeros() : page;
      fs.PutFile(dir + "/" + space.name, bytes);
      file.digest = filter::DigestOf(AsBytes(bytes));
      taken.has_unknown = true;
      taken.manifest.files.push_back(file);
      continue;
    }
    file.space = manifest::SpaceFacts{space.id, kPageSize, kFlags};
    taken.generations[space.id] = space.generation;
    const auto known = base.generations.find(space.id);
    file.content = FileContent::kDelta;
    file.replaces_base =
        !base.is_theirs && (known == base.generations.end() || known->second != space.generation);
    fs.PutDirectory(io::DirName(dir + "/" + space.name));
    delta::DeltaWriter writer(fs, dir + "/" + space.name + std::string(delta::kDeltaSuffix),
                              {.page_size = kPageSize, .space_id = space.id});
    for (uint32_t number = 0; number < pages.size();) {
      std::string run;
      uint32_t end = number;
      const auto is_wanted = [&](const std::string& page) {
        return !IsZero(page) && (file.replaces_base || LsnOf(page) > base_end);
      };
      while (end < pages.size() && is_wanted(pages[end]))
        run += pages[end++];
      if (!run.empty()) HBK_CHECK(writer.Append(number, end - number, AsBytes(run)).ok());
      number = std::max(end, number + 1);
    }
    const auto summary = writer.Finish();
    HBK_CHECK(summary.ok());
    file.delta_size = summary->size;
    // As a backup that is complete: synced.
    const std::string delta = dir + "/" + space.name + std::string(delta::kDeltaSuffix);
    if (summary->size != 0) fs.PutFile(delta, fs.Contents(delta));
    file.digest = summary->digest;
    if (summary->size == 0 && !file.replaces_base && Random(2) == 0) {
      file.content = FileContent::kBase;
      file.delta_size = 0;
    }
    taken.manifest.files.push_back(file);
  }
  checkpoint_end_lsn_ = end_of_checkpoint;
  // Nothing is known of other files of theirs.
  return Finish(fs, dir, std::move(taken), start, is_checkpoint, base.is_theirs ? nullptr : &base);
}

size_t ChainServer::TakeFullAsTheirs(MemFileSystem& fs, const std::string& dir) {
  const size_t number = TakeFull(fs, dir);
  MakeTheirs(fs, dir, 0);
  return number;
}

size_t ChainServer::TakeIncrementAsTheirs(MemFileSystem& fs, const std::string& dir,
                                          size_t base_number) {
  Taken taken;
  taken.manifest = NewManifest();
  const Lsn from_lsn = taken_[base_number].manifest.to_lsn;
  const Lsn start = checkpoint_lsn_;
  const Lsn end_of_checkpoint = checkpoint_end_lsn_;
  std::map<SpaceId, std::string> names;
  for (const Space& space : spaces_)
    if (space.made_lsn < start) names[space.id] = space.name;
  for (const std::string database : {"db", "db2"})
    fs.PutDirectory(dir + "/" + database);
  const auto copies = CopyPages();
  for (const Space& space : spaces_) {
    const auto name = names.find(space.id);
    PutTheirFile(fs, dir, space, copies.at(space.id).pages, name == names.end() ? "" : name->second,
                 from_lsn);
    if (name != names.end()) names.erase(name);
  }
  // Those that were dropped meanwhile have their deltas.
  for (const auto& [id, name] : names) {
    fs.PutFile(dir + "/" + name.substr(0, name.size() - 4) + ".del", "");
    PutTheirFile(fs, dir, {.id = id, .name = name, .pages = {}}, {}, name, from_lsn);
  }
  checkpoint_end_lsn_ = end_of_checkpoint;
  const size_t number = Finish(fs, dir, std::move(taken), start, true, nullptr);
  MakeTheirs(fs, dir, from_lsn);
  return number;
}

// Of a table that was made since the checkpoint, all of it.
void ChainServer::PutTheirFile(MemFileSystem& fs, const std::string& dir, const Space& space,
                               const std::vector<std::string>& pages, const std::string& delta_name,
                               Lsn from_lsn) const {
  const auto without_suffix = [](const std::string& name) {
    return name.substr(0, name.size() - 4);
  };
  if (delta_name.empty()) {
    std::string bytes;
    for (const std::string& page : pages)
      bytes += page.empty() ? Zeros() : page;
    fs.PutFile(dir + "/" + without_suffix(space.name) + ".new", bytes);
    return;
  }
  std::string head = "XTRA";
  std::string images;
  for (uint32_t number = 0; number < pages.size(); ++number) {
    if (LsnOf(pages[number]) <= from_lsn) continue;
    head += Be32(number);
    images += pages[number];
  }
  HBK_CHECK(head.size() < kPageSize);
  head += Be32(UINT32_MAX);
  head.resize(kPageSize);
  fs.PutFile(dir + "/" + delta_name + ".delta", head + images);
  fs.PutFile(dir + "/" + delta_name + ".meta",
             fmt::format("page_size = {}\nzip_size = 0 \nspace_id = {}\n", kPageSize, space.id));
  if (delta_name != space.name)
    fs.PutFile(dir + "/" + without_suffix(delta_name) + ".ren", without_suffix(space.name));
}

// What Finish has made of the last backup, as mariadb-backup leaves it.
void ChainServer::MakeTheirs(MemFileSystem& fs, const std::string& dir, Lsn from_lsn) {
  Taken& taken = taken_.back();
  taken.is_theirs = true;
  HBK_CHECK(fs.Remove(dir + "/hbk_manifest.json").ok());
  HBK_CHECK(fs.SyncDirectory(dir).ok());
  fs.PutFile(dir + "/xtrabackup_info",
             fmt::format("uuid = {}\ntool_name = mariadb-backup\n", taken.manifest.backup_uuid));
  fs.PutFile(dir + "/xtrabackup_checkpoints",
             fmt::format("backup_type = {}\nfrom_lsn = {}\nto_lsn = {}\nlast_lsn = {}\n",
                         from_lsn == 0 ? "full-backuped" : "incremental", from_lsn,
                         taken.manifest.to_lsn, taken.manifest.last_lsn));
}

size_t ChainServer::Finish(MemFileSystem& fs, const std::string& dir, Taken taken, Lsn start,
                           bool is_checkpoint, const Taken* base) {
  const auto put = [&](const std::string& name, const std::string& kind, const std::string& bytes) {
    fs.PutFile(dir + "/" + name, bytes);
    ManifestFile file = NewFile(name, kind);
    file.size = bytes.size();
    file.digest = filter::DigestOf(AsBytes(bytes));
    taken.manifest.files.push_back(file);
  };
  manifest::BackupManifest& manifest = taken.manifest;
  put("ib_logfile0", "redo-log", LogFrom(start, is_checkpoint));
  put("xtrabackup_checkpoints", "metadata",
      fmt::format("backup_type = {}\nfrom_lsn = {}\nto_lsn = {}\nlast_lsn = {}\n",
                  base == nullptr ? "full-backuped" : "incremental",
                  base == nullptr ? 0 : base->manifest.last_lsn, start, log_.end_lsn()));
  put("backup-my.cnf", "metadata",
      fmt::format("[mysqld]\ninnodb_data_file_path=ibdata1:4096:autoextend\ninnodb_page_size={}\n"
                  "innodb_undo_tablespaces=1\n",
                  kPageSize));
  put("xtrabackup_info", "metadata",
      fmt::format("uuid = {}\ntool_name = hbk\n", manifest.backup_uuid));
  for (const auto& [name, bytes] : others_) {
    const std::string kind = name.ends_with(".frm") ? "definition" : "myisam-table";
    if (base != nullptr && base->others.contains(name) && base->others.at(name) == bytes) {
      ManifestFile file = NewFile(name, kind);
      file.size = bytes.size();
      file.digest = filter::DigestOf(AsBytes(bytes));
      file.content = FileContent::kBase;
      manifest.files.push_back(file);
    } else {
      put(name, kind, bytes);
    }
  }
  taken.others = others_;
  manifest.start_checkpoint_lsn = start;
  manifest.to_lsn = checkpoint_lsn_;
  manifest.last_lsn = log_.end_lsn();
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.name < b.name; });
  fs.PutDirectory(dir + "/db");
  fs.PutDirectory(dir + "/db2");
  fs.PutFile(dir + "/hbk_manifest.json", manifest::RenderManifest(manifest));
  taken_.push_back(std::move(taken));
  // The log has gone on past the checkpoint that was put back for its file.
  Checkpoint();
  return taken_.size() - 1;
}

std::map<std::string, std::string> ChainServer::Files() const {
  std::map<std::string, std::string> files;
  for (const Space& space : spaces_) {
    std::string& bytes = files[space.name];
    for (const Page& page : space.pages)
      bytes += page.pool.empty() ? Zeros() : page.pool;
  }
  return files;
}

bool ChainServer::IsFree(const std::string& file, uint32_t page) const {
  for (const Space& space : spaces_)
    if (space.name == file && page < space.pages.size()) return space.pages[page].is_free;
  return true;
}

}  // namespace hbk::testing

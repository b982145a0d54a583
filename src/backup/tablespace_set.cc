#include "tablespace_set.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hbk/innodb/page.h"

#include "increment_base.h"
#include "target_files.h"

namespace hbk::backup {

namespace {

using datadir::FileKind;

constexpr size_t kNewTablePages = 4;  // the size of a new table's file
constexpr int64_t kStampPatienceNs = 2'000'000'000;

FileStamp StampOf(const io::FileInfo& info) {
  return {info.size, info.mtime_ns, info.ctime_ns};
}

CopyJob MakeJob(const datadir::DataFile& file, bool is_locked) {
  CopyJob job;
  job.name = file.name;
  job.source_path = file.source_path;
  job.method = file.kind == FileKind::kUndoTablespace ? CopyMethod::kUndo : CopyMethod::kTablespace;
  job.size_hint = file.info.size;
  job.ddl_may_run = !is_locked;
  job.under_lock = is_locked;
  return job;
}

FileKind KindOf(const CopyJob& job) {
  switch (job.method) {
    case CopyMethod::kSystem: return FileKind::kSystemTablespace;
    case CopyMethod::kUndo: return FileKind::kUndoTablespace;
    default: return FileKind::kTablespace;
  }
}

// The id in page 0, and whether there is anything. The whole page is not checked here: the file
// was, or will be, when it was copied.
Status ReadSpaceId(io::FileSystem& fs, FoundSpace& found) {
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(found.path, {}));
  std::array<uint8_t, innodb::kPageSizeMin> head{};
  HBK_ASSIGN_OR_RETURN(const size_t got, file->ReadAt(0, head));
  found.is_blank = IsAllZero(head);
  const SpaceId id = innodb::PageSpaceId(head);
  const bool is_valid = got == head.size() && id != innodb::kSystemSpaceId &&
                        id < innodb::kSpaceIdEnd && id == LoadBe32(head, innodb::kFspSpaceId) &&
                        innodb::PageNumber(head) == 0;
  if (is_valid) found.id = id;
  return OkStatus();
}

}  // namespace

Result<bool> HasBlankTable(io::FileSystem& fs, const datadir::Scan& scan,
                           const IncrementBase& base) {
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind != FileKind::kTablespace || base.HasFirstPageOf(io::IdentityOf(file.info)))
      continue;
    FoundSpace found{.name = file.name, .id = std::nullopt, .path = file.source_path};
    const Status status = ReadSpaceId(fs, found);
    if (status.code() == StatusCode::kNotFound) continue;
    HBK_RETURN_IF_ERROR(status);
    if (found.is_blank) return true;
  }
  return false;
}

Status TablespaceSet::CopyAll(const datadir::Scan& scan, const datadir::Layout& layout,
                              const OpenSpaces& open, std::stop_token stop) {
  open_ = open;
  begun_ns_ = std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  for (const datadir::DataFile& file : scan.files)
    if (file.kind == FileKind::kTablespace) scanned_.emplace(file.info.inode, file.info.birth_ns);
  std::vector<SystemFileSource> system_files;
  for (const datadir::SystemFile& file : layout.system_files)
    system_files.push_back({std::string(io::BaseName(file.path)), layout.SystemFilePath(file)});
  HBK_ASSIGN_OR_RETURN(std::vector<CopyJob> jobs, MakeSystemJobs(fs_, system_files, page_size_));
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind == FileKind::kUndoTablespace || file.kind == FileKind::kTablespace)
      jobs.push_back(MakeJob(file, /*is_locked=*/false));
  }
  HBK_ASSIGN_OR_RETURN(const auto results, copier_.Copy(jobs, stop));
  return NoteResults(jobs, results, CopyStage::kStart);
}

Status TablespaceSet::NoteResults(const std::vector<CopyJob>& jobs,
                                  const std::vector<CopyResult>& results, CopyStage stage) {
  HBK_CHECK(jobs.size() == results.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    const CopyResult& result = results[i];
    counts_.retried_pages += result.retried_pages;
    for (const KeyUse& key : result.keys)
      record_.keys.insert({key.id, key.version});
    if (result.outcome == CopyOutcome::kCopied) {
      record_.AddCopied(KindOf(jobs[i]), stage, result);
      counts_.skipped += result.is_skipped ? 1 : 0;
      counts_.read_in_part += result.is_read_in_part ? 1 : 0;
      NoteDamage(result);
      if (jobs[i].method == CopyMethod::kTablespace)
        NoteCopy(Describe(result, stage != CopyStage::kStart));
      continue;
    }
    if (jobs[i].method != CopyMethod::kTablespace) {
      return CorruptionError(
          fmt::format("{} has no valid first page, or vanished", jobs[i].source_path));
    }
    if (stage == CopyStage::kStart) {  // BLOCK_DDL will see what became of it.
      if (result.outcome == CopyOutcome::kDeferred) NoteBlank(result);
      continue;
    }
    record_.warnings.push_back(
        fmt::format("{} is left out: its first page was never written and the redo log does not "
                    "know it",
                    jobs[i].source_path));
  }
  return OkStatus();
}

// It is blank still if nothing was written to it since, which would show.
void TablespaceSet::NoteBlank(const CopyResult& result) {
  const bool is_at_rest =
      std::max(result.before.mtime_ns, result.before.ctime_ns) + kStampPatienceNs < begun_ns_;
  if (is_at_rest && result.before.birth_ns != 0)
    blank_[{result.before.inode, result.before.birth_ns}] = StampOf(result.before);
}

// IMPORT TABLESPACE rewrites a file page by page, and logs none of it: a copy taken meanwhile is of
// no use, though each page of it is good. The table was discarded before, so the server did not
// have its tablespace open. What may be copied is therefore a file that was there when the data
// directory was listed, of a tablespace that was open before and after; or one of a table that was
// made since. Of all others only what nobody has written to.
bool TablespaceSet::IsTrusted(const CopyResult& result) const {
  const bool is_scanned = scanned_.count({result.before.inode, result.before.birth_ns}) != 0;
  if (is_scanned) return open_.ids.count(result.space_id) != 0;
  return result.space_id > open_.max_id;
}

CopiedSpace TablespaceSet::Describe(const CopyResult& result, bool is_locked) const {
  CopiedSpace copy{result.name, result.space_id, result.before.inode, result.before.birth_ns};
  copy.is_trusted = is_locked || IsTrusted(result);
  // Times of files are coarse: a write that follows another one at once may not show.
  const bool is_at_rest =
      StampOf(result.before) == StampOf(result.after) &&
      std::max(result.after.mtime_ns, result.after.ctime_ns) + kStampPatienceNs < begun_ns_;
  if (is_at_rest) copy.stamp = StampOf(result.after);
  return copy;
}

void TablespaceSet::NoteCopy(CopiedSpace copy) {
  if (copy.birth_ns != 0 && copy.is_trusted) trusted_[copy.inode] = {copy.birth_ns, copy.id};
  copied_.push_back(std::move(copy));
}

const TablespaceSet::TrustedCopy* TablespaceSet::FindTrusted(const io::FileInfo& file) const {
  const auto copy = trusted_.find(file.inode);
  const bool is_there = copy != trusted_.end() && copy->second.birth_ns == file.birth_ns;
  return is_there ? &copy->second : nullptr;
}

void TablespaceSet::NoteDamage(const CopyResult& result) {
  if (result.damaged_pages.empty()) return;
  DamagedFile& file = record_.damaged[result.name];
  file.space_id = result.space_id;
  file.pages = result.damaged_pages;
}

// A file without a table: neither does the server know it, nor can it be said what it is of. The
// helpers of a FULLTEXT or vector index have no definition of their own.
void TablespaceSet::WarnOfOrphans(const datadir::Scan& scan) {
  std::set<std::string> tables;
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind == FileKind::kDefinition && file.name.ends_with(".frm"))
      tables.insert(file.name.substr(0, file.name.size() - 4));
  }
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind != FileKind::kTablespace) continue;
    const std::string_view base = io::BaseName(file.name);
    if (base.starts_with("FTS_")) continue;
    const size_t directory_bytes = file.name.size() - base.size();
    const size_t hash = base.find('#');
    const size_t table_bytes = hash != std::string_view::npos ? hash : base.rfind('.');
    if (tables.count(file.name.substr(0, directory_bytes + table_bytes)) != 0) continue;
    record_.warnings.push_back(
        fmt::format("{} belongs to no table (there is no .frm): it is in the backup all the same",
                    file.source_path));
  }
}

Status TablespaceSet::LeaveOutStrangers(std::vector<FoundSpace>& found, const ListOpen& list_open) {
  if (!HasDuplicateIds(found)) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto open, list_open());
  std::map<SpaceId, std::string> names;
  for (const server::TablespaceRow& row : open)
    names[row.space_id] = row.name;
  for (const std::string& name : TakeOutStrangers(found, names)) {
    record_.warnings.push_back(
        fmt::format("{} is left out: it has the tablespace id of another table, and is not in use "
                    "(a file for IMPORT TABLESPACE?)",
                    name));
  }
  return OkStatus();
}

Status TablespaceSet::DecideEarly(datadir::Scan& scan, const SpaceChanges* changes) {
  HBK_CHECK(aside_.empty());
  HBK_ASSIGN_OR_RETURN(const std::vector<FoundSpace> found, Identify(scan, /*may_vanish=*/true));
  std::unordered_set<std::string_view> names;  // of `found`
  std::vector<bool> is_aside(copied_.size());
  for (const DecidedSpace& space : FindDecided(copied_, found, changes)) {
    const std::string& name = found[space.found].name;
    const std::string database(io::DirName(name));
    if (!scan.settled.contains(database)) continue;
    names.insert(name);
    aside_of_[space.id] = database;
    Decided& decided = aside_[database];
    if (space.copy) {
      is_aside[*space.copy] = true;
      decided.copies.push_back(copied_[*space.copy]);
    } else {
      decided.left_to_redo.push_back(name);
    }
  }
  std::vector<CopiedSpace> rest;
  for (size_t i = 0; i < copied_.size(); ++i)
    if (!is_aside[i]) rest.push_back(std::move(copied_[i]));
  copied_ = std::move(rest);
  datadir::SetAside(scan, [&names](const datadir::DataFile& file) {
    return file.kind == FileKind::kTablespace && names.contains(file.name);
  });
  return OkStatus();
}

// Everything of the database is to be decided anew.
void TablespaceSet::TakeBack(const std::string& database) {
  const auto aside = aside_.find(database);
  if (aside == aside_.end()) return;
  std::ranges::move(aside->second.copies, std::back_inserter(copied_));
  aside_.erase(aside);
}

// What was decided early counts as long as its directory is as it was, the log tells nothing of its
// files, and no other file has the id of one of them.
Result<std::vector<FoundSpace>> TablespaceSet::BringBackAndIdentify(datadir::Scan& scan,
                                                                    const SpaceChanges& news) {
  std::set<std::string> databases;
  for (const auto& [database, decided] : aside_)
    if (!scan.aside.contains(database)) databases.insert(database);
  const auto doubt = [&](SpaceId id) {
    const auto database = aside_of_.find(id);
    if (database != aside_of_.end() && aside_.contains(database->second))
      databases.insert(database->second);
  };
  for (const auto& [id, change] : news)
    if (TellsOfFile(change)) doubt(id);
  while (true) {
    for (const std::string& database : databases) {
      datadir::BringBack(scan, database);
      TakeBack(database);
    }
    databases.clear();
    HBK_ASSIGN_OR_RETURN(std::vector<FoundSpace> found, Identify(scan, /*may_vanish=*/false));
    for (const FoundSpace& file : found)
      if (file.id) doubt(*file.id);
    if (databases.empty()) return found;
  }
}

Status TablespaceSet::FollowDdl(datadir::Scan& scan, const SpaceChanges* changes,
                                const SpaceChanges& news, const ListOpen& list_open,
                                std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(std::vector<FoundSpace> found, BringBackAndIdentify(scan, news));
  HBK_RETURN_IF_ERROR(LeaveOutStrangers(found, list_open));
  HBK_ASSIGN_OR_RETURN(const ReconcilePlan plan, Reconcile(copied_, found, changes));
  counts_.renamed = plan.renames.size();
  counts_.removed = plan.removes.size();
  counts_.copied_late = plan.copies.size();
  HBK_RETURN_IF_ERROR(Remove(plan.removes));
  HBK_RETURN_IF_ERROR(Rename(plan.renames));
  left_to_redo_ = plan.left_to_redo;
  for (const auto& [database, decided] : aside_)
    left_to_redo_.insert(left_to_redo_.end(), decided.left_to_redo.begin(),
                         decided.left_to_redo.end());
  counts_.left_to_redo = left_to_redo_.size();
  return CopyLate(plan.copies, scan, stop);
}

Result<std::vector<FoundSpace>> TablespaceSet::Identify(const datadir::Scan& scan,
                                                        bool may_vanish) const {
  std::vector<FoundSpace> found;
  found.reserve(scan.files.size());
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind != FileKind::kTablespace) continue;
    found.push_back({file.name, std::nullopt, file.info.inode, file.source_path, file.info.birth_ns,
                     StampOf(file.info)});
    if (const TrustedCopy* copy = FindTrusted(file.info)) {
      found.back().id = copy->id;
      continue;
    }
    const auto blank = blank_.find({file.info.inode, file.info.birth_ns});
    if (blank != blank_.end() && blank->second == StampOf(file.info)) continue;
    const Status status = ReadSpaceId(fs_, found.back());
    if (may_vanish && status.code() == StatusCode::kNotFound) {
      found.pop_back();
    } else {
      HBK_RETURN_IF_ERROR(status);
    }
  }
  return found;
}

Status TablespaceSet::Remove(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    HBK_RETURN_IF_ERROR(RemoveCopy(fs_, target_dir_, name, record_));
    copied_.erase(std::find_if(copied_.begin(), copied_.end(),
                               [&name](const CopiedSpace& copy) { return copy.name == name; }));
  }
  return OkStatus();
}

Status TablespaceSet::Rename(const std::vector<std::pair<std::string, std::string>>& renames) {
  HBK_RETURN_IF_ERROR(RenameCopies(fs_, target_dir_, renames, record_));
  const std::map<std::string, std::string> new_names(renames.begin(), renames.end());
  for (CopiedSpace& copy : copied_) {
    const auto renamed = new_names.find(copy.name);
    if (renamed != new_names.end()) copy.name = renamed->second;
  }
  return OkStatus();
}

Status TablespaceSet::CopyLate(const std::vector<std::string>& names, const datadir::Scan& scan,
                               std::stop_token stop) {
  std::vector<CopyJob> jobs;
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind == FileKind::kTablespace &&
        std::find(names.begin(), names.end(), file.name) != names.end())
      jobs.push_back(MakeJob(file, /*is_locked=*/true));
  }
  if (jobs.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto results, copier_.Copy(jobs, stop));
  return NoteResults(jobs, results, CopyStage::kBlockDdl);
}

// The log describes such a table from its first byte on. mariadb-backup --prepare still wants a
// file to be there: what CREATE TABLE leaves, pages of zeros.
Status TablespaceSet::CompleteAfterEnd(const datadir::Scan& scan) {
  WarnOfOrphans(scan);
  const std::vector<uint8_t> zeros(kNewTablePages * page_size_);
  for (const std::string& name : left_to_redo_) {
    const std::string path = io::JoinPath(target_dir_, name);
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, io::DirName(path), 0700));
    HBK_ASSIGN_OR_RETURN(const CopyResult written,
                         copier_.WriteBytes(name, zeros, /*replace=*/false, /*under_lock=*/true));
    record_.AddFile(name, FileKind::kTablespace, CopyStage::kEnd, written.size, written.digest);
  }
  return OkStatus();
}

Status TablespaceSet::CheckComplete(const SpaceChanges& changes) const {
  std::vector<SpaceId> ids;
  for (const CopiedSpace& copy : copied_)
    ids.push_back(copy.id);
  for (const auto& [database, decided] : aside_)
    for (const CopiedSpace& copy : decided.copies)
      ids.push_back(copy.id);
  static const std::map<SpaceId, std::string> kNone;
  const std::vector<std::string> missing =
      FindMissingSpaces(ids, changes, copier_.base() != nullptr ? copier_.base()->tables() : kNone);
  if (missing.empty()) return OkStatus();
  return FailedError(fmt::format("the redo log changes tablespaces that are not in the backup: {}",
                                 fmt::join(missing, ", ")))
      .WithHint("run the backup again; if it fails again, look for these files");
}

}  // namespace hbk::backup

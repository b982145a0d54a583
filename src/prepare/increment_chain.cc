#include "increment_chain.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "damaged_pages.h"
#include "file_layer.h"
#include "parallel.h"
#include "prepared_state.h"

namespace hbk::prepare {
namespace {

using manifest::BackupManifest;
using manifest::FileContent;
using manifest::ManifestFile;

std::vector<std::string> UuidsOf(const IncrementList& increments) {
  std::vector<std::string> uuids;
  uuids.reserve(increments.size());
  for (const auto& increment : increments)
    uuids.push_back(increment->manifest().backup_uuid);
  return uuids;
}

// A manifest of a version that did not write what tablespaces there are, or none at all.
bool TellsSpaces(const BackupSet& base) {
  return base.manifest.has_value() &&
         std::any_of(base.manifest->files.begin(), base.manifest->files.end(),
                     [](const ManifestFile& file) { return file.space.has_value(); });
}

// An earlier run came to its end with these increments, and was killed before it had cleaned up.
bool IsSumOf(const BackupSet& base, const LayingState& state) {
  if (!base.is_prepared || !base.manifest.has_value()) return false;
  const std::vector<std::string>& merged = base.manifest->merged;
  const std::vector<std::string> uuids = state.Uuids();
  return merged.size() >= uuids.size() && std::equal(uuids.rbegin(), uuids.rend(), merged.rbegin());
}

std::set<manifest::EncryptionKeyUse> KeysOf(const BackupSet& base,
                                            const IncrementList& increments) {
  std::set<manifest::EncryptionKeyUse> keys;
  if (base.manifest.has_value())
    keys.insert(base.manifest->encryption_keys.begin(), base.manifest->encryption_keys.end());
  for (const auto& increment : increments) {
    const auto& more = increment->manifest().encryption_keys;
    keys.insert(more.begin(), more.end());
  }
  return keys;
}

Status SyncFiles(io::FileSystem& fs, const BackupSet& base, uint32_t worker_count,
                 const std::set<std::string>& names) {
  const std::vector<std::string> list(names.begin(), names.end());
  const auto sync = [&](uint32_t, size_t item) -> Status {
    HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(base.Path(list[item]), {.write = true}));
    HBK_RETURN_IF_ERROR(file->Sync());
    return file->Close();
  };
  HBK_RETURN_IF_ERROR(RunParallel(worker_count, list.size(), sync));
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(base.dir));
  for (const io::DirectoryEntry& entry : root) {
    if (entry.type == io::FileType::kDirectory)
      HBK_RETURN_IF_ERROR(fs.SyncDirectory(base.Path(entry.name)));
  }
  return fs.SyncDirectory(base.dir);
}

}  // namespace

Result<std::unique_ptr<IncrementChain>> IncrementChain::Open(io::FileSystem& fs,
                                                             const BackupSet& base,
                                                             const std::vector<std::string>& dirs) {
  HBK_ASSIGN_OR_RETURN(std::optional<LayingState> state, LoadLayingState(fs, base.dir));
  const bool is_done = state.has_value() && IsSumOf(base, *state);
  if (dirs.empty() && (!state.has_value() || is_done)) return std::unique_ptr<IncrementChain>();
  IncrementList increments;
  for (const std::string& dir : dirs) {
    HBK_ASSIGN_OR_RETURN(auto increment, OpenIncrement(fs, dir));
    increments.push_back(std::move(increment));
  }
  const bool is_same = state.has_value() && state->Uuids() == UuidsOf(increments);
  if (is_done && is_same) return std::unique_ptr<IncrementChain>();
  if (is_done) {
    HBK_RETURN_IF_ERROR(RemoveLayingState(fs, base.dir));
    state.reset();
  }
  if (state.has_value() && !is_same) {
    return Status(StatusCode::kChainBroken,
                  fmt::format("an interrupted prepare has begun to apply increments to {}: it can "
                              "only be finished, with the same ones",
                              base.dir))
        .WithHint(state->Command(base.dir));
  }
  // An earlier run has, and what the base says of itself has changed since.
  if (!state.has_value()) HBK_RETURN_IF_ERROR(CheckChain(base, increments));
  std::unique_ptr<IncrementChain> chain(new IncrementChain(std::move(increments)));
  chain->state_ = std::move(state);
  return chain;
}

uint64_t IncrementChain::bytes() const {
  uint64_t sum = 0;
  for (const auto& increment : increments_) {
    for (const ManifestFile& file : increment->manifest().files) {
      if (file.content == FileContent::kWhole) sum += file.size;
      if (file.content == FileContent::kDelta) sum += file.delta_size;
    }
  }
  return sum;
}

const keys::Settings& IncrementChain::SettingsOr(const keys::Settings& otherwise) const {
  const keys::Settings& newest = increments_.back()->manifest().server.settings;
  return newest.empty() ? otherwise : newest;
}

Status IncrementChain::Verify(const BackupSet& base, crypto::KeySource& keys, uint32_t worker_count,
                              const std::stop_token& stop) {
  for (const auto& increment : increments_)
    HBK_RETURN_IF_ERROR(increment->Verify(worker_count, stop));
  for (const manifest::EncryptionKeyUse& use : KeysOf(base, increments_)) {
    const Status found = keys.GetKey(use.key_id, use.key_version).status();
    if (found.code() == StatusCode::kMissingKey)
      return found.WithHint("give the keys that the server had");
    HBK_RETURN_IF_ERROR(found);
  }
  return OkStatus();
}

Status IncrementChain::Plan(io::FileSystem& fs, const BackupSet& base) {
  ChainInput input;
  input.base_dir = base.dir;
  HBK_ASSIGN_OR_RETURN(input.base, ListBaseFiles(fs, base));
  input.is_base_named = state_.has_value() && state_->phase != LayingPhase::kBegun;
  bool is_base_unknown = !TellsSpaces(base);
  for (const auto& increment : increments_) {
    input.parts.push_back({.dir = increment->dir(),
                           .manifest = &increment->manifest(),
                           .runs = &increment->runs(),
                           .has_open_sizes = increment->has_open_sizes(),
                           .is_base_unknown = is_base_unknown || !increment->tells_spaces()});
    is_base_unknown = !increment->tells_spaces();
  }
  HBK_RETURN_IF_ERROR(CheckForeignEngines(input.base));
  HBK_ASSIGN_OR_RETURN(plan_, PlanChain(input));
  filter_ = std::make_unique<ChainFilter>(plan_);
  return OkStatus();
}

// What no increment has of a tablespace that the base has not is made by the redo, or lost.
Status IncrementChain::CheckNewTablespaces(const SpaceLogs& logs) const {
  for (const PlannedTablespace& space : plan_.tablespaces) {
    if (!space.LacksFirstPage()) continue;
    const auto log = logs.spaces.find(space.facts->space_id);
    if (log != logs.spaces.end() && log->second.has_first_page) continue;
    return Status(StatusCode::kChainBroken,
                  fmt::format("{} (tablespace {}) has its first page neither in the base nor in an "
                              "increment, and no redo makes it",
                              space.name, space.facts->space_id))
        .WithHint("is the base the whole of the server?");
  }
  return OkStatus();
}

std::map<innodb::SpaceId, std::string> IncrementChain::KnownFiles() const {
  std::map<innodb::SpaceId, std::string> files;
  for (const PlannedTablespace& space : plan_.tablespaces) {
    if (space.kind == datadir::FileKind::kTablespace && space.facts.has_value())
      files.emplace(space.facts->space_id, space.name);
  }
  return files;
}

Status IncrementChain::CheckForeignEngines(const std::vector<BaseFile>& files) const {
  for (const auto& increment : increments_) {
    if (increment->tells_spaces()) continue;
    for (const BaseFile& file : files) {
      if (file.kind != datadir::FileKind::kMroonga) continue;
      return UnsupportedError(
                 fmt::format("{} is of mariadb-backup, which copies no files of Mroonga, "
                             "and the base has {}",
                             increment->dir(), file.name))
          .WithHint("take increments with hbk");
    }
  }
  return OkStatus();
}

// DISCARD and IMPORT TABLESPACE leave the id as it is, and pages with LSN 0, which mariadb-backup
// takes for unchanged ones.
Status IncrementChain::CheckRedo(const BackupSet& base, const SpaceLogs& logs) const {
  HBK_RETURN_IF_ERROR(CheckNewTablespaces(logs));
  for (const PlannedTablespace& space : plan_.tablespaces) {
    if (!space.facts.has_value()) continue;
    const auto deletion = logs.deletions.find(space.facts->space_id);
    if (deletion == logs.deletions.end()) continue;
    const uint32_t part = logs.PartOf(deletion->first, deletion->second);
    const bool is_by_us =
        part == 0 ? base.manifest.has_value() : increments_[part - 1]->tells_spaces();
    if (is_by_us || (space.is_whole && space.origin >= part)) continue;
    return UnsupportedError(
               fmt::format(
                   "{} (tablespace {}) was discarded at LSN {} and imported again: {}, which "
                   "mariadb-backup made, does not have what was imported",
                   space.name, deletion->first, deletion->second,
                   part == 0 ? base.dir : increments_[part - 1]->dir()))
        .WithHint(
            "take a full backup; increments of hbk have imported tables. Nothing was changed");
  }
  return OkStatus();
}

Status IncrementChain::MergeDamagedPages(io::FileSystem& fs,
                                         manifest::DamagedPageList& damaged) const {
  manifest::DamagedPageList merged;
  const auto add = [&](uint32_t part, const manifest::DamagedPageList& list) {
    for (const auto& space : list.spaces) {
      auto found = std::find_if(merged.spaces.begin(), merged.spaces.end(),
                                [&](const auto& item) { return item.id == space.id; });
      for (const innodb::PageNo page : space.pages) {
        if (!filter_->CountsPage(part, {space.id, page})) continue;
        if (found == merged.spaces.end())
          found = merged.spaces.insert(found, {.name = space.name, .id = space.id, .pages = {}});
        found->pages.insert(page);
      }
    }
  };
  add(0, damaged);
  for (uint32_t part = 1; part <= plan_.last_part; ++part) {
    BackupSet set;
    set.dir = increments_[part - 1]->dir();
    HBK_ASSIGN_OR_RETURN(const auto list, LoadDamagedPages(fs, set));
    add(part, list);
  }
  damaged = std::move(merged);
  return OkStatus();
}

LayingState IncrementChain::NewState() const {
  LayingState state;
  for (const auto& increment : increments_)
    state.increments.push_back(
        {.uuid = increment->manifest().backup_uuid, .dir = increment->dir()});
  return state;
}

Status IncrementChain::SetPhase(io::FileSystem& fs, const BackupSet& base, LayingPhase phase) {
  state_->phase = phase;
  return StoreLayingState(fs, base.dir, *state_);
}

Result<LayCounts> IncrementChain::Lay(io::FileSystem& fs, const BackupSet& base,
                                      const SpaceLogs& logs, uint32_t worker_count,
                                      report::Reporter& reporter, const std::stop_token& stop) {
  if (!state_.has_value()) {
    state_ = NewState();
    HBK_RETURN_IF_ERROR(SetPhase(fs, base, LayingPhase::kBegun));
  }
  // Killed before this was done, the next run finds the state and does it.
  HBK_RETURN_IF_ERROR(MarkUnfinished(fs, base));
  LayCounts counts;
  if (state_->phase == LayingPhase::kLaid) return counts;
  plan_.CutTrimmed(logs);
  const LayInput input{fs, base, increments_, plan_, worker_count, stop};
  reporter.BeginPhase("apply increments", {{"increments", fmt::format("{}", increments_.size())}});
  if (state_->phase == LayingPhase::kBegun) {
    HBK_RETURN_IF_ERROR(LayNames(input));
    HBK_RETURN_IF_ERROR(SetPhase(fs, base, LayingPhase::kNamed));
  }
  std::set<std::string> copied_files;
  HBK_ASSIGN_OR_RETURN(const auto left, LayFiles(input, copied_files));
  for (const std::string& directory : left) {
    reporter.Warning(
        fmt::format("{} is no database any more, and holds something unknown: it is left",
                    base.Path(directory)));
  }
  HBK_ASSIGN_OR_RETURN(counts, LayTablespaces(input, reporter));
  std::set<std::string> all = counts.changed_files;
  all.insert(copied_files.begin(), copied_files.end());
  HBK_RETURN_IF_ERROR(SyncFiles(fs, base, worker_count, all));
  HBK_RETURN_IF_ERROR(SetPhase(fs, base, LayingPhase::kLaid));
  return counts;
}

BackupManifest IncrementChain::SumManifest(const BackupSet& base,
                                           const std::set<std::string>& changed_files) const {
  BackupManifest manifest = increments_.back()->manifest();
  manifest.base.reset();
  manifest.SetPlain();  // however the increments lie there
  if (base.manifest.has_value()) {
    manifest.merged = base.manifest->merged;
    if (manifest.merged.empty()) manifest.merged.push_back(base.manifest->backup_uuid);
  }
  for (const auto& increment : increments_)
    manifest.merged.push_back(increment->manifest().backup_uuid);
  const auto keys = KeysOf(base, increments_);
  manifest.encryption_keys.assign(keys.begin(), keys.end());

  std::map<std::string_view, const ManifestFile*> base_files;
  if (base.manifest.has_value()) {
    for (const ManifestFile& file : base.manifest->files)
      base_files.emplace(file.name, &file);
  }
  std::map<std::string_view, std::string> digests;
  for (const PlannedTablespace& space : plan_.tablespaces) {
    const auto found = base_files.find(space.base_name);
    if (space.origin == 0 && found != base_files.end() && !changed_files.contains(space.name))
      digests[space.name] = found->second->digest;
  }
  for (const PlannedFile& file : plan_.files) {
    const auto found = base_files.find(file.name);
    if (file.part != 0)
      digests[file.name] = file.digest;
    else if (found != base_files.end())
      digests[file.name] = found->second->digest;
  }
  for (ManifestFile& file : manifest.files) {
    file.content = FileContent::kWhole;
    file.delta_size = 0;
    file.replaces_base = false;
    // The list is that of the files, not of what is in them: it may lack tablespaces whose first
    // page the redo makes.
    if (!increments_.back()->tells_spaces()) file.space.reset();
    const auto digest = digests.find(file.name);
    file.digest = digest == digests.end() ? "" : digest->second;
  }
  return manifest;
}

BackupSet IncrementChain::Sum(const BackupSet& base,
                              const std::set<std::string>& changed_files) const {
  BackupSet sum = base;
  sum.manifest = SumManifest(base, changed_files);
  sum.is_prepared = false;
  sum.last_lsn = sum.manifest->last_lsn;
  if (!sum.manifest->server.settings.empty()) sum.settings = sum.manifest->server.settings;
  sum.system_files.clear();
  std::vector<const PlannedTablespace*> system_files;
  for (const PlannedTablespace& space : plan_.tablespaces)
    if (space.kind == datadir::FileKind::kSystemTablespace) system_files.push_back(&space);
  std::sort(system_files.begin(), system_files.end(),
            [](const auto* a, const auto* b) { return a->first_page < b->first_page; });
  for (const PlannedTablespace* space : system_files)
    sum.system_files.push_back(space->name);
  if (sum.metadata.has_value()) {
    sum.metadata->checkpoints.from_lsn = 0;
    sum.metadata->checkpoints.to_lsn = sum.manifest->to_lsn;
    sum.metadata->checkpoints.last_lsn = sum.manifest->last_lsn;
  }
  return sum;
}

}  // namespace hbk::prepare

#include "reconcile.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "hbk/io/file_system.h"

namespace hbk::backup {

namespace {

// True if the log describes the whole life of the tablespace: it needs no copy.
bool RedoRebuilds(const SpaceChanges& changes, SpaceId id) {
  const auto change = changes.find(id);
  return change != changes.end() && change->second.has_first_page && !change->second.is_deleted;
}

// Where the tablespaces that redo rebuilds lie in the end.
class RebuiltNames {
 public:
  explicit RebuiltNames(const SpaceChanges* changes) {
    if (changes == nullptr) return;
    for (const auto& [id, change] : *changes) {
      if (!change.has_first_page || change.is_deleted) continue;
      paths_.insert(change.last_path);
      names_.insert(LastTwoComponents(change.last_path));
    }
  }

  // A path is relative ("./db/t.ibd"), or that of a DATA DIRECTORY, in which the database is the
  // one that the table was created in: RENAME TABLE to another leaves the directory.
  [[nodiscard]] bool Have(const FoundSpace& file) const {
    return names_.count(file.name) != 0 || paths_.count(file.path) != 0;
  }

 private:
  static std::string_view LastTwoComponents(std::string_view path) {
    const size_t last = path.rfind('/');
    if (last == std::string_view::npos || last == 0) return path;
    const size_t before = path.rfind('/', last - 1);
    return before == std::string_view::npos ? path : path.substr(before + 1);
  }

  std::set<std::string_view> paths_;  // of the changes, which outlive this
  std::set<std::string_view> names_;
};

// True if the file needs no copy. Of a log that cannot be read only this is known: a first page
// that was never written is in the server's buffer pool still, so no checkpoint has passed its
// making, and the log holds all that ever happened to the file. A page that has something else is
// damaged: the copier will say so.
bool IsLeftToRedo(const FoundSpace& file, const SpaceChanges* changes,
                  const RebuiltNames& rebuilt) {
  if (changes == nullptr) return !file.id && file.is_blank;
  return file.id ? RedoRebuilds(*changes, *file.id) : rebuilt.Have(file);
}

// False for another file, which was imported or moved here, and for one that may have been
// imported. Where the log can be read it tells of a DISCARD: a new file may have the inode of the
// one before, and not all file systems know births.
bool IsCopyOf(const CopiedSpace& copy, const FoundSpace& file, const SpaceChanges* changes) {
  if (changes != nullptr) {
    const auto change = changes->find(copy.id);
    if (change != changes->end() && change->second.is_deleted) return false;
  }
  if (copy.inode != file.inode || copy.birth_ns != file.birth_ns) return false;
  return copy.is_trusted || copy.stamp == file.stamp;
}

// Under a lock, and as many as there are tables: no trees.
using SpacesById = std::unordered_map<SpaceId, const FoundSpace*>;

Result<SpacesById> IndexById(const std::vector<FoundSpace>& found) {
  SpacesById by_id;
  by_id.reserve(found.size());
  for (const FoundSpace& file : found) {
    if (!file.id) continue;
    const auto entry = by_id.emplace(*file.id, &file);
    if (!entry.second) {
      return CorruptionError(fmt::format("{} and {} are both tablespace {}",
                                         entry.first->second->name, file.name, *file.id))
          .WithHint("move the file that does not belong to a table out of the data directory");
    }
  }
  return by_id;
}

}  // namespace

std::vector<std::string> TakeOutStrangers(std::vector<FoundSpace>& found,
                                          const std::map<SpaceId, std::string>& names) {
  std::map<SpaceId, std::string> owners;  // of ids whose file is among them
  for (const FoundSpace& file : found) {
    const auto name = file.id ? names.find(*file.id) : names.end();
    if (name != names.end() && file.name == name->second + ".ibd") owners[*file.id] = file.name;
  }
  std::vector<std::string> strangers;
  std::erase_if(found, [&](const FoundSpace& file) {
    const auto owner = file.id ? owners.find(*file.id) : owners.end();
    if (owner == owners.end() || owner->second == file.name) return false;
    strangers.push_back(file.name);
    return true;
  });
  return strangers;
}

bool HasDuplicateIds(const std::vector<FoundSpace>& found) {
  std::vector<SpaceId> ids;
  ids.reserve(found.size());
  for (const FoundSpace& file : found)
    if (file.id) ids.push_back(*file.id);
  std::ranges::sort(ids);
  return std::ranges::adjacent_find(ids) != ids.end();
}

Result<ReconcilePlan> Reconcile(const std::vector<CopiedSpace>& copied,
                                const std::vector<FoundSpace>& found, const SpaceChanges* changes) {
  HBK_ASSIGN_OR_RETURN(const auto by_id, IndexById(found));
  ReconcilePlan plan;

  // One copy per id stays: a file that was renamed between two copiers' looks was copied twice.
  std::unordered_map<SpaceId, const CopiedSpace*> kept;
  kept.reserve(copied.size());
  for (const CopiedSpace& copy : copied) {
    const auto file = by_id.find(copy.id);
    if (file == by_id.end() || !IsCopyOf(copy, *file->second, changes)) {
      plan.removes.push_back(copy.name);
      continue;
    }
    const auto entry = kept.emplace(copy.id, &copy);
    if (entry.second) continue;
    const bool is_better = copy.name == file->second->name;
    plan.removes.push_back(is_better ? entry.first->second->name : copy.name);
    if (is_better) entry.first->second = &copy;
  }
  for (const CopiedSpace& copy : copied) {
    const auto entry = kept.find(copy.id);
    if (entry == kept.end() || entry->second != &copy) continue;
    const std::string& name = by_id.at(copy.id)->name;
    if (copy.name != name) plan.renames.emplace_back(copy.name, name);
  }
  const RebuiltNames rebuilt(changes);
  for (const FoundSpace& file : found) {
    if (file.id && kept.count(*file.id) != 0) continue;
    (IsLeftToRedo(file, changes, rebuilt) ? plan.left_to_redo : plan.copies).push_back(file.name);
  }
  return plan;
}

std::vector<std::string> FindMissingSpaces(const std::vector<SpaceId>& copied,
                                           const SpaceChanges& changes,
                                           const std::map<SpaceId, std::string>& base_tables) {
  const std::set<SpaceId> present(copied.begin(), copied.end());
  std::vector<std::string> missing;
  for (const auto& entry : changes) {
    const SpaceChange& change = entry.second;
    if (change.is_deleted || change.has_first_page) continue;
    if (present.count(entry.first) != 0) continue;
    // Other spaces without file records are undo tablespaces and the system tablespace.
    std::string path = change.last_path;
    const auto in_base = base_tables.find(entry.first);
    if (path.empty() && in_base != base_tables.end()) path = in_base->second;
    if (path.empty() || io::BaseName(path).starts_with("#sql")) continue;
    missing.push_back(fmt::format("{} (tablespace {})", path, entry.first));
  }
  return missing;
}

}  // namespace hbk::backup

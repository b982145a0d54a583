#include "reconcile.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "hbk/io/file_system.h"

namespace hbk::backup {

namespace {

// True if the log describes the whole life of the tablespace: it needs no copy.
bool RedoRebuilds(const SpaceChange& change) {
  return change.has_first_page && !change.is_deleted;
}

bool RedoRebuilds(const SpaceChanges& changes, SpaceId id) {
  const auto change = changes.find(id);
  return change != changes.end() && RedoRebuilds(change->second);
}

// Which files without an id are those of tablespaces that redo rebuilds. There are few such files,
// and as many changes as tables.
class RebuiltFiles {
 public:
  RebuiltFiles(const std::vector<FoundSpace>& found, const SpaceChanges* changes) {
    if (changes == nullptr) return;
    std::unordered_set<std::string_view> wanted;
    for (const FoundSpace& file : found) {
      if (file.id) continue;
      wanted.insert(file.name);
      wanted.insert(file.path);
    }
    if (wanted.empty()) return;
    for (const auto& [id, change] : *changes) {
      if (!RedoRebuilds(change)) continue;
      for (const std::string_view where :
           {std::string_view(change.last_path), LastTwoComponents(change.last_path)})
        if (wanted.contains(where)) ends_.insert(where);
    }
  }

  // A path is relative ("./db/t.ibd"), or that of a DATA DIRECTORY, in which the database is the
  // one that the table was created in: RENAME TABLE to another leaves the directory.
  [[nodiscard]] bool Have(const FoundSpace& file) const {
    return ends_.contains(file.name) || ends_.contains(file.path);
  }

 private:
  static std::string_view LastTwoComponents(std::string_view path) {
    const size_t last = path.rfind('/');
    if (last == std::string_view::npos || last == 0) return path;
    const size_t before = path.rfind('/', last - 1);
    return before == std::string_view::npos ? path : path.substr(before + 1);
  }

  std::unordered_set<std::string_view> ends_;  // of the changes, which outlive this
};

// True if the file needs no copy. Of a log that cannot be read only this is known: a first page
// that was never written is in the server's buffer pool still, so no checkpoint has passed its
// making, and the log holds all that ever happened to the file. A page that has something else is
// damaged: the copier will say so.
bool IsLeftToRedo(const FoundSpace& file, const SpaceChanges* changes,
                  const RebuiltFiles& rebuilt) {
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
  const RebuiltFiles rebuilt(found, changes);
  for (const FoundSpace& file : found) {
    if (file.id && kept.count(*file.id) != 0) continue;
    (IsLeftToRedo(file, changes, rebuilt) ? plan.left_to_redo : plan.copies).push_back(file.name);
  }
  return plan;
}

std::vector<DecidedSpace> FindDecided(const std::vector<CopiedSpace>& copied,
                                      const std::vector<FoundSpace>& found,
                                      const SpaceChanges* changes) {
  // What the log says of names, as the server writes them where no DATA DIRECTORY is.
  std::unordered_multimap<std::string_view, SpaceId> rebuilt;
  if (changes != nullptr) {
    for (const auto& [id, change] : *changes) {
      if (RedoRebuilds(change) && change.last_path.starts_with("./"))
        rebuilt.emplace(std::string_view(change.last_path).substr(2), id);
    }
  }
  std::vector<DecidedSpace> decided;
  std::unordered_map<SpaceId, int> owners;  // how many files claim an id
  for (size_t i = 0; i < found.size(); ++i) {
    std::optional<SpaceId> id = found[i].id;
    // A name that two tablespaces have, or none, tells nothing.
    if (!id && rebuilt.count(found[i].name) == 1) id = rebuilt.find(found[i].name)->second;
    if (!id) continue;
    ++owners[*id];
    decided.push_back({i, *id, std::nullopt});
  }
  std::unordered_multimap<SpaceId, size_t> copies;
  for (size_t i = 0; i < copied.size(); ++i)
    copies.emplace(copied[i].id, i);
  std::erase_if(decided, [&](DecidedSpace& space) {
    const FoundSpace& file = found[space.found];
    if (owners[space.id] != 1) return true;
    const auto [first, last] = copies.equal_range(space.id);
    if (first == last) return changes == nullptr || !RedoRebuilds(*changes, space.id);
    const CopiedSpace& copy = copied[first->second];
    space.copy = first->second;
    const bool stays = std::next(first) == last && file.id && copy.name == file.name &&
                       copy.is_trusted && copy.birth_ns != 0 && IsCopyOf(copy, file, changes);
    return !stays;
  });
  return decided;
}

bool TellsOfFile(const SpaceChange& change) {
  return change.is_created || change.is_deleted || change.is_renamed;
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

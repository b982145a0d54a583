#include "file_moves.h"

#include <set>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

constexpr uint32_t kDatabaseDirectoryMode = 0700;

// Renames within the backup, and remembers which directories to sync.
class Mover {
 public:
  Mover(io::FileSystem& fs, const BackupSet& set) : fs_(fs), set_(set) {}

  Status Remove(const std::string& name) {
    const std::string path = set_.Path(name);
    sources_.insert(io::DirName(path));
    const Status removed = fs_.Remove(path);
    return removed.code() == StatusCode::kNotFound ? OkStatus() : removed;
  }

  Status Rename(const std::string& from, const std::string& to) {
    const std::string target = set_.Path(to);
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, io::DirName(target), kDatabaseDirectoryMode));
    sources_.insert(io::DirName(set_.Path(from)));
    targets_.insert(io::DirName(target));
    return fs_.Rename(set_.Path(from), target);
  }

  Status Sync() {
    if (targets_.empty() && sources_.empty()) return OkStatus();
    targets_.insert(set_.dir);
    // Whatever a file system makes of half a rename: a file has two names rather than none.
    for (const auto* directories : {&targets_, &sources_})
      for (const std::string& directory : *directories)
        HBK_RETURN_IF_ERROR(fs_.SyncDirectory(directory));
    targets_.clear();
    sources_.clear();
    return OkStatus();
  }

 private:
  io::FileSystem& fs_;
  const BackupSet& set_;
  std::set<std::string> targets_;  // not synced since something came
  std::set<std::string> sources_;  // ... or went
};

// Names of files in the database directories that `wanted` says yes to, as "db/file".
template <typename Wanted>
Result<std::vector<std::string>> ListDatabaseFiles(io::FileSystem& fs, const BackupSet& set,
                                                   Wanted wanted) {
  std::vector<std::string> names;
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& directory : root) {
    if (directory.type != io::FileType::kDirectory) continue;
    HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(set.Path(directory.name)));
    for (const io::DirectoryEntry& entry : entries)
      if (wanted(entry.name)) names.push_back(io::JoinPath(directory.name, entry.name));
  }
  return names;
}

}  // namespace

Status MoveFiles(io::FileSystem& fs, const BackupSet& set, const TablespaceTable& table) {
  Mover mover(fs, set);
  for (const std::string& name : table.removals)
    HBK_RETURN_IF_ERROR(mover.Remove(name));
  for (const auto& [id, space] : table.spaces) {
    const std::string temporary = TemporaryName(space.final_name, id);
    if (space.name() != space.final_name && space.name() != temporary)
      HBK_RETURN_IF_ERROR(mover.Rename(space.name(), temporary));
  }
  HBK_RETURN_IF_ERROR(mover.Sync());
  for (const auto& [id, space] : table.spaces) {
    if (space.name() != space.final_name)
      HBK_RETURN_IF_ERROR(mover.Rename(TemporaryName(space.final_name, id), space.final_name));
  }
  return mover.Sync();
}

Status RemoveIntermediateDefinitions(io::FileSystem& fs, const BackupSet& set) {
  HBK_ASSIGN_OR_RETURN(const auto names, ListDatabaseFiles(fs, set, [](std::string_view name) {
                         return name.starts_with("#sql") && name.ends_with(".frm");
                       }));
  Mover mover(fs, set);
  for (const std::string& name : names)
    HBK_RETURN_IF_ERROR(mover.Remove(name));
  return mover.Sync();
}

}  // namespace hbk::prepare

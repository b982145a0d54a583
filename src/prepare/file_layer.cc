#include "file_layer.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/datadir/scanner.h"

#include "file_moves.h"
#include "parallel.h"
#include "sparse_copy.h"

namespace hbk::prepare {
namespace {

using datadir::FileKind;

constexpr uint32_t kDirectoryMode = 0700;
constexpr uint32_t kFileMode = 0600;
constexpr uint64_t kMetadataBytesMax = 64 << 20;

FileKind KindOf(SpaceKind kind) {
  switch (kind) {
    case SpaceKind::kSystem: return FileKind::kSystemTablespace;
    case SpaceKind::kUndo: return FileKind::kUndoTablespace;
    case SpaceKind::kTable: break;
  }
  return FileKind::kTablespace;
}

// Where undo tablespaces are while they are being renamed: no list of tablespaces has these.
Status AddUndoOnTheirWay(io::FileSystem& fs, const BackupSet& set, std::vector<BaseFile>& files) {
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& entry : root) {
    const auto id = IdOfTemporaryName(entry.name);
    if (!id.has_value()) continue;
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(set.Path(entry.name), false));
    files.push_back({.name = TemporaryName("undo", *id),
                     .kind = FileKind::kUndoTablespace,
                     .space_id = id,
                     .size = info.size});
  }
  return OkStatus();
}

// What the base is opened with: after a kill it has to be there, old or new.
Status ReplaceMetadata(io::FileSystem& fs, const std::string& from, const std::string& to) {
  HBK_ASSIGN_OR_RETURN(const std::string bytes, io::ReadFile(fs, from, kMetadataBytesMax));
  return io::WriteFileAtomically(fs, to, bytes, kFileMode);
}

Status RemoveIfThere(io::FileSystem& fs, const std::string& path) {
  const Status removed = fs.Remove(path);
  return removed.code() == StatusCode::kNotFound ? OkStatus() : removed;
}

Status MakeDirectories(const LayInput& input) {
  for (const std::string& database : input.plan.databases)
    HBK_RETURN_IF_ERROR(io::MakeDirectories(input.fs, input.set.Path(database), kDirectoryMode));
  for (const PlannedFile& file : input.plan.files) {
    if (file.kind != FileKind::kRocksdb) continue;
    return io::MakeDirectories(input.fs, input.set.Path(io::DirName(file.name)), kDirectoryMode);
  }
  return OkStatus();
}

bool IsWanted(const ChainPlan& plan, const std::string& directory) {
  if (directory == datadir::kRocksdbDirectory) {
    return std::any_of(plan.files.begin(), plan.files.end(),
                       [](const PlannedFile& file) { return file.kind == FileKind::kRocksdb; });
  }
  return std::find(plan.databases.begin(), plan.databases.end(), directory) != plan.databases.end();
}

Result<std::vector<std::string>> RemoveDirectories(const LayInput& input) {
  std::vector<std::string> left;
  HBK_ASSIGN_OR_RETURN(const auto root, input.fs.List(input.set.dir));
  for (const io::DirectoryEntry& entry : root) {
    const bool may_go =
        entry.name == datadir::kRocksdbDirectory || datadir::IsDatabaseDirectoryName(entry.name);
    if (entry.type != io::FileType::kDirectory || !may_go || IsWanted(input.plan, entry.name))
      continue;
    HBK_ASSIGN_OR_RETURN(const auto inside, input.fs.List(input.set.Path(entry.name)));
    if (!inside.empty()) {
      left.push_back(entry.name);
      continue;
    }
    HBK_RETURN_IF_ERROR(input.fs.RemoveDirectory(input.set.Path(entry.name)));
  }
  return left;
}

}  // namespace

Result<std::vector<BaseFile>> ListBaseFiles(io::FileSystem& fs, const BackupSet& set) {
  std::vector<BaseFile> files;
  HBK_ASSIGN_OR_RETURN(const auto tablespaces, ListTablespaceFiles(fs, set));
  for (const FoundFile& found : tablespaces) {
    BaseFile& file = files.emplace_back();
    file.name = found.name;
    file.kind = KindOf(found.kind);
    file.size = found.size;
    if (found.first_page.kind == innodb::FirstPageKind::kValid)
      file.space_id = found.first_page.header.space_id;
  }
  HBK_RETURN_IF_ERROR(AddUndoOnTheirWay(fs, set, files));
  std::vector<datadir::SystemFile> system_files;
  for (const std::string& name : set.system_files)
    system_files.push_back({.path = name});
  HBK_ASSIGN_OR_RETURN(const auto scan, datadir::ScanBackupDirectory(fs, set.dir, system_files));
  for (const datadir::DataFile& found : scan.files) {
    if (found.kind == FileKind::kSystemTablespace || found.kind == FileKind::kUndoTablespace ||
        found.kind == FileKind::kTablespace) {
      continue;
    }
    files.push_back({.name = found.name,
                     .kind = found.kind,
                     .space_id = std::nullopt,
                     .size = found.info.size});
  }
  return files;
}

Status LayNames(const LayInput& input) {
  HBK_RETURN_IF_ERROR(MakeDirectories(input));
  TablespaceTable table;
  table.removals = input.plan.tablespace_removals;
  for (const PlannedTablespace& planned : input.plan.tablespaces) {
    if (planned.origin != 0 || planned.is_new || planned.kind == FileKind::kSystemTablespace)
      continue;
    Tablespace space;
    space.id = planned.facts->space_id;
    space.segments = {{planned.base_name, 0, 0}};
    space.final_name = planned.name;
    table.spaces.emplace(space.id, std::move(space));
  }
  return MoveFiles(input.fs, input.set, table);
}

Result<std::vector<std::string>> LayFiles(const LayInput& input,
                                          std::set<std::string>& changed_files) {
  for (const std::string& name : input.plan.file_removals)
    HBK_RETURN_IF_ERROR(RemoveIfThere(input.fs, input.set.Path(name)));
  std::vector<const PlannedFile*> copies;
  for (const PlannedFile& file : input.plan.files) {
    if (file.part == 0) continue;
    copies.push_back(&file);
    changed_files.insert(file.name);
  }
  const auto copy = [&](uint32_t, size_t item) {
    const PlannedFile& file = *copies[item];
    const std::string from = input.increments[file.part - 1]->PathOf(file.name);
    const std::string to = input.set.Path(file.name);
    return file.kind == FileKind::kMetadata
               ? ReplaceMetadata(input.fs, from, to)
               : CopySparse(input.fs, from, to, UINT64_MAX, input.stop);
  };
  HBK_RETURN_IF_ERROR(RunParallel(input.worker_count, copies.size(), copy));
  return RemoveDirectories(input);
}

}  // namespace hbk::prepare

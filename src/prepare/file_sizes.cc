#include "file_sizes.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

// The server leaves out what does not fill a block of this size: pages of 1 and 2 KiB.
constexpr uint64_t kSizeGranularity = 4096;
constexpr uint32_t kDatabaseDirectoryMode = 0700;

// What the last file of the tablespace has to hold.
Result<uint64_t> LastSegmentSize(const Tablespace& space) {
  const Segment& last = space.segments.back();
  if (space.header.size_pages < last.first_page) {
    return CorruptionError(
        fmt::format("tablespace {} has {} pages by its header, but {} begins at {}", space.id,
                    space.header.size_pages, last.name, last.first_page));
  }
  return uint64_t{space.header.size_pages - last.first_page} * space.header.flags.physical_size() /
         kSizeGranularity * kSizeGranularity;
}

Status SetSize(io::FileSystem& fs, const std::string& path, uint64_t size) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {.write = true}));
  HBK_RETURN_IF_ERROR(file->Truncate(size));
  return file->Close();
}

Status MakeFile(io::FileSystem& fs, const BackupSet& set, const std::string& name, uint32_t mode) {
  const std::string path = set.Path(name);
  HBK_RETURN_IF_ERROR(io::MakeDirectories(fs, io::DirName(path), kDatabaseDirectoryMode));
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {.write = true, .create = true, .mode = mode}));
  HBK_RETURN_IF_ERROR(file->Close());
  return fs.SyncDirectory(io::DirName(path));
}

}  // namespace

Status GrowFiles(io::FileSystem& fs, const BackupSet& set, TablespaceTable& table,
                 std::set<std::string>& changed) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo like, fs.Stat(set.Path(set.system_files.front()), true));
  for (auto& [id, space] : table.spaces) {
    Segment& last = space.segments.back();
    if (!space.exists) {
      HBK_RETURN_IF_ERROR(MakeFile(fs, set, last.name, like.mode));
      changed.insert(last.name);
      space.exists = true;
    }
    HBK_ASSIGN_OR_RETURN(uint64_t size, LastSegmentSize(space));
    size = std::max(size, space.size_min);
    if (size <= last.size) continue;
    HBK_RETURN_IF_ERROR(SetSize(fs, set.Path(last.name), size));
    last.size = size;
    changed.insert(last.name);
  }
  return OkStatus();
}

Status TruncateFiles(io::FileSystem& fs, const BackupSet& set, const TablespaceTable& table,
                     const SpaceLogs& logs, std::set<std::string>& changed) {
  for (const auto& [id, trims] : logs.trims) {
    const auto space = table.spaces.find(id);
    if (space == table.spaces.end()) continue;
    const Segment& last = space->second.segments.back();
    HBK_ASSIGN_OR_RETURN(const uint64_t size, LastSegmentSize(space->second));
    HBK_RETURN_IF_ERROR(SetSize(fs, set.Path(last.name), size));
    changed.insert(last.name);
  }
  return OkStatus();
}

}  // namespace hbk::prepare

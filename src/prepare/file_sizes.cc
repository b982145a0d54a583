#include "file_sizes.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

// The server leaves out what does not fill a block of this size: pages of 1 and 2 KiB.
constexpr uint64_t kSizeGranularity = 4096;
constexpr uint32_t kDatabaseDirectoryMode = 0700;

uint64_t SizeOf(const Tablespace& space, innodb::PageNo page_count) {
  return uint64_t{page_count} * space.header.flags.physical_size() / kSizeGranularity *
         kSizeGranularity;
}

// Of the truncations that are about the file as it is now: those of the last backup of a chain.
std::optional<innodb::PageNo> LeastPageCount(const SpaceLogs& logs, innodb::SpaceId id,
                                             const std::vector<Trim>& trims) {
  std::optional<innodb::PageNo> least;
  for (const Trim& trim : trims) {
    if (logs.PartOf(id, trim.start_lsn) != logs.last_part()) continue;
    least = std::min(least.value_or(trim.page_count), trim.page_count);
  }
  return least;
}

// What the last file of the tablespace has to hold.
Result<uint64_t> LastSegmentSize(const Tablespace& space) {
  const Segment& last = space.segments.back();
  if (space.header.size_pages < last.first_page) {
    return CorruptionError(
        fmt::format("tablespace {} has {} pages by its header, but {} begins at {}", space.id,
                    space.header.size_pages, last.name, last.first_page));
  }
  return SizeOf(space, space.header.size_pages - last.first_page);
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

Status CutTrimmedFiles(io::FileSystem& fs, const BackupSet& set, const SpaceLogs& logs,
                       TablespaceTable& table, std::set<std::string>& changed) {
  for (const auto& [id, trims] : logs.trims) {
    const auto space = table.spaces.find(id);
    if (space == table.spaces.end() || !space->second.exists) continue;
    const std::optional<innodb::PageNo> page_count = LeastPageCount(logs, id, trims);
    Segment& last = space->second.segments.back();
    if (!page_count.has_value() || *page_count <= last.first_page) continue;
    const uint64_t size = SizeOf(space->second, *page_count - last.first_page);
    if (size >= last.size) continue;
    HBK_RETURN_IF_ERROR(SetSize(fs, set.Path(last.name), size));
    last.size = size;
    changed.insert(last.name);
  }
  return OkStatus();
}

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
    if (space == table.spaces.end() || !LeastPageCount(logs, id, trims).has_value()) continue;
    const Segment& last = space->second.segments.back();
    HBK_ASSIGN_OR_RETURN(const uint64_t size, LastSegmentSize(space->second));
    HBK_RETURN_IF_ERROR(SetSize(fs, set.Path(last.name), size));
    changed.insert(last.name);
  }
  return OkStatus();
}

}  // namespace hbk::prepare

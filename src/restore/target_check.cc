#include "target_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace hbk::restore {
namespace {

constexpr std::string_view kAriaControlName = "aria_log_control";
constexpr std::string_view kLostAndFound = "lost+found";
constexpr size_t kNamesShownMax = 3;

// A server holds a lock on these two files as long as it runs.
Status CheckNoServer(io::FileSystem& fs, const std::string& path) {
  const Result<int64_t> holder = fs.LockHolder(path);
  if (!holder.ok() && holder.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(holder.status());
  if (holder.value() == 0) return OkStatus();
  return {StatusCode::kTargetInUse,
          fmt::format("{} is in use by process {}: a server runs on it", path, holder.value())};
}

// True for a directory on the way to a root: the root itself is looked at in its own turn.
bool LeadsToRoot(const std::string& path, const std::vector<std::string>& roots) {
  return std::any_of(roots.begin(), roots.end(),
                     [&](const std::string& root) { return datadir::IsInside(root, path); });
}

Status CheckEmpty(io::FileSystem& fs, const std::string& dir,
                  const std::vector<std::string>& roots) {
  const Result<std::vector<io::DirectoryEntry>> entries = fs.List(dir);
  if (!entries.ok() && entries.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(entries.status());
  std::string names;
  size_t count = 0;
  for (const io::DirectoryEntry& entry : entries.value()) {
    const std::string path = io::JoinPath(dir, entry.name);
    if (entry.name == kLostAndFound) continue;
    if (entry.type == io::FileType::kDirectory && LeadsToRoot(path, roots)) {
      HBK_RETURN_IF_ERROR(CheckEmpty(fs, path, roots));
      continue;
    }
    if (count < kNamesShownMax) names += (count == 0 ? "" : ", ") + entry.name;
    if (count == kNamesShownMax) names += ", ...";
    ++count;
  }
  if (count == 0) return OkStatus();
  return Status(StatusCode::kTargetInUse,
                fmt::format("{} is not empty: it has {} ({})", dir,
                            count == 1 ? "an entry" : fmt::format("{} entries", count), names))
      .WithHint("clear it, or use --force-non-empty-directories, which overwrites no file");
}

}  // namespace

Result<std::string> NearestExisting(io::FileSystem& fs, const std::string& path) {
  std::string nearest = path;
  while (true) {
    const Result<io::FileInfo> info = fs.Stat(nearest, /*follow=*/true);
    if (info.ok()) return nearest;
    if (info.status().code() != StatusCode::kNotFound || nearest == "/") return info.status();
    nearest = io::DirName(nearest);
  }
}

Status CheckNotInUse(io::FileSystem& fs, const RestoreSource& source,
                     const datadir::Layout& layout) {
  for (const std::string& root : layout.Roots()) {
    if (datadir::IsInside(root, source.dir) || datadir::IsInside(source.dir, root)) {
      return UsageError(
          fmt::format("the target {} and the backup {} lie in each other", root, source.dir));
    }
  }
  std::vector<std::string> paths;
  for (const datadir::SystemFile& file : layout.system_files)
    paths.push_back(layout.SystemFilePath(file));
  paths.push_back(io::JoinPath(layout.aria_log_dir, kAriaControlName));
  for (const datadir::SystemFile& file : source.system_files)
    paths.push_back(io::JoinPath(source.dir, io::BaseName(file.path)));
  paths.push_back(io::JoinPath(source.dir, kAriaControlName));
  for (const std::string& path : paths)
    HBK_RETURN_IF_ERROR(CheckNoServer(fs, path));
  return OkStatus();
}

Status CheckRootsEmpty(io::FileSystem& fs, const datadir::Layout& layout) {
  const std::vector<std::string> roots = layout.Roots();
  for (const std::string& root : roots)
    HBK_RETURN_IF_ERROR(CheckEmpty(fs, root, roots));
  return OkStatus();
}

Status CheckNothingInTheWay(io::FileSystem& fs, const RestorePlan& plan) {
  for (const PlannedFile& file : plan.files) {
    const Result<io::FileInfo> info = fs.Stat(file.target, /*follow=*/false);
    if (!info.ok() && info.status().code() == StatusCode::kNotFound) continue;
    HBK_RETURN_IF_ERROR(info.status());
    return Status(StatusCode::kTargetInUse,
                  fmt::format("{} exists, and is not overwritten", file.target))
        .WithHint("move it away");
  }
  return OkStatus();
}

Status CheckSpace(io::FileSystem& fs, const RestorePlan& plan, bool move) {
  struct Need {
    std::string path;
    uint64_t bytes = 0;
  };
  std::map<uint64_t, Need> needs;                                  // by device
  std::map<std::string, std::pair<uint64_t, std::string>> places;  // directory to device and path
  for (const PlannedFile& file : plan.files) {
    const std::string dir = io::DirName(file.target);
    auto place = places.find(dir);
    if (place == places.end()) {
      HBK_ASSIGN_OR_RETURN(std::string path, NearestExisting(fs, dir));
      HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/true));
      if (info.type != io::FileType::kDirectory) {
        return {StatusCode::kTargetInUse, fmt::format("{} is not a directory", path)};
      }
      place = places.emplace(dir, std::make_pair(info.device, std::move(path))).first;
    }
    const auto& [device, path] = place->second;
    if (move && device == file.source.info.device) continue;
    Need& need = needs[device];
    need.path = path;
    // Holes stay holes.
    need.bytes += std::min(file.source.info.size, file.source.info.allocated_bytes);
  }
  for (const auto& [device, need] : needs) {
    HBK_ASSIGN_OR_RETURN(const uint64_t free_bytes, fs.FreeBytes(need.path));
    if (free_bytes >= need.bytes) continue;
    return {StatusCode::kNoSpace, fmt::format("{} has {} bytes free; {} are needed there",
                                              need.path, free_bytes, need.bytes)};
  }
  return OkStatus();
}

}  // namespace hbk::restore

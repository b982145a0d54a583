#include "hbk/info/stored_files.h"

namespace hbk::info {
namespace {

constexpr int kDepthMax = 8;

Status AddDirectory(io::FileSystem& fs, const std::string& dir, const std::string& prefix,
                    int depth, StoredFiles& files) {
  if (depth > kDepthMax) return FailedError(dir + ": directories nested deeper than in any backup");
  const auto is_wanted = [](std::string_view /*name*/) {
    return true;
  };
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.ListWithInfo(dir, is_wanted));
  for (const io::FileEntry& each : entries) {
    const std::string& name = each.entry.name;
    if (each.info.type == io::FileType::kDirectory) {
      HBK_RETURN_IF_ERROR(
          AddDirectory(fs, io::JoinPath(dir, name), prefix + name + "/", depth + 1, files));
    } else if (each.info.type == io::FileType::kRegular) {
      files.names.insert(prefix + name);
      files.bytes += each.info.size;
      files.disk_bytes += each.info.allocated_bytes;
    }
  }
  return OkStatus();
}

}  // namespace

Result<StoredFiles> ListStoredFiles(io::FileSystem& fs, const std::string& dir) {
  StoredFiles files;
  HBK_RETURN_IF_ERROR(AddDirectory(fs, dir, "", 0, files));
  return files;
}

}  // namespace hbk::info

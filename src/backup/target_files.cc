#include "target_files.h"

#include <fmt/format.h>

namespace hbk::backup {

Status RenameInTarget(io::FileSystem& fs, const std::string& target_dir,
                      const std::vector<std::pair<std::string, std::string>>& renames) {
  // In two phases. A name in between is none that a server would use.
  std::vector<std::string> between;
  for (const auto& [from, to] : renames) {
    const std::string path = io::JoinPath(target_dir, from);
    between.push_back(
        io::JoinPath(io::DirName(path), fmt::format("hbk_renaming_{}", between.size())));
    HBK_RETURN_IF_ERROR(fs.Rename(path, between.back()));
  }
  for (size_t i = 0; i < renames.size(); ++i) {
    const std::string path = io::JoinPath(target_dir, renames[i].second);
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs, io::DirName(path), 0700));
    HBK_RETURN_IF_ERROR(fs.Rename(between[i], path));
  }
  return OkStatus();
}

}  // namespace hbk::backup

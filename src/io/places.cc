#include "hbk/io/places.h"

namespace hbk::io {

bool IsSameDirectory(const FileInfo& a, const FileInfo& b) {
  return a.device == b.device && a.inode == b.inode;
}

std::string ExistingAncestor(FileSystem& fs, std::string path) {
  while (path != "/" && path != ".") {
    const auto info = fs.Stat(path, /*follow=*/true);
    if (info.ok()) return path;
    path = DirName(path);
  }
  return path;
}

Result<std::string> FindAbove(FileSystem& fs, const std::string& path,
                              const std::vector<std::string>& dirs) {
  std::string place = ExistingAncestor(fs, path);
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const FileInfo info, fs.Stat(place, /*follow=*/true));
    for (const std::string& dir : dirs) {
      const auto dir_info = fs.Stat(dir, /*follow=*/true);
      if (dir_info.ok() && IsSameDirectory(*dir_info, info)) return dir;
    }
    const std::string parent = place + "/..";
    HBK_ASSIGN_OR_RETURN(const FileInfo parent_info, fs.Stat(parent, /*follow=*/true));
    if (IsSameDirectory(parent_info, info)) return std::string();
    place = parent;
  }
}

}  // namespace hbk::io

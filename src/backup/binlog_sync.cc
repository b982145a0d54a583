#include "binlog_sync.h"

namespace hbk::backup {

std::string BinlogPath(std::string_view basename, std::string_view file) {
  if (basename.empty() || file.empty()) return "";
  return io::JoinPath(io::DirName(basename), io::BaseName(file));
}

void SyncBinlog(io::FileSystem& fs, const std::string& path) {
  if (path.empty()) return;
  const auto file = fs.Open(path, {});
  if (file.ok()) (void)(*file)->Sync().ok();
}

}  // namespace hbk::backup

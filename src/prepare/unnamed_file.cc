#include "unnamed_file.h"

namespace hbk::prepare {

Result<std::unique_ptr<io::File>> OpenUnnamedFile(io::FileSystem& fs, const std::string& path) {
  const Status removed = fs.Remove(path);
  if (!removed.ok() && removed.code() != StatusCode::kNotFound) return removed;
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {.write = true, .create = true}));
  HBK_RETURN_IF_ERROR(fs.Remove(path));
  return file;
}

}  // namespace hbk::prepare

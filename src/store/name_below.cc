#include "name_below.h"

namespace hbk::store {

std::string WithoutSlashBehind(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

std::optional<std::string_view> NameBelow(std::string_view directory, std::string_view path) {
  if (!path.starts_with(directory)) return std::nullopt;
  path.remove_prefix(directory.size());
  if (path.empty()) return path;
  if (path.front() != '/' && !directory.ends_with('/')) return std::nullopt;
  while (path.starts_with('/'))
    path.remove_prefix(1);
  return path;
}

}  // namespace hbk::store

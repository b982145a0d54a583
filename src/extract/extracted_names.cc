#include "extracted_names.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/manifest/backup_manifest.h"
#include "hbk/stream/stream_path.h"

namespace hbk::extract {
namespace {

using stream::QuotedPath;

// Each level is made, synced and removed again.
constexpr ptrdiff_t kLevelsMax = 16;

Status Refuse(const std::string& path, std::string_view why) {
  return CorruptionError(fmt::format("the stream {}: {}", why, QuotedPath(path)));
}

// As fnmatch does it, for * alone, which does not go beyond a slash.
bool Fits(std::string_view name, std::string_view pattern) {
  size_t n = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;
  size_t star_n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_n = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos && name[star_n] != '/') {
      p = star + 1;
      n = ++star_n;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

}  // namespace

Status ExtractedNames::MakeDirectoriesAbove(const std::string& path) {
  if (std::ranges::count(path, '/') > kLevelsMax) return Refuse(path, "has too deep a file");
  for (size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (files_.contains(above)) return Refuse(path, "has a file below what is no directory");
    directories_.insert(above);
  }
  const std::string_view first = std::string_view(path).substr(0, path.find('/'));
  if (first == kWorkDirectoryName || first == manifest::kIncompleteMarkerName)
    return Refuse(path, "has a file under a name that hbk needs itself");
  return OkStatus();
}

Status ExtractedNames::CheckNotOpen(uint64_t file, const std::string& path) const {
  return open_.contains(file) ? Refuse(path, "changes a file that is not complete") : OkStatus();
}

Result<ExtractedNames::Dropped> ExtractedNames::Open(const std::string& path, uint64_t file,
                                                     bool replaces) {
  HBK_RETURN_IF_ERROR(MakeDirectoriesAbove(path));
  if (directories_.contains(path)) return Refuse(path, "has a file where there is a directory");
  Dropped dropped;
  const auto found = files_.find(path);
  if (found != files_.end()) {
    if (!replaces) return Refuse(path, "has the same file twice");
    HBK_RETURN_IF_ERROR(CheckNotOpen(found->second, path));
    dropped.push_back(found->second);
  }
  files_[path] = file;
  open_[file] = path;
  return dropped;
}

void ExtractedNames::Close(uint64_t file) {
  open_.erase(file);
}

Result<ExtractedNames::Dropped> ExtractedNames::Rename(const std::string& from,
                                                       const std::string& to) {
  const auto found = files_.find(from);
  if (found == files_.end()) return Refuse(from, "renames a file that it does not have");
  HBK_RETURN_IF_ERROR(CheckNotOpen(found->second, from));
  HBK_RETURN_IF_ERROR(MakeDirectoriesAbove(to));
  if (directories_.contains(to)) return Refuse(to, "renames a file to what is a directory");
  Dropped dropped;
  const auto replaced = files_.find(to);
  if (replaced != files_.end() && replaced != found) {
    HBK_RETURN_IF_ERROR(CheckNotOpen(replaced->second, to));
    dropped.push_back(replaced->second);
  }
  const uint64_t file = found->second;
  files_.erase(found);
  files_[to] = file;
  return dropped;
}

Result<ExtractedNames::Dropped> ExtractedNames::Remove(const std::string& path,
                                                       bool may_be_missing) {
  const auto found = files_.find(path);
  if (found == files_.end()) {
    if (directories_.contains(path)) return RemoveTree(path);
    if (path.find('*') != std::string::npos) return RemovePattern(path);
    if (may_be_missing) return Dropped{};
    return Refuse(path, "removes a file that it does not have");
  }
  HBK_RETURN_IF_ERROR(CheckNotOpen(found->second, path));
  const uint64_t file = found->second;
  files_.erase(found);
  return Dropped{file};
}

Result<ExtractedNames::Dropped> ExtractedNames::RemovePattern(const std::string& pattern) {
  const std::string prefix = pattern.substr(0, pattern.find('*'));
  Dropped dropped;
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);) {
    if (!Fits(it->first, pattern)) {
      ++it;
      continue;
    }
    HBK_RETURN_IF_ERROR(CheckNotOpen(it->second, it->first));
    dropped.push_back(it->second);
    it = files_.erase(it);
  }
  return dropped;
}

Result<ExtractedNames::Dropped> ExtractedNames::RemoveTree(const std::string& path) {
  const std::string prefix = path + "/";
  Dropped dropped;
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix);
       it = files_.erase(it)) {
    HBK_RETURN_IF_ERROR(CheckNotOpen(it->second, it->first));
    dropped.push_back(it->second);
  }
  std::erase_if(directories_,
                [&](const std::string& dir) { return dir == path || dir.starts_with(prefix); });
  return dropped;
}

Status ExtractedNames::MakeDirectory(const std::string& path) {
  HBK_RETURN_IF_ERROR(MakeDirectoriesAbove(path));
  if (files_.contains(path)) return Refuse(path, "has a directory where there is a file");
  directories_.insert(path);
  return OkStatus();
}

Status ExtractedNames::RemoveDirectory(const std::string& path) {
  const std::string prefix = path + "/";
  const auto file = files_.lower_bound(prefix);
  const auto directory = directories_.lower_bound(prefix);
  const bool is_empty = (file == files_.end() || !file->first.starts_with(prefix)) &&
                        (directory == directories_.end() || !directory->starts_with(prefix));
  if (!is_empty) return Refuse(path, "removes a directory that is not empty");
  if (directories_.erase(path) == 0)
    return Refuse(path, "removes a directory that it does not have");
  return OkStatus();
}

}  // namespace hbk::extract

#include "created_entries.h"

#include <set>
#include <utility>

#include <fmt/format.h>

namespace hbk::restore {
namespace {

constexpr uint32_t kDirectoryMode = 0700;  // as the server makes them

}  // namespace

void CreatedEntries::AddFile(const std::string& path) {
  MutexLock lock(mutex_);
  entries_.push_back({.kind = Kind::kFile, .path = path, .from = {}});
}

void CreatedEntries::AddMove(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  entries_.push_back({.kind = Kind::kMove, .path = to, .from = from});
}

Status CreatedEntries::MakeDirectories(const std::string& path, FileOwner owner) {
  std::vector<std::string> missing;
  for (std::string dir = path;; dir = io::DirName(dir)) {
    const Result<io::FileInfo> info = fs_.Stat(dir, /*follow=*/true);
    if (info.ok()) {
      if (info.value().type == io::FileType::kDirectory) break;
      return {StatusCode::kTargetInUse, fmt::format("{} is not a directory", dir)};
    }
    if (info.status().code() != StatusCode::kNotFound || dir == "/") return info.status();
    missing.push_back(dir);
  }
  for (auto dir = missing.rbegin(); dir != missing.rend(); ++dir) {
    HBK_RETURN_IF_ERROR(fs_.MakeDirectory(*dir, kDirectoryMode));
    {
      MutexLock lock(mutex_);
      entries_.push_back({.kind = Kind::kDirectory, .path = *dir, .from = {}});
    }
    HBK_RETURN_IF_ERROR(GiveTo(fs_, *dir, owner));
  }
  return OkStatus();
}

std::vector<std::string> CreatedEntries::TakeBack() {
  std::vector<Entry> entries;
  {
    MutexLock lock(mutex_);
    entries = std::exchange(entries_, {});
  }
  std::vector<std::string> left;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const Status status = TakeBackOne(*entry);
    if (!status.ok() && status.code() != StatusCode::kNotFound) left.push_back(status.message());
  }
  return left;
}

Status CreatedEntries::TakeBackOne(const Entry& entry) {
  switch (entry.kind) {
    case Kind::kFile: return fs_.Remove(entry.path);
    case Kind::kDirectory: return fs_.RemoveDirectory(entry.path);
    case Kind::kMove: return fs_.Rename(entry.path, entry.from);
  }
  return OkStatus();
}

Status CreatedEntries::SyncDirectories() {
  std::set<std::string> directories;
  {
    MutexLock lock(mutex_);
    for (const Entry& entry : entries_) {
      directories.insert(io::DirName(entry.path));
      if (entry.kind == Kind::kDirectory) directories.insert(entry.path);
      if (entry.kind == Kind::kMove) directories.insert(io::DirName(entry.from));
    }
  }
  for (const std::string& directory : directories)
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(directory));
  return OkStatus();
}

}  // namespace hbk::restore

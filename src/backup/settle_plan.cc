#include "settle_plan.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace hbk::backup {

namespace {

// Smaller files are copied as fast as they are renamed.
constexpr uint64_t kRenameBytesMin = 1 << 20;

using InodeKey = std::tuple<uint64_t, uint64_t, int64_t>;  // device, inode, birth

InodeKey KeyOf(const FileIdentity& file) {
  return {file.device, file.inode, file.birth_ns};
}

// Copies that do not lie under the name of their file any more, by inode.
std::map<InodeKey, CopiedFiles::const_iterator> IndexMovable(
    const CopiedFiles& copied, const std::set<std::string_view>& kept) {
  std::map<InodeKey, CopiedFiles::const_iterator> movable;
  for (auto copy = copied.begin(); copy != copied.end(); ++copy) {
    const FileIdentity& source = copy->second.source;
    const bool is_useful = copy->second.is_trusted && copy->second.is_in_target &&
                           source.birth_ns != 0 && source.size >= kRenameBytesMin &&
                           kept.count(copy->first) == 0;
    if (is_useful) movable.emplace(KeyOf(source), copy);
  }
  return movable;
}

}  // namespace

SettlePlan PlanSettling(const CopiedFiles& copied,
                        const std::vector<const datadir::DataFile*>& found,
                        const std::function<bool(const datadir::DataFile&)>& must_copy) {
  std::set<std::string_view> kept;
  std::vector<const datadir::DataFile*> wanted;
  for (const datadir::DataFile* file : found) {
    const auto copy = copied.find(file->name);
    const bool counts = copy != copied.end() && copy->second.is_trusted &&
                        copy->second.source == IdentityOf(file->info) && !must_copy(*file);
    if (counts) {
      kept.insert(copy->first);
    } else {
      wanted.push_back(file);
    }
  }

  SettlePlan plan;
  std::set<std::string_view> moved;
  std::set<std::string_view> replaced;
  auto movable = IndexMovable(copied, kept);
  for (const datadir::DataFile* file : wanted) {
    const FileIdentity now = IdentityOf(file->info);
    const auto match = movable.find(KeyOf(now));
    const bool can_move = match != movable.end() && match->second->first != file->name &&
                          IsRenamed(match->second->second.source, now) && !must_copy(*file);
    if (can_move) {
      plan.renames.emplace_back(match->second->first, file->name);
      moved.insert(match->second->first);
      movable.erase(match);
    } else {
      plan.copies.push_back(file);
      replaced.insert(file->name);
    }
  }
  for (const auto& [name, copy] : copied) {
    if (kept.count(name) == 0 && moved.count(name) == 0 && replaced.count(name) == 0)
      plan.removes.push_back(name);
  }
  return plan;
}

}  // namespace hbk::backup

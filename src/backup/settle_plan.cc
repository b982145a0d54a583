#include "settle_plan.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace hbk::backup {

namespace {

// Smaller files are copied as fast as they are renamed.
constexpr uint64_t kRenameBytesMin = 1 << 20;

using NameSet = std::unordered_set<std::string_view>;
using Copies = std::vector<CopiedFiles::const_iterator>;
using InodeKey = std::tuple<uint64_t, uint64_t, int64_t>;  // device, inode, birth

InodeKey KeyOf(const io::FileIdentity& file) {
  return {file.device, file.inode, file.birth_ns};
}

// Those that can be renamed, by inode.
std::map<InodeKey, CopiedFiles::const_iterator> IndexMovable(const Copies& stale) {
  std::map<InodeKey, CopiedFiles::const_iterator> movable;
  for (const auto& copy : stale) {
    const io::FileIdentity& source = copy->second.source;
    const bool is_useful = copy->second.is_trusted && copy->second.is_in_target &&
                           source.birth_ns != 0 && source.size >= kRenameBytesMin;
    if (is_useful) movable.emplace(KeyOf(source), copy);
  }
  return movable;
}

}  // namespace

SettlePlan PlanSettling(const CopiedFiles& copied,
                        const std::vector<const datadir::DataFile*>& found,
                        const std::function<bool(const datadir::DataFile&)>& must_copy) {
  // Both are sorted by name. Writers may be waiting: nothing is looked up for each file.
  std::vector<const datadir::DataFile*> wanted;
  Copies stale;  // that do not lie under the name of their file any more
  auto copy = copied.begin();
  for (const datadir::DataFile* file : found) {
    for (; copy != copied.end() && copy->first < file->name; ++copy)
      stale.push_back(copy);
    const bool has_copy = copy != copied.end() && copy->first == file->name;
    const bool counts = has_copy && copy->second.is_trusted &&
                        copy->second.source == io::IdentityOf(file->info) && !must_copy(*file);
    if (!counts) wanted.push_back(file);
    if (has_copy && !counts) stale.push_back(copy);
    if (has_copy) ++copy;
  }
  for (; copy != copied.end(); ++copy)
    stale.push_back(copy);

  SettlePlan plan;
  NameSet moved;
  NameSet replaced;
  auto movable = IndexMovable(stale);
  for (const datadir::DataFile* file : wanted) {
    const io::FileIdentity now = io::IdentityOf(file->info);
    const auto match = movable.find(KeyOf(now));
    const bool can_move = match != movable.end() && match->second->first != file->name &&
                          io::IsRenamed(match->second->second.source, now) && !must_copy(*file);
    if (can_move) {
      plan.renames.emplace_back(match->second->first, file->name);
      moved.insert(match->second->first);
      movable.erase(match);
    } else {
      plan.copies.push_back(file);
      replaced.insert(file->name);
    }
  }
  for (const auto& old : stale) {
    if (moved.count(old->first) == 0 && replaced.count(old->first) == 0)
      plan.removes.push_back(old->first);
  }
  return plan;
}

}  // namespace hbk::backup

#include "hbk/info/backup_chain.h"

#include <algorithm>

namespace hbk::info {
namespace {

bool IsByUuid(const BackupDescription& backup, const BackupDescription& candidate) {
  return !backup.base->backup_uuid.empty() && candidate.backup_uuid == backup.base->backup_uuid;
}

// mariadb-backup counts from the checkpoint at the end of the base; whoever gave an LSN may have
// meant either. A prepared one has become what others were built on no longer.
bool IsByLsn(const BackupDescription& backup, const BackupDescription& candidate) {
  const uint64_t lsn = backup.base->last_lsn;
  return backup.base->backup_uuid.empty() && lsn != 0 &&
         (candidate.to_lsn == lsn || candidate.last_lsn == lsn);
}

class ChainOrder {
 public:
  explicit ChainOrder(const std::vector<BackupDescription>& backups) : backups_(backups) {
    for (size_t i = 0; i < backups_.size(); ++i)
      links_.push_back(FindParent(i));
    CutCircles();
  }

  std::vector<ChainLink> Run() {
    for (size_t i = 0; i < backups_.size(); ++i) {
      if (!links_[i].parent) Add(i, 0);
    }
    return std::move(ordered_);
  }

 private:
  [[nodiscard]] ChainLink FindParent(size_t index) const {
    ChainLink link;
    link.index = index;
    const BackupDescription& backup = backups_[index];
    if (!backup.base) return link;
    for (const bool is_by_lsn : {false, true}) {
      for (size_t i = 0; i < backups_.size() && !link.parent; ++i) {
        const bool fits = is_by_lsn ? IsByLsn(backup, backups_[i]) : IsByUuid(backup, backups_[i]);
        if (i == index || !fits) continue;
        link.parent = i;
        link.is_by_lsn = is_by_lsn;
      }
    }
    return link;
  }

  // No backup made them, but a manifest can say anything; each must be in the list nevertheless.
  void CutCircles() {
    for (ChainLink& link : links_) {
      size_t steps = 0;
      std::optional<size_t> above = link.parent;
      while (above && *above != link.index && steps++ < links_.size())
        above = links_[*above].parent;
      if (above == link.index) link.parent.reset();
    }
  }

  void Add(size_t index, size_t depth) {
    links_[index].depth = depth;
    ordered_.push_back(links_[index]);
    std::vector<size_t> children;
    for (size_t i = 0; i < links_.size(); ++i) {
      if (links_[i].parent == index) children.push_back(i);
    }
    std::stable_sort(children.begin(), children.end(), [this](size_t a, size_t b) {
      return backups_[a].last_lsn < backups_[b].last_lsn;
    });
    for (const size_t child : children)
      Add(child, depth + 1);
  }

  const std::vector<BackupDescription>& backups_;
  std::vector<ChainLink> links_;  // by index
  std::vector<ChainLink> ordered_;
};

}  // namespace

std::vector<ChainLink> OrderChains(const std::vector<BackupDescription>& backups) {
  return ChainOrder(backups).Run();
}

}  // namespace hbk::info

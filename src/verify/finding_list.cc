#include "finding_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hbk::verify {

void FindingList::Add(Finding finding) {
  ++count_;
  const MutexLock lock(mutex_);
  std::vector<Finding>& of_file = findings_[{finding.backup_dir, finding.file}];
  if (of_file.size() < per_file_max_) of_file.push_back(std::move(finding));
}

uint64_t FindingList::FileCount() const {
  const MutexLock lock(mutex_);
  return findings_.size();
}

std::vector<Finding> FindingList::Take() {
  const MutexLock lock(mutex_);
  std::vector<Finding> all;
  for (auto& [file, findings] : findings_) {
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
      return a.offset.value_or(0) < b.offset.value_or(0);
    });
    std::move(findings.begin(), findings.end(), std::back_inserter(all));
  }
  findings_.clear();
  return all;
}

}  // namespace hbk::verify

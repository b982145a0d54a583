// The findings of a run, from all its threads.
//
// Of each file only so many are kept, and all are counted: a file that is lost as a whole has a
// finding for each page.
//
// Threads  Add and Count: any; Take: when no other thread adds.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/verify/finding.h"

namespace hbk::verify {

class FindingList {
 public:
  explicit FindingList(uint64_t per_file_max) : per_file_max_(per_file_max) {}

  void Add(Finding finding) HBK_EXCLUDES(mutex_);
  [[nodiscard]] uint64_t count() const { return count_; }
  // Files that something was found of.
  [[nodiscard]] uint64_t FileCount() const HBK_EXCLUDES(mutex_);
  // What was kept, by backup, file and offset.
  [[nodiscard]] std::vector<Finding> Take() HBK_EXCLUDES(mutex_);

 private:
  using FileKey = std::pair<std::string, std::string>;  // backup, file

  const uint64_t per_file_max_;
  std::atomic<uint64_t> count_ = 0;
  mutable Mutex mutex_;
  std::map<FileKey, std::vector<Finding>> findings_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::verify

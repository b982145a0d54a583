// Which parts of which files are read, in which order, and how far a run came.
//
// A part is 16 MiB of one file, or what there is; a file may be added as one part. Workers take one
// after another; a run with a budget ends between two of them.
//
// Threads  Take and Done: any; the rest: before the workers begin, or after they have ended.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "hbk/base/mutex.h"

namespace hbk::verify {

struct Part {
  size_t index = 0;  // of the part
  size_t file = 0;   // as it was added
  uint64_t offset = 0;
  uint64_t size = 0;       // 0: of an empty file
  bool is_always = false;  // in every sample
};

constexpr uint64_t kPartBytes = 16 << 20;

class WorkPlan {
 public:
  // A file of that size. `can_be_split`: what is wrong with a part of it shows without the others.
  void AddFile(uint64_t size, bool can_be_split);
  // A file that is one part, and in every sample.
  void AddWholeFile(uint64_t size);
  // Leaves out all parts but a share, 0 to 1, chosen by the seed.
  void Sample(double share, uint64_t seed);
  // Leaves out what an earlier run has done: all before that part of that file.
  void SkipTo(size_t file, uint64_t offset);

  [[nodiscard]] uint64_t total_bytes() const;
  // How many parts of the file are to be done.
  [[nodiscard]] uint64_t PartsOf(size_t file) const { return parts_of_.at(file); }
  // Every part of it.
  [[nodiscard]] bool IsWhole(size_t file) const {
    return parts_of_.at(file) == all_parts_of_[file];
  }

  std::optional<Part> Take() HBK_EXCLUDES(mutex_);
  void Done(const Part& part) HBK_EXCLUDES(mutex_);
  // Nobody gets another part.
  void Close() HBK_EXCLUDES(mutex_);

  // Where the next run is to go on; nothing if all was done. A file that cannot be split and was
  // not finished is begun again.
  [[nodiscard]] std::optional<Part> NextOpen() HBK_EXCLUDES(mutex_);

 private:
  std::vector<Part> parts_;  // in order
  std::vector<uint64_t> parts_of_;
  std::vector<uint64_t> all_parts_of_;
  std::vector<bool> can_be_split_;
  Mutex mutex_;
  size_t next_ HBK_GUARDED_BY(mutex_) = 0;
  bool is_closed_ HBK_GUARDED_BY(mutex_) = false;
  std::vector<bool> is_done_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::verify

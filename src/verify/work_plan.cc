#include "work_plan.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace hbk::verify {

void WorkPlan::AddFile(uint64_t size, bool can_be_split) {
  const size_t file = parts_of_.size();
  uint64_t count = 0;
  uint64_t offset = 0;
  do {
    const uint64_t bytes = std::min(kPartBytes, size - offset);
    parts_.push_back(
        {.index = 0, .file = file, .offset = offset, .size = bytes, .is_always = false});
    offset += bytes;
    ++count;
  } while (offset < size);
  parts_of_.push_back(count);
  all_parts_of_.push_back(count);
  can_be_split_.push_back(can_be_split);
}

void WorkPlan::AddWholeFile(uint64_t size) {
  parts_.push_back(
      {.index = 0, .file = parts_of_.size(), .offset = 0, .size = size, .is_always = true});
  parts_of_.push_back(1);
  all_parts_of_.push_back(1);
  can_be_split_.push_back(false);
}

void WorkPlan::Sample(double share, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Part> chosen;
  std::fill(parts_of_.begin(), parts_of_.end(), uint64_t{0});
  for (const Part& part : parts_) {
    const double number = static_cast<double>(random() >> 11) / static_cast<double>(1ULL << 53);
    if (number >= share && !part.is_always) continue;
    chosen.push_back(part);
    ++parts_of_[part.file];
  }
  parts_ = std::move(chosen);
}

void WorkPlan::SkipTo(size_t file, uint64_t offset) {
  const auto is_before = [&](const Part& part) {
    return std::pair(part.file, part.offset) < std::pair(file, offset);
  };
  std::erase_if(parts_, is_before);
  std::fill(parts_of_.begin(), parts_of_.end(), uint64_t{0});
  for (const Part& part : parts_)
    ++parts_of_[part.file];
}

uint64_t WorkPlan::total_bytes() const {
  return std::accumulate(parts_.begin(), parts_.end(), uint64_t{0},
                         [](uint64_t sum, const Part& part) { return sum + part.size; });
}

std::optional<Part> WorkPlan::Take() {
  const MutexLock lock(mutex_);
  if (is_closed_ || next_ == parts_.size()) return std::nullopt;
  is_done_.resize(parts_.size());
  Part part = parts_[next_];
  part.index = next_++;
  return part;
}

void WorkPlan::Done(const Part& part) {
  const MutexLock lock(mutex_);
  is_done_[part.index] = true;
}

void WorkPlan::Close() {
  const MutexLock lock(mutex_);
  is_closed_ = true;
}

std::optional<Part> WorkPlan::NextOpen() {
  const MutexLock lock(mutex_);
  is_done_.resize(parts_.size());
  const auto open = std::find(is_done_.begin(), is_done_.end(), false);
  if (open == is_done_.end()) return std::nullopt;
  Part part = parts_[static_cast<size_t>(open - is_done_.begin())];
  if (!can_be_split_[part.file]) part.offset = 0;
  return part;
}

}  // namespace hbk::verify

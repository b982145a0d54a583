// Memory for tables of many megabytes that are used all over: in large pages, where the system has
// them, since else nearly every access waits for the address first.
//
// Not zeroed, and not there before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <sys/mman.h>

#include "hbk/base/bytes.h"

namespace hbk {

class HugeMemory {
 public:
  static constexpr size_t kPageBytes = 2 << 20;

  HugeMemory() = default;
  explicit HugeMemory(size_t size) : size_(size) {
    const size_t rounded = (size + kPageBytes - 1) / kPageBytes * kPageBytes;
    void* memory = std::aligned_alloc(kPageBytes, rounded == 0 ? kPageBytes : rounded);
    HBK_CHECK(memory != nullptr);
    // Only what is filled by large pages: the rest would take one more. Where they cannot be had,
    // small ones do as well.
    (void)madvise(memory, size / kPageBytes * kPageBytes, MADV_HUGEPAGE);
    data_.reset(static_cast<uint8_t*>(memory));
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] uint8_t* data() { return data_.get(); }
  [[nodiscard]] const uint8_t* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

}  // namespace hbk

#include "hbk/base/huge_memory.h"

#include <cstring>
#include <utility>

#include <gtest/gtest.h>

namespace hbk {
namespace {

TEST(HugeMemoryTest, CanBeUsedFromEndToEnd) {
  for (const size_t size : {size_t{0}, size_t{1}, HugeMemory::kPageBytes + 1}) {
    HugeMemory memory(size);
    EXPECT_EQ(memory.size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % HugeMemory::kPageBytes, 0U);
    std::memset(memory.data(), 7, size);
    const HugeMemory moved = std::move(memory);
    if (size != 0) {
      EXPECT_EQ(moved.data()[size - 1], 7);
    }
  }
}

}  // namespace
}  // namespace hbk

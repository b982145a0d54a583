// AlignedBuffer: alignment, zeros, size zero.
#include "hbk/base/aligned_buffer.h"

#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

namespace hbk {
namespace {

TEST(AlignedBufferTest, StartsAtAMultipleOf4096AndIsZero) {
  for (const size_t size : {1U, 4095U, 4096U, 1U << 20}) {
    AlignedBuffer buffer(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 4096, 0U);
    EXPECT_EQ(buffer.view().size(), size);
    EXPECT_TRUE(IsAllZero(buffer.view()));
  }
}

TEST(AlignedBufferTest, AnEmptyOneHasAnEmptyView) {
  EXPECT_TRUE(AlignedBuffer().view().empty());
  EXPECT_TRUE(AlignedBuffer(0).view().empty());
}

// A view into memory that is gone would be worse than an empty one.
TEST(AlignedBufferTest, MovingEmptiesTheSource) {
  AlignedBuffer first(100);

  const AlignedBuffer second(std::move(first));

  EXPECT_EQ(second.size(), 100U);
  EXPECT_TRUE(first.view().empty());  // NOLINT(bugprone-use-after-move): that is the point
}

}  // namespace
}  // namespace hbk

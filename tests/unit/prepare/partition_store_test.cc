#include "partition_store.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using testing::IsOk;
using testing::MemFileSystem;

class PartitionStoreTest : public ::testing::Test {
 protected:
  PartitionStoreTest() {
    fs_.PutDirectory("/t");
    std::minstd_rand random(7);
    for (int i = 0; i < 500; ++i) {
      const auto partition = static_cast<uint32_t>(random() % 3);
      const std::string head(random() % 30 + 1, static_cast<char>('a' + i % 26));
      const std::string body(random() % 90, static_cast<char>('A' + i % 26));
      EXPECT_THAT(store_.Append(partition, AsBytes(head), AsBytes(body)), IsOk());
      expected_[partition] += head + body;
      EXPECT_LE(store_.block_count(), 5U);
    }
  }

  std::string Read(uint32_t partition, uint64_t offset, size_t size) {
    std::string text(size, '\0');
    EXPECT_THAT(store_.Read(partition, offset, {reinterpret_cast<uint8_t*>(text.data()), size}),
                IsOk());
    return text;
  }

  MemFileSystem fs_;
  PartitionStore store_{
      fs_, {.partition_count = 3, .block_bytes = 64, .block_count = 5, .spill_path = "/t/spill"}};
  std::string expected_[3];
};

TEST_F(PartitionStoreTest, PartitionsComeBackInOrderPartlyFromTheFile) {
  EXPECT_GT(store_.spilled_bytes(), 0U);
  for (uint32_t partition = 0; partition < 3; ++partition) {
    ASSERT_EQ(store_.bytes(partition), expected_[partition].size());
    EXPECT_EQ(Read(partition, 0, expected_[partition].size()), expected_[partition]);
  }
}

TEST_F(PartitionStoreTest, AnyStretchCanBeRead) {
  for (size_t offset = 0; offset < 300; offset += 13)
    EXPECT_EQ(Read(1, offset, 200), expected_[1].substr(offset, 200));
}

TEST_F(PartitionStoreTest, TheTemporaryFileHasNoName) {
  EXPECT_TRUE(fs_.Tree("/t").empty());
}

}  // namespace
}  // namespace hbk::prepare

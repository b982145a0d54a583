#include "partition_store.h"

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using testing::IsOk;
using testing::MemFileSystem;

// Shows what is written to files that have no name any more.
class KeepingFileSystem final : public io::FileSystem {
 public:
  explicit KeepingFileSystem(MemFileSystem& inner) : inner_(inner) {}
  Status Remove(const std::string& /*path*/) override { return OkStatus(); }

  Result<std::unique_ptr<io::File>> Open(const std::string& path,
                                         const io::OpenOptions& options) override {
    return inner_.Open(path, options);
  }
  Result<io::FileInfo> Stat(const std::string& path, bool follow) override {
    return inner_.Stat(path, follow);
  }
  Result<std::vector<io::DirectoryEntry>> List(const std::string& path) override {
    return inner_.List(path);
  }
  Status MakeDirectory(const std::string& path, uint32_t mode) override {
    return inner_.MakeDirectory(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return inner_.Rename(from, to);
  }
  Status RemoveDirectory(const std::string& path) override { return inner_.RemoveDirectory(path); }
  Status SyncDirectory(const std::string& path) override { return inner_.SyncDirectory(path); }
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override {
    return inner_.SetOwner(path, uid, gid);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return inner_.FreeBytes(path); }
  Result<bool> KeepsFileTimes(const std::string& path) override {
    return inner_.KeepsFileTimes(path);
  }
  Result<std::string> ReadLink(const std::string& path) override { return inner_.ReadLink(path); }
  Result<int64_t> LockHolder(const std::string& path) override { return inner_.LockHolder(path); }

 private:
  MemFileSystem& inner_;
};

class PartitionStoreTest : public ::testing::Test {
 protected:
  PartitionStoreTest() {
    fs_.PutDirectory("/t");
    std::minstd_rand random(7);
    for (int i = 0; i < 500; ++i) {
      const auto partition = static_cast<uint32_t>(random() % 3);
      const std::string head(random() % 30 + 1, static_cast<char>('a' + i % 26));
      const std::string body(random() % 90, static_cast<char>('A' + i % 26));
      EXPECT_THAT(store_.section(0).Append(partition, AsBytes(head), AsBytes(body)), IsOk());
      expected_[partition] += head + body;
      EXPECT_LE(store_.block_count(), 5U);
    }
    EXPECT_THAT(store_.Finish(), IsOk());
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

TEST_F(PartitionStoreTest, EncryptedStretchesComeBackFromTheFile) {
  std::string memory(64 * 9, 'x');
  PartitionStore store(
      fs_, {.block_bytes = 64, .block_count = 2, .spill_path = "/t/s", .encrypts_spill = true});
  for (size_t i = 0; i < memory.size(); ++i)
    memory[i] = static_cast<char>(i * 7);
  ASSERT_THAT(store.section(0).Append(0, AsBytes(memory), {}), IsOk());
  ASSERT_THAT(store.Finish(), IsOk());
  ASSERT_EQ(store.spilled_bytes(), 64U * 7);
  for (size_t offset = 0; offset < memory.size(); offset += 5) {
    for (const size_t size : {1U, 3U, 16U, 70U, 200U}) {
      if (offset + size > memory.size()) continue;
      std::string text(size, '\0');
      ASSERT_THAT(store.Read(0, offset, testing::MutableBytes(text)), IsOk());
      EXPECT_EQ(text, memory.substr(offset, size)) << offset;
    }
  }
}

// Each by a thread, as prepare does it.
TEST(PartitionStoreSectionTest, SectionsOfAPartitionComeBackOneBehindTheOther) {
  constexpr uint32_t kSections = 4;
  constexpr uint32_t kPartitions = 5;
  MemFileSystem fs;
  fs.PutDirectory("/t");
  PartitionStore store(fs, {.partition_count = kPartitions,
                            .section_count = kSections,
                            .block_bytes = 64,
                            .block_count = kSections * kPartitions + 3,
                            .spill_path = "/t/spill"});
  std::string expected[kSections][kPartitions];
  std::vector<std::thread> threads;
  for (uint32_t section = 0; section < kSections; ++section) {
    threads.emplace_back([&, section] {
      std::minstd_rand random(section + 1);
      for (int i = 0; i < 2000; ++i) {
        const auto partition = static_cast<uint32_t>(random() % kPartitions);
        const std::string text(random() % 100, static_cast<char>('a' + random() % 26));
        EXPECT_THAT(store.section(section).Append(partition, AsBytes(text), {}), IsOk());
        expected[section][partition] += text;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_THAT(store.Finish(), IsOk());

  EXPECT_GT(store.spilled_bytes(), 0U);
  for (uint32_t partition = 0; partition < kPartitions; ++partition) {
    std::string all;
    for (const auto& of_section : expected)
      all += of_section[partition];
    ASSERT_EQ(store.bytes(partition), all.size());
    std::string text(all.size(), '\0');
    EXPECT_THAT(store.Read(partition, 0, testing::MutableBytes(text)), IsOk());
    EXPECT_EQ(text, all);
    const std::string_view part = std::string_view(text).substr(0, 1000);
    for (size_t offset = 0; offset + part.size() < all.size(); offset += 777) {
      EXPECT_THAT(store.Read(partition, offset, testing::MutableBytes(text).first(part.size())),
                  IsOk());
      EXPECT_EQ(part, all.substr(offset, part.size())) << offset;
    }
  }
}

TEST(PartitionStoreSectionTest, DroppedSectionsLeaveTheirMemoryToTheOthers) {
  for (const size_t before : {0U, 10U, 100U, 1000U}) {
    MemFileSystem fs;
    fs.PutDirectory("/t");
    PartitionStore store(
        fs, {.section_count = 3, .block_bytes = 64, .block_count = 5, .spill_path = "/t/spill"});
    for (uint32_t section = 0; section < 3; ++section)
      ASSERT_THAT(store.section(section).Append(0, AsBytes(std::string(before, 'a')), {}), IsOk());

    ASSERT_THAT(store.DropFrom(1), IsOk());

    const std::string rest(3000, 'b');
    ASSERT_THAT(store.section(0).Append(0, AsBytes(rest), {}), IsOk());
    ASSERT_THAT(store.Finish(), IsOk());
    std::string text(store.bytes(0), '\0');
    ASSERT_THAT(store.Read(0, 0, testing::MutableBytes(text)), IsOk());
    EXPECT_EQ(text, std::string(before, 'a') + rest);
  }
}

TEST(PartitionStoreSpillTest, WhatIsOnTheDiskCanBeHidden) {
  const std::string word = "easy to find in a file";
  for (const bool is_hidden : {false, true}) {
    MemFileSystem mem;
    mem.PutDirectory("/t");
    KeepingFileSystem fs(mem);
    PartitionStore store(
        fs,
        {.block_bytes = 64, .block_count = 2, .spill_path = "/t/s", .encrypts_spill = is_hidden});
    for (int i = 0; i < 20; ++i)
      ASSERT_THAT(store.section(0).Append(0, AsBytes(word), {}), IsOk());
    ASSERT_THAT(store.Finish(), IsOk());

    EXPECT_EQ(mem.Contents("/t/s").size(), store.spilled_bytes());
    EXPECT_EQ(mem.Contents("/t/s").find(word) == std::string::npos, is_hidden);
  }
}

TEST(PartitionStoreSpillTest, AFileThatCannotBeWrittenIsSaidAtTheLatestAtTheEnd) {
  MemFileSystem mem;
  mem.PutDirectory("/t");
  testing::FaultyFileSystem fs(mem);
  // The first two changes make the file and take its name away.
  for (const uint64_t k : {1U, 3U, 4U, 9U}) {
    fs.Arm(testing::FaultKind::kNoSpace, k);
    PartitionStore store(
        fs, {.partition_count = 2, .block_bytes = 64, .block_count = 12, .spill_path = "/t/s"});
    Status status;
    for (uint32_t i = 0; i < 100 && status.ok(); ++i)
      status = store.section(0).Append(i % 2, AsBytes(std::string(50, 'x')), {});
    const Status finished = store.Finish();
    EXPECT_TRUE(fs.has_fired()) << k;
    EXPECT_EQ((status.ok() ? finished : status).code(), StatusCode::kNoSpace) << k;
  }
}

TEST_F(PartitionStoreTest, TheTemporaryFileHasNoName) {
  EXPECT_TRUE(fs_.Tree("/t").empty());
}

}  // namespace
}  // namespace hbk::prepare

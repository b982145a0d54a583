#include "redo_ring.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/redo/log_block.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::redo_ring_test {
namespace {

using ::hbk::testing::BlockLogBuilder;
using ::hbk::testing::IsOk;
using ::hbk::testing::LogBuilder;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr Lsn kFirstLsn = 20'000;
constexpr uint64_t kCapacity = 10'000;  // no multiple of the alignment

// A log whose ring holds the low byte of the offset of each byte.
std::string NumberedLog() {
  std::string file = LogBuilder(kFirstLsn, redo::kLogHeadBytes + kCapacity).file();
  for (size_t i = redo::kLogHeadBytes; i < file.size(); ++i)
    file[i] = static_cast<char>(i % 251);
  return file;
}

TEST(RedoRingTest, ReadsOverTheEndOfTheFileAsIfItWentOn) {
  MemFileSystem fs;
  const std::string file = NumberedLog();
  fs.PutFile("/log", file);
  const auto ring = RedoRing::Open(fs, "/log");
  ASSERT_THAT(ring, IsOk());
  AlignedBuffer buffer(kCapacity + RedoRing::kSlackBytes);
  const std::string endless = file.substr(redo::kLogHeadBytes) + file.substr(redo::kLogHeadBytes);

  for (const Lsn lap : {0U, 3U}) {
    for (const size_t begin : {0U, 1U, 4095U, 4096U, 9'999U}) {
      for (const size_t size : {1U, 4096U, 5'000U, 10'000U}) {
        const auto read = ring.value()->Read(kFirstLsn + lap * kCapacity + begin, size, buffer);
        ASSERT_THAT(read, IsOk());
        EXPECT_EQ(AsText(read.value().bytes), endless.substr(begin, size)) << begin << ' ' << size;
        EXPECT_EQ(read.value().bytes.data(), buffer.data() + read.value().index);
      }
    }
  }
}

TEST(RedoRingTest, BlocksAreAsEndless) {
  MemFileSystem fs;
  constexpr Lsn kLsn = 51200 + 12;
  constexpr uint64_t kBlocks = 40;
  BlockLogBuilder log(kLsn, redo::kBlockLogHeadBytes + kBlocks * 512);
  for (int i = 0; i < 60; ++i)
    log.Append(std::string(1, '\x31') + std::string(1, 'x') + std::string(300, '\0'));
  fs.PutFile("/log", log.file());
  const auto ring = RedoRing::Open(fs, "/log");
  ASSERT_THAT(ring, IsOk());
  AlignedBuffer buffer(kBlocks * 512 + RedoRing::kSlackBytes);
  const std::string endless = log.file().substr(2048) + log.file().substr(2048);

  for (const uint64_t begin : {0U, 1U, 39U}) {
    const auto read = ring.value()->Read(51200 + begin * 512, kBlocks * 512, buffer);
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(AsText(read.value().bytes), endless.substr(begin * 512, kBlocks * 512)) << begin;
  }
}

TEST(RedoRingTest, TakesTheNewestCheckpoint) {
  MemFileSystem fs;
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + kCapacity);
  fs.PutFile("/log", log.SetCheckpoint({kFirstLsn + 500, kFirstLsn + 600}).file());

  const auto ring = RedoRing::Open(fs, "/log");

  ASSERT_THAT(ring, IsOk());
  EXPECT_EQ(ring.value()->checkpoint_at_open().checkpoint_lsn, kFirstLsn + 500);
  EXPECT_EQ(ring.value()->checkpoint_at_open().end_lsn, kFirstLsn + 600);
}

TEST(RedoRingTest, AHeadThatStaysTornIsCorruption) {
  MemFileSystem fs;
  std::string file = NumberedLog();
  file[100] ^= 1;
  fs.PutFile("/log", file);

  EXPECT_THAT(RedoRing::Open(fs, "/log"), StatusIs(StatusCode::kCorruption, HasSubstr("/log")));
}

TEST(RedoRingTest, AFileThatIsTooShortIsNoLog) {
  MemFileSystem fs;
  fs.PutFile("/log", std::string(5'000, '\0'));

  EXPECT_THAT(RedoRing::Open(fs, "/log"), StatusIs(StatusCode::kCorruption, HasSubstr("5000")));
}

TEST(RedoRingTest, AFileThatGotShorterIsAnError) {
  MemFileSystem fs;
  fs.PutFile("/log", NumberedLog());
  const auto ring = RedoRing::Open(fs, "/log");
  ASSERT_THAT(ring, IsOk());
  const auto file = fs.Open("/log", {.write = true});
  ASSERT_THAT(file.value()->Truncate(redo::kLogHeadBytes), IsOk());
  AlignedBuffer buffer(kCapacity + RedoRing::kSlackBytes);

  EXPECT_THAT(ring.value()->Read(kFirstLsn, 100, buffer),
              StatusIs(StatusCode::kFailed, HasSubstr("ends at byte 12288")));
}

}  // namespace
}  // namespace hbk::backup::redo_ring_test

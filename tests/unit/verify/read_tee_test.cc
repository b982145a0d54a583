#include "read_tee.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify::read_tee_test {
namespace {

using ::testing::_;
using testing::FaultKind;
using testing::FaultyFileSystem;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr size_t kMiB = 1 << 20;

class ReadTeeTest : public ::testing::Test {
 protected:
  ReadTeeTest() {
    for (size_t at = 0; at < content_.size(); ++at)
      content_[at] = static_cast<char>(at * 31 / 7 + at / kMiB);
    fs_.PutFile("/b/log", content_);
  }

  ReadTee MakeTee(io::FileSystem& fs) {
    return {fs, "/b/log", [this](uint64_t offset, ByteView bytes) {
              offsets_.push_back(offset);
              EXPECT_EQ(offset, seen_.size());
              seen_ += AsText(bytes);
            }};
  }
  static void Read(io::File& file, uint64_t offset, size_t size) {
    std::string bytes(size, '\0');
    auto* const data = reinterpret_cast<uint8_t*>(bytes.data());
    ASSERT_THAT(file.ReadAt(offset, {data, size}), IsOk());
  }

  MemFileSystem fs_;
  std::string content_ = std::string(3 * kMiB + 1000, '\0');
  std::string seen_;
  std::vector<uint64_t> offsets_;
};

TEST_F(ReadTeeTest, TheSinkGetsEachByteOnceAndInOrder) {
  ReadTee tee = MakeTee(fs_);
  auto file = tee.Open("/b/log", {});
  ASSERT_THAT(file, IsOk());
  Read(**file, 0, 512);
  Read(**file, 200, 100);        // again
  Read(**file, 12288, kMiB);     // behind a gap
  Read(**file, 4096, 2 * kMiB);  // half of it again
  Read(**file, content_.size(), 10);
  ASSERT_THAT(tee.RestTo(content_.size()), IsOk());

  EXPECT_EQ(seen_, content_);
  EXPECT_EQ(tee.position(), content_.size());
  EXPECT_EQ(offsets_, (std::vector<uint64_t>{0, kMiB, 2 * kMiB, 3 * kMiB}));
}

TEST_F(ReadTeeTest, WhatNobodyReadsIsReadForTheSink) {
  ReadTee tee = MakeTee(fs_);
  ASSERT_THAT(tee.RestTo(content_.size()), IsOk());
  EXPECT_EQ(seen_, content_);
}

TEST_F(ReadTeeTest, OtherFilesAreOfNoInterest) {
  fs_.PutFile("/b/other", "text");
  ReadTee tee = MakeTee(fs_);
  auto file = tee.Open("/b/other", {});
  ASSERT_THAT(file, IsOk());
  Read(**file, 0, 4);
  EXPECT_EQ(tee.position(), 0U);
}

TEST_F(ReadTeeTest, AFileThatIsShorterIsAnError) {
  ReadTee tee = MakeTee(fs_);
  EXPECT_THAT(tee.RestTo(content_.size() + 1), StatusIs(StatusCode::kFailed, _));
  EXPECT_EQ(tee.position(), content_.size());
}

TEST_F(ReadTeeTest, AFailedReadOfAGapIsAnError) {
  FaultyFileSystem faulty(fs_);
  ReadTee tee = MakeTee(faulty);
  auto file = tee.Open("/b/log", {});
  ASSERT_THAT(file, IsOk());
  std::string bytes(100, '\0');
  auto* const data = reinterpret_cast<uint8_t*>(bytes.data());
  faulty.Arm(FaultKind::kIoError, 2);  // the second read is that of the gap
  EXPECT_FALSE((*file)->ReadAt(2 * kMiB, {data, bytes.size()}).ok());
  EXPECT_TRUE(faulty.has_fired());
}

}  // namespace
}  // namespace hbk::verify::read_tee_test

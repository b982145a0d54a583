#include "file_target.h"

#include <string>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;

class FileTargetTest : public ::testing::Test {
 protected:
  FileTargetTest() { fs_.PutDirectory("/t"); }

  std::unique_ptr<CopyTarget> Create(uint64_t size) {
    auto target = FileTarget::Create(fs_, {.path = "/t/f", .size = size});
    EXPECT_THAT(target, IsOk());
    return std::move(target).value();
  }

  MemFileSystem fs_;
};

TEST_F(FileTargetTest, HolesAndChunksMakeTheWholeFile) {
  const std::string last(4096, 'b');
  const auto target = Create(2 * kCopyBufferBytes + 5000);
  std::string bytes = last + std::string(904, 'c');
  bytes.resize(8192, '\0');
  ASSERT_THAT(target->Write({2 * kCopyBufferBytes, AsBytes(bytes), 5000}), IsOk());
  ASSERT_THAT(target->SkipHole(0), hbk::testing::IsOk());
  ASSERT_THAT(target->SkipHole(kCopyBufferBytes), hbk::testing::IsOk());
  CopyResult result;

  ASSERT_THAT(target->Finish(2 * kCopyBufferBytes + 5000, result), IsOk());

  const std::string expected = std::string(2 * kCopyBufferBytes, '\0') + bytes.substr(0, 5000);
  EXPECT_EQ(fs_.Contents("/t/f"), expected);
  EXPECT_EQ(result.digest, filter::DigestOf(AsBytes(expected)));
  EXPECT_EQ(result.written_bytes, 5000U);
  EXPECT_EQ(result.content, manifest::FileContent::kWhole);
}

TEST_F(FileTargetTest, AFileThatBecameShorterIsCutAndDigestedAnew) {
  const std::string bytes(8192, 'a');
  const auto target = Create(8192);
  ASSERT_THAT(target->Write({0, AsBytes(bytes), 8192}), IsOk());
  CopyResult result;

  ASSERT_THAT(target->Finish(4096, result), IsOk());

  EXPECT_EQ(fs_.Contents("/t/f"), bytes.substr(0, 4096));
  EXPECT_EQ(result.digest, filter::DigestOf(AsBytes(bytes).first(4096)));
}

TEST_F(FileTargetTest, WhatIsDiscardedLeavesNothing) {
  const auto target = Create(8192);
  ASSERT_THAT(target->Discard(), IsOk());
  EXPECT_TRUE(fs_.Tree("/t").empty());
}

}  // namespace
}  // namespace hbk::backup

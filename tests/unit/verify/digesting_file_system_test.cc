#include "digesting_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::verify {
namespace {

using ::testing::_;
using testing::IsOk;
using testing::StatusIs;

constexpr uint64_t kMiB = 1 << 20;

TEST(DigestingFileSystemTest, AFileHasTheDigestOfWhatWasWritten) {
  std::string bytes(2 * kMiB + 100, 'x');
  bytes.replace(100, kMiB, std::string(kMiB, '\0'));
  DigestedFile file;
  file.Write(0, AsBytes(bytes).first(100));
  file.Write(100 + kMiB, AsBytes(bytes).subspan(100 + kMiB));
  file.Truncate(bytes.size() + 50);
  file.Finish();

  EXPECT_EQ(file.size(), bytes.size() + 50);
  EXPECT_EQ(file.digest(), filter::DigestOf(AsBytes(bytes + std::string(50, '\0'))));
  EXPECT_EQ(file.content(), "");
}

TEST(DigestingFileSystemTest, WhatIsWrittenOutOfOrderHasNoDigest) {
  DigestedFile file;
  file.Write(10, AsBytes("abc"));
  file.Write(0, AsBytes("abc"));
  file.Finish();

  EXPECT_EQ(file.size(), 13U);
  EXPECT_EQ(file.digest(), "");
}

TEST(DigestingFileSystemTest, OfAManifestTheContentIsKept) {
  DigestedFile file;
  file.Write(0, AsBytes("{ "));
  file.Write(2, AsBytes("}"));
  file.Finish();

  EXPECT_EQ(file.content(), "{ }");
}

TEST(DigestingFileSystemTest, NamesAreAsInAnyFileSystem) {
  DigestingFileSystem fs;
  EXPECT_THAT(fs.List("/a").status(), StatusIs(StatusCode::kNotFound, _));
  ASSERT_THAT(fs.MakeDirectory("/a", 0700), IsOk());
  ASSERT_THAT(fs.Open("/a/1", {.write = true, .create = true}).status(), IsOk());
  EXPECT_THAT(fs.Open("/a/1", {.write = true, .create = true}).status(),
              StatusIs(StatusCode::kAlreadyExists, _));
  ASSERT_THAT(fs.Rename("/a/1", "/a/x"), IsOk());
  EXPECT_EQ(fs.List("/a")->size(), 1U);
  EXPECT_TRUE(fs.files().contains("/a/x"));
  EXPECT_THAT(fs.Stat("/a/1", false).status(), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(fs.Remove("/a/x"), IsOk());
  EXPECT_THAT(fs.RemoveDirectory("/a"), IsOk());
}

}  // namespace
}  // namespace hbk::verify

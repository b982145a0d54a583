#include "hbk/info/stored_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::info {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StoredFilesTest, FilesOfAllDirectoriesAreCounted) {
  MemFileSystem fs;
  ASSERT_THAT(io::MakeDirectories(fs, "/b/db", 0700), IsOk());
  ASSERT_THAT(io::WriteNewFile(fs, "/b/ibdata1", "12345", 0600), IsOk());
  ASSERT_THAT(io::WriteNewFile(fs, "/b/db/t.ibd", "123", 0600), IsOk());

  const auto files = ListStoredFiles(fs, "/b");

  ASSERT_THAT(files.status(), IsOk());
  EXPECT_THAT(files->names, ElementsAre("db/t.ibd", "ibdata1"));
  EXPECT_EQ(files->bytes, 8U);
}

TEST(StoredFilesTest, WhatIsTooDeepIsNoBackup) {
  MemFileSystem fs;
  ASSERT_THAT(io::MakeDirectories(fs, "/b/1/2/3/4/5/6/7/8/9", 0700), IsOk());

  EXPECT_THAT(ListStoredFiles(fs, "/b").status(),
              StatusIs(StatusCode::kFailed, HasSubstr("deeper")));
  EXPECT_THAT(ListStoredFiles(fs, "/c").status(), StatusIs(StatusCode::kNotFound, HasSubstr("/c")));
}

}  // namespace
}  // namespace hbk::info

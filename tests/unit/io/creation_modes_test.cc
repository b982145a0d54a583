#include "hbk/io/creation_modes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::io {
namespace {

using testing::IsOk;

TEST(CreationModesTest, WhoMayReadFilesMayEnterDirectories) {
  EXPECT_EQ(DirectoryModeFor(0600), 0700U);
  EXPECT_EQ(DirectoryModeFor(0640), 0750U);
  EXPECT_EQ(DirectoryModeFor(0644), 0755U);
}

TEST(CreationModesTest, WhatIsMadeHasThem) {
  testing::MemFileSystem mem;
  CreationModes fs(mem, 0640);
  ASSERT_THAT(MakeDirectories(fs, "/a/b", 0700), IsOk());
  ASSERT_THAT(WriteFileAtomically(fs, "/a/b/f", "text", 0600), IsOk());

  EXPECT_EQ(mem.Stat("/a", true)->mode, 0750U);
  EXPECT_EQ(mem.Stat("/a/b", true)->mode, 0750U);
  EXPECT_EQ(mem.Stat("/a/b/f", true)->mode, 0640U);
}

TEST(CreationModesTest, WhatIsThereKeepsItsOwn) {
  testing::MemFileSystem mem;
  ASSERT_THAT(WriteNewFile(mem, "/f", "text", 0600), IsOk());
  CreationModes fs(mem, 0640);
  ASSERT_THAT(fs.Open("/f", {.write = true}), IsOk());
  EXPECT_EQ(mem.Stat("/f", true)->mode, 0600U);
}

}  // namespace
}  // namespace hbk::io

#include "binlog_sync.h"

#include "hbk/base/bytes.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;

TEST(BinlogSyncTest, TheFileLiesWhereTheBinlogsAre) {
  EXPECT_EQ(BinlogPath("/var/lib/mysql/binlog", "binlog.000007"), "/var/lib/mysql/binlog.000007");
  EXPECT_EQ(BinlogPath("/logs/db1", "./db1.000007"), "/logs/db1.000007");
  EXPECT_EQ(BinlogPath("", "binlog.000007"), "");
  EXPECT_EQ(BinlogPath("/logs/db1", ""), "");
}

TEST(BinlogSyncTest, WhatWasWrittenIsOnDiskThen) {
  MemFileSystem fs;
  fs.PutFile("/logs/binlog.000001", "events");
  const auto file = fs.Open("/logs/binlog.000001", {.write = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->WriteAt(6, AsBytes(std::string(", more"))), IsOk());

  SyncBinlog(fs, "/logs/binlog.000001");

  fs.Crash(0);
  EXPECT_EQ(fs.Contents("/logs/binlog.000001"), "events, more");
}

TEST(BinlogSyncTest, AFileThatCannotBeReadIsLeftToTheServer) {
  MemFileSystem fs;
  SyncBinlog(fs, "/logs/binlog.000001");
  SyncBinlog(fs, "");
  EXPECT_TRUE(fs.synced().empty());
}

}  // namespace
}  // namespace hbk::backup

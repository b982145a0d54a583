#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/info/description_renderings.h"

#include "sample_description.h"

namespace hbk::info {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(DescriptionTextTest, EverythingThatIsKnownIsSaid) {
  EXPECT_EQ(DescriptionText({SampleDescription()}),
            "/b/full\n"
            "  what            full backup, of hbk 0.1.0\n"
            "  state           prepared, by hbk 0.1.0 at 2026-01-31T17:00:00Z\n"
            "  uuid            uuid-1\n"
            "  made            2026-01-31T16:55:30Z to 2026-01-31T16:56:30Z (1 min 00 s)\n"
            "  LSN             from 100, checkpoint 200, end 300\n"
            "  size            1.0 MiB in 12 files lie there, and take up 512 KiB\n"
            "                  1.0 GiB in 10 files when they are restored\n"
            "  compression     zstd:3\n"
            "  sealed          files; key slots 2; the manifest is by somebody with a key\n"
            "  server          10.11.19-MariaDB on db1, server_id 7, uid abc=, pages of 16 KiB\n"
            "  server's keys   1 version 4\n"
            "  binlog          b.8 position 1382, GTID 0-1-6\n"
            "  replica         gtid_slave_pos 0-1-5\n"
            "                  'east': db2 port 3306, b.9 position 4\n"
            "  Galera          cluster cluster, seqno 215\n"
            "  stages          block-commit  waited 10 ms, held 20 ms, files 3\n"
            "  redo            2.0 KiB copied; margin 75 % of the log, 1.0 MiB\n"
            "  warnings        careful\n"
            "  last verify     2026-02-01T00:00:00Z (full): FINDINGS 3\n"
            "  last drill      2026-02-02T00:00:00Z: passed, restored in 9.0 s, server 10.11.19\n"
            "                  of what was here before: the manifest is another one now\n");
}

TEST(DescriptionTextTest, SeveralBackupsAreDrawnAsAChain) {
  const std::string text = DescriptionText({SampleIncrementDescription(), SampleDescription()});

  EXPECT_THAT(text, StartsWith("/b/full\n"));
  EXPECT_THAT(text, HasSubstr("  base            /b/full\n"
                              "                  ends at LSN 300, uuid uuid-1\n"));
  EXPECT_THAT(text, HasSubstr("\nchain\n"
                              "  /b/full  prepared, to LSN 300\n"
                              "     `- /b/inc  unprepared, to LSN 400\n"));
}

TEST(DescriptionTextTest, ALostBaseIsSaid) {
  const std::string text = DescriptionText({SampleIncrementDescription()});

  EXPECT_THAT(text, HasSubstr("not among the directories given"));
  EXPECT_THAT(text, HasSubstr("  replica         CHANGE MASTER\n                  TO x\n"));
  EXPECT_THAT(text, HasSubstr("  last verify     never\n"));
  EXPECT_THAT(text, Not(HasSubstr("chain")));
}

TEST(DescriptionTextTest, WhatIsNoBackupHasItsErrorOnly) {
  BackupDescription backup;
  backup.directory = "/b/\x1b[2J";
  backup.status = NotFoundError("no\x1b backup");

  EXPECT_EQ(DescriptionText({backup}),
            "/b/?[2J\n"
            "  state           no backup\n"
            "  error           no? backup\n");
}

TEST(DescriptionTextTest, WithoutAKeyItIsSaidWhatThatMeans) {
  BackupDescription backup = SampleDescription();
  backup.seal_check = SealCheck::kNotChecked;
  EXPECT_THAT(DescriptionText({backup}), HasSubstr("no key was given"));

  backup.state = DirectoryState::kClosed;
  const std::string closed = DescriptionText({backup});
  EXPECT_THAT(closed, HasSubstr("closed: a key is needed"));
  EXPECT_THAT(closed, Not(HasSubstr("full backup")));
}

}  // namespace
}  // namespace hbk::info

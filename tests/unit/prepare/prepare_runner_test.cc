#include "hbk/prepare/prepare_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/redo/log_file.h"

#include "quiet_reporter.h"
#include "tests/support/coded_tablespace.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"
#include "tests/support/undo_builder.h"

namespace hbk::prepare {
namespace {

using ::testing::AllOf;
using testing::FaultKind;
using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::kSmallBackupDir;
using testing::kSmallBackupPageLsn;
using testing::kSmallBackupPageSize;
using testing::MemFileSystem;
using testing::StatusIs;

Result<PrepareSummary> Prepare(io::FileSystem& fs, uint64_t memory_bytes = 64 << 20) {
  QuietReporter reporter;
  // One worker: then the k-th operation is always the same one.
  return RunPrepare(
      {.target_dir = kSmallBackupDir, .use_memory_bytes = memory_bytes, .parallel = 1}, fs,
      reporter, {});
}

ByteView PageOf(const std::string& file, uint32_t page, uint32_t size = kSmallBackupPageSize) {
  return AsBytes(file).subspan(size_t{page} * size, size);
}

std::string Text(const std::string& file, uint32_t page, size_t offset, size_t size,
                 uint32_t page_size = kSmallBackupPageSize) {
  return std::string(AsText(PageOf(file, page, page_size).subspan(offset, size)));
}

class PrepareRunnerTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name) {
    return fs_.Contents(std::string(kSmallBackupDir) + "/" + name);
  }
  void Put(const std::string& name, const std::string& bytes) {
    fs_.PutFile(std::string(kSmallBackupDir) + "/" + name, bytes);
  }

  MemFileSystem fs_;
  testing::SmallBackup backup_ = testing::PutSmallBackup(fs_);
};

TEST_F(PrepareRunnerTest, ChangedPagesHaveTheRedoAndGoodChecksums) {
  const auto summary = Prepare(fs_);

  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->end_lsn, backup_.end_lsn);
  const std::string table = File("db/a.ibd");
  EXPECT_EQ(Text(table, 6, 200 + 5 * 16, 9), std::string(9, '\0'));  // made anew later
  EXPECT_EQ(Text(table, 5, 200 + 4 * 16, 9), "table a 4");
  EXPECT_EQ(Text(table, 5, 200 + 18 * 16, 10), "table a 18");
  const auto flags = innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize);
  for (uint32_t page = 0; page < 12; ++page) {
    EXPECT_EQ(innodb::CheckPage(PageOf(table, page), flags, {5, page}), innodb::PageVerdict::kGood)
        << page;
  }
}

TEST_F(PrepareRunnerTest, FileGrowsToTheSizeInItsHeader) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  const std::string table = File("db/a.ibd");
  EXPECT_EQ(table.size(), 12U * kSmallBackupPageSize);
  EXPECT_EQ(Text(table, 11, 100, 4), "abab");
}

TEST_F(PrepareRunnerTest, FreedPageKeepsItsOldImage) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(innodb::PageLsn(PageOf(File("db/a.ibd"), 7)), kSmallBackupPageLsn);
}

TEST_F(PrepareRunnerTest, PageMadeAnewWithinAnMtrHasNothingFromBefore) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(Text(File("db/a.ibd"), 6, 500, 4), std::string(4, '\0'));
  EXPECT_EQ(Text(File("db/a.ibd"), 6, 600, 4), "anew");
}

TEST_F(PrepareRunnerTest, UndoTablespaceIsCutAndForgetsOlderRedo) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  const std::string undo = File("undo001");
  EXPECT_EQ(undo.size(), 4U * kSmallBackupPageSize);
  EXPECT_EQ(innodb::PageLsn(PageOf(undo, 3)), kSmallBackupPageLsn);
  EXPECT_GT(innodb::PageLsn(PageOf(undo, 0)), kSmallBackupPageLsn);
}

TEST_F(PrepareRunnerTest, DroppedTableIsRemovedAndSwappedNamesAreSwapped) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(fs_.Tree(kSmallBackupDir).count(std::string(kSmallBackupDir) + "/db/gone.ibd"), 0U);
  EXPECT_EQ(innodb::PageSpaceId(PageOf(File("db/y.ibd"), 0)), 7U);
  EXPECT_EQ(innodb::PageSpaceId(PageOf(File("db/x.ibd"), 0)), 8U);
}

TEST_F(PrepareRunnerTest, TablesThatOnlyTheRedoKnowsAreMade) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(File("db/made.ibd").size(), 6U * kSmallBackupPageSize);
  EXPECT_EQ(Text(File("db/made.ibd"), 3, 100, 6), "made 3");
  EXPECT_EQ(File("db/z.ibd").size(), 8192U);  // 9 pages of 1 KiB, in blocks of 4 KiB
  EXPECT_EQ(Text(File("db/z.ibd"), 5, 100, 12, 1024), "compressed 5");
}

TEST_F(PrepareRunnerTest, LogIsEmptyAndEndsWhereTheRedoEnded) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(File("ib_logfile0"), redo::RenderEmptyLog(backup_.end_lsn, "Backup 10.11.19"));
  EXPECT_THAT(File("xtrabackup_checkpoints"), HasSubstr("log-applied"));
}

TEST_F(PrepareRunnerTest, SecondPrepareChangesNothing) {
  ASSERT_THAT(Prepare(fs_), IsOk());
  const auto tree = fs_.Tree(kSmallBackupDir);

  const auto again = Prepare(fs_);

  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->was_prepared_already);
  EXPECT_EQ(fs_.Tree(kSmallBackupDir), tree);
}

TEST_F(PrepareRunnerTest, LeavesNoFileOfItsOwn) {
  ASSERT_THAT(Prepare(fs_), IsOk());

  for (const auto& [path, bytes] : fs_.Tree(kSmallBackupDir))
    EXPECT_THAT(path, ::testing::Not(HasSubstr("hbk")));
}

TEST_F(PrepareRunnerTest, TransactionsThatTheServerHadPreparedBecomeActive) {
  const std::string before = File("ibdata1");

  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(LoadBe16(PageOf(before, 7), testing::kUndoStateOffset), testing::kUndoPrepared);
  EXPECT_EQ(LoadBe16(PageOf(File("ibdata1"), 7), testing::kUndoStateOffset), testing::kUndoActive);
  EXPECT_EQ(LoadBe16(PageOf(File("undo001"), 3), testing::kUndoStateOffset), testing::kUndoActive);
}

TEST_F(PrepareRunnerTest, DamagedRollbackSegmentIsForgivenOnlyIfItIsOnTheList) {
  std::string file = File("ibdata1");
  file[size_t{7} * kSmallBackupPageSize + 2000] ^= 1;
  Put("ibdata1", file);
  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kCorruption, HasSubstr("ibdata1, page 7")));
  EXPECT_THAT(File("xtrabackup_checkpoints"), HasSubstr("full-backuped"));
  Put("innodb_corrupted_pages", "innodb_system 0\n7\n");

  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(LoadBe16(PageOf(File("undo001"), 3), testing::kUndoStateOffset), testing::kUndoActive);
}

// Each change of the file system is the last one in turn; a power cut follows that keeps nothing,
// or a random half, of what was not synced. Then prepare runs again.
TEST_F(PrepareRunnerTest, PowerCutAtAnyChangeEndsInTheSameBytes) {
  ASSERT_THAT(Prepare(fs_), IsOk());
  const auto expected = fs_.Tree(kSmallBackupDir);
  for (const uint32_t seed : {0U, 1U, 2U, 3U}) {
    for (uint64_t k = 1;; ++k) {
      MemFileSystem fs;
      testing::PutSmallBackup(fs);
      FaultyFileSystem faulty(fs);
      faulty.Arm(FaultKind::kCrash, k);
      const auto interrupted = Prepare(faulty);
      if (!faulty.has_fired()) {
        EXPECT_GT(k, 50U);
        break;
      }
      fs.Crash(seed == 0 ? 0 : seed * 1000 + static_cast<uint32_t>(k));

      ASSERT_THAT(Prepare(fs), IsOk()) << "seed " << seed << ", change " << k;

      ASSERT_TRUE(fs.Tree(kSmallBackupDir) == expected) << "seed " << seed << ", change " << k;
    }
  }
}

// Killed, and killed again while it mends.
TEST_F(PrepareRunnerTest, TwoPowerCutsEndInTheSameBytes) {
  ASSERT_THAT(Prepare(fs_), IsOk());
  const auto expected = fs_.Tree(kSmallBackupDir);
  for (uint64_t k = 5; k < 90; k += 7) {
    for (uint64_t second = 1; second < 60; second += 6) {
      MemFileSystem fs;
      testing::PutSmallBackup(fs);
      for (const uint64_t change : {k, second}) {
        FaultyFileSystem faulty(fs);
        faulty.Arm(FaultKind::kCrash, change);
        (void)Prepare(faulty).status().ok();
        fs.Crash(static_cast<uint32_t>(k * 100 + second));
      }

      ASSERT_THAT(Prepare(fs), IsOk()) << k << ", " << second;

      ASSERT_TRUE(fs.Tree(kSmallBackupDir) == expected) << k << ", " << second;
    }
  }
}

TEST_F(PrepareRunnerTest, FailedOperationIsAnErrorOrCompleteSuccess) {
  ASSERT_THAT(Prepare(fs_), IsOk());
  const auto expected = fs_.Tree(kSmallBackupDir);
  for (const FaultKind kind : {FaultKind::kIoError, FaultKind::kShortWrite}) {
    for (uint64_t k = 1;; k += kind == FaultKind::kIoError ? 3 : 1) {
      MemFileSystem fs;
      testing::PutSmallBackup(fs);
      FaultyFileSystem faulty(fs);
      faulty.Arm(kind, k);
      const auto first = Prepare(faulty);
      if (!faulty.has_fired()) break;
      if (first.ok()) {
        // What is left may be the lock file, which says nothing.
        EXPECT_THAT(Prepare(fs), IsOk());
      }

      ASSERT_THAT(Prepare(fs), IsOk()) << "operation " << k;

      ASSERT_TRUE(fs.Tree(kSmallBackupDir) == expected) << "operation " << k;
    }
  }
}

TEST_F(PrepareRunnerTest, LogThatEndsTooEarlyIsRefusedAndNothingChanges) {
  testing::PutBackupMetadata(fs_, backup_.end_lsn + 1);
  const auto before = fs_.Tree(kSmallBackupDir);

  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kCorruption,
                                     AllOf(HasSubstr("ends at LSN"), HasSubstr("needs LSN"))));
  EXPECT_EQ(fs_.Tree(kSmallBackupDir), before);
}

TEST_F(PrepareRunnerTest, DamagedPageIsNamed) {
  std::string table = File("db/a.ibd");
  table[5 * kSmallBackupPageSize + 3000] = 'x';
  Put("db/a.ibd", table);

  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kCorruption,
                                     AllOf(HasSubstr("db/a.ibd, page 5"), HasSubstr("checksum"))));
}

TEST_F(PrepareRunnerTest, PageNewerThanTheLogIsRefused) {
  std::string table = File("db/a.ibd");
  const MutableByteView page =
      testing::MutableBytes(table).subspan(5 * kSmallBackupPageSize, kSmallBackupPageSize);
  StoreBe64(page, innodb::kFilLsn, backup_.end_lsn + 1);
  innodb::SealPage(page, innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize), {5, 5});
  Put("db/a.ibd", table);

  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kCorruption, HasSubstr("redo ends at LSN")));
}

TEST_F(PrepareRunnerTest, TablespaceWithoutFileIsRefused) {
  testing::LogBuilder log = testing::MakeSmallBackupLog();
  log.Append(testing::MtrBuilder().FileModify(77, "./db/lost.ibd"));
  log.Append(testing::MtrBuilder().Write({77, 3}, 100, "lost"));
  Put("ib_logfile0", log.file());

  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kCorruption, HasSubstr("db/lost.ibd")));
}

TEST_F(PrepareRunnerTest, MissingKeyIsFoundBeforeAnythingChanges) {
  const std::string page = testing::MakeCryptFirstPage(
      *innodb::TablespaceFlags::Decode(0x13), 5, 8, kSmallBackupPageLsn, testing::MakeCryptData(3));
  Put("db/a.ibd", page + File("db/a.ibd").substr(kSmallBackupPageSize));
  const auto before = fs_.Tree(kSmallBackupDir);

  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kMissingKey,
                                     AllOf(HasSubstr("db/a.ibd"), HasSubstr("key 3 version 1"))));
  EXPECT_EQ(fs_.Tree(kSmallBackupDir), before);
}

TEST_F(PrepareRunnerTest, PageCompressedTableIsPreparedAndGetsCompressedPages) {
  const auto flags = *innodb::TablespaceFlags::Decode(0x33);
  const std::string page = testing::MakeFirstPage(flags, 5, 8, kSmallBackupPageLsn);
  Put("db/a.ibd", page + File("db/a.ibd").substr(kSmallBackupPageSize));

  ASSERT_THAT(Prepare(fs_), IsOk());

  const std::string file = File("db/a.ibd");
  size_t compressed = 0;
  for (innodb::PageNo number = 1; number < file.size() / kSmallBackupPageSize; ++number) {
    const ByteView image =
        AsBytes(file).subspan(size_t{number} * kSmallBackupPageSize, kSmallBackupPageSize);
    EXPECT_NE(innodb::CheckPage(image, flags, {5, number}), innodb::PageVerdict::kBadChecksum);
    compressed += innodb::CodingOf(image, flags, false, {5, number}).is_plain() ? 0 : 1;
  }
  EXPECT_NE(compressed, 0U);
}

TEST_F(PrepareRunnerTest, PageThatWasDamagedOnTheServerStaysOnTheList) {
  std::string file = File("db/a.ibd");
  // Page 3 is changed by the redo.
  file[size_t{3} * kSmallBackupPageSize + 2000] ^= 1;
  StoreBe32(testing::MutableBytes(file), innodb::kFspFreeLimit, 12);
  innodb::SealPage(testing::MutableBytes(file).first(kSmallBackupPageSize),
                   innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize), {5, 0});
  Put("db/a.ibd", file);
  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kCorruption, HasSubstr("db/a.ibd, page 3")));
  Put("innodb_corrupted_pages", "db/a 5\n2 3\n");

  ASSERT_THAT(Prepare(fs_), IsOk());

  EXPECT_EQ(File("innodb_corrupted_pages"), "db/a 5\n3\n");
}

TEST_F(PrepareRunnerTest, DirectoryThatIsNoBackupIsLeftAlone) {
  MemFileSystem fs;
  fs.PutFile(std::string(kSmallBackupDir) + "/ibdata1", "some file");
  const auto before = fs.Tree(kSmallBackupDir);

  EXPECT_THAT(Prepare(fs), StatusIs(StatusCode::kNotFound, HasSubstr("is no backup")));
  EXPECT_EQ(fs.Tree(kSmallBackupDir), before);
}

TEST_F(PrepareRunnerTest, RunningServerIsRespected) {
  fs_.SetLockHolder(std::string(kSmallBackupDir) + "/ibdata1", 4711);

  EXPECT_THAT(Prepare(fs_), StatusIs(StatusCode::kTargetInUse, HasSubstr("4711")));
}

TEST_F(PrepareRunnerTest, StopIsInterruptedAndCanBeRepeated) {
  std::stop_source stop;
  stop.request_stop();
  QuietReporter reporter;
  EXPECT_THAT(
      RunPrepare({.target_dir = kSmallBackupDir, .parallel = 1}, fs_, reporter, stop.get_token()),
      StatusIs(StatusCode::kInterrupted, HasSubstr("interrupted")));

  EXPECT_THAT(Prepare(fs_), IsOk());
}

TEST_F(PrepareRunnerTest, TooLittleMemoryIsUsage) {
  EXPECT_THAT(Prepare(fs_, 1 << 20), StatusIs(StatusCode::kUsage, HasSubstr("memory")));
}

}  // namespace
}  // namespace hbk::prepare

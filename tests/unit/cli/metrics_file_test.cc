#include "metrics_file.h"

#include <chrono>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::cli {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

report::RunRecord Record(const Status& status) {
  report::RunRecord record;
  record.status = status;
  record.end = std::chrono::system_clock::time_point() + std::chrono::seconds(1772600767);
  record.seconds = 1.5;
  record.phases = {{"copy", 1.25}};
  record.warning_count = 2;
  if (status.ok()) record.facts = {{"file_count", "7"}, {"bytes", "800"}, {"format", "hbk"}};
  return record;
}

std::string Text(const Status& status, const RunFigures& figures = {}) {
  return report::RenderMetrics(MakeMetrics("backup", "shop", 3, Record(status), figures));
}

TEST(MetricsFileTest, ARunHasItsFigures) {
  const std::string text = Text(OkStatus());

  for (const char* line : {
           "hbk_last_success_timestamp_seconds{command=\"backup\",name=\"shop\"} 1772600767\n",
           "hbk_last_run_timestamp_seconds{command=\"backup\",name=\"shop\"} 1772600767\n",
           "hbk_last_run_exit_code{command=\"backup\",name=\"shop\"} 3\n",
           "hbk_last_run_duration_seconds{command=\"backup\",name=\"shop\"} 1.5\n",
           "hbk_last_run_warnings{command=\"backup\",name=\"shop\"} 2\n",
           "hbk_last_run_files{command=\"backup\",name=\"shop\"} 7\n",
           "hbk_last_run_bytes{command=\"backup\",name=\"shop\"} 800\n",
           "hbk_last_run_phase_seconds{command=\"backup\",name=\"shop\",phase=\"copy\"} 1.25\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricsFileTest, AFailureIsNoSuccess) {
  EXPECT_THAT(Text(FailedError("no")),
              AllOf(HasSubstr("hbk_last_run_timestamp_seconds{"), Not(HasSubstr("success"))));
}

TEST(MetricsFileTest, ABackupHasStagesAndMargin) {
  RunFigures figures;
  figures.stored_bytes = 400;
  figures.backup = backup::BackupSummary();
  figures.backup->last_lsn = 18446744073709551615U;
  figures.backup->stages = {{.stage = "block-commit", .wait_ms = 20, .held_ms = 1500}};
  figures.backup->redo_bytes = 11;
  figures.backup->redo_margin_bytes = 12;
  figures.backup->redo_margin = 0.75;
  const std::string labels = "{command=\"backup\",name=\"shop\"";

  const std::string text = Text(OkStatus(), figures);

  for (const std::string& line : {
           "hbk_backup_stored_bytes" + labels + "} 400\n",
           "hbk_backup_last_lsn" + labels + "} 18446744073709551615\n",
           "hbk_backup_stage_wait_seconds" + labels + ",stage=\"block-commit\"} 0.02\n",
           "hbk_backup_stage_held_seconds" + labels + ",stage=\"block-commit\"} 1.5\n",
           "hbk_backup_redo_bytes" + labels + "} 11\n",
           "hbk_backup_redo_margin_bytes" + labels + "} 12\n",
           "hbk_backup_redo_margin_ratio" + labels + "} 0.75\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricsFileTest, TheNameOfTheFileTellsSeriesApart) {
  EXPECT_EQ(MetricsLabel("/var/lib/x/hbk-shop.prom"), "hbk-shop");
  EXPECT_EQ(MetricsLabel("hbk"), "hbk");
}

class MetricsFileOnDiskTest : public ::testing::Test {
 protected:
  Status Store(const char* command, const Status& status) {
    return StoreMetrics(fs_, path_, MakeMetrics(command, "hbk", 0, Record(status), {}));
  }
  std::string Read() { return io::ReadFile(fs_, path_, 1 << 20).value(); }

  hbk::testing::TemporaryDirectory directory_;
  io::FileSystem& fs_ = io::PosixFileSystem();
  const std::string path_ = directory_.path() + "/hbk.prom";
};

TEST_F(MetricsFileOnDiskTest, EverybodyMayReadItWhateverTheUmask) {
  const mode_t before = umask(077);
  const Status stored = Store("backup", OkStatus());
  umask(before);

  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(fs_.Stat(path_, false)->mode, 0644U);
  EXPECT_THAT(fs_.List(directory_.path()).value(), ::testing::SizeIs(1));
}

TEST_F(MetricsFileOnDiskTest, AFailureKeepsTheLastSuccessAndOtherCommands) {
  ASSERT_THAT(Store("backup", OkStatus()), IsOk());
  ASSERT_THAT(Store("prepare", OkStatus()), IsOk());
  ASSERT_THAT(Store("backup", FailedError("no")), IsOk());

  const std::string text = Read();

  EXPECT_THAT(text, HasSubstr("hbk_last_success_timestamp_seconds{command=\"backup\""));
  EXPECT_THAT(text, HasSubstr("hbk_last_run_bytes{command=\"prepare\""));
  EXPECT_THAT(text, Not(HasSubstr("hbk_last_run_bytes{command=\"backup\"")));
  EXPECT_EQ(report::ParseMetrics(text).size(),
            MakeMetrics("prepare", "hbk", 0, Record(OkStatus()), {}).size() +
                MakeMetrics("backup", "hbk", 0, Record(FailedError("no")), {}).size() + 1);
}

TEST_F(MetricsFileOnDiskTest, SomebodyElsesFileIsLeftAlone) {
  ASSERT_THAT(io::WriteNewFile(fs_, path_, "root:x:0:0\n", 0600), IsOk());

  EXPECT_THAT(CheckMetricsFile(fs_, path_), StatusIs(StatusCode::kUsage, HasSubstr(path_)));
  EXPECT_THAT(Store("backup", OkStatus()), StatusIs(StatusCode::kUsage, HasSubstr(path_)));

  EXPECT_EQ(Read(), "root:x:0:0\n");
}

TEST_F(MetricsFileOnDiskTest, WhatCouldNotBeWrittenIsSaidBefore) {
  EXPECT_THAT(CheckMetricsFile(fs_, path_), IsOk());
  EXPECT_THAT(CheckMetricsFile(fs_, directory_.path() + "/no/hbk.prom"),
              StatusIs(StatusCode::kNotFound, HasSubstr("--metrics-file=")));
  EXPECT_THAT(CheckMetricsFile(fs_, directory_.path()),
              StatusIs(StatusCode::kUsage, HasSubstr("")));
  ASSERT_EQ(symlink("/etc/passwd", path_.c_str()), 0);
  EXPECT_THAT(CheckMetricsFile(fs_, path_), StatusIs(StatusCode::kUsage, HasSubstr(path_)));
  EXPECT_THAT(CheckMetricsFile(fs_, path_ + "/x"),
              StatusIs(StatusCode::kUsage, HasSubstr("is no directory")));
}

}  // namespace
}  // namespace hbk::cli

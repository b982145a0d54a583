#include "hbk/verify/verify_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/verify_record.h"

#include "small_set.h"
#include "tests/support/compressed_backup.h"
#include "tests/support/small_backup.h"

namespace hbk::verify {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

const std::vector<std::string> kIncrements = {"/inc", "/inc2"};

class VerifyRunnerTest : public ::testing::Test {
 protected:
  SmallSet set_;
};

TEST_F(VerifyRunnerTest, AGoodBackupHasNoFindings) {
  EXPECT_THAT(set_.Findings(), IsEmpty());
  EXPECT_THAT(set_.Findings({.target_dir = "/base", .is_fast = true}), IsEmpty());
  EXPECT_EQ(set_.reporter.warning_count(), 0U);
}

TEST_F(VerifyRunnerTest, NorHasAGoodChain) {
  EXPECT_THAT(set_.Findings({.target_dir = "/base", .incremental_dirs = kIncrements}), IsEmpty());
}

TEST_F(VerifyRunnerTest, NorHasAPreparedBackup) {
  set_.Prepare();

  EXPECT_THAT(set_.Findings(), IsEmpty());
}

TEST_F(VerifyRunnerTest, NorHasACompressedOne) {
  ASSERT_THAT(testing::CompressBackup(set_.fs, "/base"), IsOk());
  ASSERT_THAT(testing::CompressBackup(set_.fs, "/inc"), IsOk());

  EXPECT_THAT(set_.Findings({.target_dir = "/base", .incremental_dirs = kIncrements}), IsEmpty());
}

// Whatever happens in between, a backup that was taken is good.
TEST_F(VerifyRunnerTest, NoChainOfARandomServerHasFindings) {
  for (uint32_t seed = 100; seed < 115; ++seed) {
    SmallSet set(seed);
    EXPECT_THAT(set.Findings({.target_dir = "/base", .incremental_dirs = kIncrements}), IsEmpty())
        << seed;
    set.Prepare();
    // That server has pages of any type anywhere.
    EXPECT_THAT(set.Findings(), Each(HasSubstr("a page of a type"))) << seed;
  }
}

TEST_F(VerifyRunnerTest, AFlippedBitOfAnyFileIsFound) {
  const auto files = set_.fs.Tree("/base");
  size_t place = 7;
  for (const auto& [path, bytes] : files) {
    if (bytes.empty()) continue;
    set_.Flip(path, place += 1000003);
    EXPECT_THAT(set_.Findings(), Not(IsEmpty())) << path;
    set_.fs.PutFile(path, bytes);
  }
  EXPECT_THAT(set_.Findings(), IsEmpty());
}

TEST_F(VerifyRunnerTest, SoIsOneOfAnyFileOfAnIncrement) {
  size_t place = 7;
  for (const auto& [path, bytes] : set_.fs.Tree("/inc")) {
    if (bytes.empty()) continue;
    set_.Flip(path, place += 1000003);
    EXPECT_THAT(set_.Findings({.target_dir = "/base", .incremental_dirs = kIncrements}),
                Not(IsEmpty()))
        << path;
    set_.fs.PutFile(path, bytes);
  }
}

TEST_F(VerifyRunnerTest, AFileThatIsGoneIsFound) {
  for (const auto& [path, bytes] : set_.fs.Tree("/base")) {
    if (path == "/base/hbk_manifest.json" || path == "/base/hbk_chunks") continue;
    ASSERT_THAT(set_.fs.Remove(path), IsOk());
    EXPECT_THAT(set_.Findings(), Contains(HasSubstr("missing"))) << path;
    set_.fs.PutFile(path, bytes);
  }
}

TEST_F(VerifyRunnerTest, AFileThatNobodyKnowsIsFound) {
  set_.fs.PutFile("/base/db/more.ibd", "x");

  EXPECT_THAT(set_.Findings(), ElementsAre("/base: db/more.ibd: the manifest does not list it"));
}

TEST_F(VerifyRunnerTest, AnIncrementThatIsMissingBreaksTheChain) {
  EXPECT_THAT(set_.Findings({.target_dir = "/base", .incremental_dirs = {"/inc2"}}),
              Contains(HasSubstr("/base: ")));
}

TEST_F(VerifyRunnerTest, ALogThatEndsTooEarlyIsFoundBesidesItsDigest) {
  const std::string path = "/base/ib_logfile0";
  const std::string log = set_.fs.Contents(path);
  set_.fs.PutFile(path, log.substr(0, log.size() - 100));

  EXPECT_THAT(set_.Findings(), Contains(HasSubstr("the log ends at LSN")));
}

TEST_F(VerifyRunnerTest, ADamagedManifestIsAFinding) {
  set_.Flip("/base/hbk_manifest.json", 500);

  EXPECT_THAT(set_.Findings(), ElementsAre(HasSubstr("hbk_manifest.json")));
}

TEST_F(VerifyRunnerTest, WhatIsNoBackupIsAnError) {
  set_.fs.PutDirectory("/empty");
  const auto summary = RunVerify({.target_dir = "/empty"}, set_.fs, set_.reporter, {});

  EXPECT_THAT(summary.status(), StatusIs(StatusCode::kNotFound, HasSubstr("no backup")));
}

TEST_F(VerifyRunnerTest, WhileAPrepareIsAtWorkNothingIsSaid) {
  set_.fs.PutFile("/base/hbk_prepare.lock", "");

  EXPECT_THAT(set_.Verify({}).status(), StatusIs(StatusCode::kTargetInUse, _));
}

TEST_F(VerifyRunnerTest, TheRecordSaysWhatWasSeenAndOfWhat) {
  ASSERT_THAT(set_.Findings(), IsEmpty());
  const auto record = manifest::LoadVerifyRecord(set_.fs, "/base");

  ASSERT_THAT(record.status(), IsOk());
  EXPECT_EQ(record->mode, "full");
  EXPECT_EQ(record->finding_count, 0U);
  EXPECT_GT(record->page_count, 0U);
  EXPECT_EQ(record->subjects.size(), 1U);
  set_.Prepare();
  ASSERT_THAT(set_.Findings(), IsEmpty());
  EXPECT_NE(manifest::LoadVerifyRecord(set_.fs, "/base")->subjects, record->subjects);
}

TEST_F(VerifyRunnerTest, ASampleFindsMissingFilesToo) {
  ASSERT_THAT(set_.Findings({.target_dir = "/base", .sample_share = 0.2, .seed = 5}), IsEmpty());
  ASSERT_THAT(set_.fs.Remove("/base/ibdata1"), IsOk());

  EXPECT_THAT(set_.Findings({.target_dir = "/base", .sample_share = 0.000001, .seed = 5}),
              Contains(HasSubstr("ibdata1: it is missing")));
}

TEST_F(VerifyRunnerTest, ARunGoesOnWhereTheRecordSays) {
  ASSERT_THAT(set_.Findings(), IsEmpty());
  auto record = manifest::LoadVerifyRecord(set_.fs, "/base").value();
  const auto file_count = record.file_count;
  record.resume = manifest::VerifyRecord::Resume{.backup = 0, .file = file_count - 1, .offset = 0};
  ASSERT_THAT(manifest::StoreVerifyRecord(set_.fs, "/base", record), IsOk());

  const auto rest = set_.Verify({.target_dir = "/base", .budget_s = 3600});
  ASSERT_THAT(rest.status(), IsOk());
  EXPECT_LT(rest->bytes, record.bytes);
  EXPECT_TRUE(rest->is_complete);
  EXPECT_EQ(manifest::LoadVerifyRecord(set_.fs, "/base")->resume, std::nullopt);

  // Of another state it is no record.
  ASSERT_THAT(manifest::StoreVerifyRecord(set_.fs, "/base", record), IsOk());
  set_.Prepare();
  const auto all = set_.Verify({.target_dir = "/base", .budget_s = 3600});
  ASSERT_THAT(all.status(), IsOk());
  EXPECT_GT(all->bytes, rest->bytes);
}

TEST_F(VerifyRunnerTest, TheVerdictIsCorruption) {
  VerifySummary summary;
  EXPECT_THAT(VerdictOf(summary, "/b"), IsOk());
  summary.finding_count = 2;
  summary.bad_file_count = 1;
  EXPECT_THAT(VerdictOf(summary, "/b"),
              StatusIs(StatusCode::kCorruption, "/b: 2 findings in 1 file"));
}

TEST(VerifyForeignTest, ABackupOfMariadbBackupIsCheckedAsFarAsItGoes) {
  testing::MemFileSystem fs;
  testing::SilentReporter reporter;
  testing::PutSmallBackup(fs);
  const auto verify = [&] {
    return RunVerify({.target_dir = testing::kSmallBackupDir, .parallel = 1}, fs, reporter, {})
        .value();
  };
  EXPECT_EQ(verify().finding_count, 0U);
  std::string bytes = fs.Contents("/backup/db/a.ibd");
  bytes[5000] ^= 1;
  fs.PutFile("/backup/db/a.ibd", bytes);
  EXPECT_EQ(verify().finding_count, 1U);
  EXPECT_FALSE(io::Exists(fs, "/backup/hbk_verified.json").value());
}

}  // namespace
}  // namespace hbk::verify

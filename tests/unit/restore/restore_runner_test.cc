#include "hbk/restore/restore_runner.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "backup_sample.h"
#include "tests/support/fault_matrix.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::FaultKind;
using hbk::testing::FaultyFileSystem;
using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RestoreRunnerTest : public ::testing::Test {
 protected:
  RestoreRunnerTest() {
    PutSampleBackup(fs_);
    options_.backup_dir = "/b";
    options_.target.datadir = "/d";
    options_.owner = "0:0";
    options_.parallel = 1;
  }

  Result<RestoreSummary> Run(io::FileSystem& fs) {
    return RunRestore(options_, fs, reporter_, stop_.get_token());
  }
  Result<RestoreSummary> Run() { return Run(fs_); }

  void ExpectRestored() {
    EXPECT_TRUE(fs_.Tree("/d") == SampleTree("/d"));
    EXPECT_THAT(io::Exists(fs_, "/d/empty"), IsOkAndHolds(true));
  }

  // Empty if there is no such directory.
  static std::map<std::string, std::string> TreeOf(MemFileSystem& fs, const std::string& dir) {
    if (!io::Exists(fs, dir).value()) return {};
    return fs.Tree(dir);
  }

  // The backup gets a DATA DIRECTORY table that was in /ext.
  void AddLink() {
    fs_.PutFile("/b/shop/t.isl", "/ext/shop/t.ibd");
    manifest::BackupManifest manifest = SampleManifest();
    AddToManifest(manifest, "shop/t.isl", "/ext/shop/t.ibd");
    PutManifest(fs_, manifest);
  }

  static std::map<std::string, std::string> SampleTree(const std::string& dir) {
    std::map<std::string, std::string> tree;
    for (const auto& [name, bytes] : SampleFiles())
      tree[dir + "/" + name] = bytes;
    return tree;
  }

  MemFileSystem fs_;
  RestoreOptions options_;
  RecordingReporter reporter_;
  std::stop_source stop_;
};

TEST_F(RestoreRunnerTest, CopyBackMakesAnInstance) {
  const auto backup = fs_.Tree("/b");

  const auto summary = Run();

  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary.value().file_count, SampleFiles().size());
  EXPECT_GT(summary.value().bytes, kSampleSystemBytes);
  ExpectRestored();
  EXPECT_TRUE(fs_.Tree("/b") == backup);
  EXPECT_THAT(reporter_.phases(), ElementsAre("check", "copy files"));
  EXPECT_THAT(reporter_.warnings(), IsEmpty());
}

TEST_F(RestoreRunnerTest, WhatWasRestoredSurvivesAPowerCut) {
  ASSERT_THAT(Run(), IsOk());

  fs_.Crash(/*seed=*/0);

  ExpectRestored();
}

TEST_F(RestoreRunnerTest, TheSystemTablespaceComesFirstAndTheRedoLogLast) {
  ASSERT_THAT(Run(), IsOk());

  std::vector<std::string> restored;
  for (const std::string& path : fs_.synced()) {
    if (path == "/d" && !restored.empty() && restored.back() != path) restored.push_back(path);
    if (fs_.Tree("/d").contains(path)) restored.push_back(path);
  }
  ASSERT_EQ(restored.size(), SampleFiles().size() + 3);
  EXPECT_EQ(restored[0], "/d/ibdata1");
  EXPECT_EQ(restored[1], "/d");
  EXPECT_EQ(restored[restored.size() - 3], "/d");
  EXPECT_EQ(restored[restored.size() - 2], "/d/ib_logfile0");
  EXPECT_EQ(restored[restored.size() - 1], "/d");
}

TEST_F(RestoreRunnerTest, MoveBackLeavesNoBackup) {
  options_.move = true;

  ASSERT_THAT(Run(), IsOk());

  ExpectRestored();
  EXPECT_THAT(reporter_.phases(), ElementsAre("check", "check digests", "move files"));
  EXPECT_EQ(fs_.Tree("/b").size(), 1U);
  EXPECT_THAT(fs_.Contents("/b/hbk_incomplete"), HasSubstr("/d"));
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailed, HasSubstr("moved")));
}

TEST_F(RestoreRunnerTest, ARemappedTableIsWhereItsLinkSays) {
  for (const bool move : {false, true}) {
    fs_.PutDirectory("/new");
    AddLink();
    options_.move = move;
    options_.remap = {"/ext=/new/" + std::to_string(move)};
    options_.target.datadir = move ? "/d2" : "/d";
    const std::string place = options_.remap[0].substr(5) + "/shop/t.ibd";

    ASSERT_THAT(Run(), IsOk());

    EXPECT_EQ(fs_.Contents(options_.target.datadir + "/shop/t.isl"), place);
    EXPECT_EQ(fs_.Contents(place), SampleFiles().at("shop/t.ibd"));
  }
  EXPECT_EQ(fs_.Tree("/b").size(), 1U);  // the marker
}

TEST_F(RestoreRunnerTest, ADamagedLinkIsFoundAlthoughItIsRewritten) {
  AddLink();
  fs_.PutFile("/b/shop/t.isl", "/exu/shop/t.ibd");
  options_.remap = {"/exu=/new"};
  const auto before = fs_.Tree("/");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/shop/t.isl")));
  EXPECT_TRUE(fs_.Tree("/") == before);
}

TEST_F(RestoreRunnerTest, RemapAndLocalTablespacesExcludeEachOther) {
  options_.remap = {"/a=/b"};
  options_.local_tablespaces = true;
  EXPECT_THAT(Run(), StatusIs(StatusCode::kUsage, HasSubstr("exclude each other")));
}

// What prepare leaves for servers up to 10.7.
TEST_F(RestoreRunnerTest, AnEmptyRedoLogIsRestored) {
  fs_.PutFile("/b/ib_logfile0", "");
  manifest::BackupManifest manifest = SampleManifest();
  for (manifest::ManifestFile& file : manifest.files) {
    if (file.name != "ib_logfile0") continue;
    file.size = 0;
    file.digest = filter::DigestOf({});
  }
  PutManifest(fs_, manifest);
  for (const bool move : {false, true}) {
    options_.move = move;
    options_.target.datadir = move ? "/d2" : "/d";

    ASSERT_THAT(Run(), IsOk());

    EXPECT_EQ(fs_.Contents(options_.target.datadir + "/ib_logfile0"), "");
  }
}

TEST_F(RestoreRunnerTest, ADamagedFileIsNotRestored) {
  std::string bytes = SampleFiles().at("ibdata1");
  bytes[800000] = 'x';
  fs_.PutFile("/b/ibdata1", bytes);
  const auto before = fs_.Tree("/");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/ibdata1")));
  EXPECT_TRUE(fs_.Tree("/") == before);
  EXPECT_THAT(io::Exists(fs_, "/d"), IsOkAndHolds(false));

  options_.move = true;
  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/ibdata1")));
  EXPECT_TRUE(fs_.Tree("/") == before);
}

TEST_F(RestoreRunnerTest, ATargetInUseIsLeftAlone) {
  fs_.PutFile("/d/shop/old.ibd", "old");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kTargetInUse, HasSubstr("/d is not empty")));

  options_.force_non_empty_directories = true;
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(fs_.Contents("/d/shop/old.ibd"), "old");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kTargetInUse, HasSubstr("is not overwritten")));
}

TEST_F(RestoreRunnerTest, ADirectoryOfMariadbBackupIsRestored) {
  PutMariadbBackup(fs_, "log-applied");
  fs_.PutFile("/b/xtrabackup_binlog_info", "b.000001\t4\n");
  fs_.PutFile("/b/xtrabackup_binlog_pos_innodb", "b.000001\t4\n");

  ASSERT_THAT(Run(), IsOk());

  auto expected = SampleTree("/d");
  expected["/d/xtrabackup_binlog_pos_innodb"] = "b.000001\t4\n";
  expected["/d/xtrabackup_info"] = "tool_name = mariadb-backup\n";
  EXPECT_TRUE(fs_.Tree("/d") == expected);
}

TEST_F(RestoreRunnerTest, TheTargetsOwnerOwnsTheFiles) {
  fs_.PutDirectory("/d");
  ASSERT_THAT(fs_.SetOwner("/d", 7, 8), IsOk());
  options_.owner = "";

  ASSERT_THAT(Run(), IsOk());

  for (const char* path : {"/d/ibdata1", "/d/shop", "/d/shop/t.ibd"}) {
    const auto info = fs_.Stat(path, /*follow=*/false);
    ASSERT_THAT(info, IsOk());
    EXPECT_EQ(info.value().uid, 7U) << path;
    EXPECT_EQ(info.value().gid, 8U) << path;
  }
}

TEST_F(RestoreRunnerTest, AnInterruptedRunTakesBackWhatItMade) {
  stop_.request_stop();
  const auto before = fs_.Tree("/");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kInterrupted, HasSubstr("")));

  EXPECT_TRUE(fs_.Tree("/") == before);
  EXPECT_THAT(io::Exists(fs_, "/d"), IsOkAndHolds(false));
}

TEST_F(RestoreRunnerTest, AWarningOfThePlanReachesTheUser) {
  const std::string link = "/ext/shop/t.ibd";
  fs_.PutFile("/b/shop/t.isl", link);
  fs_.PutFile(link, "live");
  manifest::BackupManifest manifest = SampleManifest();
  AddToManifest(manifest, "shop/t.isl", link);
  PutManifest(fs_, manifest);

  ASSERT_THAT(Run(), IsOk());

  EXPECT_THAT(reporter_.warnings(), ElementsAre(HasSubstr(link)));
  EXPECT_EQ(fs_.Contents(link), "live");
}

// Each operation fails once: the run fails and has undone everything, or it has done everything.
class RestoreFaultTest : public RestoreRunnerTest,
                         public ::testing::WithParamInterface<std::tuple<bool, FaultKind>> {};

TEST_P(RestoreFaultTest, AFaultLeavesEverythingOrNothing) {
  const auto [move, kind] = GetParam();
  for (uint64_t k = 1;; ++k) {
    MemFileSystem mem;
    PutSampleBackup(mem);
    const auto before = mem.Tree("/b");
    FaultyFileSystem faulty(mem);
    options_.move = move;
    faulty.Arm(kind, k);

    const Result<RestoreSummary> summary = Run(faulty);

    if (summary.ok()) {
      EXPECT_TRUE(mem.Tree("/d") == SampleTree("/d")) << "operation " << k;
    } else {
      EXPECT_TRUE(mem.Tree("/b") == before)
          << "operation " << k << ": " << summary.status().message();
      EXPECT_THAT(TreeOf(mem, "/d"), IsEmpty()) << "operation " << k;
    }
    if (!faulty.has_fired()) {
      EXPECT_THAT(summary, IsOk());
      EXPECT_GT(k, 20U);
      break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, RestoreFaultTest,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(FaultKind::kIoError,
                                                              FaultKind::kNoSpace,
                                                              FaultKind::kShortWrite)));

// With every kind of fault. A copy that failed has taken back what it made, and one that was cut
// off is no instance: see the next test. A move that failed can be finished or begun again.
class RestoreMatrixTest : public RestoreRunnerTest, public ::testing::WithParamInterface<bool> {};

TEST_P(RestoreMatrixTest, EveryFaultEndsInAllOrNothing) {
  options_.move = GetParam();
  MemFileSystem undisturbed;
  PutSampleBackup(undisturbed);
  const auto backup = undisturbed.Tree("/b");
  const hbk::testing::FaultMatrix matrix{
      .name = GetParam() ? "move-back" : "copy-back",
      .set_up = PutSampleBackup,
      .run = [this](io::FileSystem& fs) { return Run(fs).status(); },
      .check =
          [&](MemFileSystem& fs, const hbk::testing::FaultCase& fault, const Status& ended) {
            const auto tree = TreeOf(fs, "/d");
            const bool is_power_cut = fault.kind == FaultKind::kCrash;
            if (ended.ok()) {
              EXPECT_TRUE(tree == SampleTree("/d"));
            } else if (!is_power_cut) {
              EXPECT_THAT(tree, IsEmpty());
            } else {
              // The log is the last one; a part of it is a log that no server takes.
              auto expected = SampleTree("/d");
              if (tree.contains("/d/ib_logfile0")) {
                expected["/d/ib_logfile0"] = tree.at("/d/ib_logfile0");
                EXPECT_TRUE(tree == expected);
              }
            }
            if (!GetParam() || (!ended.ok() && !is_power_cut)) {
              EXPECT_TRUE(fs.Tree("/b") == backup);
            }
          }};

  EXPECT_GT(RunFaultMatrix(matrix).cases, 100U);
}

INSTANTIATE_TEST_SUITE_P(Move, RestoreMatrixTest, ::testing::Bool());

// A power cut at any moment leaves what is whole, or what no server starts on: with the system
// tablespace and without the redo log, or with nothing at all.
TEST_F(RestoreRunnerTest, APowerCutLeavesNoHalfInstanceThatStarts) {
  for (uint64_t k = 1;; ++k) {
    MemFileSystem mem;
    PutSampleBackup(mem);
    FaultyFileSystem faulty(mem);
    faulty.Arm(FaultKind::kCrash, k);

    (void)Run(faulty);
    mem.Crash(static_cast<uint32_t>(k));

    const auto tree = TreeOf(mem, "/d");
    if (tree.contains("/d/ib_logfile0")) {
      auto expected = SampleTree("/d");
      expected["/d/ib_logfile0"] = tree.at("/d/ib_logfile0");
      EXPECT_TRUE(tree == expected) << "change " << k;
    } else {
      EXPECT_TRUE(tree.empty() || tree.contains("/d/ibdata1")) << "change " << k;
    }
    if (!faulty.has_fired()) break;
  }
}

TEST_F(RestoreRunnerTest, MyrocksIsPutWhereTheTargetHasIt) {
  AddRocksdb(fs_);
  options_.target.rocksdb_datadir = "/rocks";

  ASSERT_THAT(Run(), IsOk());

  EXPECT_EQ(fs_.Contents("/rocks/1.sst"), "#rocksdb/1.sst");
  EXPECT_EQ(fs_.Contents("/rocks/2.log"), "#rocksdb/2.log");
  EXPECT_EQ(fs_.Contents("/b/#rocksdb/1.sst"), "#rocksdb/1.sst");
  EXPECT_THAT(io::Exists(fs_, "/d/#rocksdb"), IsOkAndHolds(false));
}

TEST_F(RestoreRunnerTest, ADamagedFileOfMyrocksIsFound) {
  AddRocksdb(fs_);
  fs_.PutFile("/b/#rocksdb/1.sst", "#rocksdb/1.sSt");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("1.sst")));

  EXPECT_THAT(TreeOf(fs_, "/d"), IsEmpty());
}

TEST_F(RestoreRunnerTest, ADirectoryOfMyrocksThatIsInUseIsRefused) {
  AddRocksdb(fs_);
  options_.target.rocksdb_datadir = "/rocks";
  fs_.PutFile("/rocks/CURRENT", "of another server");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kTargetInUse, HasSubstr("/rocks")));

  EXPECT_THAT(TreeOf(fs_, "/d"), IsEmpty());
}

TEST_F(RestoreRunnerTest, WithoutMyrocksItsDirectoryIsNotLookedAt) {
  options_.target.rocksdb_datadir = "/rocks";
  fs_.PutFile("/rocks/CURRENT", "of another server");
  EXPECT_THAT(Run(), IsOk());
}

TEST_F(RestoreRunnerTest, MoveBackLeavesNoDirectoryOfMyrocks) {
  AddRocksdb(fs_);
  options_.move = true;

  ASSERT_THAT(Run(), IsOk());

  EXPECT_EQ(fs_.Contents("/d/#rocksdb/1.sst"), "#rocksdb/1.sst");
  EXPECT_THAT(io::Exists(fs_, "/b/#rocksdb"), IsOkAndHolds(false));
}

}  // namespace
}  // namespace hbk::restore

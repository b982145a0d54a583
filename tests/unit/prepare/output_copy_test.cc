#include "output_copy.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/prepare/prepare_runner.h"

#include "quiet_reporter.h"
#include "tests/support/chain_server.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::output_copy_test {
namespace {

using ::testing::AllOf;
using testing::FaultKind;
using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using testing::StatusIs;

using Files = std::map<std::string, std::string>;

struct Job {
  std::string base = "/base";
  std::vector<std::string> increments = {"/inc"};
  std::string output = "/new";
};

Status Prepare(io::FileSystem& fs, const Job& job, report::Reporter& reporter,
               std::stop_token stop = {}) {
  // One worker: then the k-th operation is always the same one.
  return RunPrepare({.target_dir = job.base,
                     .incremental_dirs = job.increments,
                     .output_dir = job.output,
                     .use_memory_bytes = 8 << 20,
                     .parallel = 1},
                    fs, reporter, std::move(stop))
      .status();
}

Status Prepare(io::FileSystem& fs, const Job& job) {
  QuietReporter reporter;
  return Prepare(fs, job, reporter);
}

Status PrepareInPlace(io::FileSystem& fs, const std::string& base,
                      const std::vector<std::string>& increments) {
  return Prepare(fs, {.base = base, .increments = increments, .output = ""});
}

// Names below `dir`, with the bytes. The manifest has the time.
Files FilesOf(MemFileSystem& fs, const std::string& dir) {
  Files files;
  for (const auto& [path, bytes] : fs.Tree(dir))
    if (!path.ends_with("hbk_manifest.json")) files[path.substr(dir.size())] = bytes;
  return files;
}

// A full backup in /base and an increment to it in /inc.
void PutChain(MemFileSystem& fs) {
  testing::ChainServer server(3);
  server.Work(100);
  const size_t base = server.TakeFull(fs, "/base");
  server.ChangeFiles();
  server.Work(100);
  (void)server.TakeIncrement(fs, "/inc", base);
}

// Calls a function when the base is about to be copied.
class HookedReporter final : public report::Reporter {
 public:
  explicit HookedReporter(std::function<void()> hook) : hook_(std::move(hook)) {}
  void BeginPhase(std::string_view name, const report::Facts&) override {
    if (name == "copy the base") hook_();
  }
  void Progress(uint64_t, uint64_t) override {}
  void Info(std::string_view, const report::Facts&) override {}
  void Warning(std::string_view, const report::Facts&) override {}
  void Finish(const Status&, const report::Facts&) override {}
  [[nodiscard]] uint64_t warning_count() const override { return 0; }

 private:
  const std::function<void()> hook_;
};

class OutputCopyTest : public ::testing::Test {
 protected:
  OutputCopyTest() { PutChain(fs_); }

  void ExpectNothingIsMade() { EXPECT_THAT(io::Exists(fs_, "/new"), IsOkAndHolds(false)); }

  MemFileSystem fs_;
};

TEST_F(OutputCopyTest, PreparedCopyIsWhatPrepareMakesInPlace) {
  for (const std::vector<std::string>& increments :
       {std::vector<std::string>{}, std::vector<std::string>{"/inc"}}) {
    MemFileSystem fs;
    PutChain(fs);
    const Files base = fs.Tree("/base");
    const Files increment = fs.Tree("/inc");

    ASSERT_THAT(Prepare(fs, {.increments = increments, .output = "/deep/new"}), IsOk());

    EXPECT_TRUE(fs.Tree("/base") == base);
    EXPECT_TRUE(fs.Tree("/inc") == increment);
    ASSERT_THAT(PrepareInPlace(fs, "/base", increments), IsOk());
    EXPECT_TRUE(FilesOf(fs, "/deep/new") == FilesOf(fs, "/base"));
    manifest::BackupManifest made = *manifest::LoadManifest(fs, "/deep/new");
    const manifest::BackupManifest expected = *manifest::LoadManifest(fs, "/base");
    made.prepared_time = expected.prepared_time;
    EXPECT_EQ(manifest::RenderManifest(made), manifest::RenderManifest(expected));
  }
}

TEST_F(OutputCopyTest, CopyIsForItsOwnerAlone) {
  ASSERT_THAT(Prepare(fs_, {}), IsOk());

  EXPECT_EQ(fs_.Stat("/new", false)->mode, 0700U);
  for (const auto& [name, bytes] : FilesOf(fs_, "/new")) {
    EXPECT_EQ(fs_.Stat("/new" + name, false)->mode, 0600U) << name;
    EXPECT_EQ(fs_.Stat(io::DirName("/new" + name), false)->mode, 0700U) << name;
  }
}

TEST_F(OutputCopyTest, BlocksAreSharedWhereTheFileSystemCan) {
  ASSERT_THAT(Prepare(fs_, {.output = "/copied"}), IsOk());
  const Files base = fs_.Tree("/base");
  fs_.SetHasClones(true);
  fs_.SetFreeBytes(1 << 20);  // less than all of the base

  ASSERT_THAT(Prepare(fs_, {}), IsOk());

  EXPECT_GT(fs_.clone_count(), 3U);
  EXPECT_TRUE(fs_.Tree("/base") == base);
  EXPECT_TRUE(FilesOf(fs_, "/new") == FilesOf(fs_, "/copied"));
}

TEST_F(OutputCopyTest, PreparedBaseIsCopied) {
  ASSERT_THAT(PrepareInPlace(fs_, "/base", {}), IsOk());
  const Files base = fs_.Tree("/base");

  ASSERT_THAT(Prepare(fs_, {.increments = {}}), IsOk());
  ASSERT_THAT(Prepare(fs_, {.output = "/sum"}), IsOk());

  EXPECT_TRUE(fs_.Tree("/base") == base);
  EXPECT_TRUE(FilesOf(fs_, "/new") == FilesOf(fs_, "/base"));
  EXPECT_EQ(fs_.Contents("/new/hbk_manifest.json"), fs_.Contents("/base/hbk_manifest.json"));
  ASSERT_THAT(PrepareInPlace(fs_, "/base", {"/inc"}), IsOk());
  EXPECT_TRUE(FilesOf(fs_, "/sum") == FilesOf(fs_, "/base"));
}

TEST_F(OutputCopyTest, CopyTakesLaterIncrements) {
  ASSERT_THAT(Prepare(fs_, {.increments = {}}), IsOk());
  ASSERT_THAT(Prepare(fs_, {.base = "/new", .output = "/sum"}), IsOk());

  ASSERT_THAT(PrepareInPlace(fs_, "/base", {"/inc"}), IsOk());
  EXPECT_TRUE(FilesOf(fs_, "/sum") == FilesOf(fs_, "/base"));
}

TEST_F(OutputCopyTest, BackupWithoutManifestIsCopied) {
  testing::PutSmallBackup(fs_);
  const std::string base = testing::kSmallBackupDir;
  const Files before = fs_.Tree(base);

  ASSERT_THAT(Prepare(fs_, {.base = base, .increments = {}}), IsOk());
  EXPECT_TRUE(fs_.Tree(base) == before);
  ASSERT_THAT(PrepareInPlace(fs_, base, {}), IsOk());
  EXPECT_TRUE(FilesOf(fs_, "/new") == FilesOf(fs_, base));

  ASSERT_THAT(Prepare(fs_, {.base = base, .increments = {}, .output = "/prepared"}), IsOk());
  EXPECT_TRUE(FilesOf(fs_, "/prepared") == FilesOf(fs_, base));
}

TEST_F(OutputCopyTest, WhatARunHasLeftInTheBaseIsNotCopied) {
  fs_.PutFile("/base/hbk_incomplete", "");    // removing it was the last thing to be done
  fs_.PutFile("/base/hbk_prepare.lock", "");  // nothing was changed
  fs_.PutDirectory("/base/lost+found");
  fs_.PutFile("/base/notes/of/mine", "text");
  fs_.PutDirectory("/new/lost+found");

  ASSERT_THAT(Prepare(fs_, {}), IsOk());

  EXPECT_THAT(io::Exists(fs_, "/new/hbk_incomplete"), IsOkAndHolds(false));
  EXPECT_THAT(io::Exists(fs_, "/new/hbk_prepare.lock"), IsOkAndHolds(false));
  EXPECT_EQ(fs_.Contents("/new/notes/of/mine"), "text");
}

class KilledOutputTest : public ::testing::TestWithParam<bool> {};

// SIGKILL, or a power cut. Whatever is left is refused by name, or complete.
TEST_P(KilledOutputTest, LeavesNoBackupAndTheBaseAsItWas) {
  const bool has_manifest = GetParam();
  const Job job = has_manifest ? Job() : Job{.base = testing::kSmallBackupDir, .increments = {}};
  const auto put = [&](MemFileSystem& fs) {
    if (has_manifest)
      PutChain(fs);
    else
      testing::PutSmallBackup(fs);
  };
  Files expected;
  for (uint64_t k = 0;; k += 4) {
    MemFileSystem fs;
    put(fs);
    const Files base = fs.Tree(job.base);
    FaultyFileSystem faulty(fs);
    if (k != 0) faulty.Arm(FaultKind::kCrash, k);
    const Status killed = Prepare(faulty, job);
    if (k == 0) {
      ASSERT_THAT(killed, IsOk());
      expected = FilesOf(fs, "/new");
      continue;
    }
    if (!faulty.has_fired()) {
      EXPECT_THAT(killed, IsOk());
      EXPECT_GT(k, 50U);
      return;
    }
    if (k % 3 != 0) fs.Crash(static_cast<uint32_t>(k % 3 - 1));

    ASSERT_TRUE(fs.Tree(job.base) == base) << k;
    const auto opened = OpenBackupSet(fs, "/new");
    if (!opened.ok()) {
      ASSERT_EQ(opened.status().code(), StatusCode::kNotFound) << k;
      continue;
    }
    ASSERT_TRUE(opened->is_prepared) << k;
    for (const auto& [name, bytes] : expected)
      ASSERT_EQ(fs.Contents("/new" + name), bytes) << k << " " << name;
  }
}
INSTANTIATE_TEST_SUITE_P(Both, KilledOutputTest, ::testing::Bool());

TEST_F(OutputCopyTest, WhatAKilledRunHasLeftIsNamed) {
  FaultyFileSystem faulty(fs_);
  faulty.Arm(FaultKind::kCrash, 12);
  ASSERT_FALSE(Prepare(faulty, {}).ok());

  const Status again = Prepare(fs_, {});

  EXPECT_THAT(again, StatusIs(StatusCode::kTargetInUse, HasSubstr("/new is not empty")));
  EXPECT_THAT(again.hint(), HasSubstr("remove it"));
  EXPECT_THAT(OpenBackupSet(fs_, "/new"),
              StatusIs(StatusCode::kNotFound, HasSubstr("never finished")));
}

TEST_F(OutputCopyTest, FailedRunRemovesTheCopy) {
  for (uint64_t k = 1;; k += 7) {
    MemFileSystem fs;
    PutChain(fs);
    const Files base = fs.Tree("/base");
    FaultyFileSystem faulty(fs);
    faulty.Arm(k % 2 == 0 ? FaultKind::kNoSpace : FaultKind::kShortWrite, k / 2 + 1);
    const Status failed = Prepare(faulty, {});
    if (!faulty.has_fired()) return;

    ASSERT_TRUE(fs.Tree("/base") == base) << k;
    if (failed.ok()) continue;
    ASSERT_EQ(failed.code(), StatusCode::kNoSpace) << k << failed.ToString();
    const auto is_left = io::Exists(fs, "/new");
    ASSERT_THAT(is_left, IsOk());
    // Only the end of the marker had failed.
    if (*is_left) {
      ASSERT_THAT(OpenBackupSet(fs, "/new"), IsOk()) << k << failed.ToString();
    }
  }
}

TEST_F(OutputCopyTest, InterruptedRunRemovesTheCopy) {
  std::stop_source stop;
  HookedReporter reporter([&] { stop.request_stop(); });
  fs_.PutDirectory("/new/lost+found");

  EXPECT_EQ(Prepare(fs_, {}, reporter, stop.get_token()).code(), StatusCode::kInterrupted);

  EXPECT_EQ(fs_.List("/new")->size(), 1U);
}

TEST_F(OutputCopyTest, BaseThatIsChangedMeanwhileIsRefused) {
  const std::string manifest = fs_.Contents("/base/hbk_manifest.json");
  HookedReporter rewrites([&] { fs_.PutFile("/base/hbk_manifest.json", manifest); });
  EXPECT_THAT(Prepare(fs_, {}, rewrites),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/base was changed while")));
  ExpectNothingIsMade();

  HookedReporter adds([&] { fs_.PutFile("/base/another", ""); });
  EXPECT_THAT(Prepare(fs_, {}, adds),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/base was changed while")));
  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, PrepareOfTheBaseThatBeginsMeanwhileIsNoticed) {
  HookedReporter reporter([&] { ASSERT_THAT(PrepareInPlace(fs_, "/base", {"/inc"}), IsOk()); });

  EXPECT_FALSE(Prepare(fs_, {}, reporter).ok());

  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, DamagedFileOfTheBaseIsFound) {
  std::string bytes = fs_.Contents("/base/ibdata1");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  fs_.PutFile("/base/ibdata1", bytes);

  EXPECT_THAT(Prepare(fs_, {}),
              StatusIs(StatusCode::kCorruption,
                       AllOf(HasSubstr("/base/ibdata1"), HasSubstr("the manifest says"))));
  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, MissingFileIsFoundBeforeAnythingIsCopied) {
  ASSERT_THAT(fs_.Remove("/base/ibdata1"), IsOk());
  bool is_copying = false;
  HookedReporter reporter([&] { is_copying = true; });

  EXPECT_THAT(Prepare(fs_, {}, reporter),
              StatusIs(StatusCode::kCorruption, HasSubstr("ibdata1 is missing")));
  EXPECT_FALSE(is_copying);
}

TEST_F(OutputCopyTest, SymlinkInTheBaseIsRefused) {
  fs_.PutSymlink("/base/link", "/inc");

  EXPECT_THAT(Prepare(fs_, {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("/base/link is no regular file")));
  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, OnlyAnEmptyDirectoryIsTaken) {
  fs_.PutFile("/used/file", "");
  EXPECT_THAT(Prepare(fs_, {.output = "/used"}),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("/used is not empty: it holds file")));
  EXPECT_THAT(Prepare(fs_, {.output = "/used/file"}),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("not a directory")));
  EXPECT_THAT(Prepare(fs_, {.output = "/"}), StatusIs(StatusCode::kTargetInUse, HasSubstr("base")));
}

TEST_F(OutputCopyTest, DirectoriesInOneAnotherAreUsage) {
  fs_.PutSymlink("/link", "/base");
  for (const std::string output :
       {"/base", "/base/", "/base/new", "/inc/new", "/link", "/link/new"})
    EXPECT_THAT(Prepare(fs_, {.output = output}),
                StatusIs(StatusCode::kUsage, HasSubstr("--output-dir=" + output)));
  EXPECT_THAT(Prepare(fs_, {.base = "/link", .output = "/base/new"}),
              StatusIs(StatusCode::kUsage, HasSubstr("inside, /link")));
}

TEST_F(OutputCopyTest, WithoutRoomNothingIsCopied) {
  fs_.SetFreeBytes(1 << 10);
  bool is_copying = false;
  HookedReporter reporter([&] { is_copying = true; });

  EXPECT_THAT(Prepare(fs_, {}, reporter), StatusIs(StatusCode::kNoSpace, HasSubstr("/new")));
  EXPECT_FALSE(is_copying);
  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, WrongChainMakesNoDirectory) {
  EXPECT_THAT(Prepare(fs_, {.increments = {"/inc", "/inc"}}).code(), StatusCode::kChainBroken);
  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, BaseThatAKilledPrepareHasChangedIsRefused) {
  int refused_count = 0;
  for (uint64_t k = 1;; k += 3) {
    MemFileSystem fs;
    PutChain(fs);
    const Files whole = FilesOf(fs, "/base");
    FaultyFileSystem faulty(fs);
    faulty.Arm(FaultKind::kCrash, k);
    (void)PrepareInPlace(faulty, "/base", {"/inc"});
    if (!faulty.has_fired()) break;

    const Status status = Prepare(fs, {.increments = {}});

    if (status.ok()) {
      Files base = FilesOf(fs, "/base");
      base.erase("/hbk_prepare.lock");
      // Or it had come to its end but for a sync.
      const bool is_sum =
          manifest::LoadManifest(fs, "/base")->state == manifest::BackupState::kPrepared;
      ASSERT_TRUE(is_sum || base == whole) << k;
    } else {
      ASSERT_THAT(status, StatusIs(StatusCode::kTargetInUse, HasSubstr("interrupted"))) << k;
      ++refused_count;
    }
  }
  EXPECT_GT(refused_count, 20);
}

TEST_F(OutputCopyTest, BaseThatAnotherPrepareWorksOnIsRefused) {
  const auto lock = fs_.Open("/base/hbk_prepare.lock", {.write = true, .create = true}).value();
  ASSERT_THAT(lock->TryLock(), IsOkAndHolds(true));

  EXPECT_THAT(Prepare(fs_, {}),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("another prepare works on /base")));
  ExpectNothingIsMade();
}

TEST_F(OutputCopyTest, BaseThatIsBetweenItselfAndASumIsRefusedByItsCheckpointsFile) {
  testing::PutSmallBackup(fs_);
  std::string text = fs_.Contents("/backup/xtrabackup_checkpoints");
  text.replace(text.find("full-backuped"), 13, "hbk-unfinished");
  fs_.PutFile("/backup/xtrabackup_checkpoints", text);

  EXPECT_THAT(Prepare(fs_, {.base = "/backup", .increments = {}}),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("interrupted")));
  ExpectNothingIsMade();
}

}  // namespace
}  // namespace hbk::prepare::output_copy_test

#include "hbk/backup/file_copier.h"

#include <atomic>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/filter/tree_digest.h"

#include "tablespace_image.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::file_copier_test {
namespace {

using ::hbk::testing::FaultKind;
using ::hbk::testing::FaultyFileSystem;
using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 16384;

class SilentReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view, const report::Facts&) override {}
  void Progress(uint64_t done, uint64_t total) override {
    if (done >= done_bytes) {
      done_bytes = done;
      total_bytes = total;
    }
  }
  void Info(std::string_view, const report::Facts&) override {}
  void Warning(std::string_view, const report::Facts&) override {}
  void Finish(const Status&, const report::Facts&) override {}
  [[nodiscard]] uint64_t warning_count() const override { return 0; }

  std::atomic<uint64_t> done_bytes = 0;
  std::atomic<uint64_t> total_bytes = 0;
};

class FileCopierTest : public ::testing::Test {
 protected:
  FileCopierTest() { fs_.PutDirectory("/backup"); }

  CopyJob PutPlain(const std::string& name, const std::string& content) {
    fs_.PutFile("/data/" + name, content);
    CopyJob job;
    job.name = name;
    job.source_path = "/data/" + name;
    job.size_hint = content.size();
    return job;
  }
  CopyJob PutTablespace(const std::string& name, const std::string& content) {
    CopyJob job = PutPlain(name, content);
    job.method = CopyMethod::kTablespace;
    job.ddl_may_run = true;
    return job;
  }

  Result<std::vector<CopyResult>> Copy(std::vector<CopyJob> jobs, uint32_t workers = 1) {
    FileCopier copier(fs_, reporter_, {.target_dir = "/backup", .workers = workers});
    return copier.Copy(std::move(jobs), stop_.get_token());
  }
  CopyResult CopyOk(CopyJob job) {
    auto results = Copy({std::move(job)});
    EXPECT_THAT(results, IsOk());
    return results.ok() ? (*results)[0] : CopyResult{};
  }
  std::string Target(const std::string& name) { return fs_.Contents("/backup/" + name); }
  bool HasTarget(const std::string& name) {
    const auto exists = io::Exists(fs_, "/backup/" + name);
    return exists.ok() && exists.value();
  }

  MemFileSystem fs_;
  SilentReporter reporter_;
  std::stop_source stop_;
};

TEST_F(FileCopierTest, ATablespaceIsCopiedWithSizeSpaceAndDigest) {
  const std::string content = MakeTablespace({});

  const CopyResult result = CopyOk(PutTablespace("d/t.ibd", content));

  EXPECT_EQ(result.outcome, CopyOutcome::kCopied);
  EXPECT_EQ(result.size, content.size());
  EXPECT_EQ(result.space_id, 5U);
  EXPECT_EQ(result.digest, filter::DigestOf(AsBytes(content)));
  EXPECT_EQ(Target("d/t.ibd"), content);
}

TEST_F(FileCopierTest, ALargeFileSharedByWorkersHasTheDigestOfTheWhole) {
  std::string content = MakeTablespace({.page_count = 2600});  // 40.6 MiB: three ranges
  const std::vector<CopyJob> jobs = {PutPlain("d/small.frm", "small"),
                                     PutTablespace("d/large.ibd", content),
                                     PutPlain("d/other.MYD", std::string(3 << 20, 'm'))};

  const auto results = Copy(jobs, 3);

  ASSERT_THAT(results, IsOk());
  EXPECT_EQ(results.value()[1].digest, filter::DigestOf(AsBytes(content)));
  EXPECT_TRUE(Target("d/large.ibd") == content);
  EXPECT_EQ(results.value()[0].name, "d/small.frm");
  EXPECT_EQ(Target("d/small.frm"), "small");
  EXPECT_EQ(reporter_.done_bytes, reporter_.total_bytes);
  EXPECT_EQ(fs_.unaligned_direct_transfer_count(), 0U);
}

TEST_F(FileCopierTest, AllZeroStretchesAreNotWritten) {
  std::string content = MakeTablespace({.page_count = 64});
  content.replace(8 * kPageBytes, 40 * kPageBytes, std::string(40 * kPageBytes, '\0'));

  const CopyResult result = CopyOk(PutTablespace("d/t.ibd", content));

  EXPECT_EQ(result.written_bytes, 24 * kPageBytes);
  EXPECT_EQ(result.digest, filter::DigestOf(AsBytes(content)));
  EXPECT_EQ(Target("d/t.ibd"), content);
}

TEST_F(FileCopierTest, AFileOfAnyLengthKeepsItsLength) {
  for (const size_t size : {0U, 1U, 4095U, 4096U, 65537U, (1U << 20) + 1}) {
    const std::string content(size, 'x');
    const std::string name = "d/f" + std::to_string(size);

    const CopyResult result = CopyOk(PutPlain(name, content));

    EXPECT_EQ(result.size, size);
    EXPECT_TRUE(Target(name) == content) << size;
    EXPECT_EQ(result.digest, filter::DigestOf(AsBytes(content)));
  }
}

TEST_F(FileCopierTest, APageThatIsNotWholeAtTheEndIsLeftOut) {
  const std::string content = MakeTablespace({});

  const CopyResult result = CopyOk(PutTablespace("d/t.ibd", content + std::string(4096, 'x')));

  EXPECT_EQ(result.size, content.size());
  EXPECT_EQ(Target("d/t.ibd"), content);
}

TEST_F(FileCopierTest, AFileThatVanishedIsAnOutcomeWhileDdlMayRun) {
  CopyJob job = PutTablespace("d/t.ibd", "");
  job.source_path = "/data/d/gone.ibd";

  EXPECT_EQ(CopyOk(job).outcome, CopyOutcome::kVanished);
  EXPECT_FALSE(HasTarget("d/t.ibd"));
}

TEST_F(FileCopierTest, AFileThatVanishedIsAnErrorOnceDdlIsBlocked) {
  CopyJob job = PutTablespace("d/t.ibd", "");
  job.source_path = "/data/d/gone.ibd";
  job.ddl_may_run = false;

  EXPECT_THAT(Copy({job}), StatusIs(StatusCode::kNotFound, HasSubstr("gone.ibd")));
}

TEST_F(FileCopierTest, ATablespaceWithoutAFirstPageIsLeftToRedo) {
  const CopyResult result = CopyOk(PutTablespace("d/t.ibd", std::string(4 * kPageBytes, '\0')));

  EXPECT_EQ(result.outcome, CopyOutcome::kDeferred);
  EXPECT_FALSE(HasTarget("d/t.ibd"));
}

TEST_F(FileCopierTest, ATablespaceThatIsBeingImportedIsToBeCopiedLater) {
  std::string content = MakeTablespace({});
  content.replace(5 * kPageBytes, kPageBytes, MakePage({.space_id = 900}, 5, 'z'));

  const CopyResult result = CopyOk(PutTablespace("d/t.ibd", content));

  EXPECT_EQ(result.outcome, CopyOutcome::kUnstable);
  EXPECT_FALSE(HasTarget("d/t.ibd"));
}

TEST_F(FileCopierTest, APageOfAnotherSpaceIsCorruptionOnceDdlIsBlocked) {
  std::string content = MakeTablespace({});
  content.replace(5 * kPageBytes, kPageBytes, MakePage({.space_id = 900}, 5, 'z'));
  CopyJob job = PutTablespace("d/t.ibd", content);
  job.ddl_may_run = false;

  EXPECT_THAT(Copy({job}), StatusIs(StatusCode::kCorruption,
                                    AllOf(HasSubstr("/data/d/t.ibd"), HasSubstr("page 5:5"))));
}

TEST_F(FileCopierTest, AnExistingTargetIsKeptUnlessItIsToBeReplaced) {
  CopyJob job = PutPlain("d/t.frm", "new");
  fs_.PutFile("/backup/d/t.frm", "older and longer");

  EXPECT_THAT(Copy({job}), StatusIs(StatusCode::kAlreadyExists, _));
  job.replace = true;
  EXPECT_THAT(Copy({job}), IsOk());

  EXPECT_EQ(Target("d/t.frm"), "new");
}

TEST_F(FileCopierTest, ASymlinkIsRefusedUnlessItIsToBeFollowed) {
  CopyJob job = PutPlain("d/t.MYD", "rows");
  fs_.PutSymlink("/data/d/link.MYD", "/data/d/t.MYD");
  job.source_path = "/data/d/link.MYD";

  EXPECT_FALSE(Copy({job}).ok());
  job.follow_symlink = true;
  job.name = "d/followed.MYD";
  EXPECT_THAT(Copy({job}), IsOk());

  EXPECT_EQ(Target("d/followed.MYD"), "rows");
}

TEST_F(FileCopierTest, SyncAllSyncsFilesAndTheirDirectories) {
  FileCopier copier(fs_, reporter_, {.target_dir = "/backup", .workers = 2});
  ASSERT_THAT(copier.Copy({PutPlain("d/t.frm", "x")}, {}), IsOk());
  EXPECT_THAT(fs_.synced(), ::testing::IsEmpty());

  ASSERT_THAT(copier.SyncAll({"d/t.frm"}, {}, {}), IsOk());

  EXPECT_THAT(fs_.synced(), ::testing::IsSupersetOf({"/backup/d/t.frm", "/backup/d", "/backup"}));
}

TEST_F(FileCopierTest, WhatIsSyncedAlreadyIsNotSyncedAgain) {
  FileCopier copier(fs_, reporter_, {.target_dir = "/backup", .workers = 2});
  ASSERT_THAT(copier.Copy({PutPlain("d/t.frm", "x")}, {}), IsOk());

  ASSERT_THAT(copier.SyncAll({"d/t.frm"}, {"d/t.frm"}, {}), IsOk());

  EXPECT_THAT(fs_.synced(), ::testing::UnorderedElementsAre("/backup", "/backup/d"));
}

class WholeSyncTest : public FileCopierTest {
 protected:
  WholeSyncTest() {
    fs_.SetHasWholeSync(true);
    for (int i = 0; i < 300; ++i)
      jobs_.push_back(PutPlain("d/t" + std::to_string(i) + ".frm", "x"));
  }

  Status CopyAndSync() {
    std::vector<std::string> names;
    for (const CopyJob& job : jobs_)
      names.push_back(job.name);
    FileCopier copier(fs_, reporter_, {.target_dir = "/backup", .workers = 2});
    HBK_RETURN_IF_ERROR(copier.Copy(jobs_, {}).status());
    EXPECT_THAT(fs_.synced(), ::testing::IsEmpty());
    return copier.SyncAll(names, {}, {});
  }

  std::vector<CopyJob> jobs_;
};

TEST_F(WholeSyncTest, ManyFilesAreSyncedAtOnce) {
  ASSERT_THAT(CopyAndSync(), IsOk());

  EXPECT_THAT(fs_.synced(), ::testing::ElementsAre("*", "/backup", "/backup/d"));
  fs_.Crash(0);
  EXPECT_EQ(Target("d/t299.frm"), "x");
}

TEST_F(WholeSyncTest, FewFilesAreSyncedOneByOne) {
  jobs_.resize(3);

  ASSERT_THAT(CopyAndSync(), IsOk());

  EXPECT_THAT(fs_.synced(),
              ::testing::UnorderedElementsAre("/backup/d/t0.frm", "/backup/d/t1.frm",
                                              "/backup/d/t2.frm", "/backup", "/backup/d"));
}

TEST_F(WholeSyncTest, WithoutItEachOfManyIsSynced) {
  fs_.SetHasWholeSync(false);

  ASSERT_THAT(CopyAndSync(), IsOk());

  EXPECT_EQ(fs_.synced().size(), jobs_.size() + 2);  // and two directories
}

TEST_F(WholeSyncTest, WhatCannotBeSyncedIsAnError) {
  FaultyFileSystem faulty(fs_);
  FileCopier copier(faulty, reporter_, {.target_dir = "/backup", .workers = 1});
  ASSERT_THAT(copier.Copy(jobs_, {}), IsOk());
  std::vector<std::string> names;
  for (const CopyJob& job : jobs_)
    names.push_back(job.name);

  faulty.Arm(FaultKind::kNoSpace, 1);

  EXPECT_THAT(copier.SyncAll(names, {}, {}),
              StatusIs(StatusCode::kNoSpace, HasSubstr("syncing all")));
}

TEST_F(FileCopierTest, WriteBytesMakesDirectoriesAndGivesTheDigest) {
  FileCopier copier(fs_, reporter_, {.target_dir = "/backup"});

  const auto result = copier.WriteBytes("new/x.frm", AsBytes("bytes"), false, false);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().digest, filter::DigestOf(AsBytes("bytes")));
  EXPECT_EQ(Target("new/x.frm"), "bytes");
}

TEST_F(FileCopierTest, AStopRequestEndsTheCopy) {
  stop_.request_stop();

  EXPECT_THAT(Copy({PutPlain("d/t.MYD", std::string(5 << 20, 'x'))}, 2),
              StatusIs(StatusCode::kInterrupted, _));
}

TEST_F(FileCopierTest, EveryFailedOperationEndsTheCopyOrDoesNotMatter) {
  const std::string content = MakeTablespace({});
  const CopyJob tablespace = PutTablespace("d/t.ibd", content);
  const CopyJob plain = PutPlain("d/t.frm", "definition");
  for (uint64_t k = 1;; ++k) {
    fs_.PutDirectory("/backup" + std::to_string(k));
    FaultyFileSystem faulty(fs_);
    faulty.Arm(FaultKind::kIoError, k);
    FileCopier copier(faulty, reporter_, {.target_dir = "/backup" + std::to_string(k)});

    const auto results = copier.Copy({tablespace, plain}, {});

    if (!faulty.has_fired()) break;
    EXPECT_FALSE(results.ok()) << "operation " << k;
  }
}

}  // namespace
}  // namespace hbk::backup::file_copier_test

#include "prepared_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/redo/log_file.h"

#include "flush_lsn.h"
#include "page_journal.h"
#include "quiet_reporter.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using datadir::FileKind;
using manifest::BackupState;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;

TEST(CreatorOfEmptyLogTest, NamesTheVersionThatWroteTheSource) {
  EXPECT_EQ(CreatorOfEmptyLog("MariaDB 10.11.19"), "Backup 10.11.19");
  EXPECT_EQ(CreatorOfEmptyLog("Backup 10.11.19"), "Backup 10.11.19");
}

TEST(CreatorOfEmptyLogTest, LongOneIsCutToTheField) {
  EXPECT_EQ(CreatorOfEmptyLog("MariaDB " + std::string(40, '1')), "Backup " + std::string(24, '1'));
}

TEST(ReplaceLogTest, EmptyLogIsThereAndOtherLogsAreGoneAfterAPowerCut) {
  MemFileSystem fs;
  fs.PutFile("/b/ib_logfile0", "old redo");
  fs.PutFile("/b/ib_logfile1", "older redo");
  BackupSet set;
  set.dir = "/b";

  redo::LogFileHeader source;
  source.creator = "MariaDB 10.11.19";

  ASSERT_THAT(ReplaceLog(fs, set, 123456, source), IsOk());
  fs.Crash(0);

  EXPECT_THAT(fs.Tree("/b"),
              ::testing::ElementsAre(::testing::Pair(
                  "/b/ib_logfile0", redo::RenderEmptyLog(123456, "Backup 10.11.19"))));
  EXPECT_EQ(fs.Stat("/b/ib_logfile0", false)->mode, 0660U) << "as the old one";
}

class ReplaceBlockLogTest : public ::testing::Test {
 protected:
  ReplaceBlockLogTest() {
    fs_.PutFile("/b/ib_logfile0", "old redo");
    fs_.PutFile("/b/ibdata1", testing::MakeSmallTablespace(0, 4));
    set_.dir = "/b";
    set_.system_files = {"ibdata1"};
    set_.page_size = testing::kSmallBackupPageSize;
    source_.container = redo::LogContainer::kBlocks;
  }

  MemFileSystem fs_;
  BackupSet set_;
  redo::LogFileHeader source_;
};

TEST_F(ReplaceBlockLogTest, LogHasNoBytesAndTheSystemTablespaceSaysTheLsn) {
  ASSERT_THAT(ReplaceLog(fs_, set_, 123456, source_), IsOk());
  fs_.Crash(0);

  EXPECT_EQ(fs_.Contents("/b/ib_logfile0"), "");
  EXPECT_THAT(ReadFlushLsn(fs_, set_), testing::IsOkAndHolds(123456U));
  EXPECT_EQ(fs_.Tree("/b").size(), 2U) << "no journal is left";
  const auto reader = OpenLog(fs_, set_, 0, nullptr);
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ((*reader)->position(), 123456U);
}

TEST_F(ReplaceBlockLogTest, LsnIsThereWhereverItIsCutShort) {
  // Cut off at the k-th change, and done again by a run that finishes journals first.
  for (uint32_t k = 1;; ++k) {
    fs_.PutFile("/b/ib_logfile0", "old redo");
    fs_.PutFile("/b/ibdata1", testing::MakeSmallTablespace(0, 4));
    testing::FaultyFileSystem faulty(fs_);
    faulty.Arm(testing::FaultKind::kCrash, k);
    const Status first = ReplaceLog(faulty, set_, 123456, source_);
    if (!faulty.has_fired()) break;
    EXPECT_FALSE(first.ok()) << k;
    fs_.Crash(k);
    ASSERT_THAT(ReplayJournals(fs_, "/b"), IsOk()) << k;
    ASSERT_THAT(RemoveJournals(fs_, "/b"), IsOk()) << k;

    ASSERT_THAT(ReplaceLog(fs_, set_, 123456, source_), IsOk()) << k;

    EXPECT_THAT(ReadFlushLsn(fs_, set_), testing::IsOkAndHolds(123456U)) << k;
    EXPECT_EQ(fs_.Contents("/b/ib_logfile0"), "") << k;
  }
}

TEST(StoreCheckpointsTest, OnlyTheTypeChanges) {
  MemFileSystem fs;
  fs.PutFile("/b/xtrabackup_checkpoints", "");
  BackupSet set;
  set.dir = "/b";
  set.metadata.emplace();
  set.metadata->names.checkpoints = "xtrabackup_checkpoints";
  set.metadata->checkpoints = {.from_lsn = 0, .to_lsn = 200, .last_lsn = 300};

  ASSERT_THAT(StoreCheckpoints(fs, set), IsOk());

  const auto stored = manifest::ParseCheckpoints(fs.Contents("/b/xtrabackup_checkpoints"));
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(stored->backup_type, "log-applied");
  EXPECT_EQ(stored->to_lsn, 200U);
  EXPECT_EQ(stored->last_lsn, 300U);
}

TEST(StoreCheckpointsTest, NoneIsMadeWhereThereWasNone) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  BackupSet set;
  set.dir = "/b";

  ASSERT_THAT(StoreCheckpoints(fs, set), IsOk());

  EXPECT_TRUE(fs.Tree("/b").empty());
}

class UpdateManifestTest : public ::testing::Test {
 protected:
  UpdateManifestTest() {
    fs_.PutDirectory("/b");
    set_.dir = "/b";
    set_.manifest.emplace();
    set_.manifest->start_checkpoint_lsn = 100;
    set_.manifest->to_lsn = 150;
    set_.manifest->last_lsn = 400;
    set_.manifest->server.page_size = 16384;
    change_.prepared_lsn = 400;
  }

  // A file with a digest that is not its own: one that stays was not computed again.
  void Add(const std::string& name, FileKind kind, const std::string& bytes = "bytes") {
    fs_.PutFile("/b/" + name, bytes);
    set_.manifest->files.push_back({.name = name,
                                    .kind = std::string(FileKindName(kind)),
                                    .size = 5,
                                    .digest = kOldDigest,
                                    .stage = "start"});
  }
  manifest::BackupManifest Update() {
    QuietReporter reporter;
    EXPECT_THAT(UpdateManifest(fs_, set_, change_, reporter), IsOk());
    auto stored = manifest::LoadManifest(fs_, "/b");
    EXPECT_THAT(stored, IsOk());
    return stored.ok() ? *stored : manifest::BackupManifest();
  }
  // By name; empty if it is not listed.
  static std::string DigestIn(const manifest::BackupManifest& manifest, const std::string& name) {
    for (const manifest::ManifestFile& file : manifest.files)
      if (file.name == name) return file.digest;
    return "";
  }
  static std::string DigestOf(const std::string& bytes) { return filter::DigestOf(AsBytes(bytes)); }

  const std::string kOldDigest = std::string(32, 'a');
  MemFileSystem fs_;
  BackupSet set_;
  ManifestChange change_;
};

TEST_F(UpdateManifestTest, SaysPreparedAndByWhichLsn) {
  const auto stored = Update();

  EXPECT_EQ(stored.state, BackupState::kPrepared);
  EXPECT_EQ(stored.prepared_lsn, 400U);
  EXPECT_FALSE(stored.prepared_by.empty());
  EXPECT_THAT(stored.prepared_time, ::testing::MatchesRegex("....-..-..T..:..:..Z"));
}

TEST_F(UpdateManifestTest, OnlyWhatChangedGetsANewDigest) {
  Add("db/same.ibd", FileKind::kTablespace);
  Add("db/changed.ibd", FileKind::kTablespace);
  Add("db/longer.ibd", FileKind::kTablespace, "more bytes");
  change_.changed_files = {"db/changed.ibd"};

  const auto stored = Update();

  EXPECT_EQ(DigestIn(stored, "db/same.ibd"), kOldDigest);
  EXPECT_EQ(DigestIn(stored, "db/changed.ibd"), DigestOf("bytes"));
  EXPECT_EQ(DigestIn(stored, "db/longer.ibd"), DigestOf("more bytes"));
}

TEST_F(UpdateManifestTest, LogAndMetadataAlwaysGetANewDigest) {
  Add("ib_logfile0", FileKind::kRedoLog);
  Add("xtrabackup_checkpoints", FileKind::kMetadata);
  Add("db/t.frm", FileKind::kDefinition);

  const auto stored = Update();

  EXPECT_EQ(DigestIn(stored, "ib_logfile0"), DigestOf("bytes"));
  EXPECT_EQ(DigestIn(stored, "xtrabackup_checkpoints"), DigestOf("bytes"));
  EXPECT_EQ(DigestIn(stored, "db/t.frm"), kOldDigest);
}

TEST_F(UpdateManifestTest, AfterAnInterruptedRunNoTablespaceIsTrusted) {
  Add("ibdata1", FileKind::kSystemTablespace);
  Add("undo001", FileKind::kUndoTablespace);
  Add("db/t.ibd", FileKind::kTablespace);
  Add("db/t.frm", FileKind::kDefinition);
  change_.all_tablespaces_changed = true;

  const auto stored = Update();

  for (const std::string name : {"ibdata1", "undo001", "db/t.ibd"})
    EXPECT_EQ(DigestIn(stored, name), DigestOf("bytes")) << name;
  EXPECT_EQ(DigestIn(stored, "db/t.frm"), kOldDigest);
}

TEST_F(UpdateManifestTest, FilesThatCameAndWentAreListedAsTheyAre) {
  Add("db/dropped.ibd", FileKind::kTablespace);
  Add("db/#sql-1.frm", FileKind::kDefinition);
  ASSERT_THAT(fs_.Remove("/b/db/dropped.ibd"), IsOk());
  ASSERT_THAT(fs_.Remove("/b/db/#sql-1.frm"), IsOk());
  fs_.PutFile("/b/db/made.ibd", "made by the redo");

  const auto stored = Update();

  ASSERT_EQ(stored.files.size(), 1U);
  EXPECT_EQ(stored.files[0].name, "db/made.ibd");
  EXPECT_EQ(stored.files[0].kind, FileKindName(FileKind::kTablespace));
  EXPECT_EQ(stored.files[0].size, 16U);
  EXPECT_EQ(stored.files[0].digest, DigestOf("made by the redo"));
}

// The hole is a whole chunk of the digest and a half.
TEST_F(UpdateManifestTest, HoleCountsAsItsZeros) {
  const uint64_t chunk = filter::TreeDigest::kChunkBytes;
  Add("db/t.ibd", FileKind::kTablespace);
  const auto file = fs_.Open("/b/db/t.ibd", {.write = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->Truncate(3 * chunk), IsOk());
  ASSERT_THAT((*file)->WriteAt(chunk * 5 / 2, AsBytes("end")), IsOk());
  ASSERT_THAT((*file)->Close(), IsOk());

  const auto stored = Update();

  const std::string bytes = fs_.Contents("/b/db/t.ibd");
  ASSERT_EQ(bytes.size(), 3 * chunk);
  EXPECT_EQ(DigestIn(stored, "db/t.ibd"), DigestOf(bytes));
}

// The chunk that nobody has written to is damaged, behind everybody's back: were it read, the new
// digest would be that of the damage.
TEST_F(UpdateManifestTest, ChunksThatWereNotWrittenKeepTheirHash) {
  const uint64_t chunk = filter::TreeDigest::kChunkBytes;
  std::string bytes(3 * chunk, 'x');
  Add("db/t.ibd", FileKind::kTablespace, bytes);
  set_.manifest->files[0].size = bytes.size();
  set_.manifest->files[0].digest = DigestOf(bytes);
  Update();
  set_.manifest = *manifest::LoadManifest(fs_, "/b");
  WriteWatch watch(fs_);
  ChunkReuse chunks(watch);
  change_.changed_files = {"db/t.ibd"};
  change_.chunks = &chunks;
  ASSERT_THAT(chunks.Note(set_, true), IsOk());
  EXPECT_EQ(DigestIn(Update(), "db/t.ibd"), DigestOf(bytes));
  ASSERT_THAT(io::Exists(fs_, "/b/hbk_chunks"), IsOkAndHolds(true)) << "made with the digest";

  ASSERT_THAT(chunks.Note(set_, true), IsOk());
  bytes.replace(chunk, 3, "new");
  {
    const auto file = watch.Open("/b/db/t.ibd", {.write = true});
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->WriteAt(chunk, AsBytes("new")), IsOk());
    const auto unwatched = fs_.Open("/b/db/t.ibd", {.write = true});
    ASSERT_THAT(unwatched, IsOk());
    ASSERT_THAT((*unwatched)->WriteAt(2 * chunk, AsBytes("damage")), IsOk());
  }
  const auto stored = Update();

  EXPECT_EQ(DigestIn(stored, "db/t.ibd"), DigestOf(bytes));
  const auto hashes = manifest::LoadChunkHashes(fs_, "/b");
  ASSERT_THAT(hashes, IsOk());
  EXPECT_FALSE(hashes->Find(bytes.size(), DigestOf(bytes)).empty());
}

TEST_F(UpdateManifestTest, NoManifestIsMadeWhereThereWasNone) {
  set_.manifest.reset();
  QuietReporter reporter;

  ASSERT_THAT(UpdateManifest(fs_, set_, change_, reporter), IsOk());

  EXPECT_THAT(io::Exists(fs_, "/b/hbk_manifest.json"), IsOkAndHolds(false));
}

}  // namespace
}  // namespace hbk::prepare

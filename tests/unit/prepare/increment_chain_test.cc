#include "increment_chain.h"

#include <array>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"
#include "hbk/prepare/prepare_runner.h"

#include "quiet_reporter.h"
#include "tests/support/chain_server.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using testing::ChainServer;
using testing::FaultKind;
using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr uint32_t kPageBytes = 4096;
constexpr int kIncrementCount = 3;
constexpr uint32_t kSeedCount = 6;

std::string Dir(int number) {
  return number == 0 ? "/base" : fmt::format("/inc{}", number);
}

std::vector<std::string> Dirs(int first, int last) {
  std::vector<std::string> dirs;
  for (int number = first; number <= last; ++number)
    dirs.push_back(Dir(number));
  return dirs;
}

Status Prepare(io::FileSystem& fs, const std::vector<std::string>& increments) {
  QuietReporter reporter;
  // One worker: then the k-th operation is always the same one.
  return RunPrepare({.target_dir = "/base",
                     .incremental_dirs = increments,
                     .use_memory_bytes = 8 << 20,
                     .parallel = 1},
                    fs, reporter, {})
      .status();
}

// But for the manifest, which has the time.
std::map<std::string, std::string> BaseFiles(MemFileSystem& fs) {
  auto tree = fs.Tree("/base");
  tree.erase("/base/hbk_manifest.json");
  return tree;
}

std::string FirstDifference(const std::map<std::string, std::string>& a,
                            const std::map<std::string, std::string>& b) {
  for (const auto& [name, bytes] : a) {
    const auto other = b.find(name);
    if (other == b.end()) return name + " is only in the first";
    if (other->second == bytes) continue;
    const auto at =
        std::mismatch(bytes.begin(), bytes.end(), other->second.begin(), other->second.end());
    return fmt::format("{} of {} and {} bytes, byte {}", name, bytes.size(), other->second.size(),
                       at.first - bytes.begin());
  }
  for (const auto& [name, bytes] : b)
    if (!a.contains(name)) return name + " is only in the second";
  return {};
}

// Whose the backups of a chain are: a letter for each, 'h' of hbk, 'm' of mariadb-backup.
constexpr const char* kOurs = "hhhh";

// A server at work, a full backup of it and three increments.
struct Chain {
  explicit Chain(uint32_t seed, const std::string& makers = kOurs, bool has_imports = false)
      : server(seed), has_theirs(makers != kOurs) {
    if (has_theirs && !has_imports) server.ImportNothing();
    server.Work(200);
    for (int i = 0; i < 3; ++i)
      server.ChangeFiles();
    size_t last =
        makers[0] == 'h' ? server.TakeFull(fs, Dir(0)) : server.TakeFullAsTheirs(fs, Dir(0));
    for (int number = 1; number <= kIncrementCount; ++number) {
      server.Work(150);
      for (int i = 0; i < 4; ++i) {
        server.ChangeFiles();
        server.Work(20);
      }
      last = makers[static_cast<size_t>(number)] == 'h'
                 ? server.TakeIncrement(fs, Dir(number), last)
                 : server.TakeIncrementAsTheirs(fs, Dir(number), last);
    }
  }

  // What the server has and the base has not.
  std::string Difference() {
    const auto tree = fs.Tree("/base");
    for (const auto& [name, bytes] : server.Files()) {
      const auto found = tree.find("/base/" + name);
      if (found == tree.end()) return name + " is missing";
      // mariadb-backup does not tell that an undo tablespace was truncated.
      const bool is_longer =
          has_theirs && name.starts_with("undo") && found->second.size() > bytes.size();
      if (found->second.size() != bytes.size() && !is_longer)
        return fmt::format("{} has {} bytes, not {}", name, found->second.size(), bytes.size());
      for (uint32_t page = 0; page < bytes.size() / kPageBytes; ++page) {
        const ByteView wanted = AsBytes(bytes).subspan(size_t{page} * kPageBytes, kPageBytes);
        const ByteView there =
            AsBytes(found->second).subspan(size_t{page} * kPageBytes, kPageBytes);
        if (server.IsFree(name, page) || IsAllZero(wanted)) continue;
        if (!std::equal(wanted.begin(), wanted.end(), there.begin()))
          return fmt::format("{}, page {}", name, page);
      }
    }
    for (const auto& [name, bytes] : server.others()) {
      const auto found = tree.find("/base/" + name);
      if (found == tree.end() || found->second != bytes) return name;
    }
    for (const auto& [path, bytes] : tree) {
      if (path.ends_with(".ibd") && !server.Files().contains(path.substr(6)))
        return path + " is no table any more";
    }
    return {};
  }

  MemFileSystem fs;
  ChainServer server;
  bool has_theirs = false;
};

uint32_t FirstSeed() {
  const char* text = std::getenv("HBK_SEED");
  return text == nullptr ? 1 : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

// Of mariadb-backup alone, and mixed in each way.
constexpr std::array<const char*, 5> kMixtures = {"mmmm", "hmmm", "mhmh", "hmhm", "mmhh"};

TEST(IncrementChainTest, IncrementsOfMariadbBackupGiveWhatTheServerHas) {
  for (const char* makers : kMixtures) {
    for (uint32_t seed = FirstSeed(); seed < FirstSeed() + kSeedCount; ++seed) {
      SCOPED_TRACE(fmt::format("HBK_SEED={}, {}", seed, makers));
      Chain at_once(seed, makers);
      Chain one_by_one(seed, makers);

      ASSERT_THAT(Prepare(at_once.fs, Dirs(1, kIncrementCount)), IsOk());
      ASSERT_THAT(Prepare(one_by_one.fs, {}), IsOk());
      for (int number = 1; number <= kIncrementCount; ++number)
        ASSERT_THAT(Prepare(one_by_one.fs, {Dir(number)}), IsOk());

      ASSERT_EQ(one_by_one.Difference(), "");
      ASSERT_EQ(at_once.Difference(), "");
    }
  }
}

// What mariadb-backup does not have. Only where the redo has the DISCARD it can be seen.
TEST(IncrementChainTest, TablesThatMariadbBackupLostAreRefused) {
  size_t refused_count = 0;
  for (uint32_t seed = FirstSeed(); seed < FirstSeed() + 4 * kSeedCount; ++seed) {
    SCOPED_TRACE(fmt::format("HBK_SEED={}", seed));
    Chain chain(seed, "hmmm", true);
    const auto before = chain.fs.Tree("/base");

    const Status status = Prepare(chain.fs, Dirs(1, kIncrementCount));

    if (status.ok()) continue;
    // Made and imported between two backups: then there is nothing of it at all.
    if (status.code() == StatusCode::kChainBroken)
      ASSERT_THAT(status.message(), HasSubstr("and no redo makes it"));
    else
      ASSERT_THAT(status, StatusIs(StatusCode::kUnsupported, HasSubstr("imported again")));
    ASSERT_TRUE(chain.fs.Tree("/base") == before);
    ++refused_count;
  }
  EXPECT_GT(refused_count, 0U);
}

TEST(IncrementChainTest, SumIsWhatTheServerHas) {
  for (uint32_t seed = FirstSeed(); seed < FirstSeed() + kSeedCount; ++seed) {
    SCOPED_TRACE(fmt::format("HBK_SEED={}", seed));
    Chain chain(seed);

    ASSERT_THAT(Prepare(chain.fs, Dirs(1, kIncrementCount)), IsOk());

    ASSERT_EQ(chain.Difference(), "");
  }
}

TEST(IncrementChainTest, AllAtOnceGivesTheSameBytesAsOneAfterAnother) {
  for (uint32_t seed = FirstSeed(); seed < FirstSeed() + kSeedCount; ++seed) {
    SCOPED_TRACE(fmt::format("HBK_SEED={}", seed));
    Chain at_once(seed);
    Chain one_by_one(seed);

    ASSERT_THAT(Prepare(at_once.fs, Dirs(1, kIncrementCount)), IsOk());
    ASSERT_THAT(Prepare(one_by_one.fs, {}), IsOk());
    for (int number = 1; number <= kIncrementCount; ++number)
      ASSERT_THAT(Prepare(one_by_one.fs, {Dir(number)}), IsOk());

    ASSERT_EQ(FirstDifference(BaseFiles(at_once.fs), BaseFiles(one_by_one.fs)), "");
  }
}

void PutTree(const std::map<std::string, std::string>& tree, MemFileSystem& fs) {
  for (const auto& [path, bytes] : tree)
    fs.PutFile(path, bytes);
  for (int number = 0; number <= kIncrementCount; ++number) {
    fs.PutDirectory(Dir(number) + "/db");
    fs.PutDirectory(Dir(number) + "/db2");
  }
}

// Each change of the file system is the last one in turn; a power cut follows that keeps nothing,
// or a random half, of what was not synced. Then prepare runs again.
void CutPowerAtAnyChange(bool is_base_prepared, uint32_t crash_seed,
                         const std::string& makers = kOurs) {
  SCOPED_TRACE(fmt::format("HBK_SEED={}, {}", FirstSeed(), makers));
  Chain chain(FirstSeed() + crash_seed, makers);
  if (is_base_prepared) {
    ASSERT_THAT(Prepare(chain.fs, {}), IsOk());
  }
  const auto start = chain.fs.Tree("/");
  ASSERT_THAT(Prepare(chain.fs, Dirs(1, kIncrementCount)), IsOk());
  const auto expected = BaseFiles(chain.fs);
  // All of them take long.
  const uint64_t step = std::getenv("HBK_SEED") == nullptr ? 7 : 1;
  for (uint64_t k = 1 + crash_seed;; k += step) {
    MemFileSystem fs;
    PutTree(start, fs);
    FaultyFileSystem faulty(fs);
    faulty.Arm(FaultKind::kCrash, k);
    const Status interrupted = Prepare(faulty, Dirs(1, kIncrementCount));
    if (!faulty.has_fired()) {
      EXPECT_THAT(interrupted, IsOk());
      EXPECT_GT(k, 100U);
      return;
    }
    fs.Crash(crash_seed == 0 ? 0 : crash_seed * 1000 + static_cast<uint32_t>(k));

    const Status again = Prepare(fs, Dirs(1, kIncrementCount));

    // Nothing was left to do.
    const bool was_complete = again.message().ends_with("is in /base already");
    ASSERT_TRUE(again.ok() || was_complete) << again.ToString() << ", change " << k;
    ASSERT_EQ(FirstDifference(BaseFiles(fs), expected), "") << "change " << k;
  }
}

TEST(IncrementChainTest, PowerCutAtAnyChangeEndsInTheSameBytes) {
  for (const uint32_t crash_seed : {0U, 1U})
    CutPowerAtAnyChange(false, crash_seed);
}

TEST(IncrementChainTest, PowerCutOverAPreparedBaseEndsInTheSameBytes) {
  for (const uint32_t crash_seed : {2U})
    CutPowerAtAnyChange(true, crash_seed);
}

TEST(IncrementChainTest, PowerCutOverIncrementsOfMariadbBackupEndsInTheSameBytes) {
  CutPowerAtAnyChange(false, 1, "mmmm");
  CutPowerAtAnyChange(true, 2, "hmhm");
}

class WrongChainTest : public ::testing::Test {
 protected:
  explicit WrongChainTest(const std::string& makers = kOurs) : chain_(7, makers) {}

  // Refused, with the base as it was.
  void ExpectRefused(const std::vector<std::string>& increments, StatusCode code,
                     const std::string& message, const std::string& hint = "") {
    const auto before = chain_.fs.Tree("/base");
    const Status status = Prepare(chain_.fs, increments);
    EXPECT_THAT(status, StatusIs(code, HasSubstr(message)));
    EXPECT_THAT(status.hint(), HasSubstr(hint));
    EXPECT_TRUE(chain_.fs.Tree("/base") == before);
  }
  void ChangeManifest(int number, const std::function<void(manifest::BackupManifest&)>& change) {
    auto manifest = *manifest::LoadManifest(chain_.fs, Dir(number));
    change(manifest);
    chain_.fs.PutFile(Dir(number) + "/hbk_manifest.json", manifest::RenderManifest(manifest));
  }
  // The name of a file of the increment that is there as `content` says, with its suffix.
  std::string FileOf(int number, manifest::FileContent content) {
    const auto manifest = *manifest::LoadManifest(chain_.fs, Dir(number));
    for (const manifest::ManifestFile& file : manifest.files) {
      if (file.content != content || (content == manifest::FileContent::kDelta && !file.delta_size))
        continue;
      const bool is_delta = content == manifest::FileContent::kDelta;
      return Dir(number) + "/" + file.name + (is_delta ? std::string(delta::kDeltaSuffix) : "");
    }
    return {};
  }
  void Damage(const std::string& path) {
    std::string bytes = chain_.fs.Contents(path);
    bytes[bytes.size() / 2] ^= 1;
    chain_.fs.PutFile(path, bytes);
  }

  Chain chain_;
};

TEST_F(WrongChainTest, MissingLink) {
  ExpectRefused({"/inc2"}, StatusCode::kChainBroken,
                "/inc2 is an increment to the backup uuid-1, and /base is the backup uuid-0",
                "\"uuid-1\"");
  ExpectRefused({"/inc1", "/inc3"}, StatusCode::kChainBroken,
                "/inc3 is an increment to the backup uuid-2, and /inc1 is the backup uuid-1");
}

TEST_F(WrongChainTest, WrongOrder) {
  ExpectRefused({"/inc2", "/inc1"}, StatusCode::kChainBroken,
                "/inc2 is an increment to /inc1, and is given after /base", "order");
}

TEST_F(WrongChainTest, TwiceTheSame) {
  ExpectRefused({"/inc1", "/inc1"}, StatusCode::kChainBroken,
                "/inc1 and /inc1 are the same increment");
}

TEST_F(WrongChainTest, MergedAlready) {
  ASSERT_THAT(Prepare(chain_.fs, {"/inc1", "/inc2"}), IsOk());

  ExpectRefused({"/inc2", "/inc3"}, StatusCode::kChainBroken, "/inc2 is in /base already");
  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "/inc1 is in /base already");
}

TEST_F(WrongChainTest, IncrementToAnOlderState) {
  ChangeManifest(3, [](auto& manifest) { manifest.base->backup_uuid = "uuid-1"; });
  ASSERT_THAT(Prepare(chain_.fs, {"/inc1", "/inc2"}), IsOk());

  ExpectRefused({"/inc3"}, StatusCode::kChainBroken, "which /base is no more", "alternatives");
}

TEST_F(WrongChainTest, OtherServerOrPageSize) {
  ChangeManifest(1, [](auto& manifest) { manifest.server.uid = "another"; });
  ExpectRefused({"/inc1"}, StatusCode::kChainBroken,
                "/inc1 is of the server another, and /base of the server server");

  ChangeManifest(1, [](auto& manifest) {
    manifest.server.uid = "server";
    manifest.server.page_size = 8192;
  });
  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "innodb_page_size of 8192");
}

TEST_F(WrongChainTest, OtherLsn) {
  ChangeManifest(1, [](auto& manifest) { manifest.base->last_lsn += 8; });

  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "/inc1 begins at LSN");
}

TEST_F(WrongChainTest, OtherSeries) {
  ChangeManifest(1, [](auto& manifest) { manifest.server.version = "11.8.3-MariaDB"; });

  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "redo of two series", "after each upgrade");
}

class WrongForeignChainTest : public WrongChainTest {
 protected:
  WrongForeignChainTest() : WrongChainTest("mmmm") {}
  void ChangeInfo(const std::string& text) {
    chain_.fs.PutFile("/inc1/xtrabackup_info", "uuid = uuid-1\n" + text);
  }
};

TEST_F(WrongForeignChainTest, MissingLinkOrWrongOrder) {
  ExpectRefused({"/inc2"}, StatusCode::kChainBroken, "/inc2 begins at LSN", "all of them");
  ExpectRefused({"/inc2", "/inc1"}, StatusCode::kChainBroken, "/inc2 begins at LSN", "order");
  ExpectRefused({"/inc1", "/inc1"}, StatusCode::kChainBroken, "are the same increment");
}

// The server wrote nothing between two backups: both begin at the same checkpoint.
TEST_F(WrongForeignChainTest, WrongOrderOfTheSameBeginning) {
  const auto first = *manifest::LoadMariadbBackupSet(chain_.fs, "/inc1");
  const auto second = *manifest::LoadMariadbBackupSet(chain_.fs, "/inc2");
  for (const std::string dir : {"/base", "/inc1", "/inc2"}) {
    auto checkpoints = manifest::LoadMariadbBackupSet(chain_.fs, dir)->checkpoints;
    if (dir != "/base") checkpoints.from_lsn = first.checkpoints.from_lsn;
    checkpoints.to_lsn = first.checkpoints.from_lsn;
    chain_.fs.PutFile(dir + "/xtrabackup_checkpoints", manifest::RenderCheckpoints(checkpoints));
  }

  ExpectRefused({"/inc2", "/inc1"}, StatusCode::kChainBroken,
                fmt::format("/inc1 ends at LSN {}, before /inc2, which ends at LSN {}",
                            first.checkpoints.last_lsn, second.checkpoints.last_lsn),
                "order");
}

TEST_F(WrongForeignChainTest, OfChosenTablesOrOfAnotherSeries) {
  ChangeInfo("partial = Y\n");
  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "/inc1 is of chosen tables, and /base of all");

  chain_.fs.PutFile("/base/xtrabackup_info", "server_version = 10.11.19-MariaDB\n");
  ChangeInfo("server_version = 11.8.3-MariaDB\n");
  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "redo of two series");
}

TEST_F(WrongForeignChainTest, FilesThatMariadbBackupDoesNotCopy) {
  chain_.fs.PutFile("/base/db.mrn", "of Mroonga");

  ExpectRefused({"/inc1"}, StatusCode::kUnsupported, "no files of Mroonga", "with hbk");
}

TEST_F(WrongForeignChainTest, ServerWithAnotherHistory) {
  auto checkpoints = manifest::LoadMariadbBackupSet(chain_.fs, "/base")->checkpoints;
  checkpoints.to_lsn = checkpoints.last_lsn;
  chain_.fs.PutFile("/base/xtrabackup_checkpoints", manifest::RenderCheckpoints(checkpoints));
  auto increment = manifest::LoadMariadbBackupSet(chain_.fs, "/inc1")->checkpoints;
  increment.from_lsn = checkpoints.to_lsn;
  chain_.fs.PutFile("/inc1/xtrabackup_checkpoints", manifest::RenderCheckpoints(increment));
  chain_.fs.PutFile("/inc1/ib_logfile0", chain_.fs.Contents("/base/ib_logfile0"));
  // Of the pages only those that are too old by that are in the way.
  for (const auto& [path, bytes] : chain_.fs.Tree("/inc1")) {
    if (!path.ends_with(".delta")) continue;
    std::string empty = "XTRA" + std::string(4, '\xFF');
    empty.resize(kPageBytes);
    chain_.fs.PutFile(path, empty);
  }

  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "had another history");
}

TEST_F(WrongChainTest, WhatIsNoIncrement) {
  chain_.fs.PutFile("/incomplete/hbk_incomplete", "");
  chain_.fs.PutDirectory("/empty");

  ExpectRefused({"/base"}, StatusCode::kChainBroken, "/base is no increment: it is a full backup");
  ExpectRefused({"/incomplete"}, StatusCode::kChainBroken, "never finished");
  ExpectRefused({"/empty"}, StatusCode::kChainBroken, "no backup at all");
  ExpectRefused({"/nowhere"}, StatusCode::kChainBroken, "no backup at all");
}

TEST_F(WrongChainTest, IncrementAsTarget) {
  QuietReporter reporter;
  const auto before = chain_.fs.Tree("/inc1");

  const Status status = RunPrepare({.target_dir = "/inc1"}, chain_.fs, reporter, {}).status();

  EXPECT_THAT(status, StatusIs(StatusCode::kChainBroken, HasSubstr("/inc1 is an increment")));
  EXPECT_THAT(status.hint(), HasSubstr("--incremental-dir=/inc1"));
  EXPECT_TRUE(chain_.fs.Tree("/inc1") == before);
}

TEST_F(WrongChainTest, DamagedFiles) {
  for (const auto content : {manifest::FileContent::kDelta, manifest::FileContent::kWhole}) {
    const std::string path = FileOf(2, content);
    const std::string whole = chain_.fs.Contents(path);
    Damage(path);
    ExpectRefused({"/inc1", "/inc2"}, StatusCode::kCorruption, path);
    chain_.fs.PutFile(path, whole.substr(0, whole.size() - 1));
    ExpectRefused({"/inc1", "/inc2"}, StatusCode::kCorruption, path);
    ASSERT_THAT(chain_.fs.Remove(path), IsOk());
    ExpectRefused({"/inc1", "/inc2"}, StatusCode::kCorruption, path + " is missing");
    chain_.fs.PutFile(path, whole);
  }
  EXPECT_THAT(Prepare(chain_.fs, {"/inc1", "/inc2"}), IsOk());
}

TEST_F(WrongChainTest, MissingKey) {
  ChangeManifest(2, [](auto& manifest) { manifest.encryption_keys = {{1, 7}}; });

  ExpectRefused({"/inc1", "/inc2"}, StatusCode::kMissingKey, "key 1 version 7");
}

TEST_F(WrongChainTest, WhatTheBaseDoesNotHave) {
  ASSERT_THAT(chain_.fs.Remove("/base/db/s.MYI"), IsOk());
  ChangeManifest(0, [](auto& manifest) {
    std::erase_if(manifest.files, [](const auto& file) { return file.name == "db/s.MYI"; });
  });

  ExpectRefused({"/inc1"}, StatusCode::kChainBroken,
                "/inc1 builds on db/s.MYI of the backup before it, which /base does not have");
}

TEST_F(WrongChainTest, InterruptedRunGoesOnWithItsIncrementsOnly) {
  FaultyFileSystem faulty(chain_.fs);
  faulty.Arm(FaultKind::kCrash, 40);
  ASSERT_FALSE(Prepare(faulty, {"/inc1", "/inc2"}).ok());

  const std::string command =
      "hbk prepare --target-dir=/base --incremental-dir=/inc1 --incremental-dir=/inc2";
  ExpectRefused({}, StatusCode::kChainBroken, "interrupted", command);
  ExpectRefused({"/inc1"}, StatusCode::kChainBroken, "interrupted", command);
  ExpectRefused({"/inc1", "/inc2", "/inc3"}, StatusCode::kChainBroken, "interrupted", command);
  EXPECT_THAT(Prepare(chain_.fs, {"/inc1", "/inc2"}), IsOk());
  EXPECT_THAT(Prepare(chain_.fs, {"/inc3"}), IsOk());
  EXPECT_EQ(chain_.Difference(), "");
}

TEST(IncrementChainTest, IncrementsStayAsTheyAre) {
  Chain chain(8);
  std::vector<std::map<std::string, std::string>> before;
  for (const std::string& dir : Dirs(1, kIncrementCount))
    before.push_back(chain.fs.Tree(dir));

  ASSERT_THAT(Prepare(chain.fs, Dirs(1, kIncrementCount)), IsOk());

  for (int number = 1; number <= kIncrementCount; ++number)
    EXPECT_TRUE(chain.fs.Tree(Dir(number)) == before[static_cast<size_t>(number) - 1]);
}

TEST(IncrementChainTest, SumHasTheManifestOfAPreparedBackup) {
  Chain chain(9);

  ASSERT_THAT(Prepare(chain.fs, Dirs(1, kIncrementCount)), IsOk());

  const auto manifest = *manifest::LoadManifest(chain.fs, "/base");
  const auto last = *manifest::LoadManifest(chain.fs, Dir(kIncrementCount));
  EXPECT_EQ(manifest.state, manifest::BackupState::kPrepared);
  EXPECT_FALSE(manifest.base.has_value());
  EXPECT_EQ(manifest.backup_uuid, last.backup_uuid);
  EXPECT_THAT(manifest.merged, ::testing::ElementsAre("uuid-0", "uuid-1", "uuid-2", "uuid-3"));
  EXPECT_EQ(manifest.last_lsn, last.last_lsn);
  EXPECT_EQ(manifest.prepared_lsn, last.last_lsn);
  for (const manifest::ManifestFile& file : manifest.files) {
    const std::string bytes = chain.fs.Contents("/base/" + file.name);
    EXPECT_EQ(file.content, manifest::FileContent::kWhole) << file.name;
    EXPECT_EQ(file.size, bytes.size()) << file.name;
    EXPECT_EQ(file.digest, filter::DigestOf(AsBytes(bytes))) << file.name;
  }
  EXPECT_THAT(chain.fs.Contents("/base/xtrabackup_checkpoints"), HasSubstr("log-applied"));
  for (const auto& [path, bytes] : chain.fs.Tree("/base"))
    EXPECT_THAT(path, ::testing::Not(HasSubstr("hbk_prepare")));
}

}  // namespace
}  // namespace hbk::prepare

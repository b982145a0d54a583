#include "base_backup.h"

#include <string>
#include <utility>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BaseBackupTest : public ::testing::Test {
 protected:
  BaseBackupTest() {
    fs_.SetHasBirths(true);
    fs_.PutFile("/data/ibdata1", "pages");
    fs_.PutDirectory("/base");
    datadir::LayoutOptions options;
    options.datadir = "/data";
    layout_ = datadir::MakeLayout(options).value();
    facts_.version_text = "10.11.19-MariaDB";
    facts_.variables = {{"server_uid", "uid"}, {"innodb_page_size", "16384"}};

    manifest_.backup_uuid = "b";
    manifest_.start_time = manifest_.end_time = "2026-01-01T00:00:00Z";
    manifest_.server.version = "10.11.15-MariaDB";
    manifest_.server.uid = "uid";
    manifest_.server.page_size = 16384;
    manifest_.start_checkpoint_lsn = 100;
    manifest_.to_lsn = 500;
    manifest_.last_lsn = 900;
    manifest::ManifestFile system;
    system.name = "ibdata1";
    system.kind = "system-tablespace";
    system.size = 5;
    system.digest = std::string(32, 'a');
    system.space = manifest::SpaceFacts{0, 16384, 21};
    system.source = SourceOf(io::IdentityOf(fs_.Stat("/data/ibdata1", true).value()), true, 0);
    manifest_.files = {system};
  }

  Status Load(Lsn current = 1000, Lsn checkpoint = 600) {
    HBK_RETURN_IF_ERROR(manifest::StoreManifest(fs_, "/base", manifest_));
    return Check(LoadFrom("/base"), current, checkpoint);
  }
  Result<LoadedBase> LoadFrom(const std::string& dir) {
    const seal::SealingKeyOptions no_keys;
    manifest::SealingKeyRing keys(no_keys, fs_, {});
    return LoadBase(fs_, dir, keys);
  }
  Status Check(Result<LoadedBase> base, Lsn current, Lsn checkpoint) {
    HBK_RETURN_IF_ERROR(base.status());
    base_ = std::move(*base);
    return CheckBase(fs_, base_, facts_, layout_, {current, current, checkpoint});
  }

  MemFileSystem fs_;
  datadir::Layout layout_;
  server::ServerFacts facts_;
  manifest::BackupManifest manifest_;
  LoadedBase base_;
};

TEST_F(BaseBackupTest, OfOursTheManifestIsEnough) {
  ASSERT_THAT(Load(), IsOk());
  EXPECT_EQ(base_.increment->base(), (manifest::BaseBackup{"b", "hbk", 900}));
}

TEST_F(BaseBackupTest, ABaseMayEndWhereTheServerIs) {
  EXPECT_THAT(Load(900, 500), IsOk());
}

TEST_F(BaseBackupTest, OfMariadbBackupTheEndIsKnown) {
  fs_.PutFile("/base/xtrabackup_checkpoints",
              "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 500\nlast_lsn = 900\n");
  fs_.PutFile("/base/xtrabackup_info", "server_version = 10.11.19-MariaDB\n");

  ASSERT_THAT(Check(LoadFrom("/base"), 1000, 600), IsOk());

  EXPECT_EQ(base_.increment->base(), (manifest::BaseBackup{"", "mariadb-backup", 900}));
  EXPECT_EQ(base_.to_lsn, 500U);
  EXPECT_EQ(base_.server_version, "10.11.19-MariaDB");
}

TEST_F(BaseBackupTest, WithoutItsEndTheCheckpointCounts) {
  fs_.PutFile("/base/mariadb_backup_checkpoints",
              "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 500\n");

  ASSERT_THAT(Check(LoadFrom("/base"), 1000, 600), IsOk());

  EXPECT_EQ(base_.increment->last_lsn(), 500U);
}

TEST_F(BaseBackupTest, WhatIsNoBaseIsRefusedByName) {
  EXPECT_THAT(LoadFrom("/none").status(),
              StatusIs(StatusCode::kChainBroken, HasSubstr("/none does not exist")));
  EXPECT_THAT(LoadFrom("/base").status(),
              StatusIs(StatusCode::kChainBroken, HasSubstr("no backup")));
  fs_.PutFile("/base/hbk_incomplete", "");
  EXPECT_THAT(LoadFrom("/base").status(),
              StatusIs(StatusCode::kChainBroken, HasSubstr("incomplete")));
  EXPECT_FALSE(LoadFrom("/none").status().hint().empty());
}

TEST_F(BaseBackupTest, ADamagedManifestIsCorruption) {
  fs_.PutFile("/base/hbk_manifest.json", "{");
  EXPECT_THAT(LoadFrom("/base").status(), StatusIs(StatusCode::kCorruption, HasSubstr("/base")));
}

TEST_F(BaseBackupTest, AnotherServerIsRefused) {
  facts_.variables["server_uid"] = "other";
  EXPECT_THAT(Load(), StatusIs(StatusCode::kChainBroken, HasSubstr("another server")));
}

TEST_F(BaseBackupTest, AnotherPageSizeIsRefused) {
  facts_.variables["innodb_page_size"] = "4096";
  EXPECT_THAT(Load(), StatusIs(StatusCode::kChainBroken, HasSubstr("innodb_page_size")));
}

TEST_F(BaseBackupTest, AnotherSeriesIsRefused) {
  facts_.version_text = "11.8.2-MariaDB";
  EXPECT_THAT(Load(), StatusIs(StatusCode::kChainBroken, HasSubstr("two series")));
}

TEST_F(BaseBackupTest, ARestoredServerHasAnotherFile) {
  fs_.PutFile("/data/copy", "pages");
  ASSERT_THAT(fs_.Rename("/data/copy", "/data/ibdata1"), IsOk());
  EXPECT_THAT(Load(),
              StatusIs(StatusCode::kChainBroken, HasSubstr("/data/ibdata1 is not the file")));
}

TEST_F(BaseBackupTest, AServerThatIsBehindIsRefused) {
  EXPECT_THAT(Load(899),
              StatusIs(StatusCode::kChainBroken, AllOf(HasSubstr("900"), HasSubstr("899"))));
  EXPECT_THAT(Load(1000, 499), StatusIs(StatusCode::kChainBroken, HasSubstr("checkpoint")));
}

TEST_F(BaseBackupTest, AnLsnBehindTheServerIsRefused) {
  EXPECT_THAT(Check(BaseOfLsn(1001, "the base of --incremental-lsn"), 1000, 600),
              StatusIs(StatusCode::kChainBroken, HasSubstr("--incremental-lsn")));
  EXPECT_THAT(Check(BaseOfLsn(1000, "x"), 1000, 600), IsOk());
}

TEST_F(BaseBackupTest, TheBootIdHasNoLineFeed) {
  EXPECT_EQ(ReadBootId(fs_), "");
  fs_.PutFile("/proc/sys/kernel/random/boot_id", "8-4\n");
  EXPECT_EQ(ReadBootId(fs_), "8-4");
}

}  // namespace
}  // namespace hbk::backup

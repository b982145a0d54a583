#include "run_options.h"

#include <string>

#include "tests/support/status_matchers.h"

namespace hbk::cli {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunOptionsTest : public ::testing::Test {
 protected:
  void Set(Opt id, std::string_view value) {
    ASSERT_THAT(values_.Set(SpecOf(id), value, false, SettingRank::kCommandLine, "test"), IsOk());
  }

  OptionValues values_;
};

TEST_F(RunOptionsTest, TargetIsNeededByAll) {
  for (const Command command : kCommands) {
    if (command == Command::kInfo) continue;  // it takes words
    const std::string option = command == Command::kExtract ? "directory" : "target-dir";
    EXPECT_THAT(CheckNeeded(values_, command),
                StatusIs(StatusCode::kUsage, "hbk " + std::string(CommandName(command)) +
                                                 " needs --" + option + "=DIR"));
  }
}

TEST_F(RunOptionsTest, StreamNeedsNoTargetAndKeepsStdoutForItself) {
  EXPECT_EQ(ChosenStream(values_), std::nullopt);
  EXPECT_FALSE(MakeReporterOptions(values_).stdout_is_data);
  Set(Opt::kStream, "xbstream");
  EXPECT_EQ(ChosenStream(values_), stream::StreamFormat::kMbstream);
  Set(Opt::kStream, "hbk");
  EXPECT_EQ(ChosenStream(values_), stream::StreamFormat::kHbk);
  EXPECT_THAT(CheckNeeded(values_, Command::kBackup), IsOk());
  EXPECT_TRUE(MakeReporterOptions(values_).stdout_is_data);
}

TEST_F(RunOptionsTest, ExtractTakesDefaults) {
  Set(Opt::kDirectory, "/d");
  const auto options = MakeExtractOptions(values_, 3);
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->directory, "/d");
  EXPECT_EQ(options->parallel, 3U);
  Set(Opt::kInput, "");
  EXPECT_THAT(MakeExtractOptions(values_, 3),
              StatusIs(StatusCode::kUsage, "hbk extract needs --input=FILE"));
}

TEST_F(RunOptionsTest, VerifyTakesShareAndTime) {
  Set(Opt::kTargetDir, "/t");
  auto options = MakeVerifyOptions(values_, Secret(), 3, 77);
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->sample_share, 1);
  EXPECT_EQ(options->budget_s, 0U);
  EXPECT_EQ(options->seed, 77U);

  Set(Opt::kBudget, "30m");
  EXPECT_EQ(MakeVerifyOptions(values_, Secret(), 3, 77)->budget_s, 1800U);
  Set(Opt::kSample, "2.5%");
  EXPECT_THAT(MakeVerifyOptions(values_, Secret(), 3, 77),
              StatusIs(StatusCode::kUsage, HasSubstr("--sample and --budget")));
}

TEST_F(RunOptionsTest, SharesAndTimesThatAreNoneAreRefused) {
  Set(Opt::kTargetDir, "/t");
  for (const char* share : {"", "5", "%", "0%", "101%", "5%%", "-5%", "x%", "1.2.3%"}) {
    Set(Opt::kSample, share);
    EXPECT_THAT(MakeVerifyOptions(values_, Secret(), 3, 1).status(),
                StatusIs(StatusCode::kUsage, HasSubstr("--sample=")))
        << share;
  }
  Set(Opt::kSample, "100%");
  for (const char* time : {"", "30", "m", "0s", "5x", "30 m", "999999999s", "1h30m"}) {
    Set(Opt::kBudget, time);
    EXPECT_THAT(MakeVerifyOptions(values_, Secret(), 3, 1).status(),
                StatusIs(StatusCode::kUsage, HasSubstr("--budget=")))
        << time;
  }
}

TEST_F(RunOptionsTest, VerifyReadsAnArchiveWhereNoDirectoryIsGiven) {
  EXPECT_FALSE(VerifiesStream(values_));
  Set(Opt::kStream, "hbk");
  EXPECT_TRUE(VerifiesStream(values_));
  EXPECT_THAT(CheckNeeded(values_, Command::kVerify), IsOk());
  Set(Opt::kTargetDir, "/t");
  EXPECT_FALSE(VerifiesStream(values_));
  Set(Opt::kInput, "/a");
  EXPECT_THAT(CheckNeeded(values_, Command::kVerify),
              StatusIs(StatusCode::kUsage, HasSubstr("--target-dir is for")));
}

TEST_F(RunOptionsTest, DrillTakesDefaults) {
  Set(Opt::kTargetDir, "/t");
  const auto options = MakeDrillOptions(values_, Secret("token"), Secret("pw"), "/bin", 2);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->target_dir, "/t");
  EXPECT_EQ(options->search_path, "/bin");
  EXPECT_EQ(options->scratch_dir, "");
  EXPECT_FALSE(options->keeps_scratch);
  EXPECT_EQ(options->check, server::CheckDepth::kMedium);
  EXPECT_EQ(options->sample_percent, 100U);
  EXPECT_FALSE(options->compare_with.has_value());
  EXPECT_EQ(options->start_timeout_s, 600U);
  EXPECT_EQ(options->answer_timeout_s, 86400U);
  EXPECT_EQ(options->keys.user.vault_token.Reveal(), "token");
}

TEST_F(RunOptionsTest, AnEmptyScratchDirectoryIsNotTheDefaultOne) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kScratchDir, "");

  EXPECT_THAT(MakeDrillOptions(values_, Secret(), Secret(), "", 1).status(),
              StatusIs(StatusCode::kUsage, "hbk drill needs --scratch-dir=DIR"));
}

TEST_F(RunOptionsTest, ASampleIsAShareInPercent) {
  Set(Opt::kTargetDir, "/t");
  for (const std::string_view text : {"20%", "20"}) {
    Set(Opt::kCheckSample, text);
    const auto options = MakeDrillOptions(values_, Secret(), Secret(), "", 1);
    ASSERT_THAT(options, IsOk());
    EXPECT_EQ(options->sample_percent, 20U);
  }
  for (const std::string_view text : {"", "%", "0", "101%", "-1", "20%%", "2o"}) {
    Set(Opt::kCheckSample, text);
    EXPECT_THAT(MakeDrillOptions(values_, Secret(), Secret(), "", 1).status(),
                StatusIs(StatusCode::kUsage, HasSubstr("--check-sample")));
  }
}

TEST_F(RunOptionsTest, AServerToCompareWithIsASocketOrAHost) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kCheck, "none");
  const auto compare = [this](std::string_view text) {
    Set(Opt::kCompareWith, text);
    const auto options = MakeDrillOptions(values_, Secret(), Secret("pw"), "", 1);
    EXPECT_THAT(options, IsOk());
    EXPECT_FALSE(options->check.has_value());
    EXPECT_EQ(options->compare_with->password.Reveal(), "pw");
    return *options->compare_with;
  };

  EXPECT_EQ(compare("/run/s").socket, "/run/s");
  EXPECT_EQ(compare("/run/s").protocol, "socket");
  EXPECT_EQ(compare("db1").host, "db1");
  EXPECT_EQ(compare("db1").port, 0U);
  EXPECT_EQ(compare("db1:3307").host, "db1");
  EXPECT_EQ(compare("db1:3307").port, 3307U);
  EXPECT_EQ(compare("::1").host, "::1");
  EXPECT_EQ(compare("[::1]:3307").host, "::1");
  EXPECT_EQ(compare("[::1]:3307").port, 3307U);
  for (const std::string_view text : {"db1:", "db1:x", "db1:99999", ":3306", "db1:0"}) {
    Set(Opt::kCompareWith, text);
    EXPECT_THAT(MakeDrillOptions(values_, Secret(), Secret(), "", 1).status(),
                StatusIs(StatusCode::kUsage, HasSubstr("--compare-with")));
  }
}

// Whoever can read the manifest would learn of the rows.
TEST_F(RunOptionsTest, ChecksumsOfASealedBackupNeedASealedManifest) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kRecordChecksums, "1");
  EXPECT_THAT(MakeBackupOptions(values_, Secret(), 1), IsOk());

  Set(Opt::kEncrypt, "aes-256-gcm");
  EXPECT_THAT(MakeBackupOptions(values_, Secret(), 1).status(),
              StatusIs(StatusCode::kUsage, HasSubstr("--record-checksums")));
  Set(Opt::kEncryptManifest, "1");
  const auto options = MakeBackupOptions(values_, Secret(), 1);

  ASSERT_THAT(options, IsOk());
  EXPECT_TRUE(options->record_checksums);
}

TEST_F(RunOptionsTest, RestoreNeedsADatadir) {
  Set(Opt::kTargetDir, "/t");

  EXPECT_THAT(CheckNeeded(values_, Command::kPrepare), IsOk());
  EXPECT_THAT(CheckNeeded(values_, Command::kMoveBack),
              StatusIs(StatusCode::kUsage, "hbk move-back needs --datadir=DIR"));
}

TEST_F(RunOptionsTest, BackupTakesDefaults) {
  Set(Opt::kTargetDir, "/t");
  const auto options = MakeBackupOptions(values_, Secret("pw"), 2);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->target_dir, "/t");
  EXPECT_EQ(options->parallel, 2U);
  EXPECT_EQ(options->throttle, 0U);
  EXPECT_EQ(options->lock_wait.timeout_s, 60U);
  EXPECT_EQ(options->lock_wait.retry_time_s, 300U);
  EXPECT_EQ(options->lock_wait.threshold_s, 0U);
  EXPECT_EQ(options->lock_wait.kill_after_s, 0U);
  EXPECT_EQ(options->lock_wait.kill_type, backup::KillQueryType::kSelect);
  EXPECT_EQ(options->binlog_info, backup::BinlogInfo::kAuto);
  EXPECT_FALSE(options->slave_info);
  EXPECT_FALSE(options->galera_info);
  EXPECT_FALSE(options->safe_slave_backup);
  EXPECT_EQ(options->safe_slave_backup_timeout_s, 300U);
  EXPECT_EQ(options->connect.password.Reveal(), "pw");
  EXPECT_EQ(options->connect.port, 0U);
  EXPECT_EQ(options->connect.tls, server::TlsMode::kDefault);
  EXPECT_THAT(options->recorded_options, ElementsAre("--target-dir=/t"));
}

TEST_F(RunOptionsTest, ARateLimitIsInBytesAndNotAbsurdlySmall) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kRateLimit, "50M");
  EXPECT_EQ(MakeBackupOptions(values_, Secret(), 2)->rate_limit, 50U << 20);
  Set(Opt::kRateLimit, "0");
  EXPECT_EQ(MakeBackupOptions(values_, Secret(), 2)->rate_limit, 0U);
  Set(Opt::kRateLimit, "50");
  const auto options = MakeBackupOptions(values_, Secret(), 2);
  ASSERT_THAT(options, StatusIs(StatusCode::kUsage, HasSubstr("--rate-limit=50 is 50 bytes")));
  EXPECT_THAT(options.status().hint(), HasSubstr("--rate-limit=50M"));
}

TEST_F(RunOptionsTest, NamesAreSealedWithTheFilesOnly) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kEncryptManifest, "1");
  EXPECT_THAT(MakeBackupOptions(values_, Secret(), 2),
              StatusIs(StatusCode::kUsage, HasSubstr("goes with --encrypt")));
  Set(Opt::kEncrypt, "aes-256-gcm");
  EXPECT_TRUE(MakeBackupOptions(values_, Secret(), 2)->seals_names);
}

TEST_F(RunOptionsTest, AWrongDiskPriorityIsRefused) {
  Set(Opt::kIonice, "low");
  EXPECT_THAT(ApplyPriority(values_), StatusIs(StatusCode::kUsage, HasSubstr("--ionice=low")));
}

TEST_F(RunOptionsTest, BackupTakesHowToWaitForLocks) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kLockWaitTimeout, "30");
  Set(Opt::kLockRetryTime, "0");
  Set(Opt::kLockWaitThreshold, "5");
  Set(Opt::kKillLongQueriesTimeout, "20");
  Set(Opt::kKillLongQueryType, "UPDATE");

  const auto options = MakeBackupOptions(values_, Secret(), 2);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->lock_wait.timeout_s, 30U);
  EXPECT_EQ(options->lock_wait.retry_time_s, 0U);
  EXPECT_EQ(options->lock_wait.threshold_s, 5U);
  EXPECT_EQ(options->lock_wait.kill_after_s, 20U);
  EXPECT_EQ(options->lock_wait.kill_type, backup::KillQueryType::kUpdate);
}

TEST_F(RunOptionsTest, KillThatWouldNeverComeIsRefused) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kLockWaitTimeout, "30");
  Set(Opt::kKillLongQueriesTimeout, "30");
  EXPECT_THAT(MakeBackupOptions(values_, Secret(), 2),
              StatusIs(StatusCode::kUsage,
                       "--kill-long-queries-timeout=30 would never come: an attempt ends after "
                       "--lock-wait-timeout=30"));
}

TEST_F(RunOptionsTest, BackupTakesWhatWasSaid) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kUser, "u");
  Set(Opt::kHost, "h");
  Set(Opt::kPort, "3307");
  Set(Opt::kSsl, "0");
  Set(Opt::kSslVerifyServerCert, "1");
  Set(Opt::kSslCa, "/ca");
  Set(Opt::kTlsVersion, "TLSv1.3");
  Set(Opt::kParallel, "9");
  Set(Opt::kDatadir, "/d");
  const auto options = MakeBackupOptions(values_, Secret(), 2);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->connect.user, "u");
  EXPECT_EQ(options->connect.host, "h");
  EXPECT_EQ(options->connect.port, 3307U);
  EXPECT_EQ(options->connect.tls, server::TlsMode::kDisabled);
  EXPECT_TRUE(options->connect.tls_verify_server_cert);
  EXPECT_EQ(options->connect.tls_ca, "/ca");
  EXPECT_EQ(options->connect.tls_version, "TLSv1.3");
  EXPECT_EQ(options->parallel, 9U);
  EXPECT_EQ(options->said_layout.datadir, "/d");
}

TEST_F(RunOptionsTest, BackupTakesWhatToRecordOfReplication) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kSlaveInfo, "1");
  Set(Opt::kGaleraInfo, "1");
  Set(Opt::kSafeSlaveBackup, "1");
  Set(Opt::kSafeSlaveBackupTimeout, "7");
  Set(Opt::kBinlogInfo, "OFF");
  auto options = MakeBackupOptions(values_, Secret(), 2);

  ASSERT_THAT(options, IsOk());
  EXPECT_TRUE(options->slave_info);
  EXPECT_TRUE(options->galera_info);
  EXPECT_TRUE(options->safe_slave_backup);
  EXPECT_EQ(options->safe_slave_backup_timeout_s, 7U);
  EXPECT_EQ(options->binlog_info, backup::BinlogInfo::kOff);

  Set(Opt::kBinlogInfo, "on");
  EXPECT_EQ(MakeBackupOptions(values_, Secret(), 2)->binlog_info, backup::BinlogInfo::kOn);
}

TEST_F(RunOptionsTest, LocklessBinlogInfoIsRefused) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kBinlogInfo, "LOCKLESS");
  const auto options = MakeBackupOptions(values_, Secret(), 2);

  EXPECT_THAT(options, StatusIs(StatusCode::kUsage, ::testing::HasSubstr("LOCKLESS")));
  EXPECT_THAT(options.status().hint(), ::testing::HasSubstr("--binlog-info=AUTO"));
}

TEST_F(RunOptionsTest, PrepareTakesMemory) {
  Set(Opt::kTargetDir, "/t");
  EXPECT_EQ(MakePrepareOptions(values_, Secret(), 4)->use_memory_bytes, 256ULL << 20);
  Set(Opt::kUseMemory, "1G");
  EXPECT_EQ(MakePrepareOptions(values_, Secret(), 4)->use_memory_bytes, 1ULL << 30);
  EXPECT_EQ(MakePrepareOptions(values_, Secret(), 4)->parallel, 4U);
}

TEST_F(RunOptionsTest, EmptyOutputDirectoryIsNotThePlaceOfTheBackup) {
  Set(Opt::kTargetDir, "/t");
  EXPECT_EQ(MakePrepareOptions(values_, Secret(), 4)->output_dir, "");
  Set(Opt::kOutputDir, "/new");
  EXPECT_EQ(MakePrepareOptions(values_, Secret(), 4)->output_dir, "/new");
  Set(Opt::kOutputDir, "");
  EXPECT_THAT(MakePrepareOptions(values_, Secret(), 4),
              StatusIs(StatusCode::kUsage, ::testing::HasSubstr("--output-dir=DIR")));
}

TEST_F(RunOptionsTest, PrepareTakesWhereKeysAre) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kKeyFile, "/keys");
  Set(Opt::kKeyFileSecret, "secretpass");
  Set(Opt::kKeyFileAlgorithm, "AES_CTR");
  Set(Opt::kKeyFileDigest, "sha256");
  Set(Opt::kKeyFilePbkdf2, "1000");
  Set(Opt::kKeyCommand, "getkey");
  Set(Opt::kKeyCommandTimeout, "7");
  Set(Opt::kVaultUrl, "https://v/v1/m");
  Set(Opt::kVaultToken, "hvs.token");
  Set(Opt::kVaultTokenFile, "/token");
  Set(Opt::kVaultCa, "/ca");
  Set(Opt::kVaultTimeout, "0");
  Set(Opt::kVaultMaxRetries, "9");
  Set(Opt::kVaultAllowHttp, "1");
  const auto options = MakePrepareOptions(values_, Secret("of the environment"), 1);

  ASSERT_THAT(options, IsOk());
  const keys::KeyOptions& user = options->keys.user;
  EXPECT_EQ(user.key_file, "/keys");
  EXPECT_EQ(user.key_file_secret.Reveal(), "secretpass");
  EXPECT_EQ(user.encryption_algorithm, "aes_ctr");
  EXPECT_EQ(user.key_file_digest, "sha256");
  EXPECT_EQ(user.key_file_pbkdf2_iterations, 1000U);
  EXPECT_EQ(user.command, "getkey");
  EXPECT_EQ(user.command_timeout_s, 7U);
  EXPECT_EQ(user.vault_url, "https://v/v1/m");
  EXPECT_EQ(user.vault_token.Reveal(), "hvs.token");
  EXPECT_EQ(user.vault_token_file, "/token");
  EXPECT_EQ(user.vault_ca, "/ca");
  EXPECT_EQ(user.vault_timeout_s, 300U);
  EXPECT_EQ(user.vault_max_retries, 9U);
  EXPECT_TRUE(user.vault_allow_http);
  EXPECT_FALSE(options->keys.server.HasSource());
}

TEST_F(RunOptionsTest, TheEnvironmentsTokenIsTakenWhereNoOtherIs) {
  Set(Opt::kTargetDir, "/t");

  const auto options = MakePrepareOptions(values_, Secret("hvs.token"), 1);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->keys.user.vault_token.Reveal(), "hvs.token");
}

TEST_F(RunOptionsTest, RestoreTakesTheLayout) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kDatadir, "/d");
  Set(Opt::kInnodbDataHomeDir, "/home");
  Set(Opt::kInnodbDataFilePath, "a:1M:autoextend");
  Set(Opt::kInnodbUndoDirectory, "/undo");
  Set(Opt::kInnodbLogGroupHomeDir, "/redo");
  Set(Opt::kAriaLogDirPath, "/aria");
  Set(Opt::kRocksdbDatadir, "/rocks");
  Set(Opt::kRocksdbWalDir, "/wal");
  Set(Opt::kOwner, "mysql:mysql");
  Set(Opt::kRemap, "/a=/b");
  Set(Opt::kRemap, "/c=/d");
  Set(Opt::kLocalTablespaces, "1");
  const auto options = MakeRestoreOptions(values_, Command::kCopyBack, 1);

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->backup_dir, "/t");
  EXPECT_FALSE(options->move);
  EXPECT_FALSE(options->force_non_empty_directories);
  EXPECT_EQ(options->target.datadir, "/d");
  EXPECT_EQ(options->target.innodb_data_home_dir, "/home");
  EXPECT_EQ(options->target.innodb_data_file_path, "a:1M:autoextend");
  EXPECT_EQ(options->target.innodb_undo_directory, "/undo");
  EXPECT_EQ(options->target.innodb_log_group_home_dir, "/redo");
  EXPECT_EQ(options->target.aria_log_dir_path, "/aria");
  EXPECT_EQ(options->target.rocksdb_datadir, "/rocks");
  EXPECT_EQ(options->target.rocksdb_wal_dir, "/wal");
  EXPECT_EQ(options->owner, "mysql:mysql");
  EXPECT_THAT(options->remap, ::testing::ElementsAre("/a=/b", "/c=/d"));
  EXPECT_TRUE(options->local_tablespaces);
  EXPECT_TRUE(MakeRestoreOptions(values_, Command::kMoveBack, 1)->move);
}

TEST_F(RunOptionsTest, KeyTakesWhereKeysAre) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kEncryptKeyFile, "/a");
  Set(Opt::kEncryptKeyFile, "/b");
  Set(Opt::kEncryptPassphraseFile, "/p");
  Set(Opt::kEncryptPassphrase, "horse");
  Set(Opt::kEncryptKey, "hex");
  Set(Opt::kEncryptKeyCommand, "getkey");
  Set(Opt::kEncryptKeyCommandTimeout, "7");
  Set(Opt::kNewKeyFile, "/n");
  Set(Opt::kNewPassphraseFile, "/q");
  Set(Opt::kNewPassphrase, "battery");
  Set(Opt::kNewKey, "newhex");
  Set(Opt::kNewKeyCommand, "newkey");
  Set(Opt::kLabel, "escrow");

  const auto options = MakeKeySlotOptions(values_, seal::KeySlotAction::kAdd, {}, {});

  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->target_dir, "/t");
  EXPECT_THAT(options->keys.key_files, ElementsAre("/a", "/b"));
  EXPECT_THAT(options->keys.passphrase_files, ElementsAre("/p"));
  EXPECT_EQ(options->keys.passphrase.Reveal(), "horse");
  EXPECT_EQ(options->keys.key.Reveal(), "hex");
  EXPECT_EQ(options->keys.command.Reveal(), "getkey");
  EXPECT_EQ(options->keys.command_timeout_s, 7U);
  EXPECT_THAT(options->new_keys.key_files, ElementsAre("/n"));
  EXPECT_THAT(options->new_keys.passphrase_files, ElementsAre("/q"));
  EXPECT_EQ(options->new_keys.passphrase.Reveal(), "battery");
  EXPECT_EQ(options->new_keys.key.Reveal(), "newhex");
  EXPECT_EQ(options->new_keys.command.Reveal(), "newkey");
  EXPECT_EQ(options->new_keys.command_timeout_s, 7U);
  EXPECT_EQ(options->label, "escrow");
  for (const std::string& recorded : values_.Recorded(Command::kKey)) {
    for (const char* secret : {"horse", "battery", "hex", "getkey", "newkey"})
      EXPECT_THAT(recorded, ::testing::Not(::testing::HasSubstr(secret)));
  }
}

TEST_F(RunOptionsTest, TypedPassphrasesCount) {
  Set(Opt::kTargetDir, "/t");
  const auto options =
      MakeKeySlotOptions(values_, seal::KeySlotAction::kAdd, Secret("typed"), Secret("new"));
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->keys.passphrase.Reveal(), "typed");
  EXPECT_EQ(options->new_keys.passphrase.Reveal(), "new");
}

TEST_F(RunOptionsTest, ActionsOfKeyHaveTheirOptions) {
  using enum seal::KeySlotAction;
  EXPECT_THAT(CheckKeyAction(values_, kRemove),
              StatusIs(StatusCode::kUsage, "hbk key remove needs --slot=N"));
  Set(Opt::kSlot, "3");
  EXPECT_THAT(CheckKeyAction(values_, kRemove), IsOk());
  EXPECT_THAT(CheckKeyAction(values_, kTest),
              StatusIs(StatusCode::kUsage, "--slot is for hbk key remove"));
  Set(Opt::kTargetDir, "/t");
  EXPECT_EQ(MakeKeySlotOptions(values_, kRemove, {}, {})->slot_id, 3U);
}

TEST_F(RunOptionsTest, NewKeysAreForAdding) {
  using enum seal::KeySlotAction;
  // In the environment, they may stand there for all commands.
  ASSERT_THAT(values_.Set(SpecOf(Opt::kNewKeyFile), "/n", false, SettingRank::kEnvironment, "test"),
              IsOk());
  EXPECT_THAT(CheckKeyAction(values_, kList), IsOk());
  Set(Opt::kNewKeyFile, "/n");
  EXPECT_THAT(CheckKeyAction(values_, kAdd), IsOk());
  EXPECT_THAT(CheckKeyAction(values_, kList),
              StatusIs(StatusCode::kUsage, "--new-key-file is for hbk key add"));
}

TEST_F(RunOptionsTest, MyrocksIsBackedUpUnlessItIsSkipped) {
  Set(Opt::kTargetDir, "/t");
  EXPECT_TRUE(MakeBackupOptions(values_, Secret(), 1)->rocksdb_backup);
  Set(Opt::kRocksdbBackup, "0");
  EXPECT_FALSE(MakeBackupOptions(values_, Secret(), 1)->rocksdb_backup);
}

TEST_F(RunOptionsTest, ABackupIsReadByOthersOnlyIfTheUserSaysSoAndNeverWritten) {
  EXPECT_EQ(ChosenBackupMode(values_)->value_or(0), 0U);
  for (const auto& [text, mode] : {std::pair("0600", 0600U), {"640", 0640U}, {"0644", 0644U}}) {
    Set(Opt::kBackupMode, text);
    ASSERT_THAT(ChosenBackupMode(values_).status(), IsOk()) << text;
    EXPECT_EQ(**ChosenBackupMode(values_), mode);
  }
  for (const char* text : {"0400", "0660", "0700", "04600", "0x180", "600 ", "9"}) {
    Set(Opt::kBackupMode, text);
    EXPECT_THAT(ChosenBackupMode(values_), StatusIs(StatusCode::kUsage, HasSubstr("--backup-mode")))
        << text;
  }
}

TEST_F(RunOptionsTest, ThreadsFollowTheCoresUpToEight) {
  EXPECT_EQ(ChosenThreads(values_, 0), 1U);
  EXPECT_EQ(ChosenThreads(values_, 3), 3U);
  EXPECT_EQ(ChosenThreads(values_, 64), 8U);
  Set(Opt::kParallel, "20");
  EXPECT_EQ(ChosenThreads(values_, 3), 20U);
}

TEST_F(RunOptionsTest, OutletsGetWhatIsGivenAndNoSecrets) {
  Set(Opt::kTargetDir, "/t");
  Set(Opt::kPassword, "s3cret");
  Set(Opt::kLogFile, "/l");
  Set(Opt::kLogFormat, "json");
  Set(Opt::kMetricsFile, "/m");
  Set(Opt::kOnFailure, "mail s3cret");

  const auto options = MakeOutletOptions(values_, Command::kBackup);

  ASSERT_THAT(options.status(), IsOk());
  EXPECT_EQ(options->command, "backup");
  EXPECT_EQ(options->target_dir, "/t");
  EXPECT_EQ(options->log_file, "/l");
  EXPECT_EQ(options->log_format, report::OutputFormat::kJson);
  EXPECT_EQ(options->metrics_file, "/m");
  EXPECT_EQ(options->on_failure.Reveal(), "mail s3cret");
  EXPECT_THAT(options->recorded_options, HasSubstr("--on-failure=..."));
  EXPECT_THAT(options->recorded_options, ::testing::Not(HasSubstr("s3cret")));
}

TEST_F(RunOptionsTest, AFormatOfNoLogIsAMistake) {
  Set(Opt::kLogFormat, "json");

  EXPECT_THAT(MakeOutletOptions(values_, Command::kBackup).status(),
              StatusIs(StatusCode::kUsage, "--log-format goes with --log-file"));
}

TEST_F(RunOptionsTest, OutputChoosesTheReporter) {
  EXPECT_EQ(MakeReporterOptions(values_).format, report::OutputFormat::kText);
  Set(Opt::kOutput, "JSON");
  Set(Opt::kQuiet, "1");
  EXPECT_EQ(MakeReporterOptions(values_).format, report::OutputFormat::kJson);
  EXPECT_TRUE(MakeReporterOptions(values_).quiet);
}

}  // namespace
}  // namespace hbk::cli

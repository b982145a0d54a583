#include "hbk/keys/key_options.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::keys {
namespace {

using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RecordableKeySettingsTest, NamesAreKeptAndSecretsAreNot) {
  const Settings variables = {{"datadir", "/var/lib/mysql/"},
                              {"file_key_management_filename", "/etc/keys.enc"},
                              {"file_key_management_filekey", "secretpass"},
                              {"file_key_management_encryption_algorithm", "aes_ctr"},
                              {"hashicorp_key_management_token", "hvs.token"},
                              {"innodb_page_size", "16384"}};

  EXPECT_THAT(RecordableKeySettings(variables, "file_key_management"),
              ElementsAre(Pair("encryption_plugin", "file_key_management"),
                          Pair("file_key_management_encryption_algorithm", "aes_ctr"),
                          Pair("file_key_management_filename", "/etc/keys.enc")));
}

TEST(RecordableKeySettingsTest, TheFileOfASecretIsRecorded) {
  const Settings variables = {{"file_key_management_filekey", "FILE:/etc/secret"},
                              {"file_key_management_digest", "sha256"},
                              {"file_key_management_use_pbkdf2", "1000"}};

  EXPECT_THAT(
      RecordableKeySettings(variables, "p"),
      ElementsAre(Pair("encryption_plugin", "p"), Pair("file_key_management_digest", "sha256"),
                  Pair("file_key_management_filekey", "FILE:/etc/secret"),
                  Pair("file_key_management_use_pbkdf2", "1000")));
}

TEST(RecordableKeySettingsTest, RelativePathsAreThoseOfTheServer) {
  const Settings variables = {{"datadir", "/var/lib/mysql/"},
                              {"file_key_management_filekey", "FILE:secret"},
                              {"file_key_management_filename", "keys"}};

  EXPECT_THAT(RecordableKeySettings(variables, "p"),
              ElementsAre(Pair("encryption_plugin", "p"),
                          Pair("file_key_management_filekey", "FILE:/var/lib/mysql/secret"),
                          Pair("file_key_management_filename", "/var/lib/mysql/keys")));
}

TEST(RecordableKeySettingsTest, WithoutAPluginThereIsNothing) {
  EXPECT_THAT(RecordableKeySettings({{"file_key_management_filename", "/k"}}, ""), IsEmpty());
}

TEST(ChooseKeyOptionsTest, WhatTheBackupRecordedIsEnough) {
  const Settings recorded = {{"encryption_plugin", "file_key_management"},
                             {"file_key_management_filename", "/etc/keys.enc"},
                             {"file_key_management_filekey", "FILE:/etc/secret"},
                             {"file_key_management_encryption_algorithm", "aes_ctr"},
                             {"file_key_management_digest", "sha512"},
                             {"file_key_management_use_pbkdf2", "1000"}};

  const Result<KeyOptions> options = ChooseKeyOptions({}, recorded);

  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->key_file, "/etc/keys.enc");
  EXPECT_EQ(options->key_file_secret.Reveal(), "FILE:/etc/secret");
  EXPECT_EQ(options->encryption_algorithm, "aes_ctr");
  EXPECT_EQ(options->key_file_digest, "sha512");
  EXPECT_EQ(options->key_file_pbkdf2_iterations, 1000U);
  EXPECT_EQ(options->plugin, "file_key_management");
}

TEST(ChooseKeyOptionsTest, TheUsersSourceWinsAndTheAlgorithmStays) {
  GivenKeyOptions given;
  given.user.command = "getkey";
  const Settings recorded = {{"file_key_management_filename", "/etc/keys"},
                             {"file_key_management_encryption_algorithm", "aes_ctr"}};

  const Result<KeyOptions> options = ChooseKeyOptions(given, recorded);

  ASSERT_TRUE(options.ok());
  EXPECT_EQ(DescribeKeySource(*options), "the key command");
  EXPECT_EQ(options->key_file, "");
  EXPECT_EQ(options->encryption_algorithm, "aes_ctr");
}

// A plain copy of the keys, say: the recorded secret is that of another file.
TEST(ChooseKeyOptionsTest, AnotherKeyFileTakesNoRecordedSecret) {
  GivenKeyOptions given;
  given.user.key_file = "/mnt/keys";
  const Settings recorded = {{"file_key_management_filename", "/etc/keys"},
                             {"file_key_management_filekey", "FILE:/etc/secret"}};

  const Result<KeyOptions> options = ChooseKeyOptions(given, recorded);

  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->key_file, "/mnt/keys");
  EXPECT_TRUE(options->key_file_secret.empty());
}

TEST(ChooseKeyOptionsTest, ASecretAloneBelongsToTheRecordedFile) {
  GivenKeyOptions given;
  given.user.key_file_secret = Secret("secretpass");

  const Result<KeyOptions> options =
      ChooseKeyOptions(given, {{"file_key_management_filename", "/etc/keys"}});

  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->key_file, "/etc/keys");
  EXPECT_EQ(options->key_file_secret.Reveal(), "secretpass");
}

// The literal secret in the option file of the server, which no backup records.
TEST(ChooseKeyOptionsTest, TheServersSecretIsTakenForTheSameFile) {
  GivenKeyOptions given;
  given.server.key_file = "/etc/keys";
  given.server.key_file_secret = Secret("secretpass");

  const Result<KeyOptions> same =
      ChooseKeyOptions(given, {{"file_key_management_filename", "/etc/keys"}});
  const Result<KeyOptions> other =
      ChooseKeyOptions(given, {{"file_key_management_filename", "/mnt/keys"}});

  ASSERT_TRUE(same.ok() && other.ok());
  EXPECT_EQ(same->key_file_secret.Reveal(), "secretpass");
  EXPECT_EQ(other->key_file, "/mnt/keys");
  EXPECT_TRUE(other->key_file_secret.empty());
}

TEST(ChooseKeyOptionsTest, ARecordedVaultTakesTheUsersToken) {
  GivenKeyOptions given;
  given.user.vault_token = Secret("hvs.token");
  const Settings recorded = {{"hashicorp_key_management_vault_url", "https://v/v1/hbk"},
                             {"hashicorp_key_management_vault_ca", "/etc/ca.pem"}};

  const Result<KeyOptions> options = ChooseKeyOptions(given, recorded);

  ASSERT_TRUE(options.ok());
  EXPECT_EQ(DescribeKeySource(*options), "the Vault https://v/v1/hbk");
  EXPECT_EQ(options->vault_token.Reveal(), "hvs.token");
  EXPECT_EQ(options->vault_ca, "/etc/ca.pem");
}

TEST(ChooseKeyOptionsTest, ADamagedNumberIsCorruption) {
  EXPECT_THAT(ChooseKeyOptions({}, {{"file_key_management_use_pbkdf2", "many"}}),
              StatusIs(StatusCode::kCorruption, HasSubstr("file_key_management_use_pbkdf2")));
}

TEST(KeyOptionWarningsTest, FilesThatEverybodyMayReadAreNamed) {
  MemFileSystem fs;
  fs.PutFile("/keys", "x");
  fs.PutFile("/secret", "x");
  KeyOptions options;
  options.key_file = "/keys";
  options.key_file_secret = Secret("FILE:/secret");
  const auto set_mode = [&](const char* path, uint32_t mode) {
    io::OpenOptions open;
    open.write = true;
    const auto file = fs.Open(path, open);
    ASSERT_TRUE(file.ok() && (*file)->SetMode(mode).ok() && (*file)->Close().ok());
  };

  set_mode("/keys", 0644);
  set_mode("/secret", 0640);

  EXPECT_THAT(KeyOptionWarnings(options, fs),
              ElementsAre("the key file /keys can be read by every user of this machine"));
}

}  // namespace
}  // namespace hbk::keys

#include "server_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::drill {
namespace {

using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ServerConfig SampleConfig() {
  ServerConfig config;
  config.paths = {"/s/data", "/s/tmp", "/s/server.sock", "/s/server.pid", "/s/error.log"};
  config.buffer_pool_bytes = 256 << 20;
  return config;
}

DrillSubject SampleFacts() {
  DrillSubject facts;
  facts.page_size = 4096;
  facts.data_file_path = "ibdata1:12M;ibdata2:12M:autoextend";
  facts.undo_tablespaces = "3";
  facts.settings = {{"lower_case_table_names", "1"}, {"aria_block_size", "4096"}};
  return facts;
}

std::string Render(const ServerConfig& config, const keys::KeyOptions& keys) {
  const auto text = RenderServerConfig(config, SampleFacts(), keys);
  return text.ok() ? text->Reveal() : text.status().ToString();
}

TEST(ServerConfigTest, TheServerHasTheFormatsOfTheBackup) {
  EXPECT_THAT(Render(SampleConfig(), {}),
              AllOf(HasSubstr("[mariadbd]\n"), HasSubstr("\ninnodb_page_size=\"4096\"\n"),
                    HasSubstr("\ninnodb_data_file_path=\"ibdata1:12M;ibdata2:12M:autoextend\"\n"),
                    HasSubstr("\ninnodb_undo_tablespaces=\"3\"\n"),
                    HasSubstr("\nlower_case_table_names=\"1\"\n"),
                    HasSubstr("\naria_block_size=\"4096\"\n")));
}

TEST(ServerConfigTest, NobodyReachesItAndItDoesNothingByItself) {
  EXPECT_THAT(Render(SampleConfig(), {}),
              AllOf(HasSubstr("\nskip_networking\n"), HasSubstr("\nsocket=\"/s/server.sock\"\n"),
                    HasSubstr("\nskip_slave_start\n"), HasSubstr("\nevent_scheduler=DISABLED\n"),
                    HasSubstr("\nloose_wsrep_on=OFF\n"), Not(HasSubstr("log_bin")),
                    HasSubstr("\nmyisam_recover_options=OFF\n"), Not(HasSubstr("user=root"))));
}

TEST(ServerConfigTest, KeysOfAFileAreHandedOn) {
  keys::KeyOptions keys;
  keys.plugin = "file_key_management";
  keys.key_file = "/etc/keys \"x\\y\".txt";
  keys.key_file_secret = Secret("FILE:/etc/secret");
  keys.encryption_algorithm = "aes_ctr";
  ServerConfig config = SampleConfig();
  config.plugin_files = {"file_key_management"};

  EXPECT_THAT(
      Render(config, keys),
      AllOf(HasSubstr("\nplugin_load_add=\"file_key_management.so\"\n"),
            HasSubstr("\nloose_file_key_management_filename=\"/etc/keys \\\"x\\\\y\\\".txt\"\n"),
            HasSubstr("\nloose_file_key_management_filekey=\"FILE:/etc/secret\"\n"),
            HasSubstr("\nloose_file_key_management_encryption_algorithm=\"aes_ctr\"\n")));
}

TEST(ServerConfigTest, AVaultIsHandedOnWithItsToken) {
  keys::KeyOptions keys;
  keys.plugin = "hashicorp_key_management";
  keys.vault_url = "https://v:8200/v1/m";
  keys.vault_token = Secret("s.token");

  EXPECT_THAT(Render(SampleConfig(), keys),
              AllOf(HasSubstr("hashicorp_key_management_vault_url=\"https://v:8200/v1/m\""),
                    HasSubstr("hashicorp_key_management_token=\"s.token\"")));
}

TEST(ServerConfigTest, ACommandCannotBeAskedByAServer) {
  keys::KeyOptions keys;
  keys.plugin = "file_key_management";
  keys.command = "print-key";

  EXPECT_THAT(RenderServerConfig(SampleConfig(), SampleFacts(), keys).status(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("command")));
}

TEST(ServerConfigTest, ALineBreakCannotSmuggleASetting) {
  DrillSubject facts = SampleFacts();
  facts.data_file_path = "ibdata1\nlog_bin=/x";

  EXPECT_THAT(RenderServerConfig(SampleConfig(), facts, {}).status(),
              StatusIs(StatusCode::kUnsupported, HasSubstr("innodb_data_file_path")));
  EXPECT_THAT(QuoteOption("x", "a b"), IsOkAndHolds(std::string("\"a b\"")));
}

TEST(ServerConfigTest, OnlyLibrariesOfKeysAndCodecsAreLoadedOfWhatABackupSays) {
  EXPECT_THAT(
      LibrariesToLoad("file_key_management=file_key_management;provider_lz4=provider_lz4.so"),
      ElementsAre("file_key_management", "provider_lz4"));
  EXPECT_THAT(LibrariesToLoad("a=evil;b=../provider_x;c=provider_/x;d=x_key_management/../y;;="),
              IsEmpty());
}

TEST(ServerConfigTest, EnginesThatReachForOthersAreNeverLoaded) {
  EXPECT_THAT(LibrariesOfEngines({"ARCHIVE", "CONNECT", "FEDERATED", "INNODB", "SPIDER"}, false),
              ElementsAre("ha_archive"));
  EXPECT_THAT(LibrariesOfEngines({}, true), ElementsAre("ha_rocksdb"));
  EXPECT_TRUE(IsRestoredEngine("InnoDB"));
  EXPECT_TRUE(IsRestoredEngine("MRG_MyISAM"));
  EXPECT_FALSE(IsRestoredEngine("FEDERATED"));
}

}  // namespace
}  // namespace hbk::drill

#include "hbk/server/server_facts.h"

#include "tests/support/status_matchers.h"

namespace hbk::server {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::Eq;
using ::testing::HasSubstr;

ServerFacts FactsOf(const std::string& version) {
  ServerFacts facts;
  facts.version_text = version;
  facts.version_comment = "Debian 12";
  facts.variables = {{"aria_log_dir_path", "/d/"},  {"gtid_binlog_pos", ""},
                     {"innodb_page_size", "16384"}, {"innodb_force_recovery", "0"},
                     {"innodb_read_only", "OFF"},   {"innodb_encrypt_log", "OFF"}};
  return facts;
}

TEST(ServerVersionTest, Parses) {
  EXPECT_THAT(ParseServerVersion("10.11.19-MariaDB-log"), Eq(ServerVersion{10, 11, 19}));
  EXPECT_THAT(ParseServerVersion("5.5.5-10.11.19-MariaDB"), Eq(ServerVersion{10, 11, 19}));
  EXPECT_THAT(ParseServerVersion("11.8.6-MariaDB"), Eq(ServerVersion{11, 8, 6}));
  for (const char* bad : {"", "10", "10.11", "x.y.z", "10.11.x", "10..1"})
    EXPECT_THAT(ParseServerVersion(bad), Eq(std::nullopt)) << bad;
}

TEST(ServerGateTest, SeriesThatArePreparedAreTaken) {
  for (const char* version :
       {"10.5.29-MariaDB", "10.7.8-MariaDB", "10.8.3-MariaDB", "10.11.19-MariaDB-0+deb12u1-log",
        "11.0.2-MariaDB", "11.4.5-MariaDB", "11.8.99-MariaDB", "12.1.2-MariaDB"})
    EXPECT_THAT(CheckServerSupported(FactsOf(version)), IsOk()) << version;
}

TEST(ServerGateTest, OtherSeriesAreRefused) {
  const struct {
    const char* version;
    const char* why;
  } rows[] = {
      {"10.4.34-MariaDB", "older than 10.5"},
      {"5.5.68-MariaDB", "older than 10.5"},
      {"13.0.1-MariaDB", "newer than 12.x"},
      {"nonsense", "cannot be read"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(CheckServerSupported(FactsOf(row.version)),
                StatusIs(StatusCode::kUnsupported, HasSubstr(row.why)))
        << row.version;
  }
}

TEST(ServerGateTest, OtherProductsAreRefusedByName) {
  const struct {
    const char* comment;
    const char* why;
  } rows[] = {
      {"MySQL Community Server - GPL", "not MariaDB but MySQL"},
      {"Percona Server (GPL), Release 27", "not MariaDB but Percona Server"},
      {"Source distribution", "not MariaDB but another product"},
  };
  for (const auto& row : rows) {
    ServerFacts facts = FactsOf("8.0.36");
    facts.variables.erase("aria_log_dir_path");
    facts.version_comment = row.comment;
    EXPECT_THAT(CheckServerSupported(facts),
                StatusIs(StatusCode::kUnsupported, HasSubstr(row.why)));
  }
}

TEST(ServerFactsTest, ActivePluginOfATypeIsFound) {
  ServerFacts facts;
  facts.plugins = {{"a", "ENCRYPTION", false}, {"b", "ENCRYPTION", true}, {"c", "DAEMON", true}};
  EXPECT_EQ(facts.ActivePluginOfType("ENCRYPTION"), "b");
  EXPECT_EQ(facts.ActivePluginOfType("AUTHENTICATION"), "");
}

TEST(ServerGateTest, StatesThatCannotBePreparedAreRefused) {
  const struct {
    const char* variable;
    const char* value;
    const char* why;
  } rows[] = {
      {"innodb_force_recovery", "4", "innodb_force_recovery=4"},
      {"innodb_read_only", "ON", "innodb_read_only"},
      {"binlog_storage_engine", "innodb", "binlog_storage_engine=innodb"},
  };
  for (const auto& row : rows) {
    ServerFacts facts = FactsOf("10.11.19-MariaDB");
    facts.variables[row.variable] = row.value;
    EXPECT_THAT(CheckServerSupported(facts),
                StatusIs(StatusCode::kUnsupported, HasSubstr(row.why)));
  }
}

TEST(ServerGateTest, LowForceRecoveryIsTaken) {
  ServerFacts facts = FactsOf("10.11.19-MariaDB");
  facts.variables["innodb_force_recovery"] = "3";
  EXPECT_THAT(CheckServerSupported(facts), IsOk());
}

TEST(ServerGateTest, DisabledInnodbIsRefused) {
  ServerFacts facts = FactsOf("10.11.19-MariaDB");
  facts.variables.erase("innodb_page_size");
  EXPECT_THAT(CheckServerSupported(facts),
              StatusIs(StatusCode::kUnsupported, HasSubstr("InnoDB is disabled")));
}

TEST(ServerGateTest, MyrocksIsFine) {
  ServerFacts facts = FactsOf("10.11.19-MariaDB");
  facts.plugins = {{"ROCKSDB", "STORAGE ENGINE", true}};
  EXPECT_THAT(CheckServerSupported(facts), IsOk());
}

TEST(ServerFactsTest, AbsentVariablesAreEmptyOffAndDefault) {
  const ServerFacts facts;
  EXPECT_EQ(facts.Variable("x"), "");
  EXPECT_FALSE(facts.IsOn("x"));
  EXPECT_EQ(facts.Number("x", 5), 5U);
}

TEST(ServerFactsTest, NumberIsTheWholeText) {
  ServerFacts facts;
  facts.variables = {{"a", "12"}, {"b", "12M"}, {"c", ""}};
  EXPECT_EQ(facts.Number("a", 1), 12U);
  EXPECT_EQ(facts.Number("b", 1), 1U);
  EXPECT_EQ(facts.Number("c", 1), 1U);
}

TEST(QuoteAccountTest, LastAtSignSplits) {
  EXPECT_EQ(QuoteAccount("hbk@localhost"), "`hbk`@`localhost`");
  EXPECT_EQ(QuoteAccount("a@b@%"), "`a@b`@`%`");
  EXPECT_EQ(QuoteAccount("we`ird@h"), "`we``ird`@`h`");
}

}  // namespace
}  // namespace hbk::server

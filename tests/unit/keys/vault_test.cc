#include "vault.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::keys::vault_test {
namespace {

using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHex = "770A8A65DA156D24EE2A093277530142";
const std::string kUrl = "https://vault.example:8200/v1/hbk";

std::string ReplyWith(const std::string& version, const std::string& key) {
  return R"({"data": {"data": {"data": ")" + key + R"("}, "metadata": {"version": )" + version +
         "}}}";
}

// Answers by URL, else 404; notes the tokens.
class ScriptedClient final : public HttpClient {
 public:
  struct Answer {
    long status = 0;
    std::string body;
  };

  ScriptedClient(const std::map<std::string, Answer>& answers, std::vector<std::string>& tokens)
      : answers_(answers), tokens_(tokens) {}

  Result<HttpReply> Get(const std::string& url, const Secret& token) override {
    tokens_.push_back(token.Reveal());
    const auto found = answers_.find(url);
    HttpReply reply;
    reply.status = found == answers_.end() ? 404 : found->second.status;
    reply.body = Secret(found == answers_.end() ? R"({"errors":[]})" : found->second.body);
    if (reply.status == 0) return Status(StatusCode::kCannotConnect, "no route");
    return reply;
  }

 private:
  const std::map<std::string, Answer>& answers_;
  std::vector<std::string>& tokens_;
};

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() {
    options_.vault_url = kUrl;
    options_.vault_token = Secret("hvs.token");
  }

  Result<std::unique_ptr<KeyFetcher>> Make() {
    return MakeVaultFetcher(options_, fs_, std::make_unique<ScriptedClient>(answers_, tokens_));
  }
  Result<Secret> Fetch(uint32_t id, uint32_t version) {
    const auto fetcher = Make();
    if (!fetcher.ok()) return fetcher.status();
    return (*fetcher)->Fetch(id, version);
  }

  MemFileSystem fs_;
  KeyOptions options_;
  std::map<std::string, ScriptedClient::Answer> answers_;
  std::vector<std::string> tokens_;
};

TEST_F(VaultTest, AVersionIsAskedForWithTheToken) {
  answers_[kUrl + "/data/3?version=2"] = {200, ReplyWith("2", kHex)};

  const Result<Secret> key = Fetch(3, 2);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->Reveal().size(), 16U);
  EXPECT_EQ(tokens_, std::vector<std::string>{"hvs.token"});
}

TEST_F(VaultTest, TheNewestKeyTellsItsVersion) {
  answers_[kUrl + "/data/3"] = {200, ReplyWith("7", kHex)};
  const auto fetcher = Make();
  ASSERT_TRUE(fetcher.ok());

  const Result<VersionedKey> key = (*fetcher)->FetchNewest(3);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->version, 7U);
}

TEST_F(VaultTest, SlashesBehindTheMountAreLeftOut) {
  options_.vault_url = kUrl + "//";
  answers_[kUrl + "/data/3?version=2"] = {200, ReplyWith("2", kHex)};

  EXPECT_TRUE(Fetch(3, 2).ok());
}

TEST_F(VaultTest, AnotherVersionIsNotTaken) {
  answers_[kUrl + "/data/3?version=2"] = {200, ReplyWith("1", kHex)};

  EXPECT_THAT(Fetch(3, 2), StatusIs(StatusCode::kMissingKey, HasSubstr("answers with version 1")));
}

TEST_F(VaultTest, Status404IsAMissingKey) {
  EXPECT_THAT(Fetch(3, 2), StatusIs(StatusCode::kMissingKey,
                                    HasSubstr("asking the Vault " + kUrl + ": HTTP status 404")));
}

TEST_F(VaultTest, ADeletedVersionIsSaid) {
  answers_[kUrl + "/data/3?version=2"] = {
      404, R"({"data": {"data": null, "metadata": {"version": 2, "destroyed": false}}})"};

  EXPECT_THAT(Fetch(3, 2),
              StatusIs(StatusCode::kMissingKey, HasSubstr("this version was deleted")));
}

TEST_F(VaultTest, Status403IsAMissingPrivilege) {
  answers_[kUrl + "/data/3?version=2"] = {403, R"({"errors": ["permission denied"]})"};

  const Result<Secret> key = Fetch(3, 2);

  EXPECT_THAT(key, StatusIs(StatusCode::kMissingPrivilege,
                            HasSubstr("HTTP status 403: permission denied")));
  EXPECT_THAT(key.status().hint(), HasSubstr("'read' on MOUNT/data/*"));
  EXPECT_THAT(key.status().ToString(), Not(HasSubstr("hvs.token")));
}

TEST_F(VaultTest, OtherStatusesAndNoAnswerAreNoConnection) {
  answers_[kUrl + "/data/3?version=2"] = {500, "oops"};
  answers_[kUrl + "/data/3?version=3"] = {307, ""};
  answers_[kUrl + "/data/3?version=4"] = {0, ""};

  EXPECT_THAT(Fetch(3, 2), StatusIs(StatusCode::kCannotConnect, HasSubstr("status 500")));
  EXPECT_THAT(Fetch(3, 3), StatusIs(StatusCode::kCannotConnect, HasSubstr("redirection")));
  EXPECT_THAT(Fetch(3, 4), StatusIs(StatusCode::kCannotConnect, HasSubstr("no route")));
}

TEST_F(VaultTest, StrangeAnswersAreMissingKeysAndNotShown) {
  for (const std::string& body :
       {std::string(), std::string("<html>" + kHex), std::string("[]"), std::string("{}"),
        R"({"data": {"data": ")" + kHex + R"("}})", ReplyWith("0", kHex), ReplyWith("-1", kHex),
        ReplyWith("\"1\"", kHex), ReplyWith("4294967296", kHex), ReplyWith("2", kHex + "7"),
        ReplyWith("2", ""),
        std::string(R"({"data": {"data": {"data": 7},)") + R"("metadata": {"version": 2}}})"}) {
    answers_[kUrl + "/data/3?version=2"] = {200, body};

    const Result<Secret> key = Fetch(3, 2);

    EXPECT_THAT(key, StatusIs(StatusCode::kMissingKey, HasSubstr(kUrl))) << body;
    EXPECT_THAT(key.status().ToString(), Not(HasSubstr(kHex)));
  }
}

TEST_F(VaultTest, TheTokenMayBeTheFirstLineOfAFile) {
  options_.vault_token = Secret();
  options_.vault_token_file = "/etc/token";
  fs_.PutFile("/etc/token", "from-file\nsecond line\n");

  EXPECT_FALSE(Fetch(3, 2).ok());

  EXPECT_EQ(tokens_, std::vector<std::string>{"from-file"});
}

TEST_F(VaultTest, NothingIsAskedWithoutAGoodToken) {
  options_.vault_token = Secret();
  EXPECT_THAT(Fetch(3, 2), StatusIs(StatusCode::kMissingPrivilege, HasSubstr("no token")));
  options_.vault_token_file = "/etc/token";
  EXPECT_THAT(Fetch(3, 2), StatusIs(StatusCode::kMissingPrivilege, HasSubstr("/etc/token")));
  options_.vault_token = Secret("two\r\nlines");
  EXPECT_THAT(Fetch(3, 2), StatusIs(StatusCode::kMissingPrivilege, Not(HasSubstr("lines"))));

  EXPECT_TRUE(tokens_.empty());
}

TEST_F(VaultTest, HttpIsRefusedUnlessAllowed) {
  options_.vault_url = "http://vault.example:8200/v1/hbk";
  EXPECT_THAT(Make(), StatusIs(StatusCode::kUsage, HasSubstr("has no TLS")));

  options_.vault_allow_http = true;
  EXPECT_TRUE(Make().ok());
}

TEST_F(VaultTest, OtherUrlsAreUsageErrors) {
  for (const std::string url :
       {"vault.example/v1/hbk", "ftp://vault.example/v1/hbk", "https://vault.example",
        "https://vault.example/v1/", "https://vault.example/v2/hbk", "https:///v1/hbk",
        "https://vault.example/x/v1/hbk", "https://vault.example/v1/hbk?x=1",
        "https://vault.example/v1/h bk", "https://user:pass@vault.example/v1/hbk", "https://"}) {
    options_.vault_url = url;
    EXPECT_THAT(Make(), AllOf(StatusIs(StatusCode::kUsage, HasSubstr("Vault")),
                              StatusIs(StatusCode::kUsage, Not(HasSubstr("pass")))))
        << url;
  }
}

}  // namespace
}  // namespace hbk::keys::vault_test

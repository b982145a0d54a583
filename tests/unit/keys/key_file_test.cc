#include "key_file.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::keys {
namespace {

using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kKey16 = "770A8A65DA156D24EE2A093277530142";
const std::string kLine1 = "1;" + kKey16 + "\n";

// kLine1, encrypted with the secret "secretpass" and SHA-1: see password_file_test.cc.
std::string EncryptedFile() {
  constexpr std::string_view kBody =
      "39ffd409b42a5f61293f57f19e6b6707e562f8ccdc9fc7487c175855c1384e84"
      "7adcc05129226957ce0ab38e7bca6c3f";
  std::string file = "Salted__\x01\x02\x03\x04\x05\x06\x07\x08";
  for (size_t i = 0; i < kBody.size(); i += 2)
    file += static_cast<char>(std::stoi(std::string(kBody.substr(i, 2)), nullptr, 16));
  return file;
}

// Each line stands behind a good line 1. The verdicts are those of MariaDB 10.11.
TEST(KeyFileTest, LinesThatTheServerTakesAreTaken) {
  const std::vector<std::string> taken = {
      "",
      "\n",
      "# comment\n",
      "   # comment\n",
      "  \t2;" + kKey16 + "\n",
      "\f2;" + kKey16,
      "2;" + kKey16 + "\r\n",
      "2;" + kKey16 + " junk\n",
      "2;" + kKey16 + ";x\n",
      "2;770a8a65da156d24ee2a093277530142\n",
      "2;" + kKey16 + kKey16.substr(0, 16) + "\n",
      "2;" + kKey16 + kKey16 + "\n",
      "002;" + kKey16 + "\n",
      "4294967295;" + kKey16 + "\n",
      "2;" + kKey16 + "\r3;not a line of its own",
  };
  for (const std::string& text : taken) {
    const Result<KeysById> keys = ParseKeyFile(kLine1 + text);
    EXPECT_TRUE(keys.ok()) << text << ": " << keys.status().ToString();
  }
}

TEST(KeyFileTest, LinesThatTheServerRefusesAreRefused) {
  const std::vector<std::string> refused = {
      "2 ;" + kKey16,
      "2; " + kKey16,
      "2:" + kKey16,
      "2;" + kKey16 + "A",
      "2;",
      "2;" + kKey16 + "AB",
      "0;" + kKey16,
      "2;" + kKey16 + kKey16 + "AB",
      "-2;" + kKey16,
      "2;" + kKey16 + kKey16 + kKey16,
      "+2;" + kKey16,
      "2;" + kKey16.substr(2),
      "0x2;" + kKey16,
      "4294967296;" + kKey16,
      "hello",
      "99999999999999999999;" + kKey16,
      "2",
  };
  for (const std::string& text : refused) {
    EXPECT_THAT(ParseKeyFile(kLine1 + text + "\n"),
                StatusIs(StatusCode::kMissingKey, HasSubstr("line 2: ")))
        << text;
  }
}

TEST(KeyFileTest, ALaterLineWins) {
  const Result<KeysById> keys = ParseKeyFile(kLine1 + "1;" + std::string(32, '0') + "\n");

  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->at(1).Reveal(), std::string(16, '\0'));
}

TEST(KeyFileTest, KeyOneMustBeThere) {
  EXPECT_THAT(ParseKeyFile(""), StatusIs(StatusCode::kMissingKey, HasSubstr("no key 1")));
  EXPECT_THAT(ParseKeyFile("2;" + kKey16), StatusIs(StatusCode::kMissingKey, HasSubstr("key 1")));
}

TEST(KeyFileTest, NoMessageShowsAKey) {
  const Result<KeysById> keys = ParseKeyFile("1;" + kKey16 + "A");

  EXPECT_THAT(keys.status().ToString(), AllOf(Not(HasSubstr(kKey16)), Not(HasSubstr("770A"))));
}

class KeyFileFetcherTest : public ::testing::Test {
 protected:
  KeyFileFetcherTest() { options_.key_file = "/etc/keys"; }

  Result<Secret> Fetch(uint32_t id, uint32_t version) {
    const auto fetcher = MakeKeyFileFetcher(options_, fs_);
    if (!fetcher.ok()) return fetcher.status();
    return (*fetcher)->Fetch(id, version);
  }

  MemFileSystem fs_;
  KeyOptions options_;
};

TEST_F(KeyFileFetcherTest, AKeyOfAPlainFileIsFound) {
  fs_.PutFile("/etc/keys", kLine1);

  const Result<Secret> key = Fetch(1, 1);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->Reveal().substr(0, 2), "\x77\x0a");
}

TEST_F(KeyFileFetcherTest, TheNewestVersionIsOne) {
  fs_.PutFile("/etc/keys", kLine1);
  const auto fetcher = MakeKeyFileFetcher(options_, fs_);
  ASSERT_TRUE(fetcher.ok());

  const Result<VersionedKey> key = (*fetcher)->FetchNewest(1);

  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->version, 1U);
}

TEST_F(KeyFileFetcherTest, AMissingIdIsSaidWithThoseThatThereAre) {
  fs_.PutFile("/etc/keys", kLine1 + "7;" + kKey16);

  EXPECT_THAT(Fetch(3, 1), StatusIs(StatusCode::kMissingKey,
                                    HasSubstr("not in the key file /etc/keys, which has keys 1, "
                                              "7")));
}

TEST_F(KeyFileFetcherTest, AnotherVersionThanOneIsMissing) {
  fs_.PutFile("/etc/keys", kLine1);

  EXPECT_THAT(Fetch(1, 2), StatusIs(StatusCode::kMissingKey, HasSubstr("version 1 of its keys")));
}

TEST_F(KeyFileFetcherTest, AMissingFileIsAMissingKey) {
  EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kMissingKey, HasSubstr("/etc/keys")));
}

TEST_F(KeyFileFetcherTest, AnEncryptedFileIsReadWithItsSecret) {
  fs_.PutFile("/etc/keys", EncryptedFile());
  options_.key_file_secret = Secret("secretpass");

  EXPECT_TRUE(Fetch(1, 1).ok());
}

TEST_F(KeyFileFetcherTest, ASecretFromAFileLosesItsLineEnd) {
  fs_.PutFile("/etc/keys", EncryptedFile());
  options_.key_file_secret = Secret("FILE:/etc/secret");
  for (const std::string_view end : {"", "\n", "\r\n", "\n\n"}) {
    fs_.PutFile("/etc/secret", "secretpass" + std::string(end));
    const Result<Secret> key = Fetch(1, 1);
    EXPECT_TRUE(key.ok()) << key.status().ToString();
  }
}

// Line ends do not count.
TEST_F(KeyFileFetcherTest, ASecretFromAFileOf257BytesIsTooLong) {
  fs_.PutFile("/etc/keys", EncryptedFile());
  options_.key_file_secret = Secret("FILE:/etc/secret");
  for (const size_t size : {257U, 4096U, 5000U}) {
    fs_.PutFile("/etc/secret", std::string(size, 'x') + "\n");
    EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kMissingKey, HasSubstr("longer than 256 bytes")));
  }
  fs_.PutFile("/etc/secret", std::string(256, 'x') + "\n");
  EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kMissingKey, HasSubstr("does not fit")));
}

TEST_F(KeyFileFetcherTest, AnEmptySecretFileIsSaid) {
  fs_.PutFile("/etc/keys", EncryptedFile());
  fs_.PutFile("/etc/secret", "\n");
  options_.key_file_secret = Secret("FILE:/etc/secret");

  EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kMissingKey, HasSubstr("it is empty")));
}

TEST_F(KeyFileFetcherTest, AMissingSecretFileIsAMissingKey) {
  fs_.PutFile("/etc/keys", EncryptedFile());
  options_.key_file_secret = Secret("FILE:/etc/secret");

  EXPECT_THAT(Fetch(1, 1),
              StatusIs(StatusCode::kMissingKey, HasSubstr("reading the key file's secret: ")));
}

TEST_F(KeyFileFetcherTest, AWrongSecretIsSaid) {
  fs_.PutFile("/etc/keys", EncryptedFile());
  options_.key_file_secret = Secret("another");

  const Result<Secret> key = Fetch(1, 1);

  EXPECT_THAT(key, StatusIs(StatusCode::kMissingKey,
                            HasSubstr("the key file /etc/keys: the secret does not fit")));
  EXPECT_THAT(key.status().hint(), HasSubstr("--file-key-management-filekey"));
  EXPECT_THAT(key.status().ToString(), Not(HasSubstr("another")));
}

TEST_F(KeyFileFetcherTest, AnEncryptedFileNeedsASecret) {
  fs_.PutFile("/etc/keys", EncryptedFile());

  EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kMissingKey, HasSubstr("no secret is given")));
}

TEST_F(KeyFileFetcherTest, APlainFileTakesNoSecret) {
  fs_.PutFile("/etc/keys", kLine1);
  options_.key_file_secret = Secret("secretpass");

  EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kMissingKey, HasSubstr("is not encrypted")));
}

TEST_F(KeyFileFetcherTest, UnknownDigestsAreUsageErrors) {
  options_.key_file_digest = "md5";

  EXPECT_THAT(Fetch(1, 1), StatusIs(StatusCode::kUsage, HasSubstr("md5")));
}

TEST_F(KeyFileFetcherTest, AFileOverOneMebibyteIsRefused) {
  fs_.PutFile("/etc/keys", kLine1 + std::string(1 << 20, '\n'));

  EXPECT_FALSE(Fetch(1, 1).ok());
}

}  // namespace
}  // namespace hbk::keys

#include "hbk/seal/sealing_keys.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::seal {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const std::string kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

std::string Counting() {
  std::string bytes;
  for (int i = 0; i < 32; ++i)
    bytes += static_cast<char>(i);
  return bytes;
}

std::string KeyOf(std::string_view text) {
  const auto key = ParseSealingKey(text);
  return key.ok() ? key->Reveal() : key.status().message();
}

TEST(SealingKeysTest, KeysHaveThreeForms) {
  EXPECT_EQ(KeyOf(Counting()), Counting());
  EXPECT_EQ(KeyOf(kHex), Counting());
  EXPECT_EQ(KeyOf(" " + kHex + "\r\n"), Counting());
  EXPECT_EQ(KeyOf("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"), Counting());
  EXPECT_EQ(KeyOf(kBase64), Counting());
  EXPECT_EQ(KeyOf(kBase64.substr(0, 43) + "\n"), Counting());
  EXPECT_EQ(KeyOf("-_8" + std::string(40, 'A')), KeyOf("+/8" + std::string(40, 'A') + "="));
}

TEST(SealingKeysTest, OtherTextsAreNoKeys) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("secret"), kHex.substr(1), kHex + "0",
        "g" + kHex.substr(1), kHex.substr(0, 32) + " " + kHex.substr(32), "!" + kBase64.substr(1),
        kBase64.substr(0, 42) + "9=", kBase64 + "=", std::string(33, '\0')}) {
    EXPECT_THAT(ParseSealingKey(text), StatusIs(StatusCode::kMissingKey, Not(HasSubstr("0102"))))
        << text;
  }
}

class OpenSealingKeysTest : public ::testing::Test {
 protected:
  MemFileSystem fs_;
  SealingKeyOptions options_;
};

TEST_F(OpenSealingKeysTest, NoSourceIsNoKey) {
  EXPECT_FALSE(options_.HasSource());
  EXPECT_THAT(OpenSealingKeys(options_, fs_)->size(), 0U);
}

TEST_F(OpenSealingKeysTest, EverySourceGivesAKey) {
  fs_.PutFile("/etc/a.key", kHex + "\n");
  fs_.PutFile("/etc/phrase", "a b \r\n");
  options_.key_files = {"/etc/a.key"};
  options_.passphrase_files = {"/etc/phrase"};
  options_.key = Secret(kBase64);
  options_.passphrase = Secret("typed");
  options_.command = Secret("echo " + kHex);
  EXPECT_TRUE(options_.HasSource());

  const auto keys = OpenSealingKeys(options_, fs_);

  ASSERT_THAT(keys, IsOk());
  ASSERT_EQ(keys->size(), 5U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*keys)[i].kind, SealingKeyKind::kKey);
    EXPECT_EQ((*keys)[i].secret.Reveal(), Counting());
  }
  EXPECT_EQ((*keys)[0].origin, "the key file /etc/a.key");
  EXPECT_EQ((*keys)[0].label, "key file a.key");
  EXPECT_EQ((*keys)[1].label, "key");
  EXPECT_EQ((*keys)[2].label, "key command");
  EXPECT_EQ((*keys)[3].kind, SealingKeyKind::kPassphrase);
  EXPECT_EQ((*keys)[3].secret.Reveal(), "a b ");
  EXPECT_EQ((*keys)[3].label, "passphrase file phrase");
  EXPECT_EQ((*keys)[4].secret.Reveal(), "typed");
}

TEST_F(OpenSealingKeysTest, FileThatIsMissingIsNamed) {
  options_.key_files = {"/etc/a.key"};
  EXPECT_THAT(OpenSealingKeys(options_, fs_),
              StatusIs(StatusCode::kMissingKey, HasSubstr("/etc/a.key")));
  options_.key_files.clear();
  options_.passphrase_files = {"/etc/phrase"};
  EXPECT_THAT(OpenSealingKeys(options_, fs_),
              StatusIs(StatusCode::kMissingKey, HasSubstr("/etc/phrase")));
}

TEST_F(OpenSealingKeysTest, PassphraseFilesHaveOne) {
  options_.passphrase_files = {"/p"};
  fs_.PutFile("/p", "\n");
  EXPECT_THAT(OpenSealingKeys(options_, fs_),
              StatusIs(StatusCode::kMissingKey, HasSubstr("no passphrase")));
  fs_.PutFile("/p", std::string(1025, 's'));
  EXPECT_THAT(OpenSealingKeys(options_, fs_),
              StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("1024"), Not(HasSubstr("sss")))));
  fs_.PutFile("/p", std::string(5000, 's'));
  EXPECT_THAT(OpenSealingKeys(options_, fs_), StatusIs(StatusCode::kMissingKey, HasSubstr("/p")));
}

TEST_F(OpenSealingKeysTest, GivenKeyIsTextNotBytes) {
  options_.key = Secret(std::string(32, 's'));
  EXPECT_THAT(
      OpenSealingKeys(options_, fs_),
      StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("32 characters"), Not(HasSubstr("sss")))));
}

TEST_F(OpenSealingKeysTest, CommandThatFailsSaysWhy) {
  options_.command = Secret("echo 'no rights' >&2; echo out; exit 3 # topsecret");
  EXPECT_THAT(OpenSealingKeys(options_, fs_),
              StatusIs(StatusCode::kMissingKey,
                       AllOf(HasSubstr("exit code 3: no rights"), Not(HasSubstr("topsecret")))));
  options_.command = Secret("echo notakey");
  EXPECT_THAT(
      OpenSealingKeys(options_, fs_),
      StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("command"), Not(HasSubstr("notakey")))));
  options_.command = Secret("/nonexistent/program");
  EXPECT_THAT(OpenSealingKeys(options_, fs_),
              StatusIs(StatusCode::kFailed, HasSubstr("cannot be run")));
}

TEST_F(OpenSealingKeysTest, FilesThatOthersMayReadAreWarnedOf) {
  fs_.PutFile("/k", kHex);
  fs_.PutFile("/p", "horse");
  ASSERT_THAT(fs_.Open("/k", {.write = true}).value()->SetMode(0604), IsOk());
  ASSERT_THAT(fs_.Open("/p", {.write = true}).value()->SetMode(0640), IsOk());
  options_.key_files = {"/k", "/missing"};
  options_.passphrase_files = {"/p"};
  EXPECT_THAT(SealingKeyWarnings(options_, fs_),
              ElementsAre("the key file /k can be read by every user of this machine"));
  options_.key_files.clear();
  EXPECT_THAT(SealingKeyWarnings(options_, fs_), IsEmpty());
}

}  // namespace
}  // namespace hbk::seal

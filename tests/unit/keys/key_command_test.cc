#include "key_command.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::keys {
namespace {

using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHex = "770A8A65DA156D24EE2A093277530142";

io::ChildResult Printing(const std::string& text) {
  io::ChildResult result;
  result.out = Secret(text);
  return result;
}

io::ChildResult Failing(int exit_code, const std::string& err) {
  io::ChildResult result;
  result.exit_code = exit_code;
  result.err = err;
  return result;
}

// Answers by "ID VERSION"; everything else fails with exit code 1.
class KeyCommandTest : public ::testing::Test {
 protected:
  std::map<std::string, io::ChildResult> answers_;
  std::unique_ptr<KeyFetcher> fetcher_ =
      MakeCommandFetcher([this](const std::vector<std::string>& words) -> Result<io::ChildResult> {
        const auto found = answers_.find(words.at(0) + " " + words.at(1));
        return found == answers_.end() ? Failing(1, "no such key\n") : found->second;
      });
};

TEST_F(KeyCommandTest, HexDigitsAreTheKey) {
  answers_["3 2"] = Printing(kHex + "\n");

  const Result<Secret> key = fetcher_->Fetch(3, 2);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->Reveal().size(), 16U);
}

TEST_F(KeyCommandTest, TheVersionMayStandInFront) {
  answers_["3 2"] = Printing("2 " + kHex);

  EXPECT_TRUE(fetcher_->Fetch(3, 2).ok());
}

TEST_F(KeyCommandTest, AnotherVersionIsNotTaken) {
  answers_["3 2"] = Printing("1 " + kHex);

  EXPECT_THAT(fetcher_->Fetch(3, 2),
              StatusIs(StatusCode::kMissingKey, HasSubstr("printed version 1")));
}

TEST_F(KeyCommandTest, ItsErrorOutputIsInTheMessage) {
  const Result<Secret> key = fetcher_->Fetch(3, 2);

  EXPECT_THAT(key, StatusIs(StatusCode::kMissingKey,
                            HasSubstr("the key command ended with exit code 1: no such key")));
}

TEST_F(KeyCommandTest, LongErrorsAreCutAndBecomeOneLine) {
  answers_["3 2"] = Failing(1, "first\nsecond\x1b[0m" + std::string(1000, 'x'));

  const std::string message = fetcher_->Fetch(3, 2).status().message();

  EXPECT_THAT(message, AllOf(HasSubstr("first second [0m"), Not(HasSubstr("\n"))));
  EXPECT_LT(message.size(), 400U);
}

TEST_F(KeyCommandTest, AMissingProgramIsAFailure) {
  answers_["3 2"] = Failing(127, "sh: 1: getkey: not found");

  EXPECT_THAT(fetcher_->Fetch(3, 2), StatusIs(StatusCode::kFailed, HasSubstr("cannot be run")));
}

TEST_F(KeyCommandTest, WhatIsNoKeyIsNotShown) {
  for (const std::string& text : {kHex.substr(1), kHex + "\n" + kHex, "key: " + kHex, std::string(),
                                  "0 " + kHex, "1 2 " + kHex}) {
    answers_["3 2"] = Printing(text);

    const Result<Secret> key = fetcher_->Fetch(3, 2);

    EXPECT_THAT(key, StatusIs(StatusCode::kMissingKey, HasSubstr("the key command")));
    EXPECT_THAT(key.status().ToString(), Not(HasSubstr(kHex.substr(1, 8))));
  }
}

TEST_F(KeyCommandTest, NewestNamesItsVersion) {
  answers_["3 newest"] = Printing("8 " + kHex);

  const Result<VersionedKey> key = fetcher_->FetchNewest(3);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->version, 8U);
}

// The command fails there, or prints a key of which nobody knows the version.
TEST_F(KeyCommandTest, WithoutNewestTheHighestKnownVersionIsTaken) {
  answers_["3 1"] = Printing(kHex);
  answers_["3 4"] = Printing(kHex);
  for (const bool prints_key : {false, true}) {
    if (prints_key) answers_["3 newest"] = Printing(kHex);
    ASSERT_TRUE(fetcher_->Fetch(3, 4).ok());
    ASSERT_TRUE(fetcher_->Fetch(3, 1).ok());

    const Result<VersionedKey> key = fetcher_->FetchNewest(3);

    ASSERT_TRUE(key.ok()) << key.status().ToString();
    EXPECT_EQ(key->version, 4U);
  }
}

TEST_F(KeyCommandTest, WithoutNewestAndWithoutVersionsTheFirstIsTaken) {
  answers_["3 1"] = Printing(kHex);

  const Result<VersionedKey> key = fetcher_->FetchNewest(3);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->version, 1U);
  EXPECT_THAT(fetcher_->FetchNewest(5), StatusIs(StatusCode::kMissingKey, HasSubstr("version 1")));
}

TEST(KeyCommandShellTest, IdAndVersionFollowTheCommand) {
  KeyOptions options;
  options.command = "sh -c 'echo 77010203040506070809101112$(($1 + 10))14$(($2 + 10))' getkey";
  const auto fetcher = MakeCommandFetcher(options, {});

  const Result<Secret> key = fetcher->Fetch(3, 2);

  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ(key->Reveal().back(), '\x12');
}

}  // namespace
}  // namespace hbk::keys

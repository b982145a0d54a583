#include "hbk/keys/open_key_source.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::keys::open_key_source_test {
namespace {

using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kHex = "770A8A65DA156D24EE2A093277530142";

TEST(OpenKeySourceTest, WithoutASourceEveryKeyIsMissing) {
  MemFileSystem fs;
  KeyOptions options;
  options.plugin = "aws_key_management";
  const auto source = OpenKeySource(options, fs);
  ASSERT_TRUE(source.ok());

  const Result<Secret> key = (*source)->GetKey(4, 2);

  EXPECT_THAT(key, StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("encryption key 4 version 2"),
                                                           HasSubstr("aws_key_management"))));
  EXPECT_THAT(key.status().hint(), HasSubstr("--key-command"));
  EXPECT_THAT((*source)->NewestVersion(4), StatusIs(StatusCode::kMissingKey, HasSubstr("key 4")));
}

TEST(OpenKeySourceTest, AKeyFileIsReadWhenAKeyIsWanted) {
  MemFileSystem fs;
  KeyOptions options;
  options.key_file = "/keys";
  options.encryption_algorithm = "aes_ctr";
  const auto source = OpenKeySource(options, fs);
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->mode(), crypto::CipherMode::kCtr);

  fs.PutFile("/keys", "1;" + kHex);

  EXPECT_TRUE((*source)->GetKey(1, 1).ok());
  EXPECT_THAT((*source)->GetKey(2, 1),
              StatusIs(StatusCode::kMissingKey,
                       HasSubstr("encryption key 2 version 1: not in the key file /keys")));
}

TEST(OpenKeySourceTest, ACommandGoesFirst) {
  MemFileSystem fs;
  KeyOptions options;
  options.key_file = "/keys";
  options.command = "echo " + kHex + " #";
  const auto source = OpenKeySource(options, fs);
  ASSERT_TRUE(source.ok());

  EXPECT_TRUE((*source)->GetKey(9, 9).ok());
}

TEST(OpenKeySourceTest, UnknownAlgorithmsAreUsageErrors) {
  MemFileSystem fs;
  KeyOptions options;
  options.encryption_algorithm = "aes_gcm";

  EXPECT_THAT(OpenKeySource(options, fs), StatusIs(StatusCode::kUsage, HasSubstr("aes_gcm")));
}

TEST(OpenKeySourceTest, AVaultWithoutTlsIsAUsageError) {
  MemFileSystem fs;
  KeyOptions options;
  options.vault_url = "http://vault/v1/hbk";

  EXPECT_THAT(OpenKeySource(options, fs), StatusIs(StatusCode::kUsage, HasSubstr("TLS")));
}

}  // namespace
}  // namespace hbk::keys::open_key_source_test

#include "hbk/crypto/password_file.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::crypto::password_file_test {
namespace {

using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr std::string_view kPlain = "1;770A8A65DA156D24EE2A093277530142\n";

// printf '1;...\n' | openssl enc -aes-256-cbc -md D [-pbkdf2 -iter 1000] -S 0102030405060708
//   -pass pass:secretpass
struct Vector {
  PasswordFileOptions options;
  std::string_view body;
};
const std::vector<Vector> kVectors = {
    {{PasswordDigest::kSha1, 0},
     "39ffd409b42a5f61293f57f19e6b6707e562f8ccdc9fc7487c175855c1384e84"
     "7adcc05129226957ce0ab38e7bca6c3f"},
    {{PasswordDigest::kSha224, 0},
     "6f42c8998c4f9cf74368d97e7cfd393bbf5a39ba79c6f10edc677466f15f52f9"
     "e1d96efcc746547830aab1166e7fec1a"},
    {{PasswordDigest::kSha256, 0},
     "b8cfaf883e98ab0e351d8e4d64b491d0188e924b918e88104e985140f4fcec21"
     "2ecc8e55bfa9e5ae615a12c8a1d2fd9e"},
    {{PasswordDigest::kSha384, 0},
     "3ea9f24e91507d21329fffe339893a42f1c6889fe546ebcf4f6785cec81c7a88"
     "95467991bc757efb89b75586d02b50dd"},
    {{PasswordDigest::kSha512, 0},
     "65ef19512e36df577c31862e535c703d4c21c32455b967a83a7e1d4bb91091dc"
     "529814baece5666a6cbe828af188d6eb"},
    {{PasswordDigest::kSha256, 1000},
     "c0e910df5af1f49efa3d0285335079595a3b42328ced28387f58ccbcd51eadc8"
     "f1758a1c317a82d74478f827224f82a7"},
    {{PasswordDigest::kSha1, 1000},
     "b345307f14d57fbe8191df754ee6aaebff9a3b2f77f5778829b8b70bb25f7b4e"
     "9c9ea8b843b666a1806a0088943257f1"},
};

std::string FileOf(std::string_view body) {
  std::string file = "Salted__\x01\x02\x03\x04\x05\x06\x07\x08";
  for (size_t i = 0; i + 1 < body.size(); i += 2)
    file += static_cast<char>(std::stoi(std::string(body.substr(i, 2)), nullptr, 16));
  return file;
}

TEST(PasswordFileTest, WhatOpensslEncryptedIsDecrypted) {
  for (const Vector& vector : kVectors) {
    const Result<Secret> plain =
        DecryptPasswordFile(AsBytes(FileOf(vector.body)), Secret("secretpass"), vector.options);

    ASSERT_TRUE(plain.ok()) << plain.status().ToString();
    EXPECT_EQ(plain->Reveal(), kPlain);
  }
}

TEST(PasswordFileTest, AnotherPasswordDoesNotFit) {
  const Vector& vector = kVectors[0];

  EXPECT_THAT(
      DecryptPasswordFile(AsBytes(FileOf(vector.body)), Secret("Secretpass"), vector.options),
      StatusIs(StatusCode::kMissingKey, HasSubstr("the secret does not fit")));
}

TEST(PasswordFileTest, AnotherDigestDoesNotFit) {
  EXPECT_THAT(DecryptPasswordFile(AsBytes(FileOf(kVectors[0].body)), Secret("secretpass"),
                                  {PasswordDigest::kSha256, 0}),
              StatusIs(StatusCode::kMissingKey, HasSubstr("the secret does not fit")));
}

TEST(PasswordFileTest, EveryCutIsAnError) {
  const std::string file = FileOf(kVectors[0].body);
  for (size_t size = 0; size < file.size(); ++size) {
    const ByteView cut = AsBytes(file).first(size);
    EXPECT_FALSE(DecryptPasswordFile(cut, Secret("secretpass"), {}).ok()) << size;
  }
}

TEST(PasswordFileTest, PlainTextIsNoPasswordFile) {
  EXPECT_FALSE(IsPasswordFile(AsBytes(kPlain)));
  EXPECT_THAT(DecryptPasswordFile(AsBytes(kPlain), Secret("x"), {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("openssl enc")));
}

TEST(PasswordFileTest, DigestsHaveTheServersNames) {
  EXPECT_EQ(PasswordDigestByName("sha1"), PasswordDigest::kSha1);
  EXPECT_EQ(PasswordDigestByName("sha512"), PasswordDigest::kSha512);
  EXPECT_EQ(PasswordDigestByName("md5"), std::nullopt);
}

}  // namespace
}  // namespace hbk::crypto::password_file_test

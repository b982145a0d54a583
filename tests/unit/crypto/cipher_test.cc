#include "hbk/crypto/cipher.h"

#include <numeric>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::crypto {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

Block BlockFromHex(std::string_view hex) {
  Block block{};
  const std::vector<uint8_t> bytes = FromHex(hex);
  std::copy_n(bytes.begin(), block.size(), block.begin());
  return block;
}

Secret KeyFromHex(std::string_view hex) {
  return Secret(std::string(AsText(FromHex(hex))));
}

constexpr std::string_view kServerKey = "770A8A65DA156D24EE2A093277530142";
constexpr std::string_view kIv = "46c30aafca6fa9967b69c3e996db0e5f";
constexpr std::string_view kDataKey = "cda4061e6b7792c030dc116521cdc038";
// Space 13, page 3, LSN 2345678.
constexpr std::string_view kNonce = "0d00000003000000ceca230000000000";

std::vector<uint8_t> Plain() {
  std::vector<uint8_t> plain(34);
  std::iota(plain.begin(), plain.end(), uint8_t{0});
  return plain;
}

void ExpectBothWays(CipherMode mode, std::string_view cipher_text) {
  const Block key = BlockFromHex(kDataKey);
  const Block iv = BlockFromHex(kNonce);
  std::vector<uint8_t> bytes(Plain().size());
  ASSERT_THAT(Encrypt(mode, key, iv, Plain(), bytes), IsOk());
  EXPECT_EQ(bytes, FromHex(cipher_text));
  // In place.
  ASSERT_THAT(Decrypt(mode, key, iv, bytes, bytes), IsOk());
  EXPECT_EQ(bytes, Plain());
}

TEST(CipherTest, DataKeyIsTheEncryptedMessage) {
  const auto key = DeriveDataKey(KeyFromHex(kServerKey), BlockFromHex(kIv));
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(*key, BlockFromHex(kDataKey));
}

TEST(CipherTest, LongServerKeyGivesDataKeyOfSixteenBytes) {
  const std::string twice = "F5502320F8429037B8DAEF761B189D12F5502320F8429037B8DAEF761B189D12";
  const auto key = DeriveDataKey(KeyFromHex(twice), BlockFromHex(kIv));
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(*key, BlockFromHex("84c886a07e62b7a8b3dfaf151b446f6a"));
}

TEST(CipherTest, KeyOfOddLengthIsAnError) {
  EXPECT_THAT(DeriveDataKey(Secret("short"), Block{}).status(),
              StatusIs(StatusCode::kFailed, ::testing::HasSubstr("5 bytes")));
}

TEST(CipherTest, CbcMasksWhatIsBehindTheLastBlock) {
  ExpectBothWays(CipherMode::kCbc,
                 "3e54d4bbc4bbbe20380d4a372ce4c7dc42c654a5cf881f86af4cca59f6777e48a5f1");
}

TEST(CipherTest, CtrStartsAtTheIv) {
  ExpectBothWays(CipherMode::kCtr,
                 "85d1469d5bf842394ad804a466ab9abce3385443a5c0d92ed6030bd3fad3428095ea");
}

TEST(CipherTest, LessThanABlockIsOnlyMasked) {
  for (const CipherMode mode : {CipherMode::kCbc, CipherMode::kCtr}) {
    std::vector<uint8_t> bytes = {1, 2, 3};
    ASSERT_THAT(Encrypt(mode, BlockFromHex(kDataKey), BlockFromHex(kNonce), bytes, bytes), IsOk());
    EXPECT_NE(bytes, (std::vector<uint8_t>{1, 2, 3}));
    ASSERT_THAT(Decrypt(mode, BlockFromHex(kDataKey), BlockFromHex(kNonce), bytes, bytes), IsOk());
    EXPECT_EQ(bytes, (std::vector<uint8_t>{1, 2, 3}));
  }
}

TEST(CipherTest, NoBytesAreNoError) {
  EXPECT_THAT(Decrypt(CipherMode::kCbc, Block{}, Block{}, {}, {}), IsOk());
}

}  // namespace
}  // namespace hbk::crypto

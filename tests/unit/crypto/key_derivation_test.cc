#include "hbk/crypto/key_derivation.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::crypto {
namespace {

using ::hbk::testing::IsOk;

std::string ToHex(ByteView bytes) {
  std::string hex;
  for (const uint8_t byte : bytes)
    hex += fmt::format("{:02x}", byte);
  return hex;
}

std::string ToHex(const Result<Secret>& secret) {
  return secret.ok() ? ToHex(AsBytes(secret->Reveal())) : secret.status().ToString();
}

std::string Counting(int first, int last) {
  std::string bytes;
  for (int i = first; i <= last; ++i)
    bytes += static_cast<char>(i);
  return bytes;
}

TEST(KeyDerivationTest, HkdfGivesTheKeysOfTheStandard) {
  // RFC 5869, A.1 and A.3.
  EXPECT_EQ(ToHex(DeriveKey(Secret(std::string(22, '\x0b')), AsBytes(Counting(0, 12)),
                            Counting(0xf0, 0xf9), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(ToHex(DeriveKey(Secret(std::string(22, '\x0b')), {}, "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(KeyDerivationTest, HmacGivesTheCodesOfTheStandard) {
  // RFC 4231, test cases 1 and 2.
  auto mac = HmacSha256(Secret(std::string(20, '\x0b')), AsBytes("Hi There"));
  ASSERT_THAT(mac, IsOk());
  EXPECT_EQ(ToHex(*mac), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  mac = HmacSha256(Secret("Jefe"), AsBytes("what do ya want for nothing?"));
  ASSERT_THAT(mac, IsOk());
  EXPECT_EQ(ToHex(*mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(KeyDerivationTest, ScryptGivesTheKeysOfTheStandard) {
  // RFC 7914, 12; its p of 16 and n of 1024 are permitted, its n of 2^20 is too much work here.
  EXPECT_EQ(ToHex(DeriveFromPassphrase(Secret("password"), AsBytes("NaCl"), {1024, 8, 16}, 64)),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(KeyDerivationTest, CostsThatAFileSaysAreBounded) {
  EXPECT_TRUE(IsPermitted({}));
  EXPECT_TRUE(IsPermitted({1 << 19, 8, 1}));
  EXPECT_TRUE(IsPermitted({1 << 17, 8, 16}));
  EXPECT_FALSE(IsPermitted({1 << 20, 8, 1}));
  EXPECT_FALSE(IsPermitted({1 << 17, 8, 17}));
  EXPECT_FALSE(IsPermitted({1 << 17, 33, 1}));
  EXPECT_FALSE(IsPermitted({0, 8, 1}));
  EXPECT_FALSE(IsPermitted({1, 8, 1}));
  EXPECT_FALSE(IsPermitted({1000, 8, 1}));
  EXPECT_FALSE(IsPermitted({1024, 0, 1}));
  EXPECT_FALSE(IsPermitted({1024, 8, 0}));
  EXPECT_FALSE(IsPermitted({1 << 16, 1, 1}));
  // Products that would overflow.
  EXPECT_FALSE(IsPermitted({uint64_t{1} << 63, 8, 1}));
  EXPECT_FALSE(IsPermitted({2, UINT32_MAX, UINT32_MAX}));
}

TEST(KeyDerivationTest, EqualityIsThatOfAllBytes) {
  EXPECT_TRUE(IsEqual({}, {}));
  EXPECT_TRUE(IsEqual(AsBytes("abc"), AsBytes("abc")));
  EXPECT_FALSE(IsEqual(AsBytes("abc"), AsBytes("abd")));
  EXPECT_FALSE(IsEqual(AsBytes("abc"), AsBytes("ab")));
}

TEST(KeyDerivationTest, RandomBytesAreNotTheSameTwice) {
  const auto first = RandomKey(32);
  const auto second = RandomKey(32);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->Reveal().size(), 32U);
  EXPECT_NE(first->Reveal(), second->Reveal());
  std::array<uint8_t, 16> a{};
  std::array<uint8_t, 16> b{};
  ASSERT_THAT(FillRandom(a), IsOk());
  ASSERT_THAT(FillRandom(b), IsOk());
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace hbk::crypto

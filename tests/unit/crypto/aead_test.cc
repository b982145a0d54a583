#include "hbk/crypto/aead.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::crypto {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::Each;
using ::testing::HasSubstr;

std::vector<uint8_t> FromHex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

Secret KeyOf(const std::string& hex) {
  return Secret(std::string(AsText(FromHex(hex))));
}

// Test case 16 of the paper of McGrew and Viega, "The Galois/Counter Mode of Operation".
constexpr const char* kKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
constexpr const char* kPlain =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
constexpr const char* kAssociated = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
constexpr const char* kSealed =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b";

class AeadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<uint8_t> nonce = FromHex("cafebabefacedbaddecaf888");
    std::copy(nonce.begin(), nonce.end(), nonce_.begin());
    auto aead = Aead::Create(KeyOf(kKey));
    ASSERT_THAT(aead, IsOk());
    aead_ = std::move(*aead);
  }

  std::unique_ptr<Aead> aead_;
  Nonce nonce_{};
  std::vector<uint8_t> plain_ = FromHex(kPlain);
  std::vector<uint8_t> associated_ = FromHex(kAssociated);
  std::vector<uint8_t> sealed_ = FromHex(kSealed);
};

TEST_F(AeadTest, SealsAsThePaperDoes) {
  std::vector<uint8_t> out(sealed_.size());
  // Twice: the context is used again.
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(aead_->Seal(nonce_, associated_, plain_, out), IsOk());
    EXPECT_EQ(out, sealed_);
  }
}

TEST_F(AeadTest, OpensWhatWasSealed) {
  std::vector<uint8_t> out(plain_.size());
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(aead_->Open(nonce_, associated_, sealed_, out), IsOk());
    EXPECT_EQ(out, plain_);
  }
}

TEST_F(AeadTest, NothingCanBeSealed) {
  std::vector<uint8_t> out(kAeadTagBytes);
  ASSERT_THAT(aead_->Seal(nonce_, {}, {}, out), IsOk());
  EXPECT_THAT(aead_->Open(nonce_, {}, out, {}), IsOk());
  EXPECT_THAT(aead_->Open(nonce_, associated_, out, {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("not those")));
}

TEST_F(AeadTest, EveryFlippedBitIsNoticedAndNothingIsGivenOut) {
  std::vector<uint8_t> out(plain_.size());
  const auto expect_refused = [&] {
    std::fill(out.begin(), out.end(), uint8_t{1});
    EXPECT_THAT(aead_->Open(nonce_, associated_, sealed_, out),
                StatusIs(StatusCode::kCorruption, HasSubstr("not those that were sealed")));
    EXPECT_THAT(out, Each(0));
  };
  const auto flip_each = [&](MutableByteView bytes) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
      expect_refused();
      bytes[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    }
  };
  flip_each(sealed_);
  flip_each(associated_);
  flip_each(nonce_);
  // An object that has refused still opens what is whole.
  EXPECT_THAT(aead_->Open(nonce_, associated_, sealed_, out), IsOk());
}

TEST_F(AeadTest, AnotherKeyOpensNothing) {
  const auto other = Aead::Create(Secret(std::string(kAeadKeyBytes, 'k')));
  ASSERT_THAT(other, IsOk());
  std::vector<uint8_t> out(plain_.size());

  EXPECT_THAT((*other)->Open(nonce_, associated_, sealed_, out),
              StatusIs(StatusCode::kCorruption, HasSubstr("not those that were sealed")));
}

}  // namespace
}  // namespace hbk::crypto

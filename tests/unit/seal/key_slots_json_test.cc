#include "key_slots_json.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"

#include "tests/support/status_matchers.h"

namespace hbk::seal {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What a backup of version 1 has; it must stay readable. Made by another implementation. The data
// key is 32 times 'd', the key 32 times 'k', the passphrase "horse".
constexpr std::string_view kVersion1 =
    R"({
)"
    R"(  "format_version": 1,
)"
    R"(  "cipher": "aes-256-gcm",
)"
    R"(  "key_check": "8506cb8c136dcbe64a655048b2c47bee",
)"
    R"(  "slots": [
)"
    R"(    {"id":1,"label":"a","kind":"key","created":"2026-01-31T20:03:11Z","salt":"00)"
    R"(0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","wrapped":"029dd)"
    R"(fc07cdf2ee627068494287fc09ddeb22f3136740efbbae811252671890bbba413e8474668e06889f)"
    R"(cb2ad11d420"},
)"
    R"(    {"id":2,"label":"Schlüssel 2","kind":"passphrase","created":"2026-01-31T20:0)"
    R"(3:12Z","salt":"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f")"
    R"(,"scrypt_n":1024,"scrypt_r":8,"scrypt_p":1,"wrapped":"4ded66f1456ff78ed8115bc1cb)"
    R"(d3646adce635841abf51f80b7badd3ca3c09fcdfde52422d659e889645fd784533be41"}
)"
    R"(  ],
)"
    R"(  "mac": "d80fc0e8346385e5a431ec7072f82ce97eb1539dab0019e3b9506f66bbc7a229",
)"
    R"(  "crc32c": "ed5d3646"
)"
    R"(}
)";

class KeySlotsJsonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    KeySlots slots(data_key_);
    const SealingKey key{SealingKeyKind::kKey, Secret(std::string(32, 'k')), "", ""};
    const SealingKey passphrase{SealingKeyKind::kPassphrase, Secret("horse"), "", ""};
    ASSERT_THAT(slots.Add(data_key_, key, {"a", "2026-01-31T20:03:11Z", {}}), IsOk());
    ASSERT_THAT(
        slots.Add(data_key_, passphrase, {"Schlüssel 2", "2026-01-31T20:03:12Z", {1024, 8, 1}}),
        IsOk());
    text_ = slots.Render(data_key_).value();
  }

  // With the checksum of what is there now.
  static std::string WithCrc(std::string text) {
    const size_t begin = text.find("  \"crc32c\"");
    return text.replace(begin + 13, 8,
                        fmt::format("{:08x}", Crc32c(AsBytes(text.substr(0, begin)))));
  }
  [[nodiscard]] std::string Replaced(std::string_view from, std::string_view to) const {
    std::string text = text_;
    const size_t begin = text.find(from);
    EXPECT_NE(begin, std::string::npos) << from;
    return WithCrc(text.replace(begin, from.size(), to));
  }

  DataKey data_key_ = DataKey::FromBytes(Secret(std::string(32, 'd'))).value();
  std::string text_;
};

TEST_F(KeySlotsJsonTest, TextComesBack) {
  const auto slots = KeySlots::Parse(text_);
  ASSERT_THAT(slots, IsOk());
  ASSERT_EQ(slots->slots().size(), 2U);
  EXPECT_EQ(slots->slots()[0].kind, SealingKeyKind::kKey);
  EXPECT_EQ(slots->slots()[1].label, "Schlüssel 2");
  EXPECT_EQ(slots->slots()[1].created, "2026-01-31T20:03:12Z");
  EXPECT_EQ(slots->slots()[1].scrypt.n, 1024U);
  EXPECT_EQ(slots->Render(data_key_).value(), text_);
}

TEST_F(KeySlotsJsonTest, SlotWithoutWhatIsWrappedIsALineToo) {
  const KeySlots slots = KeySlots::Parse(text_).value();
  const std::string line = RenderSlot(slots.slots()[1], /*has_wrapped=*/false);
  EXPECT_THAT(line, StartsWith(R"({"id":2,"label":"Schlüssel 2","kind":"passphrase",)"
                               R"("created":"2026-01-31T20:03:12Z","salt":")"));
  EXPECT_THAT(line, ::testing::EndsWith(R"(","scrypt_n":1024,"scrypt_r":8,"scrypt_p":1})"));
}

TEST_F(KeySlotsJsonTest, FilesOfVersion1StayReadable) {
  const auto slots = KeySlots::Parse(kVersion1);
  ASSERT_THAT(slots, IsOk());
  const SealingKey key{SealingKeyKind::kKey, Secret(std::string(32, 'k')), "", ""};
  const SealingKey passphrase{SealingKeyKind::kPassphrase, Secret("horse"), "", ""};
  for (const SealingKey& given : {key, passphrase}) {
    const auto opened = slots->Open({&given, 1});
    ASSERT_THAT(opened, IsOk());
    EXPECT_EQ(opened->data_key.bytes().Reveal(), std::string(32, 'd'));
  }
}

TEST_F(KeySlotsJsonTest, EveryFlippedBitIsNoticed) {
  for (size_t bit = 0; bit < text_.size() * 8; ++bit) {
    std::string flipped = text_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_THAT(KeySlots::Parse(flipped), StatusIs(StatusCode::kCorruption, _)) << bit;
  }
}

TEST_F(KeySlotsJsonTest, EveryCutIsNoticed) {
  for (size_t size = 0; size < text_.size(); ++size)
    EXPECT_THAT(KeySlots::Parse(text_.substr(0, size)), StatusIs(StatusCode::kCorruption, _));
  EXPECT_THAT(KeySlots::Parse(text_ + "\n"), StatusIs(StatusCode::kCorruption, _));
}

TEST_F(KeySlotsJsonTest, LaterVersionIsNotDamage) {
  EXPECT_THAT(KeySlots::Parse(Replaced("\"format_version\": 1", "\"format_version\": 2")),
              StatusIs(StatusCode::kUnsupported, HasSubstr("format version 2")));
  EXPECT_THAT(KeySlots::Parse(Replaced("aes-256-gcm", "aes-256-xyz")),
              StatusIs(StatusCode::kUnsupported, HasSubstr("aes-256-xyz")));
}

TEST_F(KeySlotsJsonTest, ScryptThatTakesAllMemoryIsRefused) {
  for (const char* cost : {R"("scrypt_n":1099511627776,)", R"("scrypt_n":1000,)",
                           R"("scrypt_n":0,)", R"("scrypt_n":4194304,)"}) {
    EXPECT_THAT(KeySlots::Parse(Replaced(R"("scrypt_n":1024,)", cost)),
                StatusIs(StatusCode::kCorruption, HasSubstr("scrypt")));
  }
  EXPECT_THAT(KeySlots::Parse(Replaced(R"("scrypt_r":8)", R"("scrypt_r":4294967295)")),
              StatusIs(StatusCode::kCorruption, HasSubstr("scrypt")));
  EXPECT_THAT(KeySlots::Parse(Replaced(R"("scrypt_p":1,)", R"("scrypt_p":4294967296,)")),
              StatusIs(StatusCode::kCorruption, _));
}

TEST_F(KeySlotsJsonTest, WhatIsNotAsItIsWrittenIsRefused) {
  const std::vector<std::pair<std::string_view, std::string_view>> changes = {
      {R"("id":1)", R"("id":0)"},
      {R"("id":1)", R"("id":2)"},
      {R"("id":1)", R"("id":-1)"},
      {R"("id":1)", R"("id":1.0)"},
      {R"("id":1)", R"("id":"1")"},
      {R"("id":1)", R"("id":4294967296)"},
      {R"("id":1)", R"("id":1,"id":1)"},
      {R"("id":1)", R"("id":1,"more":1)"},
      {R"("id":1)", R"("id": 1)"},
      {R"("id":1,)", ""},
      {R"("label":"a")", R"("label":"")"},
      {R"("label":"a")", R"("label":"\u0061")"},
      {R"("label":"a")", R"("label":"\u001b[2J")"},
      {R"("label":"a")", "\"label\":\"\xC2\x9B\""},
      {R"("kind":"key")", R"("kind":"kez")"},
      {R"("kind":"passphrase")", R"("kind":"key")"},
      {"2026-01-31T20:03:11Z", "2026-01-31 20:03:11Z"},
      {"2026-01-31T20:03:11Z", ""},
      {R"("salt":")", R"("salt":"00)"},
      {R"("wrapped":")", R"("wrapped":"AA)"},
      {R"("slots": [)", R"("slots": [[],)"},
      {R"("key_check": ")", R"("key_check": "0)"},
      {"  \"mac\": \"", "  \"mac\": \"0"},
  };
  for (const auto& [from, to] : changes)
    EXPECT_THAT(KeySlots::Parse(Replaced(from, to)), StatusIs(StatusCode::kCorruption, _)) << to;
  EXPECT_THAT(KeySlots::Parse(std::string(60000, '[')), StatusIs(StatusCode::kCorruption, _));
  EXPECT_THAT(KeySlots::Parse(std::string(kKeySlotsBytesMax + 1, ' ')),
              StatusIs(StatusCode::kCorruption, HasSubstr("larger")));
  EXPECT_THAT(KeySlots::Parse("[]"), StatusIs(StatusCode::kCorruption, _));
}

TEST_F(KeySlotsJsonTest, LabelsAreTextThatATerminalCanShow) {
  EXPECT_THAT(CheckSlotLabel("key file of Zoë, 2026"), IsOk());
  EXPECT_THAT(CheckSlotLabel(std::string(100, 'l')), IsOk());
  for (const std::string& label : {std::string(), std::string(101, 'l'), std::string("a\nb"),
                                   std::string("a\"b"), std::string("a\\b"), std::string("\xFF"),
                                   std::string("\xC2\x9B"), std::string("a\0b", 3)}) {
    EXPECT_THAT(CheckSlotLabel(label), StatusIs(StatusCode::kUsage, HasSubstr("label"))) << label;
  }
}

}  // namespace
}  // namespace hbk::seal

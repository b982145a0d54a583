#include "hbk/seal/key_slots.h"

#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::seal::key_slots_test {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

SealingKey KeyOf(char byte) {
  return {SealingKeyKind::kKey, Secret(std::string(SealingKey::kKeyBytes, byte)), "the key file /k",
          "key file k"};
}

SealingKey Passphrase(std::string text) {
  return {SealingKeyKind::kPassphrase, Secret(std::move(text)), "the passphrase", "passphrase"};
}

NewSlot Named(std::string label) {
  return {std::move(label), "2026-01-31T20:03:11Z", {1 << 10, 8, 1}};
}

class KeySlotsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(slots_.Add(data_key_, KeyOf('a'), Named("first")), IsOkAndHolds(1U));
    ASSERT_THAT(slots_.Add(data_key_, Passphrase("horse"), Named("second")), IsOkAndHolds(2U));
  }

  std::string Text() { return slots_.Render(data_key_).value(); }
  static Result<KeySlots::Opened> Open(const std::string& text, std::vector<SealingKey> keys) {
    HBK_ASSIGN_OR_RETURN(const KeySlots slots, KeySlots::Parse(text));
    return slots.Open(keys);
  }

  DataKey data_key_ = DataKey::Generate().value();
  KeySlots slots_{data_key_};
};

TEST_F(KeySlotsTest, EachKeyOpensItsSlot) {
  const std::string text = Text();

  const auto by_key = Open(text, {KeyOf('x'), KeyOf('a')});
  ASSERT_THAT(by_key, IsOk());
  EXPECT_EQ(by_key->slot_id, 1U);
  EXPECT_EQ(by_key->key_index, 1U);
  EXPECT_EQ(by_key->data_key.bytes().Reveal(), data_key_.bytes().Reveal());

  const auto by_passphrase = Open(text, {Passphrase("horse")});
  ASSERT_THAT(by_passphrase, IsOk());
  EXPECT_EQ(by_passphrase->slot_id, 2U);
  EXPECT_EQ(by_passphrase->data_key.bytes().Reveal(), data_key_.bytes().Reveal());
}

TEST_F(KeySlotsTest, KeysAreTriedBeforePassphrases) {
  const auto opened = Open(Text(), {Passphrase("horse"), KeyOf('a')});
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->slot_id, 1U);
}

TEST_F(KeySlotsTest, OtherKeysOpenNothing) {
  EXPECT_THAT(Open(Text(), {KeyOf('x'), Passphrase("hors")}),
              StatusIs(StatusCode::kMissingKey,
                       AllOf(HasSubstr("the key file /k, the passphrase opens none of the 2"),
                             Not(HasSubstr("hors ")))));
  EXPECT_THAT(Open(Text(), {}), StatusIs(StatusCode::kMissingKey, HasSubstr("no key is given")));
  // The bytes of a key as a passphrase are another key.
  EXPECT_THAT(Open(Text(), {Passphrase(std::string(SealingKey::kKeyBytes, 'a'))}),
              StatusIs(StatusCode::kMissingKey, _));
}

TEST_F(KeySlotsTest, NoKeyIsInTheText) {
  EXPECT_THAT(Text(), AllOf(Not(HasSubstr("horse")), Not(HasSubstr("aaaaaaaa")),
                            Not(HasSubstr("6161616161616161"))));
}

TEST_F(KeySlotsTest, SameKeyIsWrappedInAnotherWayEachTime) {
  ASSERT_THAT(slots_.Add(data_key_, KeyOf('a'), Named("again")), IsOk());
  EXPECT_NE(slots_.slots()[0].salt, slots_.slots()[2].salt);
  EXPECT_NE(slots_.slots()[0].wrapped, slots_.slots()[2].wrapped);
}

TEST_F(KeySlotsTest, RemovedSlotOpensNothingAnyMore) {
  ASSERT_THAT(slots_.Remove(1), IsOk());

  EXPECT_THAT(Open(Text(), {KeyOf('a')}), StatusIs(StatusCode::kMissingKey, _));
  EXPECT_THAT(Open(Text(), {Passphrase("horse")}), IsOk());
}

TEST_F(KeySlotsTest, LastSlotStays) {
  EXPECT_THAT(slots_.Remove(3), StatusIs(StatusCode::kUsage, HasSubstr("no key slot 3")));
  ASSERT_THAT(slots_.Remove(2), IsOk());
  EXPECT_THAT(slots_.Remove(1), StatusIs(StatusCode::kUsage, HasSubstr("the only one")));
  EXPECT_EQ(slots_.slots().size(), 1U);
}

// Whoever writes to the target but has no key: the checksum is right, the code cannot be.
TEST_F(KeySlotsTest, SlotsOfSomebodyWithoutAKeyAreNoticed) {
  const auto other_key = DataKey::FromBytes(Secret(std::string(DataKey::kBytes, 'z'))).value();
  const auto forged = [&](auto change) {
    KeySlots slots = KeySlots::Parse(Text()).value();
    change(slots);
    // Rendered with a code that the attacker can make: one of another data key.
    std::string text = slots.Render(data_key_).value();
    const std::string right =
        MacText(*data_key_.KeySlotsMac(AsBytes(text.substr(0, text.find("  \"mac\"")))));
    text.replace(text.find(right), right.size(), MacText(*other_key.KeySlotsMac({})));
    // The checksum anew, as the text of a parsed file would have it.
    const size_t crc = text.find("  \"crc32c\"");
    char digits[9];
    (void)snprintf(digits, sizeof(digits), "%08x", Crc32c(AsBytes(text.substr(0, crc))));
    text.replace(crc + 13, 8, digits);
    return text;
  };
  EXPECT_THAT(Open(forged([](KeySlots&) {}), {KeyOf('a')}),
              StatusIs(StatusCode::kCorruption, HasSubstr("somebody without a key")));
  EXPECT_THAT(Open(forged([](KeySlots& slots) { (void)slots.Remove(2).ok(); }), {KeyOf('a')}),
              StatusIs(StatusCode::kCorruption, HasSubstr("somebody without a key")));
}

TEST_F(KeySlotsTest, SlotWithAnotherLabelOrCostDoesNotOpen) {
  std::string text = Text();
  text.replace(text.find("first"), 5, "First");
  const size_t crc = text.find("  \"crc32c\"");
  char digits[9];
  (void)snprintf(digits, sizeof(digits), "%08x", Crc32c(AsBytes(text.substr(0, crc))));
  text.replace(crc + 13, 8, digits);

  EXPECT_THAT(Open(text, {KeyOf('a')}), StatusIs(StatusCode::kMissingKey, _));
  EXPECT_THAT(Open(text, {Passphrase("horse")}), StatusIs(StatusCode::kCorruption, _));
}

TEST_F(KeySlotsTest, NumberOfSlotsIsLimited) {
  for (size_t i = 2; i < kKeySlotsMax; ++i)
    ASSERT_THAT(slots_.Add(data_key_, KeyOf('b'), Named(std::string(100, 'l'))), IsOk());
  EXPECT_THAT(slots_.Add(data_key_, KeyOf('b'), Named("more")),
              StatusIs(StatusCode::kUsage, HasSubstr("no more")));
  EXPECT_LT(Text().size(), kKeySlotsBytesMax);
  EXPECT_THAT(KeySlots::Parse(Text()), IsOk());
}

TEST_F(KeySlotsTest, FileComesBack) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  EXPECT_THAT(LoadKeySlots(fs, "/b"),
              StatusIs(StatusCode::kNotFound, HasSubstr("/b/hbk_keys.json")));
  ASSERT_THAT(StoreKeySlots(fs, "/b", slots_, data_key_), IsOk());
  const auto loaded = LoadKeySlots(fs, "/b");
  ASSERT_THAT(loaded, IsOk());
  EXPECT_THAT(loaded->Render(data_key_), IsOkAndHolds(Text()));
  EXPECT_EQ(fs.Stat("/b/hbk_keys.json", false)->mode, 0600U);

  fs.PutFile("/b/hbk_keys.json", "{}");
  EXPECT_THAT(LoadKeySlots(fs, "/b"),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/hbk_keys.json")));
}

TEST_F(KeySlotsTest, NewBackupHasASlotForEachKey) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  const std::vector<SealingKey> keys = {KeyOf('a'), KeyOf('b')};
  const auto slots = NewKeySlots(data_key_, keys, "2026-01-31T20:03:11Z");
  ASSERT_THAT(slots, IsOk());
  EXPECT_EQ(slots->slots()[1].label, "key file k");
  ASSERT_THAT(StoreKeySlots(fs, "/b", *slots, data_key_), IsOk());

  const auto opened = OpenDataKey(fs, "/b", std::vector{KeyOf('b')});
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->bytes().Reveal(), data_key_.bytes().Reveal());
  EXPECT_THAT(OpenDataKey(fs, "/b", std::vector{KeyOf('x')}),
              StatusIs(StatusCode::kMissingKey, HasSubstr("/b/hbk_keys.json")));
}

}  // namespace
}  // namespace hbk::seal::key_slots_test

#include "hbk/seal/data_key.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::seal {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

DataKey KeyOf(char byte) {
  return DataKey::FromBytes(Secret(std::string(DataKey::kBytes, byte))).value();
}

TEST(DataKeyTest, EveryBackupHasItsOwn) {
  const auto first = DataKey::Generate();
  const auto second = DataKey::Generate();
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(first->bytes().Reveal(), second->bytes().Reveal());
  EXPECT_NE(first->key_check(), second->key_check());
}

TEST(DataKeyTest, EveryUseHasItsOwnKey) {
  const DataKey key = KeyOf('k');
  FileId id{};
  std::set<std::string> seen = {std::string(AsText(key.key_check()))};
  EXPECT_TRUE(seen.insert(key.FileKey(id)->Reveal()).second);
  id[15] = 1;
  EXPECT_TRUE(seen.insert(key.FileKey(id)->Reveal()).second);
  EXPECT_TRUE(seen.insert(MacText(*key.ManifestMac(AsBytes("x")))).second);
  EXPECT_TRUE(seen.insert(MacText(*key.ManifestMac(AsBytes("y")))).second);
  EXPECT_TRUE(seen.insert(MacText(*key.KeySlotsMac(AsBytes("x")))).second);
  EXPECT_TRUE(seen.insert(MacText(*KeyOf('l').ManifestMac(AsBytes("x")))).second);
}

// Backups that exist must stay readable.
TEST(DataKeyTest, DerivedKeysStayWhatTheyAre) {
  const DataKey key = KeyOf('k');
  EXPECT_EQ(MacText(*key.ManifestMac(AsBytes("x"))),
            "c0f6cb310ac732d67aae9e2517226f2e3fd21fe40e58f3a4b04cb6dcaba87352");
  EXPECT_EQ(MacText(*key.KeySlotsMac(AsBytes("x"))),
            "26eb211bf6f8017b9535bd76e5eeabcdc2cfaaeac08d9976878e82cbe5ebce18");
  EXPECT_EQ(*key.SealedName("db/t.ibd"), "7ed13613574fb61eecb0a7581a604e44");
}

TEST(DataKeyTest, SealedNamesDependOnNameAndKeyOnly) {
  const std::string name = *KeyOf('k').SealedName("db/t.ibd");
  EXPECT_EQ(name.size(), 32U);
  EXPECT_EQ(*KeyOf('k').SealedName("db/t.ibd"), name);
  EXPECT_NE(*KeyOf('k').SealedName("db/u.ibd"), name);
  EXPECT_NE(*KeyOf('l').SealedName("db/t.ibd"), name);
}

TEST(DataKeyTest, CodesAreComparedAsTheyAreWritten) {
  const crypto::Mac mac = *KeyOf('k').ManifestMac(AsBytes("x"));
  std::string text = MacText(mac);
  EXPECT_TRUE(IsMacText(mac, text));
  EXPECT_FALSE(IsMacText(mac, text.substr(1)));
  text[63] = text[63] == '0' ? '1' : '0';
  EXPECT_FALSE(IsMacText(mac, text));
}

TEST(DataKeyTest, FileIdsAreTextInManifests) {
  const auto id = NewFileId();
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(FileIdText(*id).size(), 32U);
  EXPECT_EQ(*ParseFileId(FileIdText(*id)), *id);
  EXPECT_NE(*NewFileId(), *id);
  EXPECT_THAT(ParseFileId("12"), StatusIs(StatusCode::kCorruption, HasSubstr("'12'")));
}

}  // namespace
}  // namespace hbk::seal

#include "coder_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/keys/key_options.h"

#include "tests/support/coded_tablespace.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::coder_plan_test {
namespace {

using ::testing::AllOf;
using testing::FixedKeys;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MakeCodedPage;
using testing::MakeCodedTablespace;
using testing::MakeCryptData;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr uint32_t kPageSize = 16384;
constexpr uint32_t kPlain = 0x15;
constexpr uint32_t kZlib = 0x35;
constexpr uint32_t kOldCompressed = 0x10021;
constexpr uint32_t kPageCount = 8;

class PlanCodersTest : public ::testing::Test {
 protected:
  PlanCodersTest() { set_.dir = "/b"; }

  Tablespace& AddSpace(innodb::SpaceId id, uint32_t flags,
                       const std::optional<innodb::CryptData>& crypt) {
    Tablespace& space = table_.spaces[id];
    space.id = id;
    space.final_name = "db/t" + std::to_string(id) + ".ibd";
    space.segments = {{.name = space.final_name}};
    space.header.space_id = id;
    space.header.flags = innodb::TablespaceFlags::Decode(flags).value();
    space.header.crypt = crypt;
    logs_.spaces[id].entry_count = 1;
    return space;
  }
  // With a file whose pages `keys` encrypted.
  Tablespace& PutSpace(innodb::SpaceId id, uint32_t flags,
                       const std::optional<innodb::CryptData>& crypt, FixedKeys* keys) {
    Tablespace& space = AddSpace(id, flags, crypt);
    fs_.PutFile(set_.Path(space.name()),
                MakeCodedTablespace(space.header.flags, id, kPageCount, 500, crypt, keys));
    return space;
  }
  void ReplacePage(const Tablespace& space, innodb::PageNo page, const std::string& image) {
    std::string file = fs_.Contents(set_.Path(space.name()));
    file.replace(size_t{page} * kPageSize, kPageSize, image);
    fs_.PutFile(set_.Path(space.name()), file);
  }

  Status Plan(crypto::KeySource* keys) {
    return PlanCoders({fs_, set_, logs_, keys, 2, {}}, table_);
  }

  MemFileSystem fs_;
  BackupSet set_;
  SpaceLogs logs_;
  TablespaceTable table_;
};

TEST_F(PlanCodersTest, PlainTablespacesHaveNoCoder) {
  AddSpace(5, kPlain, std::nullopt);

  ASSERT_THAT(Plan(nullptr), IsOk());

  EXPECT_EQ(table_.spaces.at(5).coder, nullptr);
  EXPECT_TRUE(fs_.opened().empty());
}

TEST_F(PlanCodersTest, TablespacesThatTheRedoLeavesAloneAreNotLookedAt) {
  FixedKeys keys;
  keys.Add(1, 1);
  PutSpace(5, kPlain, MakeCryptData(), &keys);
  logs_.spaces[5].entry_count = 0;

  EXPECT_THAT(Plan(nullptr), IsOk());
}

TEST_F(PlanCodersTest, RightKeysAreProven) {
  FixedKeys keys;
  keys.Add(1, 1).Add(2, 1);
  PutSpace(5, kPlain, MakeCryptData(1), &keys);
  PutSpace(6, kZlib, MakeCryptData(2), &keys);

  ASSERT_THAT(Plan(&keys), IsOk());

  EXPECT_TRUE(table_.spaces.at(5).coder->IsProven(1));
  EXPECT_TRUE(table_.spaces.at(6).coder->IsProven(1));
}

TEST_F(PlanCodersTest, KeysThatNoPageHasTriedAreWarnedOf) {
  FixedKeys keys;
  keys.Add(1, 1).Add(2, 1);
  AddSpace(5, kPlain, MakeCryptData(1)).is_new = true;

  ASSERT_THAT(Plan(&keys), IsOk());
  EXPECT_THAT(table_.warnings, ElementsAre(HasSubstr("whether key 1 is the right one")));

  table_ = {};
  AddSpace(5, kPlain, MakeCryptData(1)).is_new = true;
  PutSpace(6, kPlain, MakeCryptData(2), &keys);
  ASSERT_THAT(Plan(&keys), IsOk());
  EXPECT_TRUE(table_.warnings.empty());
}

TEST_F(PlanCodersTest, AMissingKeyIsNamedWithItsTable) {
  FixedKeys keys;
  keys.Add(3, 1);
  PutSpace(5, kPlain, MakeCryptData(3), &keys);
  FixedKeys others;
  others.Add(1, 1);

  EXPECT_THAT(Plan(&others),
              StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("db/t5.ibd"), HasSubstr("key 3"))));
  EXPECT_THAT(Plan(nullptr),
              StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("db/t5.ibd"), HasSubstr("key 3"))));
}

TEST_F(PlanCodersTest, AWrongKeyIsNamedWithVersionAndTable) {
  FixedKeys keys;
  keys.Add(3, 1);
  PutSpace(5, kPlain, MakeCryptData(3), &keys);
  FixedKeys wrong;
  wrong.Add(3, 1, "another key here");

  EXPECT_THAT(Plan(&wrong), StatusIs(StatusCode::kMissingKey,
                                     AllOf(HasSubstr("db/t5.ibd"), HasSubstr("key 3 version 1"))));
}

TEST_F(PlanCodersTest, AVersionOfASinglePageIsFound) {
  FixedKeys keys;
  keys.Add(1, 1).Add(1, 2);
  FixedKeys old_keys;
  old_keys.Add(1, 1);
  Tablespace& space = PutSpace(5, kPlain, MakeCryptData(), &keys);
  innodb::PageCoder coder(5, space.header.flags, space.header.crypt, &old_keys);
  ReplacePage(space, 6, MakeCodedPage(coder, {5, 6}, 400, {.key_version = 1}));
  FixedKeys only_new;
  only_new.Add(1, 2);
  space.header.crypt->min_key_version = 0;

  EXPECT_THAT(Plan(&only_new), StatusIs(StatusCode::kMissingKey, HasSubstr("version 1")));
  EXPECT_THAT(Plan(&keys), IsOk());
}

TEST_F(PlanCodersTest, OnePageIsEnoughWhereThereIsOneVersion) {
  FixedKeys keys;
  keys.Add(1, 1);
  Tablespace& space = PutSpace(5, kPlain, MakeCryptData(), &keys);
  FixedKeys others;
  others.Add(1, 2);
  innodb::PageCoder coder(5, space.header.flags, space.header.crypt, &others);
  ReplacePage(space, 6, MakeCodedPage(coder, {5, 6}, 400));
  ASSERT_THAT(Plan(&keys), StatusIs(StatusCode::kMissingKey, HasSubstr("version 2")));

  set_.manifest.emplace().encryption_keys = {{.key_id = 1, .key_version = 1}};
  EXPECT_THAT(Plan(&keys), IsOk());

  set_.manifest->encryption_keys.push_back({.key_id = 1, .key_version = 2});
  EXPECT_THAT(Plan(&keys), StatusIs(StatusCode::kMissingKey, HasSubstr("version 2")));

  set_.settings[std::string(keys::kEncryptionPluginSetting)] = "file_key_management";
  EXPECT_THAT(Plan(&keys), IsOk());
}

TEST_F(PlanCodersTest, TheKeyOfPagesToComeIsNeededWhereThereAreNoPagesYet) {
  AddSpace(5, kPlain, MakeCryptData(4, 0)).is_new = true;
  FixedKeys keys;

  EXPECT_THAT(Plan(&keys), StatusIs(StatusCode::kMissingKey, HasSubstr("key 4")));
  keys.Add(4, 2);
  ASSERT_THAT(Plan(&keys), IsOk());
  EXPECT_THAT(table_.spaces.at(5).coder->NewPageVersion(), IsOkAndHolds(2U));
}

TEST_F(PlanCodersTest, DamagedPagesAreLeftToWhoeverAppliesRedo) {
  FixedKeys keys;
  keys.Add(1, 1);
  Tablespace& space = PutSpace(5, kPlain, MakeCryptData(), &keys);
  std::string image = fs_.Contents("/b/db/t5.ibd").substr(kPageSize, kPageSize);
  image[3] = 9;  // a key version that there is not
  ReplacePage(space, 1, image);

  EXPECT_THAT(Plan(&keys), IsOk());
}

TEST_F(PlanCodersTest, APlainTableOfAServerWithKeysNeedsNone) {
  innodb::CryptData crypt = MakeCryptData();
  crypt.type = 0;
  crypt.option = 2;
  PutSpace(5, kPlain, crypt, nullptr);

  EXPECT_THAT(Plan(nullptr), IsOk());
}

TEST_F(PlanCodersTest, CopiesInTheDoublewriteBufferNeedNoKeys) {
  FixedKeys keys;
  keys.Add(1, 1).Add(7, 1);
  Tablespace& space = AddSpace(0, kPlain, MakeCryptData());
  std::string file =
      MakeCodedTablespace(space.header.flags, 0, 200, 500, space.header.crypt, &keys);
  std::string trx_sys(kPageSize, '\0');
  StoreBe32(testing::MutableBytes(trx_sys), innodb::kFilPageNo, 5);
  const size_t descriptor = kPageSize - 200;
  StoreBe32(testing::MutableBytes(trx_sys), descriptor + 10, 536853855);
  StoreBe32(testing::MutableBytes(trx_sys), descriptor + 14, 64);
  StoreBe32(testing::MutableBytes(trx_sys), descriptor + 18, 128);
  file.replace(size_t{5} * kPageSize, kPageSize, trx_sys);
  // A page of the same number, of a tablespace with another key.
  FixedKeys foreign;
  foreign.Add(1, 3);
  innodb::PageCoder coder(9, space.header.flags, MakeCryptData(), &foreign);
  file.replace(size_t{70} * kPageSize, kPageSize, MakeCodedPage(coder, {9, 70}, 400));
  fs_.PutFile(set_.Path(space.name()), file);

  EXPECT_THAT(Plan(&keys), IsOk());
}

TEST_F(PlanCodersTest, TheAlgorithmOfAnOldFileIsThatOfItsPages) {
  if (!codec::IsAvailable(codec::Algorithm::kBzip2)) GTEST_SKIP() << "no bzip2 in this build";
  Tablespace& space = PutSpace(5, kOldCompressed, std::nullopt, nullptr);
  innodb::PageCoder coder(5, space.header.flags, std::nullopt, nullptr);
  ReplacePage(space, 1, MakeCodedPage(coder, {5, 1}, 400, {.algorithm = codec::Algorithm::kBzip2}));

  ASSERT_THAT(Plan(nullptr), IsOk());

  const std::string image = MakeCodedPage(*space.coder, {5, 2}, 600);
  EXPECT_EQ(innodb::CodingOf(AsBytes(image), space.header.flags, false, {5, 2}).algorithm,
            codec::Algorithm::kBzip2);
}

TEST_F(PlanCodersTest, AnAlgorithmWithoutCodecIsRefusedWithItsTable) {
  Tablespace& space = PutSpace(5, kOldCompressed, std::nullopt, nullptr);
  std::string image = fs_.Contents("/b/db/t5.ibd").substr(kPageSize, kPageSize);
  StoreBe64(testing::MutableBytes(image), innodb::kFilKeyVersion, 9);
  ReplacePage(space, 1, image);

  EXPECT_THAT(Plan(nullptr), StatusIs(StatusCode::kUnsupported, HasSubstr("db/t5.ibd (unknown)")));
}

}  // namespace
}  // namespace hbk::prepare::coder_plan_test

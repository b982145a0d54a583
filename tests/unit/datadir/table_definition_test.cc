#include "hbk/datadir/table_definition.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::datadir {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

std::string ReadGolden(const std::string& name) {
  const std::string file = __FILE__;
  std::ifstream stream(
      file.substr(0, file.rfind("/tests/unit/")) + "/tests/golden/frm/" + name + ".frm",
      std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A table without attributes and keys: record, connection and engine follow each other.
std::string MakeFrm(const std::string& extra, uint8_t engine_code = 0) {
  std::string frm(64, '\0');
  frm[0] = static_cast<char>(0xFE);
  frm[1] = 1;
  frm[3] = static_cast<char>(engine_code);
  frm[6] = 64;
  frm[16] = 5;
  frm[55] = static_cast<char>(extra.size());
  return frm + std::string(5, 'r') + extra;
}

TEST(TableDefinitionTest, EachEngineIsFoundByItsName) {
  const struct {
    const char* file;
    const char* engine;
    bool is_partitioned;
  } rows[] = {
      {"innodb", "InnoDB", false},
      {"innodb_attributes", "InnoDB", false},
      {"innodb_partitions", "InnoDB", true},
      {"aria", "Aria", false},
      {"myisam", "MyISAM", false},
      {"csv", "CSV", false},
      {"memory", "MEMORY", false},
      {"merge", "MRG_MyISAM", false},
      {"blackhole", "BLACKHOLE", false},
      {"rocksdb", "ROCKSDB", false},
      {"rocksdb_subpartitions", "ROCKSDB", true},
      {"federated", "FEDERATED", false},
      {"sequence", "InnoDB", false},
  };
  for (const auto& row : rows) {
    const std::string bytes = ReadGolden(row.file);
    const auto table = ParseTableDefinition(AsBytes(bytes));
    ASSERT_THAT(table, IsOk()) << row.file;
    EXPECT_EQ(table->engine, row.engine) << row.file;
    EXPECT_EQ(table->is_partitioned, row.is_partitioned) << row.file;
    EXPECT_FALSE(table->is_view) << row.file;
    EXPECT_TRUE(table->version.has_value()) << row.file;
  }
}

TEST(TableDefinitionTest, AViewHasNoEngine) {
  const std::string bytes = ReadGolden("view");
  const auto view = ParseTableDefinition(AsBytes(bytes));
  ASSERT_THAT(view, IsOk());
  EXPECT_TRUE(view->is_view);
  EXPECT_EQ(view->engine, "");
}

TEST(TableDefinitionTest, TheVersionIsThatOfTheFile) {
  const std::string bytes = ReadGolden("aria");
  const auto table = ParseTableDefinition(AsBytes(bytes));
  ASSERT_THAT(table, IsOk());
  ASSERT_TRUE(table->version.has_value());
  const std::string_view raw(reinterpret_cast<const char*>(table->version->data()), 16);
  EXPECT_EQ(raw, std::string_view(bytes).substr(66, 16));
}

TEST(TableDefinitionTest, AVersionIsWrittenWithFourDashes) {
  TableVersion version;
  for (size_t i = 0; i < version.size(); ++i)
    version[i] = static_cast<uint8_t>(0xF0 + i);
  EXPECT_EQ(TableVersionText(version), "f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff");
}

TEST(TableDefinitionTest, WithoutANameTheCodeCounts) {
  const auto table = ParseTableDefinition(AsBytes(MakeFrm("", 9)));
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->engine, "MyISAM");
  EXPECT_FALSE(table->version.has_value());
}

TEST(TableDefinitionTest, TheNameCountsMoreThanTheCode) {
  const auto table =
      ParseTableDefinition(AsBytes(MakeFrm(std::string("\3\0c/t\7\0CONNECT", 14), 9)));
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->engine, "CONNECT");
}

TEST(TableDefinitionTest, NamesOfOldServersAreNoAttributes) {
  std::string frm = MakeFrm("", 9);
  frm[4] = 3;
  frm.insert(64, "//x");
  const auto table = ParseTableDefinition(AsBytes(frm));
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->engine, "MyISAM");
}

TEST(TableDefinitionTest, OtherFilesAreRefused) {
  for (const std::string& bytes : {std::string(), std::string("TYPE=TRIGGERS"),
                                   std::string(63, 'x'), std::string(100, '\0')}) {
    EXPECT_THAT(ParseTableDefinition(AsBytes(bytes)),
                StatusIs(StatusCode::kCorruption, HasSubstr("not the definition")));
  }
}

TEST(TableDefinitionTest, ACutFileIsRefusedUnlessAllThatIsReadIsThere) {
  const std::string whole = ReadGolden("rocksdb");
  size_t accepted = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto table = ParseTableDefinition(AsBytes(whole.substr(0, size)));
    if (!table.ok()) {
      EXPECT_EQ(table.status().code(), StatusCode::kCorruption) << size;
      EXPECT_EQ(accepted, 0U) << size;
    } else {
      EXPECT_EQ(table->engine, "ROCKSDB") << size;
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 0U);  // Columns stand behind the engine.
  EXPECT_LT(accepted, whole.size() / 2);
}

TEST(TableDefinitionTest, LengthsThatLeadOutAreRefused) {
  std::string attributes = MakeFrm("", 9);
  attributes[4] = 100;
  EXPECT_THAT(ParseTableDefinition(AsBytes(attributes)),
              StatusIs(StatusCode::kCorruption, HasSubstr("attributes")));
  std::string attribute = MakeFrm("", 9);
  attribute[4] = 3;
  attribute[64] = 5;
  attribute[65] = 9;
  EXPECT_THAT(ParseTableDefinition(AsBytes(attribute)),
              StatusIs(StatusCode::kCorruption, HasSubstr("attribute")));
  EXPECT_THAT(ParseTableDefinition(AsBytes(MakeFrm(std::string("\0\0\x9\0CSV", 7)))),
              StatusIs(StatusCode::kCorruption, HasSubstr("engine")));
  EXPECT_THAT(ParseTableDefinition(AsBytes(MakeFrm(std::string("\x9\0x", 3)))),
              StatusIs(StatusCode::kCorruption, HasSubstr("connection")));
}

TEST(TableDefinitionTest, AnEngineIsNamedInPlainLetters) {
  EXPECT_THAT(ParseTableDefinition(AsBytes(MakeFrm(std::string("\0\0\3\0C\nV", 7)))),
              StatusIs(StatusCode::kCorruption, HasSubstr("no name")));
}

}  // namespace
}  // namespace hbk::datadir

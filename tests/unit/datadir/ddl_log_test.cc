#include "hbk/datadir/ddl_log.h"

#include <gmock/gmock.h>

namespace hbk::datadir {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Lines of a 10.11.19 server.
constexpr std::string_view kCreate =
    "2026-11-26 "
    "20:15:21\tCREATE\tInnoDB\t0\td\tdl1\t1b75edb2-e9d6-11f1-9dc0-02fc00000001\t\t0\t\t\t"
    "\n";
constexpr std::string_view kRename =
    "2026-11-26 "
    "20:15:21\tRENAME\tInnoDB\t0\td\tdl1\t1b75edb2-e9d6-11f1-9dc0-02fc00000001\tInnoDB\t0"
    "\te\tdl2\t1b75edb2-e9d6-11f1-9dc0-02fc00000001\n";
constexpr std::string_view kDatabase =
    "2026-11-26 20:15:22\tCREATE\tDATABASE\t0\tdd9\t\t\t\t0\t\t\t\n";

TEST(DdlLogTest, TakesTheLinesOfAServer) {
  const DdlLog log =
      ParseDdlLog(std::string(kCreate) + std::string(kRename) + std::string(kDatabase));

  EXPECT_TRUE(log.is_complete);
  ASSERT_THAT(log.entries, SizeIs(3));
  EXPECT_EQ(log.entries[0].operation, "CREATE");
  EXPECT_EQ(log.entries[0].engine, "InnoDB");
  EXPECT_EQ(log.entries[0].table, "d/dl1");
  EXPECT_EQ(log.entries[0].new_table, "");
  EXPECT_EQ(log.entries[1].new_table, "e/dl2");
  EXPECT_EQ(log.entries[2].engine, "DATABASE");
  EXPECT_EQ(log.entries[2].table, "dd9/");
}

TEST(DdlLogTest, AnEmptyLogIsComplete) {
  const DdlLog log = ParseDdlLog("");
  EXPECT_TRUE(log.is_complete);
  EXPECT_THAT(log.entries, IsEmpty());
}

TEST(DdlLogTest, EveryCutLineIsNoticed) {
  const std::string text(kCreate);
  for (size_t size = 1; size < text.size(); ++size)
    EXPECT_FALSE(ParseDdlLog(text.substr(0, size)).is_complete) << size;
}

TEST(DdlLogTest, OtherLinesAreSkippedAndNoticed) {
  const DdlLog log = ParseDdlLog("no fields\n" + std::string(kCreate) + "a\tb\n");
  EXPECT_FALSE(log.is_complete);
  EXPECT_THAT(log.entries, SizeIs(1));
}

TEST(DdlLogTest, ALineWithMoreFieldsIsNone) {
  std::string text(kCreate);
  text.insert(text.size() - 1, "\tmore");
  EXPECT_FALSE(ParseDdlLog(text).is_complete);
}

}  // namespace
}  // namespace hbk::datadir

// Which names of facts say a unit.
#include <gtest/gtest.h>

#include "renderings.h"

namespace hbk::report {
namespace {

TEST(FactsTest, TheUnitIsTheLastWordOfTheName) {
  EXPECT_EQ(UnitOf("bytes"), FactUnit::kBytes);
  EXPECT_EQ(UnitOf("copied_bytes"), FactUnit::kBytes);
  EXPECT_EQ(UnitOf("flush_s"), FactUnit::kSeconds);
  EXPECT_EQ(UnitOf("file_count"), FactUnit::kNumber);
  EXPECT_EQ(UnitOf("lsn"), FactUnit::kNumber);
  EXPECT_EQ(UnitOf("end_lsn"), FactUnit::kNumber);
}

TEST(FactsTest, OtherWordsThatEndAlikeHaveNone) {
  EXPECT_EQ(UnitOf("kilobytes"), FactUnit::kNone);
  EXPECT_EQ(UnitOf("files"), FactUnit::kNone);
  EXPECT_EQ(UnitOf("account"), FactUnit::kNone);
  EXPECT_EQ(UnitOf(""), FactUnit::kNone);
}

}  // namespace
}  // namespace hbk::report

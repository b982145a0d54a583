#include "hbk/verify/finding.h"

#include <gtest/gtest.h>

namespace hbk::verify {
namespace {

TEST(FindingTest, TablesAreNamedByTheirFiles) {
  EXPECT_EQ(TableOf("db/t.ibd"), "db.t");
  EXPECT_EQ(TableOf("db/t#P#p0#SP#s1.ibd"), "db.t");
  EXPECT_EQ(TableOf("db/t.ibd.hbk_delta"), "");
  EXPECT_EQ(TableOf("ibdata1"), "");
  EXPECT_EQ(TableOf("db/db.opt"), "");
  EXPECT_EQ(TableOf("#rocksdb/000012.sst"), "");
}

TEST(FindingTest, TheDescriptionSaysWhere) {
  EXPECT_EQ(Describe({.kind = FindingKind::kPage,
                      .backup_dir = "/b",
                      .file = "db/t.ibd",
                      .what = "bad checksum",
                      .page = 5,
                      .offset = 81920}),
            "/b: db/t.ibd: page 5 at offset 81920: bad checksum");
  EXPECT_EQ(Describe({.kind = FindingKind::kChain, .backup_dir = "/b", .what = "it does not fit"}),
            "/b: it does not fit");
}

TEST(FindingTest, EachKindHasANameOfItsOwn) {
  std::string names;
  for (int kind = 0; kind <= static_cast<int>(FindingKind::kChain); ++kind) {
    const std::string name(FindingKindName(static_cast<FindingKind>(kind)));
    EXPECT_NE(name, "unknown");
    EXPECT_EQ(names.find(" " + name + " "), std::string::npos) << name;
    names += " " + name + " ";
  }
}

}  // namespace
}  // namespace hbk::verify

#include "extracted_names.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hbk::extract {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class ExtractedNamesTest : public ::testing::Test {
 protected:
  void Put(const std::string& path, uint64_t file) {
    ASSERT_THAT(names_.Open(path, file, false), IsOk());
    names_.Close(file);
  }
  template <typename T>
  void ExpectRefused(const T& result, const std::string& what) {
    EXPECT_THAT(result, StatusIs(StatusCode::kCorruption, HasSubstr(what)));
  }
  ExtractedNames names_;
};

TEST_F(ExtractedNamesTest, DirectoriesAboveAFileAreMade) {
  Put("a/b/c", 1);
  EXPECT_THAT(names_.files(), ElementsAre(Pair("a/b/c", 1)));
  EXPECT_THAT(names_.directories(), ElementsAre("a", "a/b"));
  EXPECT_THAT(names_.MakeDirectory("a"), IsOk());
}

TEST_F(ExtractedNamesTest, NameIsTakenOnce) {
  Put("a", 1);
  Put("d/x", 2);
  ExpectRefused(names_.Open("a", 3, false), "twice");
  ExpectRefused(names_.Open("d", 3, false), "there is a directory");
  ExpectRefused(names_.Open("a/b", 3, false), "no directory");
  ExpectRefused(names_.MakeDirectory("a"), "there is a file");
  ExpectRefused(names_.Open("hbk_incomplete", 3, false), "needs itself");
  ExpectRefused(names_.Open("hbk_extracting/1", 3, false), "needs itself");
  ExpectRefused(names_.MakeDirectory("hbk_extracting"), "needs itself");
  ExpectRefused(names_.Rename("a", "hbk_incomplete"), "needs itself");
  std::string deep = "x";
  for (int i = 0; i < 20; ++i)
    deep += "/x";
  ExpectRefused(names_.Open(deep, 3, false), "too deep");
  EXPECT_THAT(names_.Open("a", 3, true), IsOkAndHolds(ElementsAre(1)));
  ExpectRefused(names_.Open("a", 4, true), "not complete");
}

TEST_F(ExtractedNamesTest, Renames) {
  Put("a", 1);
  Put("b", 2);
  ASSERT_THAT(names_.Open("open", 3, false), IsOk());
  EXPECT_THAT(names_.Rename("a", "d/a"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(names_.Rename("b", "d/a"), IsOkAndHolds(ElementsAre(1)));
  EXPECT_THAT(names_.Rename("d/a", "d/a"), IsOkAndHolds(IsEmpty()));
  ExpectRefused(names_.Rename("a", "x"), "does not have");
  ExpectRefused(names_.Rename("open", "x"), "not complete");
  ExpectRefused(names_.Rename("d/a", "open"), "not complete");
  ExpectRefused(names_.Rename("d/a", "d"), "directory");
  ExpectRefused(names_.Rename("d/a", "d/a/b"), "no directory");
}

TEST_F(ExtractedNamesTest, Removals) {
  Put("t1/mrp#P#p0.ibd", 1);
  Put("t1/mrp#P#p1.ibd", 2);
  Put("t1/mrp.frm", 3);
  Put("t10/mrp#P#p1.ibd", 4);
  EXPECT_THAT(names_.Remove("t1/mrp#P#*"), IsOkAndHolds(ElementsAre(1, 2)));
  EXPECT_THAT(names_.Remove("t1/nothing*"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(names_.Remove("t*"), IsOkAndHolds(IsEmpty()));  // not beyond the slash
  ExpectRefused(names_.Remove("t1/nothing"), "does not have");
  EXPECT_THAT(names_.Remove("t1/nothing", /*may_be_missing=*/true), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(names_.Remove("t1/mrp.frm"), IsOkAndHolds(ElementsAre(3)));
  EXPECT_THAT(names_.Remove("t1"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(names_.Remove("t10"), IsOkAndHolds(ElementsAre(4)));
  EXPECT_THAT(names_.directories(), IsEmpty());
  ASSERT_THAT(names_.Open("d/open", 5, false), IsOk());
  ExpectRefused(names_.Remove("d/open"), "not complete");
  ExpectRefused(names_.Remove("d/o*n"), "not complete");
  ExpectRefused(names_.Remove("d"), "not complete");
}

TEST_F(ExtractedNamesTest, OnlyEmptyDirectoriesAreRemovedAsSuch) {
  Put("d/e/f", 1);
  ExpectRefused(names_.RemoveDirectory("d"), "not empty");
  ExpectRefused(names_.RemoveDirectory("x"), "does not have");
  ASSERT_THAT(names_.Remove("d/e/f"), IsOk());
  ExpectRefused(names_.RemoveDirectory("d"), "not empty");
  EXPECT_THAT(names_.RemoveDirectory("d/e"), IsOk());
  EXPECT_THAT(names_.RemoveDirectory("d"), IsOk());
}

}  // namespace
}  // namespace hbk::extract

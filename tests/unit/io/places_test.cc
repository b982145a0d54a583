#include "hbk/io/places.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOkAndHolds;
using hbk::testing::TemporaryDirectory;

class PlacesTest : public ::testing::Test {
 protected:
  PlacesTest() {
    std::filesystem::create_directories(At("base/db"));
    std::filesystem::create_directories(At("elsewhere"));
    std::filesystem::create_symlink(At("base/db"), At("elsewhere/link"));
  }
  [[nodiscard]] std::string At(const std::string& name) const { return dir_.path() + "/" + name; }

  FileSystem& fs_ = PosixFileSystem();
  const TemporaryDirectory dir_;
};

TEST_F(PlacesTest, ExistingAncestorIsTheDeepestThatIsThere) {
  EXPECT_EQ(ExistingAncestor(fs_, At("base/db")), At("base/db"));
  EXPECT_EQ(ExistingAncestor(fs_, At("base/new/deep")), At("base"));
  EXPECT_EQ(ExistingAncestor(fs_, "no-such-directory/deep"), ".");
  EXPECT_EQ(ExistingAncestor(fs_, "/no-such-directory"), "/");
}

TEST_F(PlacesTest, DirectoryIsFoundAboveWhatDoesNotExistYet) {
  const std::vector<std::string> dirs = {At("missing"), At("base")};
  EXPECT_THAT(FindAbove(fs_, At("base"), dirs), IsOkAndHolds(At("base")));
  EXPECT_THAT(FindAbove(fs_, At("base/new/deep"), dirs), IsOkAndHolds(At("base")));
  EXPECT_THAT(FindAbove(fs_, At("elsewhere/../base/new"), dirs), IsOkAndHolds(At("base")));
  EXPECT_THAT(FindAbove(fs_, At("elsewhere/new"), dirs), IsOkAndHolds(""));
  EXPECT_THAT(FindAbove(fs_, At("base-2"), dirs), IsOkAndHolds(""));
}

TEST_F(PlacesTest, SymlinksCountForWhatTheyLeadTo) {
  EXPECT_THAT(FindAbove(fs_, At("elsewhere/link/new"), {At("base")}), IsOkAndHolds(At("base")));
  EXPECT_THAT(FindAbove(fs_, At("elsewhere/link/../new"), {At("base")}), IsOkAndHolds(At("base")));
  EXPECT_THAT(FindAbove(fs_, At("base/db/new"), {At("elsewhere/link")}),
              IsOkAndHolds(At("elsewhere/link")));
}

}  // namespace
}  // namespace hbk::io

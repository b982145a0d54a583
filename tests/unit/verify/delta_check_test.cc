#include "delta_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/delta/delta_file.h"

#include "check_fixture.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr innodb::SpaceId kSpace = 5;

class DeltaCheckTest : public ::testing::Test, protected CheckFixture {
 protected:
  DeltaCheckTest() {
    facts.is_increment = true;
    file_.name = "db/t.ibd";
    file_.kind = "tablespace";
    file_.content = manifest::FileContent::kDelta;
    file_.space = manifest::SpaceFacts{.space_id = kSpace,
                                       .page_size = kPage,
                                       .flags = innodb::TablespaceFlags::FullCrc32(kPage).raw()};
    fs.PutDirectory("/b/db");
  }

  void PutDelta(const std::string& pages, uint32_t first_page,
                const delta::DeltaHeader& header = {.page_size = kPage, .space_id = kSpace}) {
    delta::DeltaWriter writer(fs, kPath, header);
    const auto count = static_cast<uint32_t>(pages.size() / kPage);
    ASSERT_THAT(writer.Append(first_page, count, AsBytes(pages)), IsOk());
    ASSERT_THAT(writer.Finish(), IsOk());
  }
  std::vector<std::string> Check() {
    DeltaCheck check(facts, file_, context);
    EXPECT_THAT(check.Finish(/*is_whole=*/true, scratch), IsOk());
    return Found();
  }

  static constexpr const char* kPath = "/b/db/t.ibd.hbk_delta";
  manifest::ManifestFile file_;
  const std::string space_ = UsedTablespace(kSpace);
};

TEST_F(DeltaCheckTest, GoodPagesHaveNoFindings) {
  PutDelta(space_.substr(3 * kPage, 4 * kPage), 3);

  EXPECT_THAT(Check(), IsEmpty());
  EXPECT_EQ(counts.pages, 4U);
}

TEST_F(DeltaCheckTest, APageOfAnotherPlaceIsFound) {
  PutDelta(space_.substr(3 * kPage, kPage), 4);

  EXPECT_THAT(Check(), ElementsAre(HasSubstr("another page number")));
}

TEST_F(DeltaCheckTest, APageOfTheFutureIsFound) {
  facts.lsn_max = testing::kSmallBackupPageLsn - 1;
  PutDelta(space_.substr(3 * kPage, kPage), 3);

  EXPECT_THAT(Check(), ElementsAre(HasSubstr("newer than the end of the increment")));
}

TEST_F(DeltaCheckTest, DamageOfTheFileIsFound) {
  PutDelta(space_.substr(3 * kPage, kPage), 3);
  std::string bytes = fs.Contents(kPath);
  bytes[bytes.size() / 2] ^= 1;
  fs.PutFile(kPath, bytes);

  EXPECT_THAT(Check(), ElementsAre(HasSubstr("checksum")));
}

TEST_F(DeltaCheckTest, ADeltaOfAnotherTablespaceIsFound) {
  PutDelta(space_.substr(3 * kPage, kPage), 3, {.page_size = kPage, .space_id = 6});

  EXPECT_THAT(Check(), ElementsAre(HasSubstr("it is of another tablespace")));
}

}  // namespace
}  // namespace hbk::verify

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/backup/file_copier.h"

#include "tablespace_image.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::system_jobs_test {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 16384;

TablespaceImage SystemImage() {
  TablespaceImage image;
  image.space_id = innodb::kSystemSpaceId;
  image.page_count = 8;
  return image;
}

TEST(SystemJobsTest, PageNumbersRunOnThroughTheFiles) {
  MemFileSystem fs;
  const std::string first = MakeTablespace(SystemImage());
  fs.PutFile("/data/ibdata1", first);
  fs.PutFile("/data/ibdata2", std::string(3 * kPageBytes, '\0'));
  fs.PutFile("/data/ibdata3", std::string(2 * kPageBytes, '\0'));

  const auto jobs = MakeSystemJobs(
      fs,
      {{"ibdata1", "/data/ibdata1"}, {"ibdata2", "/data/ibdata2"}, {"ibdata3", "/data/ibdata3"}},
      16384);

  ASSERT_THAT(jobs, IsOk());
  ASSERT_EQ(jobs.value().size(), 3U);
  EXPECT_EQ(jobs.value()[0].system->first_page_no, 0U);
  EXPECT_EQ(jobs.value()[1].system->first_page_no, 8U);
  EXPECT_EQ(jobs.value()[2].system->first_page_no, 11U);
  EXPECT_EQ(jobs.value()[2].system->flags, SystemImage().flags);
  EXPECT_EQ(jobs.value()[2].size_hint, 2 * kPageBytes);
}

TEST(SystemJobsTest, AFirstFileWithoutAPageZeroIsCorruption) {
  MemFileSystem fs;
  fs.PutFile("/data/ibdata1", std::string(8 * kPageBytes, '\0'));

  EXPECT_THAT(MakeSystemJobs(fs, {{"ibdata1", "/data/ibdata1"}}, 16384),
              StatusIs(StatusCode::kCorruption, HasSubstr("/data/ibdata1")));
}

TEST(SystemJobsTest, ATablespaceOfAnotherSpaceIsNotTheSystemTablespace) {
  MemFileSystem fs;
  fs.PutFile("/data/ibdata1", MakeTablespace({}));

  EXPECT_THAT(MakeSystemJobs(fs, {{"ibdata1", "/data/ibdata1"}}, 16384),
              StatusIs(StatusCode::kCorruption, HasSubstr("space id 5")));
}

}  // namespace
}  // namespace hbk::backup::system_jobs_test

#include "restore_pool.h"

#include <gmock/gmock.h>

#include "backup_sample.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class RestorePoolTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, const std::string& bytes) {
    fs_.PutFile("/b/" + name, bytes);
    fs_.PutDirectory("/d");
    files_.push_back({.source = {.name = name,
                                 .path = "/b/" + name,
                                 .kind = datadir::FileKind::kTablespace,
                                 .info = fs_.Stat("/b/" + name, /*follow=*/false).value(),
                                 .digest = filter::DigestOf(AsBytes(bytes))},
                      .target = "/d/" + name});
  }

  Status Run(uint32_t worker_count) {
    const RestoreContext context = {
        .fs = fs_, .created = created_, .owner = {}, .stop = stop_.get_token()};
    std::vector<const PlannedFile*> files;
    for (const PlannedFile& file : files_)
      files.push_back(&file);
    RestoreProgress progress(reporter_, 0);
    return RestorePool(context, files, FileRestore::Mode::kCopy, progress).Run(worker_count);
  }

  MemFileSystem fs_;
  CreatedEntries created_{fs_};
  std::stop_source stop_;
  RecordingReporter reporter_;
  std::vector<PlannedFile> files_;
};

TEST_F(RestorePoolTest, AHugeFileIsSharedAndWhole) {
  std::string bytes((130 << 20) + 77, '\0');
  for (size_t i = 0; i < bytes.size(); i += 40000)
    bytes[i] = static_cast<char>(i >> 16);
  Put("huge", bytes);
  Put("small", "x");
  Put("empty", "");

  ASSERT_THAT(Run(4), IsOk());

  EXPECT_TRUE(fs_.Contents("/d/huge") == bytes);
  EXPECT_EQ(fs_.Contents("/d/small"), "x");
  EXPECT_EQ(fs_.Contents("/d/empty"), "");
  EXPECT_EQ(reporter_.done_bytes(), bytes.size() + 1);
}

TEST_F(RestorePoolTest, MoreWorkersThanFilesDoNoHarm) {
  for (int i = 0; i < 20; ++i)
    Put("f" + std::to_string(i), std::string(10, 'x'));

  ASSERT_THAT(Run(64), IsOk());

  EXPECT_EQ(fs_.Tree("/d").size(), 20U);
}

TEST_F(RestorePoolTest, NothingToDoIsDone) {
  EXPECT_THAT(Run(2), IsOk());
}

TEST_F(RestorePoolTest, TheFirstErrorEndsTheRun) {
  for (int i = 0; i < 200; ++i)
    Put("f" + std::to_string(i), std::string(10, 'x'));
  files_[0].source.digest = std::string(32, '0');

  EXPECT_THAT(Run(3), StatusIs(StatusCode::kCorruption, HasSubstr("/b/f0")));
}

TEST_F(RestorePoolTest, AFileThatCannotBeOpenedEndsTheRun) {
  Put("f", "x");
  ASSERT_THAT(fs_.Remove("/b/f"), IsOk());

  EXPECT_THAT(Run(3), StatusIs(StatusCode::kNotFound, HasSubstr("/b/f")));
}

TEST_F(RestorePoolTest, ARequestToStopEndsTheRun) {
  Put("f", "x");
  stop_.request_stop();

  EXPECT_THAT(Run(3), StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

}  // namespace
}  // namespace hbk::restore

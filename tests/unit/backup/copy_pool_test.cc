#include "copy_pool.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/filter/tree_digest.h"

#include "tablespace_image.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 16384;

CopyJob PlainJob(MemFileSystem& fs, const std::string& name, const std::string& content) {
  fs.PutFile("/data/" + name, content);
  CopyJob job;
  job.name = name;
  job.source_path = "/data/" + name;
  job.size_hint = content.size();
  return job;
}

TEST(CopyPoolTest, TheBiggestFileIsOpenedFirstAndNamesBreakTies) {
  MemFileSystem fs;
  fs.PutDirectory("/backup");
  std::vector<CopyJob> jobs = {PlainJob(fs, "b", "12"), PlainJob(fs, "large", "12345"),
                               PlainJob(fs, "a", "34")};
  const size_t before = fs.opened().size();

  const auto results =
      CopyPool({.fs = fs, .target_dir = "/backup"}, std::move(jobs), CopyThreads{}).Run();

  ASSERT_THAT(results, IsOk());
  const std::vector<std::string> opened = fs.opened();
  const std::vector<std::string> expected = {"/data/large", "/backup/large", "/data/a",
                                             "/backup/a",   "/data/b",       "/backup/b"};
  EXPECT_EQ(std::vector<std::string>(opened.begin() + static_cast<ptrdiff_t>(before), opened.end()),
            expected);
}

TEST(CopyPoolTest, MoreWorkersThanWorkDoNoHarm) {
  MemFileSystem fs;
  fs.PutDirectory("/backup");

  const auto results =
      CopyPool({.fs = fs, .target_dir = "/backup"}, {PlainJob(fs, "a", "x")}, CopyThreads::Of(8))
          .Run();

  ASSERT_THAT(results, IsOk());
  EXPECT_EQ(fs.Contents("/backup/a"), "x");
}

TEST(CopyPoolTest, NoJobsAreDoneAtOnce) {
  MemFileSystem fs;

  const auto results = CopyPool({.fs = fs, .target_dir = "/backup"}, {}, CopyThreads::Of(2)).Run();

  ASSERT_THAT(results, IsOk());
  EXPECT_TRUE(results.value().empty());
}

TEST(CopyPoolTest, TheFirstErrorIsTheOneReported) {
  MemFileSystem fs;
  fs.PutDirectory("/backup");
  std::vector<CopyJob> jobs;
  for (int i = 0; i < 20; ++i)
    jobs.push_back(PlainJob(fs, "f" + std::to_string(i), std::string(3 << 20, 'x')));
  jobs[7].source_path = "/data/missing";

  const auto results =
      CopyPool({.fs = fs, .target_dir = "/backup"}, std::move(jobs), CopyThreads::Of(3)).Run();

  EXPECT_THAT(results, StatusIs(StatusCode::kNotFound, HasSubstr("/data/missing")));
}

// IMPORT or DROP meanwhile: what is left of its ranges is nothing to do.
TEST(CopyPoolTest, AFileThatVanishesBetweenManyRangesLeavesNothing) {
  MemFileSystem fs;
  fs.PutDirectory("/backup");
  fs.PutFile("/data/t.ibd", MakeTablespace({.page_count = 5 * 1024}));
  CopyJob job;
  job.name = "t.ibd";
  job.source_path = "/data/t.ibd";
  job.method = CopyMethod::kTablespace;
  job.ddl_may_run = true;
  const CopyEnvironment environment{
      .fs = fs, .target_dir = "/backup", .on_copied = [&](uint64_t) {
        const auto file = fs.Open("/data/t.ibd", {.write = true});
        HBK_CHECK(file.ok() && file.value()->Truncate(kPageBytes).ok());
      }};

  const auto results = CopyPool(environment, {job}, CopyThreads::Of(2)).Run();

  ASSERT_THAT(results, IsOk());
  EXPECT_EQ(results.value()[0].outcome, CopyOutcome::kVanished);
  EXPECT_FALSE(io::Exists(fs, "/backup/t.ibd").value());
}

TEST(CopyThreadsTest, FewReadLargeFilesAndManyReadSmallOnes) {
  const auto text = [](uint32_t workers) {
    const CopyThreads threads = CopyThreads::Of(workers);
    return std::to_string(threads.large_readers) + "+" + std::to_string(threads.small_readers) +
           "/" + std::to_string(threads.storers);
  };
  EXPECT_EQ(text(0), "1+0/1");
  EXPECT_EQ(text(1), "1+0/1");
  EXPECT_EQ(text(2), "2+2/2");
  EXPECT_EQ(text(3), "3+3/3");
  EXPECT_EQ(text(4), "4+4/4");
  EXPECT_EQ(text(8), "8+0/8");
  EXPECT_EQ(text(20), "20+0/20");
}

// Of a file that has grown since, who reads small files takes the first range only.
TEST(CopyPoolTest, SmallAndLargeFilesAreCopiedByWhomever) {
  for (const bool are_sizes_known : {true, false}) {
    MemFileSystem fs;
    fs.PutDirectory("/backup");
    std::vector<CopyJob> jobs;
    for (size_t i = 0; i < 60; ++i) {
      const size_t size = i % 20 == 0 ? (17 << 20) + i : i * 9000;
      jobs.push_back(PlainJob(fs, "f" + std::to_string(i),
                              std::string(size, static_cast<char>('a' + i % 26))));
      if (!are_sizes_known) jobs.back().size_hint = 0;
    }

    const auto results = CopyPool({.fs = fs, .target_dir = "/backup"}, jobs,
                                  CopyThreads{.large_readers = 1, .small_readers = 5, .storers = 2})
                             .Run();

    ASSERT_THAT(results, IsOk());
    for (const CopyJob& job : jobs)
      EXPECT_EQ(fs.Contents("/backup/" + job.name), fs.Contents(job.source_path)) << job.name;
  }
}

TEST(CopyPoolTest, EveryRangeOfManyFilesIsCopied) {
  MemFileSystem fs;
  fs.PutDirectory("/backup");
  std::vector<CopyJob> jobs;
  for (size_t i = 0; i < 4; ++i) {
    std::string content((17 << 20) + i * 1000, static_cast<char>('a' + i));
    for (size_t at = 0; at < content.size(); at += 4096)
      content[at] = static_cast<char>(at >> 12);
    jobs.push_back(PlainJob(fs, "f" + std::to_string(i), content));
  }

  const auto results =
      CopyPool({.fs = fs, .target_dir = "/backup"}, jobs, CopyThreads::Of(3)).Run();

  ASSERT_THAT(results, IsOk());
  for (size_t i = 0; i < jobs.size(); ++i) {
    const std::string content = fs.Contents(jobs[i].source_path);
    EXPECT_EQ(fs.Contents("/backup/" + jobs[i].name), content);
    EXPECT_EQ(results.value()[i].digest, filter::DigestOf(AsBytes(content)));
  }
}

// What cannot be written ends those who read, too.
TEST(CopyPoolTest, AFullTargetEndsEveryThread) {
  MemFileSystem mem;
  mem.PutDirectory("/backup");
  std::vector<CopyJob> jobs;
  for (int i = 0; i < 3; ++i)
    jobs.push_back(PlainJob(mem, "f" + std::to_string(i), std::string(20 << 20, 'x')));
  testing::FaultyFileSystem fs(mem);
  fs.Arm(testing::FaultKind::kNoSpace, 10);

  const auto results =
      CopyPool({.fs = fs, .target_dir = "/backup"}, std::move(jobs), CopyThreads::Of(2)).Run();

  EXPECT_THAT(results, StatusIs(StatusCode::kNoSpace, HasSubstr("/backup/f")));
}

}  // namespace
}  // namespace hbk::backup

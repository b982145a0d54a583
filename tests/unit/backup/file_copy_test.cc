#include "file_copy.h"

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
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 16384;

class FileCopyTest : public ::testing::Test {
 protected:
  FileCopyTest() { fs_.PutDirectory("/backup"); }

  Result<CopyResult> Copy(CopyJob job, const std::string& content) {
    fs_.PutFile("/data/file", content);
    job.name = "file";
    job.source_path = "/data/file";
    const CopyEnvironment environment{
        .fs = fs_, .target_dir = "/backup", .sleep = [](std::chrono::microseconds) {
        }};
    CopyBuffers buffers;
    FileCopy copy(environment, std::move(job));
    HBK_RETURN_IF_ERROR(copy.Open(buffers));
    for (uint64_t i = 0; i < copy.range_count(); ++i)
      HBK_RETURN_IF_ERROR(copy.CopyRange(i, buffers));
    return copy.Close();
  }

  MemFileSystem fs_;
};

TEST_F(FileCopyTest, APageThatStaysBadIsNamedWithFileAndOffset) {
  std::string content = MakeTablespace({});
  content[3 * kPageBytes + 5000] ^= 1;

  EXPECT_THAT(Copy({.method = CopyMethod::kTablespace, .ddl_may_run = true}, content),
              StatusIs(StatusCode::kCorruption,
                       AllOf(HasSubstr("/data/file"), HasSubstr("page 5:3 at offset 49152"),
                             HasSubstr("bad checksum"))));
}

TEST_F(FileCopyTest, ABadPageZeroIsForBlockDdlAndAnErrorThere) {
  std::string content = MakeTablespace({});
  content[5000] ^= 1;

  const auto early = Copy({.method = CopyMethod::kTablespace, .ddl_may_run = true}, content);

  ASSERT_THAT(early, IsOk());
  EXPECT_EQ(early.value().outcome, CopyOutcome::kUnstable);
  EXPECT_THAT(Copy({.method = CopyMethod::kTablespace}, content),
              StatusIs(StatusCode::kCorruption, HasSubstr("page 0")));
}

TEST_F(FileCopyTest, TheDoublewriteBufferIsCopiedAsZeros) {
  TablespaceImage image;
  image.space_id = innodb::kSystemSpaceId;
  std::string content = MakeTablespace(image);
  content.replace(2 * kPageBytes, 2 * kPageBytes, std::string(2 * kPageBytes, '!'));
  CopyJob job{.method = CopyMethod::kSystem};
  job.system =
      SystemFilePart{.first_page_no = 0,
                     .flags = image.flags,
                     .doublewrite = innodb::DoublewriteBuffer{.first = {2, 3}, .block_pages = 1}};

  const auto result = Copy(job, content);

  ASSERT_THAT(result, IsOk());
  content.replace(2 * kPageBytes, 2 * kPageBytes, std::string(2 * kPageBytes, '\0'));
  EXPECT_EQ(fs_.Contents("/backup/file"), content);
  EXPECT_EQ(result.value().digest, filter::DigestOf(AsBytes(content)));
}

TEST_F(FileCopyTest, ALaterSystemFileHasNoHeader) {
  TablespaceImage image;
  image.space_id = innodb::kSystemSpaceId;
  const std::string content = MakePage(image, 768, 'a') + MakePage(image, 769, 'b');
  CopyJob job{.method = CopyMethod::kSystem};
  job.system =
      SystemFilePart{.first_page_no = 768, .flags = image.flags, .doublewrite = std::nullopt};

  EXPECT_THAT(Copy(job, content), IsOk());
  EXPECT_EQ(fs_.Contents("/backup/file"), content);
}

TEST_F(FileCopyTest, BeforeAndAfterTellThatAFileDidNotChange) {
  const auto result = Copy({}, "content");

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().before.mtime_ns, result.value().after.mtime_ns);
  EXPECT_EQ(result.value().before.inode, result.value().after.inode);
}

}  // namespace
}  // namespace hbk::backup

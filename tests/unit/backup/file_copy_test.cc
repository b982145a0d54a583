#include "file_copy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/base/crc32c.h"
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
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr size_t kPageBytes = 16384;

class FileCopyTest : public ::testing::Test {
 protected:
  FileCopyTest() { fs_.PutDirectory("/backup"); }

  Result<CopyResult> Copy(CopyJob job, const std::string& content) {
    fs_.PutFile("/data/file", content);
    job.name = "file";
    job.source_path = "/data/file";
    const CopyEnvironment environment{.fs = fs_,
                                      .target_dir = "/backup",
                                      .keep_damaged_pages = keep_damaged_pages_,
                                      .sleep = [](std::chrono::microseconds) {
                                      }};
    CopyBuffers buffers;
    FileCopy copy(environment, std::move(job));
    HBK_RETURN_IF_ERROR(copy.Open(buffers));
    for (uint64_t i = 0; i < copy.range_count(); ++i)
      HBK_RETURN_IF_ERROR(copy.CopyRange(i, buffers));
    return copy.Close();
  }

  MemFileSystem fs_;
  bool keep_damaged_pages_ = false;
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

TEST_F(FileCopyTest, DamagedPagesAreKeptAndNotedIfThatIsAskedFor) {
  std::string content = MakeTablespace({});
  content[3 * kPageBytes + 5000] ^= 1;
  content[6 * kPageBytes + 5000] ^= 1;
  keep_damaged_pages_ = true;

  const auto result = Copy({.method = CopyMethod::kTablespace, .ddl_may_run = true}, content);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(fs_.Contents("/backup/file"), content);
  EXPECT_THAT(result.value().damaged_pages,
              ElementsAre(Field(&DamagedPage::page_no, 3), Field(&DamagedPage::page_no, 6)));
}

TEST_F(FileCopyTest, KeysAreThoseThatPagesName) {
  // Page 0 says key 9; one page is encrypted with version 4 of it.
  std::string content = MakeTablespace({});
  const MutableByteView first(reinterpret_cast<uint8_t*>(content.data()), kPageBytes);
  const std::array<uint8_t, 8> crypt = {0x73, 0x0E, 0x0C, 0x52, 0x45, 0x74, 1, 16};
  std::copy(crypt.begin(), crypt.end(), first.begin() + 10428);
  StoreBe32(first, 10428 + 28, 9);
  innodb::SealPage(first, TablespaceImage().flags, {5, 0});
  const MutableByteView page(reinterpret_cast<uint8_t*>(content.data()) + 2 * kPageBytes,
                             kPageBytes);
  StoreBe32(page, 0, 4);
  StoreBe32(page, kPageBytes - 4, Crc32c(ByteView(page).first(kPageBytes - 4)));

  const auto result = Copy({.method = CopyMethod::kTablespace}, content);

  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result.value().keys, ElementsAre(KeyUse{9, 4}));
  EXPECT_EQ(fs_.Contents("/backup/file"), content);
}

TEST_F(FileCopyTest, PageCompressedFilesKeepTheirHoles) {
  TablespaceImage image;
  image.flags = innodb::TablespaceFlags::Decode(0x35).value();
  std::string content = MakeTablespace(image);
  for (size_t page = 1; page < image.page_count; ++page) {
    const MutableByteView view(reinterpret_cast<uint8_t*>(content.data()) + page * kPageBytes,
                               kPageBytes);
    StoreBe16(view, innodb::kFilType, 0x8000 | 3);
    StoreBe32(view, 764, Crc32c(ByteView(view).first(764)));
  }

  const auto result = Copy({.method = CopyMethod::kTablespace}, content);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().written_bytes, kPageBytes + 7 * 4096);
  EXPECT_EQ(result.value().digest, filter::DigestOf(AsBytes(fs_.Contents("/backup/file"))));
}

TEST_F(FileCopyTest, BeforeAndAfterTellThatAFileDidNotChange) {
  const auto result = Copy({}, "content");

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().before.mtime_ns, result.value().after.mtime_ns);
  EXPECT_EQ(result.value().before.inode, result.value().after.inode);
}

}  // namespace
}  // namespace hbk::backup

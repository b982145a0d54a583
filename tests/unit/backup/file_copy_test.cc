#include "file_copy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/base/crc32c.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/rate_limiter.h"

#include "tablespace_image.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::file_copy_test {
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
    return CopyAgain(std::move(job));
  }
  // Of the file as it is.
  Result<CopyResult> CopyAgain(CopyJob job) {
    job.name = "file";
    job.source_path = "/data/file";
    const CopyEnvironment environment{.fs = counting_,
                                      .target_dir = "/backup",
                                      .read_limiter = read_limiter_,
                                      .byte_limiter = byte_limiter_,
                                      .keep_damaged_pages = keep_damaged_pages_,
                                      .base = base_.get(),
                                      .sleep = [](std::chrono::microseconds) {},
                                      .on_copied = on_copied_};
    CopyBuffers buffers;
    FileCopy copy(environment, std::move(job));
    HBK_RETURN_IF_ERROR(copy.Open(buffers));
    for (uint64_t i = 0; i < copy.range_count(); ++i)
      HBK_RETURN_IF_ERROR(copy.CopyRange(i, buffers));
    return copy.Close();
  }

  // What the server does after the first chunk.
  void TruncateSource(uint64_t size) {
    const auto file = fs_.Open("/data/file", {.write = true});
    HBK_CHECK(file.ok() && file.value()->Truncate(size).ok());
  }

  MemFileSystem fs_;
  hbk::testing::FaultyFileSystem counting_{fs_};
  bool keep_damaged_pages_ = false;
  io::RateLimiter* read_limiter_ = nullptr;
  io::RateLimiter* byte_limiter_ = nullptr;
  std::function<void(uint64_t)> on_copied_ = [](uint64_t) {
  };
  std::unique_ptr<IncrementBase> base_;  // of an increment
};

TEST_F(FileCopyTest, APageThatStaysBadIsNamedWithFileAndOffset) {
  std::string content = MakeTablespace({});
  content[3 * kPageBytes + 5000] ^= 1;

  EXPECT_THAT(Copy({.method = CopyMethod::kTablespace, .ddl_may_run = true}, content),
              StatusIs(StatusCode::kCorruption,
                       AllOf(HasSubstr("/data/file"), HasSubstr("page 5:3 at offset 49152"),
                             HasSubstr("bad checksum"))));
}

TEST_F(FileCopyTest, ASmallTableIsReadOnceForHeaderAndRows) {
  const std::string content = MakeTablespace({.page_count = 6});
  const uint64_t reads_before = counting_.read_count();

  // A page that the server has begun to append.
  ASSERT_THAT(Copy({.method = CopyMethod::kTablespace}, content + std::string(100, 'x')), IsOk());

  EXPECT_EQ(counting_.read_count() - reads_before, 1U);
  EXPECT_EQ(fs_.Contents("/backup/file"), content);
}

TEST_F(FileCopyTest, OfALargeTableTheFirstPieceIsReadOnce) {
  const std::string content = MakeTablespace({.page_count = 160});
  const uint64_t reads_before = counting_.read_count();

  ASSERT_THAT(Copy({.method = CopyMethod::kTablespace}, content), IsOk());

  EXPECT_EQ(counting_.read_count() - reads_before, 3U);  // 2.5 MiB
  EXPECT_EQ(fs_.Contents("/backup/file"), content);
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

TEST_F(FileCopyTest, AnUndoFileThatGotShorterIsCopiedAsFarAsItGoes) {
  const std::string content = MakeTablespace({.page_count = 200});
  constexpr size_t kLeft = 100 * kPageBytes;
  on_copied_ = [&](uint64_t) {
    TruncateSource(kLeft);
  };

  const auto result = Copy({.method = CopyMethod::kUndo}, content);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().outcome, CopyOutcome::kCopied);
  EXPECT_EQ(result.value().size, kLeft);
  EXPECT_EQ(fs_.Contents("/backup/file"), content.substr(0, kLeft));
  EXPECT_EQ(result.value().digest, filter::DigestOf(AsBytes(content.substr(0, kLeft))));
}

TEST_F(FileCopyTest, LimitersAreAskedForReadsAndBytesButNotUnderLocks) {
  const std::string content(3 << 20, 'x');
  constexpr io::RateLimiter::Clock::time_point kLongAgo;
  io::RateLimiter reads(1000);
  io::RateLimiter bytes(1000 << 20);
  read_limiter_ = &reads;
  byte_limiter_ = &bytes;

  ASSERT_THAT(Copy({.method = CopyMethod::kPlain, .under_lock = true}, content), IsOk());
  EXPECT_EQ(reads.Reserve(0, kLongAgo), kLongAgo);
  EXPECT_EQ(bytes.Reserve(0, kLongAgo), kLongAgo);

  ASSERT_THAT(Copy({.method = CopyMethod::kPlain, .replace = true}, content), IsOk());
  const auto turn = reads.Reserve(0, kLongAgo);
  EXPECT_GT(turn, kLongAgo);
  // 3 of 1000 reads and 3 of 1000 MiB take the same time.
  EXPECT_LT(std::chrono::abs(bytes.Reserve(0, kLongAgo) - turn), std::chrono::seconds(1));
}

TEST_F(FileCopyTest, ATablespaceThatGotShorterHasVanished) {
  on_copied_ = [&](uint64_t) {
    TruncateSource(kPageBytes);
  };

  const auto result = Copy({.method = CopyMethod::kTablespace, .ddl_may_run = true},
                           MakeTablespace({.page_count = 200}));

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().outcome, CopyOutcome::kVanished);
  EXPECT_FALSE(io::Exists(fs_, "/backup/file").value());
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

// Copies that are increments to what lies in /data/file when the base is made.
class FileIncrementTest : public FileCopyTest {
 protected:
  FileIncrementTest() { fs_.SetHasBirths(true); }

  // As a full backup of it would have it.
  manifest::BackupManifest BaseOf(const CopyJob& job, const std::string& content, Lsn end) {
    const auto copied = Copy(job, content);
    EXPECT_THAT(copied, IsOk());
    manifest::ManifestFile file;
    file.name = "file";
    file.kind = job.method == CopyMethod::kTablespace ? "tablespace" : "definition";
    file.size = copied->size;
    file.digest = copied->digest;
    file.space = copied->space;
    file.source = copied->source;
    EXPECT_THAT(fs_.Remove("/backup/file"), IsOk());
    manifest::BackupManifest manifest;
    manifest.last_lsn = end;
    manifest.boot_id = "boot";
    manifest.files = {file, file};
    manifest.files[1].name = "ibdata1";
    manifest.files[1].kind = "system-tablespace";
    manifest.files[1].space = manifest::SpaceFacts{0, kPageBytes, 21};
    return manifest;
  }
  // In place, as the server writes.
  void WriteSource(const std::string& content) {
    auto file = fs_.Open("/data/file", {.write = true});
    HBK_CHECK(file.ok() && (*file)->WriteAt(0, AsBytes(content)).ok());
  }
  // With --trust-file-times, and the file in the sample or not.
  void Trust(manifest::BackupManifest manifest, bool is_in_sample) {
    for (int i = 0;; ++i) {
      base_ = std::make_unique<IncrementBase>(manifest);
      base_->SetReadPolicy({false, true, "boot", std::to_string(i)});
      const auto choice =
          base_->ChooseReading({"file", 5, TablespaceImage().flags,
                                io::IdentityOf(fs_.Stat("/data/file", true).value())},
                               0, true);
      HBK_CHECK(choice != ReadChoice::kRead);
      if ((choice == ReadChoice::kSample) == is_in_sample) return;
    }
  }
};

TEST_F(FileIncrementTest, OfATablespaceThePagesSinceTheBaseAreCopied) {
  // Page n has the LSN 1000000 + n.
  const std::string content = MakeTablespace({});
  base_ = std::make_unique<IncrementBase>(
      BaseOf({.method = CopyMethod::kTablespace}, content, 1'000'005));

  const auto result = CopyAgain({.method = CopyMethod::kTablespace});

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->content, manifest::FileContent::kDelta);
  EXPECT_EQ(result->delta_page_count, 2U);
  EXPECT_EQ(result->size, content.size());
  EXPECT_EQ(result->space, (manifest::SpaceFacts{5, kPageBytes, TablespaceImage().flags.raw()}));
  EXPECT_EQ(fs_.Tree("/backup").size(), 1U);
  EXPECT_EQ(fs_.Contents("/backup/file.hbk_delta").size(), result->delta_size);
}

TEST_F(FileIncrementTest, ADamagedPageFailsIt) {
  std::string content = MakeTablespace({});
  base_ = std::make_unique<IncrementBase>(
      BaseOf({.method = CopyMethod::kTablespace}, content, 2'000'000));
  content[3 * kPageBytes + 5000] ^= 1;
  WriteSource(content);

  EXPECT_THAT(CopyAgain({.method = CopyMethod::kTablespace}),
              StatusIs(StatusCode::kCorruption, HasSubstr("page 5:3")));
  keep_damaged_pages_ = true;
  const auto result = CopyAgain({.method = CopyMethod::kTablespace});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->delta_page_count, 1U);
}

TEST_F(FileIncrementTest, AnotherFileIsCopiedIfItsContentIsAnother) {
  base_ = std::make_unique<IncrementBase>(BaseOf({}, "content", 1000));

  const auto same = CopyAgain({});
  ASSERT_THAT(same, IsOk());
  EXPECT_EQ(same->content, manifest::FileContent::kBase);
  EXPECT_EQ(same->digest, filter::DigestOf(AsBytes(std::string("content"))));
  EXPECT_TRUE(fs_.Tree("/backup").empty());

  const auto other = Copy({}, "CONTENT");
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(other->content, manifest::FileContent::kWhole);
  EXPECT_EQ(fs_.Contents("/backup/file"), "CONTENT");

  // Back again: what an earlier stage has copied goes.
  WriteSource("content");
  ASSERT_THAT(CopyAgain({.replace = true}), IsOk());
  EXPECT_TRUE(fs_.Tree("/backup").empty());
}

TEST_F(FileIncrementTest, AFileWhoseTimesAreTrustedIsNotRead) {
  const auto manifest = BaseOf({.method = CopyMethod::kTablespace}, MakeTablespace({}), 1'000'005);
  Trust(manifest, /*is_in_sample=*/false);

  const auto result = CopyAgain({.method = CopyMethod::kTablespace});

  ASSERT_THAT(result, IsOk());
  EXPECT_TRUE(result->is_skipped);
  EXPECT_EQ(result->content, manifest::FileContent::kBase);
  EXPECT_EQ(result->source.skip_count, 1U);
  EXPECT_TRUE(result->source.is_at_rest);
  EXPECT_TRUE(fs_.Tree("/backup").empty());
}

TEST_F(FileIncrementTest, ASampleThatWasChangedIsNoIncrement) {
  // Pages 6 and 7 are newer than the base, and the file looks as it did.
  const auto manifest = BaseOf({.method = CopyMethod::kTablespace}, MakeTablespace({}), 1'000'005);
  Trust(manifest, /*is_in_sample=*/true);

  EXPECT_THAT(CopyAgain({.method = CopyMethod::kTablespace}),
              StatusIs(StatusCode::kCorruption, HasSubstr("cannot be trusted")));
}

TEST_F(FileIncrementTest, ASampleThatWasNotChangedIsInTheBase) {
  const auto manifest = BaseOf({.method = CopyMethod::kTablespace}, MakeTablespace({}), 2'000'000);
  Trust(manifest, /*is_in_sample=*/true);

  const auto result = CopyAgain({.method = CopyMethod::kTablespace});

  ASSERT_THAT(result, IsOk());
  EXPECT_FALSE(result->is_skipped);
  EXPECT_EQ(result->content, manifest::FileContent::kBase);
  EXPECT_EQ(result->source.skip_count, 0U);
}

// Page n has the LSN 1000000 + n; the file is written to again, so that its times say nothing.
class NamedPagesCopyTest : public FileIncrementTest {
 protected:
  // The redo up to `to` names these. The tablespace has one chunk.
  Result<CopyResult> CopyNamed(const std::vector<PageNo>& pages, Lsn base_end, Lsn to,
                               bool is_in_share = false) {
    const std::string content = MakeTablespace({.page_count = 40});
    const auto manifest = BaseOf({.method = CopyMethod::kTablespace}, content, base_end);
    WriteSource(content);
    base_ = std::make_unique<IncrementBase>(manifest);
    const uint64_t hour = IncrementBase::kShareRate - 5 + (is_in_share ? 0 : 1);
    base_->SetReadPolicy({false, false, "boot", "increment", hour});
    EXPECT_EQ(base_->IsInShare(5, 0), is_in_share);
    base_->SetChangedPages({.to = to, .pages = {{5, pages}}, .remade = {}});
    return CopyAgain({.method = CopyMethod::kTablespace});
  }
};

TEST_F(NamedPagesCopyTest, OnlyAroundThePagesThatAreNamedIsRead) {
  // Pages 4 to 7 and 36 to 39 are read; of them 6, 7 and those from 36 on are newer than the base.
  const auto result = CopyNamed({5, 6, 36, 1000}, 1'000'005, 1'000'005);

  ASSERT_THAT(result, IsOk());
  EXPECT_TRUE(result->is_read_in_part);
  EXPECT_FALSE(result->is_skipped);
  EXPECT_EQ(result->content, manifest::FileContent::kDelta);
  EXPECT_EQ(result->delta_page_count, 6U);
  EXPECT_EQ(result->size, 40 * kPageBytes);
  EXPECT_EQ(result->source.skip_count, 1U);
}

TEST_F(NamedPagesCopyTest, WhereNoneIsNamedTheBaseHasAll) {
  const auto result = CopyNamed({}, 1'000'005, 1'000'005);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->content, manifest::FileContent::kBase);
  EXPECT_TRUE(fs_.Tree("/backup").empty());
}

TEST_F(NamedPagesCopyTest, AShareThatHasMoreChangesIsNoIncrement) {
  const auto good = CopyNamed({36, 37}, 1'000'035, 1'000'037, /*is_in_share=*/true);
  ASSERT_THAT(good, IsOk()) << "what changed later is in the redo of the increment";
  EXPECT_EQ(good->delta_page_count, 4U);
  EXPECT_EQ(good->source.skip_count, 1U);

  base_.reset();
  ASSERT_THAT(fs_.Remove("/backup/file.hbk_delta"), IsOk());
  EXPECT_THAT(CopyNamed({36}, 1'000'035, 1'000'037, /*is_in_share=*/true),
              StatusIs(StatusCode::kCorruption, HasSubstr("page 37 of /data/file")));
}

TEST_F(FileIncrementTest, WhereTimesAreNotKeptFilesAreRead) {
  const auto manifest = BaseOf({.method = CopyMethod::kTablespace}, MakeTablespace({}), 1'000'005);
  Trust(manifest, /*is_in_sample=*/false);
  fs_.SetKeepsFileTimes(false);

  const auto result = CopyAgain({.method = CopyMethod::kTablespace});

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->delta_page_count, 2U);
}

}  // namespace
}  // namespace hbk::backup::file_copy_test

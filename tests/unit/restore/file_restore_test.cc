#include "file_restore.h"

#include <gmock/gmock.h>

#include "hbk/filter/tree_digest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using filter::TreeDigest;
using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileRestoreTest : public ::testing::Test {
 protected:
  void Put(const std::string& bytes) {
    fs_.PutFile("/b/f", bytes);
    fs_.PutDirectory("/d");
    const auto info = fs_.Stat("/b/f", /*follow=*/false);
    ASSERT_THAT(info, IsOk());
    file_ = {.source = {.name = "f",
                        .path = "/b/f",
                        .kind = datadir::FileKind::kTablespace,
                        .info = info.value(),
                        .digest = filter::DigestOf(AsBytes(bytes))},
             .target = "/d/f"};
  }

  Status Run(FileRestore::Mode mode = FileRestore::Mode::kCopy) {
    const RestoreContext context = {
        .fs = fs_, .created = created_, .owner = {.uid = 7, .gid = 8}, .stop = stop_.get_token()};
    FileRestore restore(context, file_, mode);
    HBK_RETURN_IF_ERROR(restore.Open());
    AlignedBuffer buffer(TreeDigest::kChunkBytes);
    const auto on_progress = [this](uint64_t bytes) {
      done_bytes_ += bytes;
    };
    HBK_RETURN_IF_ERROR(restore.Process(0, restore.chunk_count(), buffer, on_progress));
    return restore.Finish();
  }

  MemFileSystem fs_;
  CreatedEntries created_{fs_};
  std::stop_source stop_;
  PlannedFile file_;
  uint64_t done_bytes_ = 0;
};

TEST_F(FileRestoreTest, ContentOfThePlanIsWrittenInsteadOfTheSource) {
  for (const char* content : {"longer than the source", "s", ""}) {
    Put("source");
    file_.content = content;

    EXPECT_THAT(Run(), IsOk());

    EXPECT_EQ(fs_.Contents("/d/f"), content);
    ASSERT_THAT(fs_.Remove("/d/f"), IsOk());
  }
}

TEST_F(FileRestoreTest, CopiesAreEqualWhateverTheSize) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, size_t{(1 << 20) - 1},
                            size_t{1 << 20}, size_t{(1 << 20) + 5000}}) {
    const std::string bytes(size, 'x');
    Put(bytes);
    done_bytes_ = 0;

    ASSERT_THAT(Run(), IsOk()) << size;

    EXPECT_EQ(fs_.Contents("/d/f"), bytes) << size;
    EXPECT_EQ(done_bytes_, size);
    ASSERT_THAT(fs_.Remove("/d/f"), IsOk());
  }
}

TEST_F(FileRestoreTest, TheCopyBelongsToTheServerAndIsDurable) {
  Put("bytes");

  ASSERT_THAT(Run(), IsOk());

  const auto info = fs_.Stat("/d/f", /*follow=*/false);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info.value().mode, 0660U);
  EXPECT_EQ(info.value().uid, 7U);
  EXPECT_THAT(fs_.synced(), Contains("/d/f"));
}

TEST_F(FileRestoreTest, LargeFilesAreCopiedDirectlyAndAligned) {
  std::string bytes((17 << 20) + 100, 'x');
  std::fill(bytes.begin() + (3 << 20), bytes.begin() + (5 << 20), '\0');
  std::fill(bytes.begin() + 16384, bytes.begin() + 3 * 16384, '\0');
  Put(bytes);

  ASSERT_THAT(Run(), IsOk());

  EXPECT_EQ(fs_.Contents("/d/f"), bytes);
  EXPECT_EQ(fs_.unaligned_direct_transfer_count(), 0U);
}

TEST_F(FileRestoreTest, ZerosBecomeHoles) {
  std::string bytes(8 << 20, '\0');
  bytes[100] = 'a';
  bytes[5 << 20] = 'b';
  Put(bytes);

  ASSERT_THAT(Run(), IsOk());

  EXPECT_EQ(fs_.Contents("/d/f"), bytes);
  const auto info = fs_.Stat("/d/f", /*follow=*/false);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info.value().size, bytes.size());
  EXPECT_LE(info.value().allocated_bytes, 2U * 16384U);
}

TEST_F(FileRestoreTest, ADamagedFileIsNamed) {
  Put("bytes");
  file_.source.digest[0] = file_.source.digest[0] == '0' ? '1' : '0';

  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/f")));
  EXPECT_THAT(Run(FileRestore::Mode::kCheckOnly), StatusIs(StatusCode::kCorruption, HasSubstr("")));
}

TEST_F(FileRestoreTest, AFileThatBecameShorterIsNamed) {
  Put("bytes");
  fs_.PutFile("/b/f", "byte");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/f: became shorter")));
}

TEST_F(FileRestoreTest, WithoutADigestNothingIsCompared) {
  Put("bytes");
  file_.source.digest.clear();

  EXPECT_THAT(Run(), IsOk());
}

TEST_F(FileRestoreTest, ACheckWritesNothing) {
  Put("bytes");

  ASSERT_THAT(Run(FileRestore::Mode::kCheckOnly), IsOk());

  EXPECT_THAT(fs_.Tree("/d"), IsEmpty());
}

TEST_F(FileRestoreTest, AnExistingFileIsNotOverwritten) {
  Put("bytes");
  fs_.PutFile("/d/f", "precious");

  EXPECT_THAT(Run(), StatusIs(StatusCode::kAlreadyExists, HasSubstr("/d/f")));
  EXPECT_THAT(created_.TakeBack(), IsEmpty());
  EXPECT_EQ(fs_.Contents("/d/f"), "precious");
}

TEST_F(FileRestoreTest, ARequestToStopIsHeard) {
  Put("bytes");
  stop_.request_stop();

  EXPECT_THAT(Run(), StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

}  // namespace
}  // namespace hbk::restore

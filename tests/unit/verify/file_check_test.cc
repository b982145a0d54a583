#include "file_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check_fixture.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify::file_check_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr uint64_t kMiB = 1 << 20;

class FileCheckTest : public ::testing::Test, protected CheckFixture {
 protected:
  FileCheckTest() {
    for (size_t i = 0; i < bytes_.size(); ++i)
      bytes_[i] = static_cast<char>(i * 7 + i / 4096);
  }

  std::vector<std::string> Check(const std::string& there) {
    fs.PutFile("/b/f.MYD", there);
    return CheckFile();
  }
  std::vector<std::string> CheckFile() {
    const FileJob job{.facts = &facts,
                      .name = "f.MYD",
                      .kind = datadir::FileKind::kMyisamTable,
                      .size = bytes_.size(),
                      .digest = filter::DigestOf(AsBytes(bytes_))};
    FileCheck check(job, {}, context);
    AlignedBuffer buffer(FileCheck::kReadBytes);
    EXPECT_THAT(check.CheckPart({.index = 0, .file = 0, .offset = 0, .size = bytes_.size()},
                                buffer.view(), scratch),
                IsOk());
    EXPECT_THAT(check.Finish(/*is_whole=*/true, scratch), IsOk());
    return Found();
  }

  std::string bytes_ = std::string(3 * kMiB + 777, '\0');
};

TEST_F(FileCheckTest, TheFileThatWasCopiedHasNoFindings) {
  EXPECT_THAT(Check(bytes_), IsEmpty());
  EXPECT_EQ(counts.bytes, bytes_.size());
  EXPECT_EQ(fs.unaligned_direct_transfer_count(), 0U);
}

TEST_F(FileCheckTest, AnotherByteIsFoundByTheDigest) {
  bytes_[kMiB + 5] ^= 1;
  std::string there = bytes_;
  there[kMiB + 5] ^= 1;

  EXPECT_THAT(Check(there), ElementsAre("/b: f.MYD: it is not what was there"));
}

TEST_F(FileCheckTest, WithTheHashesOfChunksThePlaceIsFound) {
  filter::TreeDigest digest(bytes_.size());
  for (uint64_t index = 0; index < digest.chunk_count(); ++index)
    digest.AddChunk(
        index, AsBytes(bytes_).subspan(index * kMiB, std::min(kMiB, bytes_.size() - index * kMiB)));
  facts.chunks.Add(digest.chunk_hashes());
  std::string there = bytes_;
  there[kMiB + 5] ^= 1;

  EXPECT_THAT(Check(there), ElementsAre(HasSubstr("offset 1048576: the 1 MiB from here on")));
  EXPECT_THAT(Check(bytes_), IsEmpty());
}

TEST_F(FileCheckTest, AnotherSizeIsFound) {
  EXPECT_THAT(Check(bytes_.substr(1)), ElementsAre(HasSubstr("it has another size")));
  EXPECT_THAT(Check(bytes_ + "x"), ElementsAre(HasSubstr("it has another size")));
}

TEST_F(FileCheckTest, AFileThatIsMissingIsFound) {
  EXPECT_THAT(CheckFile(), ElementsAre(HasSubstr("it is missing")));
}

TEST_F(FileCheckTest, ASymlinkIsNoFile) {
  fs.PutFile("/elsewhere", bytes_);
  fs.PutSymlink("/b/f.MYD", "/elsewhere");

  EXPECT_THAT(CheckFile(), ElementsAre(HasSubstr("it is no plain file")));
}

TEST_F(FileCheckTest, OnlyWhatIsReadIsOpen) {
  fs.PutFile("/b/f.MYD", bytes_);
  const FileJob job{.facts = &facts,
                    .name = "f.MYD",
                    .kind = datadir::FileKind::kMyisamTable,
                    .size = bytes_.size() + 1,
                    .digest = ""};
  FileCheck check(job, {}, context);

  EXPECT_THAT(check.LookAt(), IsOk());
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("another size")));
}

}  // namespace
}  // namespace hbk::verify::file_check_test

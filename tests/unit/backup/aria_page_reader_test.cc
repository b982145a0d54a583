#include "aria_page_reader.h"

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/aria/golden_table.h"

namespace hbk::backup {
namespace {

using aria::AriaFile;
using aria::kGoldenPageBytes;
using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using std::chrono::microseconds;

class AriaPageReaderTest : public ::testing::Test {
 protected:
  void Open(AriaFile file, bool is_encrypted = false) {
    const char* name = file == AriaFile::kIndex ? "table.MAI" : "table.MAD";
    content_ = aria::ReadGolden(name);
    fs_.PutFile("/t", AsText(content_));
    auto opened = fs_.Open("/t", {.write = true});
    ASSERT_THAT(opened, IsOk());
    file_ = std::move(*opened);
    const aria::PageRules rules{file, kGoldenPageBytes, kGoldenPageBytes, true, is_encrypted};
    reader_ = std::make_unique<AriaPageReader>(*file_, rules, [this](microseconds duration) {
      waited_ += duration;
      if (while_waiting) while_waiting();
    });
  }

  Result<std::optional<AriaPageFault>> Heal(std::vector<uint8_t>& read) {
    return reader_->HealPages(0, read, scratch_, stop_.get_token(), retried_pages_);
  }

  MemFileSystem fs_;
  std::vector<uint8_t> content_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<AriaPageReader> reader_;
  AlignedBuffer scratch_{PageReader::kScratchBytes};
  std::stop_source stop_;
  uint64_t retried_pages_ = 0;
  microseconds waited_{0};
  std::function<void()> while_waiting;
};

TEST_F(AriaPageReaderTest, GoodPagesAreReadOnce) {
  Open(AriaFile::kData);
  std::vector<uint8_t> read = content_;
  const auto fault = Heal(read);
  ASSERT_THAT(fault, IsOk());
  EXPECT_FALSE(fault->has_value());
  EXPECT_EQ(retried_pages_, 0U);
  EXPECT_EQ(waited_.count(), 0);
}

TEST_F(AriaPageReaderTest, ATornPageIsWholeWhenReadAgain) {
  Open(AriaFile::kData);
  std::vector<uint8_t> read = content_;
  std::fill(read.begin() + kGoldenPageBytes + 4096, read.end(), uint8_t{0});
  const auto fault = Heal(read);
  ASSERT_THAT(fault, IsOk());
  EXPECT_FALSE(fault->has_value());
  EXPECT_EQ(read, content_);
  EXPECT_EQ(retried_pages_, 1U);
}

TEST_F(AriaPageReaderTest, APageThatStaysBadIsAFault) {
  Open(AriaFile::kData);
  ASSERT_THAT(file_->WriteAt(kGoldenPageBytes + 100, AsBytes("damage")), IsOk());
  std::vector<uint8_t> read(content_.size());
  ASSERT_THAT(file_->ReadAt(0, read), IsOk());
  const auto fault = Heal(read);
  ASSERT_THAT(fault, IsOk());
  ASSERT_TRUE(fault->has_value());
  EXPECT_EQ((*fault)->page_no, 1U);
  EXPECT_EQ(Describe(**fault), "page 1 at offset 8192: bad checksum");
  EXPECT_GT(waited_, std::chrono::milliseconds(400));
}

TEST_F(AriaPageReaderTest, ThePageThatIsCutOffIsGone) {
  Open(AriaFile::kData);
  ASSERT_THAT(file_->Truncate(kGoldenPageBytes), IsOk());
  std::vector<uint8_t> read = content_;
  read[kGoldenPageBytes] ^= 1;
  const auto fault = Heal(read);
  ASSERT_THAT(fault, IsOk());
  ASSERT_TRUE(fault->has_value());
  EXPECT_TRUE((*fault)->is_gone);
}

TEST_F(AriaPageReaderTest, AHeaderIsReadUntilTwoReadsAgree) {
  Open(AriaFile::kIndex);
  std::vector<uint8_t> read = content_;
  read[100] ^= 1;
  const auto fault = Heal(read);
  ASSERT_THAT(fault, IsOk());
  EXPECT_FALSE(fault->has_value());
  EXPECT_EQ(read, content_);
}

TEST_F(AriaPageReaderTest, EncryptedPagesGetTimeBetweenTwoReads) {
  Open(AriaFile::kData, /*is_encrypted=*/true);
  std::vector<uint8_t> read = content_;
  // What the write was interrupted in the middle of.
  while_waiting = [this] {
    (void)file_->WriteAt(kGoldenPageBytes + 200, AsBytes("new row")).ok();
  };
  const auto fault = Heal(read);
  ASSERT_THAT(fault, IsOk());
  EXPECT_FALSE(fault->has_value());
  EXPECT_EQ(AsText(read).substr(kGoldenPageBytes + 200, 7), "new row");
}

TEST_F(AriaPageReaderTest, AStopRequestEndsTheWaiting) {
  Open(AriaFile::kData);
  std::vector<uint8_t> read = content_;
  read[kGoldenPageBytes + 9] ^= 1;
  stop_.request_stop();
  EXPECT_EQ(Heal(read).status().code(), StatusCode::kInterrupted);
}

}  // namespace
}  // namespace hbk::backup

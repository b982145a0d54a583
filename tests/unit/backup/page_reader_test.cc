#include "page_reader.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/base/crc32c.h"
#include "hbk/innodb/page_image.h"

#include "tablespace_image.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::page_reader_test {
namespace {

using ::hbk::testing::FaultKind;
using ::hbk::testing::FaultyFileSystem;
using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using std::chrono::microseconds;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::StartsWith;
using namespace std::chrono_literals;

constexpr size_t kPageBytes = 16384;

class PageReaderTest : public ::testing::Test {
 protected:
  PageReaderTest() : content_(MakeTablespace(image_)) {}

  void Open(std::optional<innodb::DoublewriteBuffer> doublewrite = std::nullopt) {
    fs_.PutFile("/t.ibd", content_);
    auto file = fs_.Open("/t.ibd", {.write = true, .direct = true});
    HBK_CHECK(file.ok());
    file_ = std::move(*file);
    reader_ = std::make_unique<PageReader>(
        *file_, PageLayout{image_.space_id, 0, image_.flags, doublewrite}, [this](microseconds d) {
          waited_ += d;
          if (while_waiting) while_waiting();
        });
  }

  // What a read of the whole file got, checked.
  Result<std::optional<PageFault>> Heal(std::string read) {
    read_ = std::move(read);
    const MutableByteView view(reinterpret_cast<uint8_t*>(read_.data()), read_.size());
    return reader_->HealPages(0, view, scratch_, stop_.get_token(), notes_);
  }

  // Makes page 3 one of the old format that is compressed and encrypted.
  std::string PutUnverifiable() {
    image_.flags = innodb::TablespaceFlags::Decode(0x10021).value();
    content_ = MakeTablespace(image_);
    std::string bytes = content_.substr(3 * kPageBytes, kPageBytes);
    const MutableByteView view(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
    StoreBe32(view, innodb::kFilChecksum, 0xDEADBEEF);
    StoreBe16(view, innodb::kFilType, innodb::kPageCompressedEncrypted);
    StoreBe16(view, innodb::kFilData, 1000);
    StoreBe16(view, innodb::kOldEncryptedAlgorithm, 1);
    content_.replace(3 * kPageBytes, kPageBytes, bytes);
    return bytes;
  }

  std::string Torn(size_t page) const {
    std::string torn = content_;
    torn.replace(page * kPageBytes + 8192, 4096, std::string(4096, '!'));
    return torn;
  }
  void WriteFile(const std::string& bytes) { HBK_CHECK(file_->WriteAt(0, AsBytes(bytes)).ok()); }

  TablespaceImage image_;
  std::string content_;
  MemFileSystem fs_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<PageReader> reader_;
  AlignedBuffer scratch_{PageReader::kScratchBytes};
  std::stop_source stop_;
  std::function<void()> while_waiting;
  microseconds waited_{0};
  std::string read_;
  PageNotes notes_;
};

TEST_F(PageReaderTest, GoodPagesAreNotReadAgain) {
  Open();

  EXPECT_THAT(Heal(content_), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_EQ(read_, content_);
  EXPECT_EQ(notes_.retried_pages, 0U);
}

TEST_F(PageReaderTest, ATornReadHealsWithTheNext) {
  Open();

  EXPECT_THAT(Heal(Torn(3)), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_EQ(read_, content_);
  EXPECT_EQ(notes_.retried_pages, 1U);
  EXPECT_EQ(waited_, 0us);
}

TEST_F(PageReaderTest, APageThatIsTornForAWhileHealsLater) {
  Open();
  WriteFile(Torn(2));
  while_waiting = [this] {
    if (waited_ > 300ms) WriteFile(content_);
  };

  EXPECT_THAT(Heal(Torn(2)), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_EQ(read_, content_);
}

TEST_F(PageReaderTest, APageThatStaysBadIsNamedAfterFiveSeconds) {
  Open();
  WriteFile(Torn(6));

  const auto fault = Heal(Torn(6));

  ASSERT_THAT(fault, IsOk());
  ASSERT_TRUE(fault.value().has_value());
  EXPECT_THAT(Describe(**fault), StartsWith("page 5:6 at offset 98304: bad checksum (checksum 0x"));
  EXPECT_GE(waited_, 5s);
  EXPECT_LT(waited_, 6s);
}

TEST_F(PageReaderTest, AZeroPageIsLegal) {
  Open();
  std::string read = content_;
  read.replace(4 * kPageBytes, kPageBytes, std::string(kPageBytes, '\0'));

  EXPECT_THAT(Heal(read), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(PageReaderTest, AGoodPageOfAnotherPlaceIsAFault) {
  content_.replace(4 * kPageBytes, kPageBytes, content_.substr(5 * kPageBytes, kPageBytes));
  Open();

  const auto fault = Heal(content_);

  ASSERT_THAT(fault, IsOk());
  EXPECT_EQ((*fault)->verdict, innodb::PageVerdict::kWrongPageNo);
}

TEST_F(PageReaderTest, AGoodPageOfAnotherSpaceIsNotWaitedFor) {
  TablespaceImage other = image_;
  other.space_id = 77;
  content_.replace(4 * kPageBytes, kPageBytes, MakePage(other, 4, 'z'));
  Open();

  const auto fault = Heal(content_);

  ASSERT_THAT(fault, IsOk());
  EXPECT_EQ((*fault)->verdict, innodb::PageVerdict::kWrongSpaceId);
  EXPECT_LT(waited_, 100ms);
}

TEST_F(PageReaderTest, APageBeyondTheEndIsGone) {
  Open();
  HBK_CHECK(file_->Truncate(4 * kPageBytes).ok());

  const auto fault = Heal(Torn(5));

  ASSERT_THAT(fault, IsOk());
  EXPECT_TRUE((*fault)->is_gone);
}

TEST_F(PageReaderTest, PagesOfTheDoublewriteBufferAreNotBelievedAndZeroed) {
  Open(innodb::DoublewriteBuffer{.first = {2, 4}, .block_pages = 2});
  std::string expected = content_;
  expected.replace(2 * kPageBytes, 4 * kPageBytes, std::string(4 * kPageBytes, '\0'));

  EXPECT_THAT(Heal(Torn(3)), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_EQ(read_, expected);
}

TEST_F(PageReaderTest, StopsWaitingWhenToldTo) {
  Open();
  WriteFile(Torn(1));
  while_waiting = [this] {
    stop_.request_stop();
  };

  EXPECT_THAT(Heal(Torn(1)), StatusIs(StatusCode::kInterrupted, _));
}

TEST_F(PageReaderTest, AfterSomeDamagedPagesTheOthersGetLessTime) {
  Open();
  WriteFile(std::string(content_.size(), '!'));
  for (size_t page = 1; page < 4; ++page) {
    std::string read = content_;
    read[page * kPageBytes + 9000] ^= 1;
    ASSERT_THAT(Heal(read), IsOk());
  }
  waited_ = 0us;

  ASSERT_THAT(Heal(Torn(5)), IsOk());

  EXPECT_LT(waited_, 500ms);
}

TEST_F(PageReaderTest, KeyVersionsOfEncryptedPagesAreNoted) {
  for (const size_t page : {size_t{2}, size_t{3}, size_t{5}}) {
    std::string bytes = content_.substr(page * kPageBytes, kPageBytes);
    const MutableByteView view(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
    StoreBe32(view, innodb::kFilChecksum, page == 5 ? 8 : 7);
    StoreBe32(view, kPageBytes - 4, Crc32c(ByteView(view).first(kPageBytes - 4)));
    content_.replace(page * kPageBytes, kPageBytes, bytes);
  }
  Open();

  EXPECT_THAT(Heal(content_), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_THAT(notes_.key_versions, ElementsAre(7, 8));
}

TEST_F(PageReaderTest, WhatACompressedPageDoesNotUseIsZeroed) {
  std::string bytes = content_.substr(3 * kPageBytes, kPageBytes);
  const MutableByteView view(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
  StoreBe16(view, innodb::kFilType, 0x8000 | 2);
  StoreBe32(view, 508, Crc32c(ByteView(view).first(508)));
  content_.replace(3 * kPageBytes, kPageBytes, bytes);
  Open();

  EXPECT_THAT(Heal(content_), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_EQ(read_.substr(3 * kPageBytes, 512), content_.substr(3 * kPageBytes, 512));
  EXPECT_EQ(read_.substr(3 * kPageBytes + 512, kPageBytes - 512), std::string(kPageBytes - 512, 0));
  EXPECT_EQ(read_.substr(4 * kPageBytes), content_.substr(4 * kPageBytes));
}

TEST_F(PageReaderTest, APageWithoutChecksumIsReadUntilTwoReadsAgree) {
  const std::string bytes = PutUnverifiable();
  Open();
  std::string torn = content_;
  torn.replace(3 * kPageBytes + 500, 100, std::string(100, '!'));

  EXPECT_THAT(Heal(torn), IsOkAndHolds(Eq(std::nullopt)));

  EXPECT_EQ(read_.substr(3 * kPageBytes, 1042), bytes.substr(0, 1042));
  EXPECT_EQ(waited_, 1ms);
}

TEST_F(PageReaderTest, AHealedPageWithoutChecksumIsReadOnceMore) {
  PutUnverifiable();
  Open();
  FaultyFileSystem faulty(fs_);
  file_ = std::move(faulty.Open("/t.ibd", {.direct = true})).value();
  reader_ = std::make_unique<PageReader>(
      *file_, PageLayout{image_.space_id, 0, image_.flags, std::nullopt}, [](microseconds) {});
  std::string bad_head = content_;
  bad_head.replace(3 * kPageBytes, 16, std::string(16, '!'));
  faulty.Arm(FaultKind::kIoError, 2);

  EXPECT_FALSE(Heal(bad_head).ok());
  EXPECT_TRUE(faulty.has_fired());
}

TEST(ReadFirstPageTest, ATornFirstPageHeals) {
  const TablespaceImage image;
  const std::string content = MakeTablespace(image);
  MemFileSystem fs;
  std::string torn = content;
  torn[9000] = '!';
  fs.PutFile("/t.ibd", torn);
  const auto file = fs.Open("/t.ibd", {.write = true});
  ASSERT_THAT(file, IsOk());
  AlignedBuffer scratch(PageReader::kScratchBytes);
  const Sleep heal = [&](microseconds) {
    HBK_CHECK(file.value()->WriteAt(0, AsBytes(content)).ok());
  };

  const auto first =
      ReadFirstPage(*file.value(), content.size(), 16384, scratch, 5s, heal, std::stop_token());

  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first.value().kind, innodb::FirstPageKind::kValid);
  EXPECT_EQ(first.value().header.space_id, image.space_id);
}

}  // namespace
}  // namespace hbk::backup::page_reader_test

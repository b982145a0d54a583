#include "hbk/delta/mariadb_backup_delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::delta::mariadb_backup_delta_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint32_t kPage = 1024;
constexpr size_t kPagesInBlock = kPage / 4 - 1;
constexpr const char* kPath = "/i/t.ibd.delta";

MutableByteView MutableBytes(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(MutableBytes(bytes), 0, value);
  return bytes;
}

// A block as mariadb-backup writes it; the image of page N is letters of N.
std::string Block(const std::vector<uint32_t>& pages, bool is_last, uint32_t page_size = kPage) {
  std::string head = is_last ? "XTRA" : "xtra";
  std::string images;
  for (const uint32_t page : pages) {
    head += Be32(page);
    images += std::string(page_size, static_cast<char>('a' + page % 26));
  }
  if (head.size() < page_size) head += Be32(UINT32_MAX);
  head.resize(page_size);
  return head + images;
}

std::vector<uint32_t> Numbers(uint32_t first, size_t count) {
  std::vector<uint32_t> numbers;
  for (size_t i = 0; i < count; ++i)
    numbers.push_back(first + static_cast<uint32_t>(i));
  return numbers;
}

class MariadbBackupDeltaTest : public ::testing::Test {
 protected:
  std::unique_ptr<MariadbBackupDelta> Open(const std::string& bytes, uint32_t page_size = kPage) {
    fs_.PutFile(kPath, bytes);
    auto reader = MariadbBackupDelta::Open(fs_, kPath, page_size);
    EXPECT_THAT(reader, IsOk());
    return std::move(reader).value();
  }
  Result<std::vector<DeltaRun>> IndexOf(const std::string& bytes, uint32_t page_size = kPage) {
    const auto visit = [&](uint32_t page, ByteView image) {
      EXPECT_EQ(image.size(), page_size);
      EXPECT_EQ(image[0], 'a' + page % 26);
      seen_.push_back(page);
      return OkStatus();
    };
    return Open(bytes, page_size)->ReadIndex(visit, {});
  }

  MemFileSystem fs_;
  std::vector<uint32_t> seen_;
};

TEST_F(MariadbBackupDeltaTest, PagesBecomeRuns) {
  const auto runs = IndexOf(Block({3, 4, 9}, true));

  ASSERT_THAT(runs, IsOk());
  EXPECT_THAT(*runs,
              ElementsAre(DeltaRun{3, 2, 2 * kPage, kPage}, DeltaRun{9, 1, kPage, 3 * kPage}));
  EXPECT_THAT(seen_, ElementsAre(3, 4, 9));
}

TEST_F(MariadbBackupDeltaTest, AFileWithoutChangesIsOneHead) {
  const auto runs = IndexOf(Block({}, true));

  ASSERT_THAT(runs, IsOk());
  EXPECT_TRUE(runs->empty());
}

TEST_F(MariadbBackupDeltaTest, BlocksFollowOneAnother) {
  const auto first = Numbers(0, kPagesInBlock);
  const auto second = Numbers(kPagesInBlock, kPagesInBlock);
  const std::string bytes = Block(first, false) + Block(second, true);

  const auto runs = IndexOf(bytes);

  ASSERT_THAT(runs, IsOk());
  // The head of the second block lies between them.
  EXPECT_THAT(*runs, ElementsAre(DeltaRun{0, kPagesInBlock, kPagesInBlock * kPage, kPage},
                                 DeltaRun{kPagesInBlock, kPagesInBlock, kPagesInBlock * kPage,
                                          (kPagesInBlock + 2) * kPage}));
  std::string image(runs->back().byte_count, '\0');
  ASSERT_THAT(Open(bytes)->ReadRun(runs->back(), MutableBytes(image)), IsOk());
  EXPECT_EQ(image, bytes.substr((kPagesInBlock + 2) * kPage));
}

TEST_F(MariadbBackupDeltaTest, ZerosAtTheEndOfAPageAreLeftOut) {
  constexpr uint32_t kLarge = 16384;
  std::string bytes = Block({7, 8}, true, kLarge);
  std::fill(bytes.begin() + kLarge + 5000, bytes.begin() + 2 * kLarge, '\0');

  const auto runs = IndexOf(bytes, kLarge);

  ASSERT_THAT(runs, IsOk());
  EXPECT_THAT(*runs, ElementsAre(DeltaRun{7, 1, 8192, kLarge}, DeltaRun{8, 1, kLarge, 2 * kLarge}));
}

TEST_F(MariadbBackupDeltaTest, TheFirstPageIsFoundAlone) {
  std::string image(kPage, '\0');

  EXPECT_EQ(Open(Block({0, 4}, true))->ReadFirst(MutableBytes(image)).value(), true);
  EXPECT_EQ(image, std::string(kPage, 'a'));
  EXPECT_EQ(Open(Block({1, 4}, true))->ReadFirst(MutableBytes(image)).value(), false);
  EXPECT_EQ(Open(Block({}, true))->ReadFirst(MutableBytes(image)).value(), false);
}

TEST_F(MariadbBackupDeltaTest, AVisitorEndsIt) {
  const auto visit = [](uint32_t, ByteView) {
    return CorruptionError("no");
  };

  EXPECT_THAT(Open(Block({3}, true))->ReadIndex(visit, {}),
              StatusIs(StatusCode::kCorruption, "no"));
}

TEST_F(MariadbBackupDeltaTest, WhatMariadbBackupNeverWritesIsRefused) {
  const std::string good = Block({3, 4}, true);
  const std::map<std::string, std::string> cases = {
      {"offset 0: the file is cut off", ""},
      {"offset 3071: the file is cut off", good.substr(0, good.size() - 1)},
      {"offset 3072: bytes behind the last block", good + "x"},
      {"offset 0: no block of pages begins here", "Xtra" + good.substr(4)},
      {"offset 8: page 3, where 4 is the least", Block({3, 3}, true)},
      {"page 2, where 4 is the least", Block({3, 2}, true)},
      {"a block that is not full, and not the last one", Block({3}, false) + Block({4}, true)},
      {"page 2, where 255 is the least",
       Block(Numbers(0, kPagesInBlock), false) + Block({2}, true)},
      {"the file is cut off", Block(Numbers(0, kPagesInBlock), false)},
  };
  for (const auto& [message, bytes] : cases)
    EXPECT_THAT(IndexOf(bytes), StatusIs(StatusCode::kCorruption, HasSubstr(message)));
}

TEST(MariadbBackupMetaTest, IsRead) {
  const auto plain = ParseMariadbBackupMeta("page_size = 16384\nzip_size = 0 \nspace_id = 7\n");
  const auto zip = ParseMariadbBackupMeta("page_size = 4096\nzip_size = 4096 \nspace_id = 8\n");

  ASSERT_THAT(plain, IsOk());
  EXPECT_EQ(*plain, (MariadbBackupMeta{16384, 0, 7}));
  ASSERT_THAT(zip, IsOk());
  EXPECT_EQ(*zip, (MariadbBackupMeta{4096, 4096, 8}));
}

TEST(MariadbBackupMetaTest, WhatCannotBeIsRefused) {
  const std::map<std::string, std::string> cases = {
      {"space_id is missing", "page_size = 16384\nzip_size = 0\n"},
      {"page_size 1000", "page_size = 1000\nzip_size = 0\nspace_id = 7\n"},
      {"page_size 131072", "page_size = 131072\nzip_size = 0\nspace_id = 7\n"},
      {"zip_size 8192", "page_size = 16384\nzip_size = 8192\nspace_id = 7\n"},
      {"zip_size 32768", "page_size = 32768\nzip_size = 32768\nspace_id = 7\n"},
      {"no tablespace 4294967295", "page_size = 16384\nzip_size = 0\nspace_id = 4294967295\n"},
      {"space_id is no number", "page_size = 16384\nzip_size = 0\nspace_id = -1\n"},
      {"page_size is there twice", "page_size = 16384\npage_size = 16384\n"},
      {"says nothing", "nonsense\n"},
  };
  for (const auto& [message, text] : cases) {
    EXPECT_THAT(ParseMariadbBackupMeta(text),
                StatusIs(StatusCode::kCorruption, HasSubstr(message)));
  }
}

}  // namespace
}  // namespace hbk::delta::mariadb_backup_delta_test

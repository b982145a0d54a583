#include "delta_target.h"

#include <stop_token>
#include <string>
#include <vector>

#include "tablespace_image.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::delta_target_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using manifest::FileContent;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr size_t kPageBytes = 16384;

std::string PageOf(Lsn lsn, char fill = 'x') {
  std::string page(kPageBytes, fill);
  StoreBe64(MutableByteView(reinterpret_cast<uint8_t*>(page.data()), page.size()), innodb::kFilLsn,
            lsn);
  return page;
}
const std::string kZeros(kPageBytes, '\0');

class DeltaTargetTest : public ::testing::Test {
 protected:
  DeltaTargetTest() { fs_.PutDirectory("/t"); }

  // Writes the pages as one chunk at `offset`.
  CopyResult Write(const PageChoice& choice, const std::string& pages, uint64_t offset = 0,
                   const std::vector<uint64_t>& damaged = {}) {
    DeltaTarget target(fs_, {"/t/a.hbk_delta", 5, flags_, choice});
    EXPECT_THAT(target.Write({offset, AsBytes(pages), pages.size(), damaged}), IsOk());
    EXPECT_THAT(target.SkipHole(kCopyBufferBytes), hbk::testing::IsOk());
    CopyResult result;
    EXPECT_THAT(target.Finish(pages.size(), result), IsOk());
    return result;
  }
  // First page and number of pages of each run.
  std::vector<std::pair<uint32_t, uint32_t>> Runs() {
    auto reader = delta::DeltaReader::Open(fs_, "/t/a.hbk_delta");
    HBK_CHECK(reader.ok());
    EXPECT_EQ((*reader)->header(), (delta::DeltaHeader{kPageBytes, 5}));
    const auto index = (*reader)->ReadIndex({});
    HBK_CHECK(index.ok());
    std::vector<std::pair<uint32_t, uint32_t>> runs;
    for (const delta::DeltaRun& run : *index) {
      runs.emplace_back(run.first_page, run.page_count);
      byte_counts_.push_back(run.byte_count);
    }
    return runs;
  }

  MemFileSystem fs_;
  innodb::TablespaceFlags flags_ = innodb::TablespaceFlags::FullCrc32(kPageBytes);
  std::vector<uint32_t> byte_counts_;
};

TEST_F(DeltaTargetTest, PagesAboveTheEndOfTheBaseAreInIt) {
  const CopyResult result =
      Write({.above_lsn = 100}, PageOf(101) + PageOf(102) + PageOf(100) + kZeros + PageOf(200),
            kCopyBufferBytes);

  EXPECT_THAT(Runs(), ElementsAre(Pair(64, 2), Pair(68, 1)));
  EXPECT_EQ(result.content, FileContent::kDelta);
  EXPECT_EQ(result.delta_page_count, 3U);
  EXPECT_FALSE(result.replaces_base);
  const std::string file = fs_.Contents("/t/a.hbk_delta");
  EXPECT_EQ(result.delta_size, file.size());
  EXPECT_EQ(result.digest, filter::DigestOf(AsBytes(file)));
}

TEST_F(DeltaTargetTest, WithoutSuchAPageThereIsNoFile) {
  const CopyResult result = Write({.above_lsn = 100}, PageOf(100) + kZeros + PageOf(0));

  EXPECT_EQ(result.content, FileContent::kBase);
  EXPECT_EQ(result.digest, "");
  EXPECT_TRUE(fs_.Tree("/t").empty());
}

TEST_F(DeltaTargetTest, PagesWithoutAnLsnAreTakenWhereTheyMayBeImported) {
  (void)Write({.above_lsn = 100, .takes_lsn_zero = true}, PageOf(50) + PageOf(0) + kZeros);
  EXPECT_THAT(Runs(), ElementsAre(Pair(1, 1)));
}

TEST_F(DeltaTargetTest, WhatReplacesTheBaseHasAllPagesThatAreNotZeros) {
  const CopyResult result =
      Write({.above_lsn = 100, .replaces_base = true}, PageOf(50) + kZeros + PageOf(0));

  EXPECT_THAT(Runs(), ElementsAre(Pair(0, 1), Pair(2, 1)));
  EXPECT_TRUE(result.replaces_base);
}

TEST_F(DeltaTargetTest, WhatReplacesTheBaseIsADeltaThoughItHasNoPages) {
  const CopyResult result = Write({.above_lsn = 100, .replaces_base = true}, kZeros);

  EXPECT_EQ(result.content, FileContent::kDelta);
  EXPECT_EQ(result.delta_size, 0U);
  EXPECT_TRUE(fs_.Tree("/t").empty());
}

// What the server has is damaged, so what it says of its age is, too.
TEST_F(DeltaTargetTest, DamagedPagesAreTaken) {
  (void)Write({.above_lsn = 100}, PageOf(50) + PageOf(50), 0, {kPageBytes});
  EXPECT_THAT(Runs(), ElementsAre(Pair(1, 1)));
}

TEST_F(DeltaTargetTest, CompressedPagesAreRunsOfTheirOwnWithoutTheirZeros) {
  flags_ = innodb::TablespaceFlags::Decode(0x35).value();
  std::string page = PageOf(200);
  std::fill(page.begin() + 5000, page.end(), '\0');

  (void)Write({.above_lsn = 100}, page + PageOf(201));

  EXPECT_THAT(Runs(), ElementsAre(Pair(0, 1), Pair(1, 1)));
  EXPECT_THAT(byte_counts_, ElementsAre(5000U, kPageBytes));
}

TEST_F(DeltaTargetTest, WhatIsDiscardedLeavesNothing) {
  const std::string page = PageOf(200);
  DeltaTarget target(fs_, {"/t/a.hbk_delta", 5, flags_, {.above_lsn = 100}});
  ASSERT_THAT(target.Write({0, AsBytes(page), page.size()}), IsOk());
  ASSERT_THAT(target.Discard(), IsOk());
  EXPECT_TRUE(fs_.Tree("/t").empty());
}

TEST_F(DeltaTargetTest, PagesThatShouldHaveBeenNamedAreTold) {
  const std::string pages = PageOf(90) + PageOf(150) + PageOf(160) + PageOf(250);
  for (const bool is_named : {true, false}) {
    DeltaTarget target(fs_, {.path = "/t/a.hbk_delta",
                             .space_id = 5,
                             .flags = flags_,
                             .choice = {.above_lsn = 100},
                             .named_pages = std::vector<PageNo>{is_named ? 1U : 0U, 2U},
                             .checked_to = 200});
    ASSERT_THAT(target.Write({0, AsBytes(pages), pages.size()}), IsOk());
    EXPECT_EQ(target.unnamed_page(), is_named ? std::nullopt : std::optional<PageNo>(1));
    ASSERT_THAT(target.Discard(), IsOk());
  }
}

}  // namespace
}  // namespace hbk::backup::delta_target_test

#include "page_journal.h"

#include <random>

#include <gtest/gtest.h>

#include "hbk/innodb/page.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::page_journal_test {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr size_t kPageSize = 4096;
constexpr size_t kSectorSize = 512;
const std::string kFile = "db/t.ibd";

// Images of page 1 as it is changed again and again.
std::vector<std::string> MakeImages(std::mt19937& random) {
  std::vector<std::string> images(3, testing::MakePage(kPageSize, {5, 1}, 100, 10));
  for (size_t i = 1; i < images.size(); ++i) {
    images[i] = images[i - 1];
    for (int change = 0; change < 40; ++change)
      images[i][38 + random() % (kPageSize - 38)] = static_cast<char>(random());
    StoreBe64(testing::MutableBytes(images[i]), innodb::kFilLsn, 100 * (i + 1));
  }
  return images;
}

std::string Mixture(const std::string& a, const std::string& b, std::mt19937& random) {
  std::string page;
  for (size_t at = 0; at < kPageSize; at += kSectorSize)
    page += (random() % 2 == 0 ? a : b).substr(at, kSectorSize);
  return page;
}

class PageJournalTest : public ::testing::Test {
 protected:
  void PutPage(const std::string& image) {
    fs_.PutFile("/b/" + kFile, std::string(kPageSize, '0') + image);
  }
  std::string Page() { return fs_.Contents("/b/" + kFile).substr(kPageSize); }

  Status Journal(PageJournal& journal, const std::string& old_image, const std::string& image) {
    JournalPage page;
    page.name = kFile;
    page.offset = kPageSize;
    page.lsn = innodb::PageLsn(AsBytes(image));
    page.old_image = AsBytes(old_image);
    page.new_image = AsBytes(image);
    HBK_RETURN_IF_ERROR(journal.Add(page));
    return journal.Commit();
  }

  MemFileSystem fs_;
};

TEST_F(PageJournalTest, AnyMixtureOfOldAndNewSectorsBecomesTheNewPage) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto images = MakeImages(random);
    MemFileSystem fresh;
    PutPage(Mixture(images[0], images[1], random));
    PageJournal journal(fs_, "/b", seed, 1 << 16);
    ASSERT_THAT(Journal(journal, images[0], images[1]), IsOk());

    EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(true));

    EXPECT_EQ(Page(), images[1]) << seed;
    ASSERT_THAT(RemoveJournals(fs_, "/b"), IsOk());
  }
}

TEST_F(PageJournalTest, TwoEntriesOfAPageGiveTheLaterOne) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto images = MakeImages(random);
    PutPage(Mixture(images[1], images[2], random));
    PageJournal journal(fs_, "/b", seed, 1 << 16);
    ASSERT_THAT(Journal(journal, images[0], images[1]), IsOk());
    ASSERT_THAT(Journal(journal, images[1], images[2]), IsOk());

    EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(true));

    EXPECT_EQ(Page(), images[2]) << seed;
    ASSERT_THAT(RemoveJournals(fs_, "/b"), IsOk());
  }
}

TEST_F(PageJournalTest, TornBatchIsNotReplayed) {
  std::mt19937 random(1);
  const auto images = MakeImages(random);
  PageJournal journal(fs_, "/b", 0, 1 << 16);
  fs_.PutDirectory("/b");
  ASSERT_THAT(Journal(journal, images[0], images[1]), IsOk());
  const std::string bytes = fs_.Contents("/b/hbk_prepare.journal.0");
  for (size_t size = 0; size < bytes.size(); size += 7) {
    PutPage(images[0]);
    fs_.PutFile("/b/hbk_prepare.journal.0", bytes.substr(0, size));

    EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(false));

    EXPECT_EQ(Page(), images[0]);
  }
}

TEST_F(PageJournalTest, ReplayOfAChangedFileIsAnError) {
  std::mt19937 random(1);
  const auto images = MakeImages(random);
  std::string foreign = images[0];
  foreign[3000] = static_cast<char>(foreign[3000] + 1);
  foreign[3001] = static_cast<char>(foreign[3001] + 1);
  PutPage(foreign);
  PageJournal journal(fs_, "/b", 0, 1 << 16);
  ASSERT_THAT(Journal(journal, images[0], images[1]), IsOk());

  EXPECT_THAT(ReplayJournals(fs_, "/b"), StatusIs(StatusCode::kCorruption, HasSubstr(kFile)));
}

TEST_F(PageJournalTest, RestartedJournalForgetsWhatItHad) {
  std::mt19937 random(1);
  const auto images = MakeImages(random);
  PutPage(images[1]);
  PageJournal journal(fs_, "/b", 0, 1 << 16);
  ASSERT_THAT(Journal(journal, images[0], images[1]), IsOk());
  ASSERT_THAT(journal.Restart(), IsOk());

  EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(false));
}

}  // namespace
}  // namespace hbk::prepare::page_journal_test

// What page_journal_test.cc leaves out: several journals, batches out of order, and journals that
// PageJournal does not write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"
#include "hbk/innodb/page.h"

#include "journal_format.h"
#include "page_journal.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::journal_replay_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::FaultKind;
using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MemFileSystem;
using testing::MutableBytes;
using testing::StatusIs;

constexpr size_t kPageSize = 4096;
const std::string kDir = "/b";

std::string Image(innodb::PageNo page, innodb::Lsn lsn, char fill) {
  std::string image =
      testing::MakePage(kPageSize, {.space = 5, .page = page}, lsn, innodb::kPageBlob);
  return image.replace(100, 50, 50, fill);
}

std::string Le(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i)
    out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

// One page of a batch, all of it: what PageJournal never writes can be written with it.
struct RawEntry {
  std::string name = "a.ibd";
  uint64_t offset = 0;
  uint64_t page_size = kPageSize;
  uint64_t range_offset = 100;
  std::string range_bytes = "new";

  [[nodiscard]] std::string Bytes() const {
    return Le(name.size(), 2) + name + Le(offset, 8) + Le(page_size, 4) + Le(200, 8) + Le(0, 4) +
           Le(1, 4) + Le(range_offset, 4) + Le(range_bytes.size(), 4) + range_bytes;
  }
};

std::string Batch(uint64_t number, const std::string& payload) {
  const std::string head = Le(kJournalMagic, 8) + Le(number, 8) + Le(payload.size(), 4) +
                           Le(Crc32c(AsBytes(payload)), 4);
  return head + Le(Crc32c(AsBytes(head)), 4) + payload;
}

class JournalReplayTest : public ::testing::Test {
 protected:
  JournalReplayTest() { fs_.PutDirectory(kDir); }

  static std::string JournalPath(int number) {
    return kDir + "/" + std::string(kJournalPrefix) + std::to_string(number);
  }
  // Adds a page as a batch of its own.
  void Add(PageJournal& journal, std::string_view name, uint64_t offset,
           const std::string& old_image, const std::string& image) {
    JournalPage page;
    page.name = name;
    page.offset = offset;
    page.lsn = innodb::PageLsn(AsBytes(image));
    page.old_image = AsBytes(old_image);
    page.new_image = AsBytes(image);
    ASSERT_THAT(journal.Add(page), IsOk());
    ASSERT_THAT(journal.Commit(), IsOk());
  }
  // A journal with one page of each of two files, which are both still old.
  void PutTwoFiles() {
    fs_.PutFile(kDir + "/a.ibd", old_);
    fs_.PutFile(kDir + "/b.ibd", old_);
    PageJournal journal(fs_, kDir, 0, 1 << 16);
    Add(journal, "a.ibd", 0, old_, new_);
    Add(journal, "b.ibd", 0, old_, new_);
  }
  std::string File(const std::string& name) { return fs_.Contents(kDir + "/" + name); }

  MemFileSystem fs_;
  const std::string old_ = Image(1, 100, 'o');
  const std::string new_ = Image(1, 200, 'n');
};

TEST_F(JournalReplayTest, NoJournalIsNothingToDo) {
  EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(false));
  EXPECT_THAT(RemoveJournals(fs_, kDir), IsOk());
}

TEST_F(JournalReplayTest, JournalsOfAllWorkersAreReplayed) {
  fs_.PutFile(kDir + "/a.ibd", old_ + Image(2, 100, 'o'));
  PageJournal first(fs_, kDir, 0, 1 << 16);
  PageJournal second(fs_, kDir, 11, 1 << 16);
  Add(first, "a.ibd", 0, old_, new_);
  Add(second, "a.ibd", kPageSize, Image(2, 100, 'o'), Image(2, 300, 'm'));

  EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true));

  EXPECT_EQ(File("a.ibd"), new_ + Image(2, 300, 'm'));
}

TEST_F(JournalReplayTest, ChangedFilesAreSynced) {
  PutTwoFiles();

  ASSERT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true));
  fs_.Crash(0);

  EXPECT_EQ(File("a.ibd"), new_);
  EXPECT_EQ(File("b.ibd"), new_);
}

TEST_F(JournalReplayTest, ReplayedTwiceGivesTheSame) {
  PutTwoFiles();
  ASSERT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true));

  EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true));

  EXPECT_EQ(File("a.ibd"), new_);
  EXPECT_EQ(File("b.ibd"), new_);
}

TEST_F(JournalReplayTest, ReplayThatIsKilledAnywhereCanBeDoneAgain) {
  for (uint32_t k = 1;; ++k) {
    PutTwoFiles();
    FaultyFileSystem faulty(fs_);
    faulty.Arm(FaultKind::kCrash, k);
    const auto replayed = ReplayJournals(faulty, kDir);
    if (!faulty.has_fired()) break;
    EXPECT_FALSE(replayed.ok()) << k;
    fs_.Crash(k);

    EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true)) << k;

    EXPECT_EQ(File("a.ibd"), new_) << k;
    EXPECT_EQ(File("b.ibd"), new_) << k;
    ASSERT_THAT(RemoveJournals(fs_, kDir), IsOk());
  }
}

TEST_F(JournalReplayTest, PageBehindTheEndOfItsFileIsMade) {
  fs_.PutFile(kDir + "/a.ibd", old_);
  PageJournal journal(fs_, kDir, 0, 1 << 16);
  Add(journal, "a.ibd", kPageSize, "", Image(2, 300, 'm'));

  EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true));

  EXPECT_EQ(File("a.ibd"), old_ + Image(2, 300, 'm'));
}

TEST_F(JournalReplayTest, BatchThatDoesNotFollowTheOneBeforeIsNotReplayed) {
  const std::string second = RawEntry{.range_offset = 300}.Bytes();
  for (const uint64_t stale_number : {0U, 3U, 4U, 6U}) {
    fs_.PutFile(kDir + "/a.ibd", old_);
    PageJournal journal(fs_, kDir, 0, 1 << 16);
    Add(journal, "a.ibd", 0, old_, new_);
    std::string bytes = fs_.Contents(JournalPath(0));
    bytes.replace(8, 8, Le(4, 8));
    const ByteView head = AsBytes(bytes).first(kJournalBatchCrcOffset);
    StoreLe32(MutableBytes(bytes), kJournalBatchCrcOffset, Crc32c(head));
    fs_.PutFile(JournalPath(0), bytes + Batch(stale_number, second));

    EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(true));

    EXPECT_EQ(File("a.ibd"), new_) << stale_number;
    ASSERT_THAT(RemoveJournals(fs_, kDir), IsOk());
  }
}

TEST_F(JournalReplayTest, DamagedBatchEndsTheJournal) {
  fs_.PutFile(kDir + "/a.ibd", old_);
  PageJournal journal(fs_, kDir, 0, 1 << 16);
  Add(journal, "a.ibd", 0, old_, new_);
  const std::string bytes = fs_.Contents(JournalPath(0));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    fs_.PutFile(JournalPath(0), damaged);

    EXPECT_THAT(ReplayJournals(fs_, kDir), IsOkAndHolds(false)) << at;
  }
  EXPECT_EQ(File("a.ibd"), old_);
}

TEST_F(JournalReplayTest, WholeBatchThatCannotBeReadIsCorruptionAndChangesNothing) {
  const std::string good = RawEntry{}.Bytes();
  const std::vector<std::string> payloads = {
      good.substr(0, 1),
      good.substr(0, good.size() - 1),
      RawEntry{.name = "../a.ibd"}.Bytes(),
      RawEntry{.name = "/b/a.ibd"}.Bytes(),
      RawEntry{.name = ""}.Bytes(),
      RawEntry{.page_size = 512}.Bytes(),
      RawEntry{.page_size = 2 * innodb::kPageSizeMax}.Bytes(),
      RawEntry{.range_offset = kPageSize - 2}.Bytes(),
      RawEntry{.range_offset = kPageSize + 1}.Bytes(),
      RawEntry{.range_offset = UINT32_MAX}.Bytes(),
  };
  for (size_t i = 0; i < payloads.size(); ++i) {
    fs_.PutFile(kDir + "/a.ibd", old_);
    fs_.PutFile(JournalPath(0), Batch(1, payloads[i]));

    EXPECT_THAT(ReplayJournals(fs_, kDir),
                StatusIs(StatusCode::kCorruption, HasSubstr("cannot be read")))
        << i;

    EXPECT_EQ(File("a.ibd"), old_) << i;
  }
}

TEST_F(JournalReplayTest, MissingFileSaysWhatWasBeingDone) {
  PutTwoFiles();
  ASSERT_THAT(fs_.Remove(kDir + "/b.ibd"), IsOk());

  EXPECT_THAT(ReplayJournals(fs_, kDir),
              StatusIs(StatusCode::kNotFound,
                       AllOf(HasSubstr("finishing an interrupted prepare"), HasSubstr("b.ibd"))));
}

TEST_F(JournalReplayTest, RemoveTakesTheJournalsOnlyAndForGood) {
  PutTwoFiles();
  fs_.PutFile(JournalPath(7), "rest");

  ASSERT_THAT(RemoveJournals(fs_, kDir), IsOk());
  fs_.Crash(0);

  const auto tree = fs_.Tree(kDir);
  EXPECT_EQ(tree.size(), 2U);
  EXPECT_THAT(tree, Contains(::testing::Key(kDir + "/a.ibd")));
  EXPECT_THAT(tree, Contains(::testing::Key(kDir + "/b.ibd")));
}

}  // namespace
}  // namespace hbk::prepare::journal_replay_test

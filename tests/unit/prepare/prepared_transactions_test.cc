#include "prepared_transactions.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_coder.h"

#include "page_journal.h"
#include "tests/support/coded_tablespace.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/undo_builder.h"

namespace hbk::prepare::prepared_transactions_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::kUndoActive;
using testing::kUndoCached;
using testing::kUndoPrepared;
using testing::kUndoStateOffset;
using testing::MakeServerXid;
using testing::MakeUserXid;
using testing::MutableBytes;
using testing::StatusIs;

constexpr innodb::Lsn kLsn = 5000;
constexpr innodb::SpaceId kUndoSpace = 3;
constexpr uint32_t kPageCount = 16;

// Page size, checksum and encryption of an instance.
struct Format {
  uint32_t flags;
  bool is_encrypted;
};

void PrintTo(const Format& format, std::ostream* out) {
  *out << std::hex << format.flags << (format.is_encrypted ? " encrypted" : "");
}

// An instance with a rollback segment in ibdata1 (page 6) and one in undo001 (page 4). Of their
// transactions the server had prepared two, a user one.
class PreparedTransactionsTest : public ::testing::TestWithParam<Format> {
 protected:
  PreparedTransactionsTest() {
    set_.dir = "/b";
    set_.page_size = size_;
    set_.system_files = {"ibdata1"};
    keys_.Add(1, 1);
    if (GetParam().is_encrypted) crypt_ = testing::MakeCryptData();
    PutFirstPages();
    PutPage(testing::MakeTrxSysPage(size_, kLsn, {{0, 6}, {kUndoSpace, 4}}));
    PutPage(testing::MakeRollbackSegmentPage(size_, {0, 6}, kLsn, {7, 8}));
    PutPage(testing::MakeRollbackSegmentPage(size_, {kUndoSpace, 4}, kLsn, {9, 10, 11}));
    PutUndoPage({0, 7}, kUndoCached, MakeServerXid());
    PutUndoPage({0, 8}, kUndoPrepared, MakeServerXid());
    PutUndoPage({kUndoSpace, 9}, kUndoPrepared, MakeUserXid());
    PutUndoPage({kUndoSpace, 10}, kUndoPrepared, MakeServerXid());
    PutUndoPage({kUndoSpace, 11}, kUndoActive, MakeServerXid());
  }

  void PutFirstPages() {
    for (const auto& [name, id] : {std::pair{"/b/ibdata1", 0U}, {"/b/undo001", kUndoSpace}}) {
      std::string file = testing::MakeCryptFirstPage(flags_, id, kPageCount, kLsn, crypt_);
      file.resize(size_t{kPageCount} * size_);
      fs_.PutFile(name, file);
    }
  }

  static std::string PathOf(innodb::SpaceId space) {
    return space == 0 ? "/b/ibdata1" : "/b/undo001";
  }

  void PutPage(std::string frame) {
    const innodb::PageId id{.space = innodb::PageSpaceId(AsBytes(frame)),
                            .page = innodb::PageNumber(AsBytes(frame))};
    innodb::PageCoder coder(id.space, flags_, crypt_, &keys_);
    std::string image(size_, '\0');
    ASSERT_THAT(coder.Encode(MutableBytes(frame), id, {}, MutableBytes(image)), IsOk());
    std::string file = fs_.Contents(PathOf(id.space));
    file.replace(size_t{id.page} * size_, size_, image);
    fs_.PutFile(PathOf(id.space), file);
  }
  void PutUndoPage(innodb::PageId id, uint16_t state, const testing::Xid& xid) {
    PutPage(testing::MakeUndoPage(size_, id, kLsn, state, xid));
  }

  std::string Image(innodb::PageId id) {
    return fs_.Contents(PathOf(id.space)).substr(size_t{id.page} * size_, size_);
  }
  std::string Frame(innodb::PageId id) {
    innodb::PageCoder coder(id.space, flags_, crypt_, &keys_);
    std::string frame(size_, '\0');
    EXPECT_THAT(coder.Decode(AsBytes(Image(id)), id, MutableBytes(frame)), IsOk());
    return frame;
  }
  uint16_t State(innodb::PageId id) { return LoadBe16(AsBytes(Frame(id)), kUndoStateOffset); }

  void Damage(innodb::PageId id) {
    std::string file = fs_.Contents(PathOf(id.space));
    file[size_t{id.page} * size_ + 2000] ^= 1;
    fs_.PutFile(PathOf(id.space), file);
  }

  Result<ActivatedTransactions> Activate(crypto::KeySource* keys) {
    return ActivatePreparedTransactions(fs_, set_, keys, damaged_, {});
  }

  const innodb::TablespaceFlags flags_ = *innodb::TablespaceFlags::Decode(GetParam().flags);
  const uint32_t size_ = flags_.physical_size();
  testing::MemFileSystem fs_;
  testing::FixedKeys keys_;
  std::optional<innodb::CryptData> crypt_;
  BackupSet set_;
  manifest::DamagedPageList damaged_;
};

TEST_P(PreparedTransactionsTest, ThoseOfTheServerBecomeActiveAndNothingElseChanges) {
  const std::string before = Frame({kUndoSpace, 10});
  const std::string of_user = Image({kUndoSpace, 9});

  const auto activated = Activate(&keys_);

  ASSERT_THAT(activated, IsOk());
  EXPECT_EQ(activated->transaction_count, 2U);
  EXPECT_THAT(activated->changed_files, ElementsAre("ibdata1", "undo001"));
  EXPECT_THAT(activated->unread_files, IsEmpty());
  EXPECT_EQ(State({0, 7}), kUndoCached);
  EXPECT_EQ(State({0, 8}), kUndoActive);
  EXPECT_EQ(Image({kUndoSpace, 9}), of_user);
  EXPECT_EQ(State({kUndoSpace, 11}), kUndoActive);
  // All but the state, and what sealing the page sets.
  std::string expected = before;
  StoreBe16(MutableBytes(expected), kUndoStateOffset, kUndoActive);
  const std::string after = Frame({kUndoSpace, 10});
  EXPECT_EQ(after.substr(4, size_ - 12), expected.substr(4, size_ - 12));
}

TEST_P(PreparedTransactionsTest, ASecondTimeThereIsNothingToDo) {
  ASSERT_THAT(Activate(&keys_), IsOk());
  const auto tree = fs_.Tree("/b");

  const auto again = Activate(&keys_);

  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->transaction_count, 0U);
  EXPECT_THAT(again->changed_files, IsEmpty());
  EXPECT_EQ(fs_.Tree("/b"), tree);
}

TEST_P(PreparedTransactionsTest, APowerCutAtAnyChangeIsMended) {
  const auto before = fs_.Tree("/b");
  ASSERT_THAT(Activate(&keys_), IsOk());
  const auto expected = fs_.Tree("/b");
  for (uint64_t k = 1;; ++k) {
    testing::MemFileSystem fs;
    for (const auto& [path, bytes] : before)
      fs.PutFile(path, bytes);
    testing::FaultyFileSystem faulty(fs);
    faulty.Arm(testing::FaultKind::kCrash, k);
    (void)ActivatePreparedTransactions(faulty, set_, &keys_, damaged_, {}).status().ok();
    if (!faulty.has_fired()) {
      EXPECT_GT(k, 8U);
      break;
    }
    fs.Crash(static_cast<uint32_t>(k));

    ASSERT_THAT(ReplayJournals(fs, "/b"), IsOk());
    ASSERT_THAT(RemoveJournals(fs, "/b"), IsOk());
    ASSERT_THAT(ActivatePreparedTransactions(fs, set_, &keys_, damaged_, {}), IsOk());

    ASSERT_TRUE(fs.Tree("/b") == expected) << k;
  }
}

TEST_P(PreparedTransactionsTest, DamagedPagesAreNamed) {
  for (const innodb::PageId id : {innodb::PageId{0, 5}, {0, 6}, {kUndoSpace, 10}}) {
    const auto before = fs_.Contents(PathOf(id.space));
    Damage(id);
    EXPECT_THAT(Activate(&keys_),
                StatusIs(StatusCode::kCorruption,
                         HasSubstr((id.space == 0 ? "ibdata1, page " : "undo001, page ") +
                                   std::to_string(id.page))));
    fs_.PutFile(PathOf(id.space), before);
  }
}

TEST_P(PreparedTransactionsTest, PagesThatAreKnownToBeDamagedAreLeftOut) {
  Damage({0, 6});
  Damage({kUndoSpace, 9});
  damaged_ = manifest::ParseDamagedPageList("innodb_system 0\n6\nundo001 3\n9\n").value();

  const auto activated = Activate(&keys_);

  ASSERT_THAT(activated, IsOk());
  EXPECT_EQ(activated->transaction_count, 1U);
  EXPECT_EQ(State({kUndoSpace, 10}), kUndoActive);

  Damage({0, 5});
  damaged_ = manifest::ParseDamagedPageList("innodb_system 0\n5\n").value();
  EXPECT_THAT(Activate(&keys_), IsOk());
}

TEST_P(PreparedTransactionsTest, PageBehindTheEndOfItsFileIsCorruption) {
  PutPage(testing::MakeRollbackSegmentPage(size_, {0, 6}, kLsn, {UINT32_MAX - 1}));

  EXPECT_THAT(Activate(&keys_),
              StatusIs(StatusCode::kCorruption, HasSubstr("page 4294967294: all zero")));
}

TEST_P(PreparedTransactionsTest, PageThatIsNoUndoLogIsCorruption) {
  PutPage(testing::MakeRollbackSegmentPage(size_, {0, 6}, kLsn, {6}));

  EXPECT_THAT(Activate(&keys_),
              StatusIs(StatusCode::kCorruption, HasSubstr("ibdata1, page 6: page type 6")));
}

TEST_P(PreparedTransactionsTest, TablespaceWithoutFileIsCorruptionUnlessItsFirstPageIsDamaged) {
  ASSERT_THAT(fs_.Remove("/b/undo001"), IsOk());
  EXPECT_THAT(Activate(&keys_), StatusIs(StatusCode::kCorruption, HasSubstr("tablespace 3")));
  damaged_ = manifest::ParseDamagedPageList("undo001 3\n0\n").value();

  EXPECT_THAT(Activate(&keys_), IsOk());
  EXPECT_EQ(State({0, 8}), kUndoActive);
}

TEST_P(PreparedTransactionsTest, WithoutKeysEncryptedFilesAreNamed) {
  const auto before = fs_.Tree("/b");

  const auto activated = Activate(nullptr);

  ASSERT_THAT(activated, IsOk());
  if (!GetParam().is_encrypted) {
    EXPECT_EQ(activated->transaction_count, 2U);
    return;
  }
  EXPECT_EQ(activated->transaction_count, 0U);
  EXPECT_THAT(activated->unread_files, ElementsAre("ibdata1", "undo001"));
  EXPECT_EQ(fs_.Tree("/b"), before);
}

TEST_P(PreparedTransactionsTest, ItCanBeStopped) {
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(ActivatePreparedTransactions(fs_, set_, &keys_, damaged_, stop.get_token()),
              StatusIs(StatusCode::kInterrupted, HasSubstr("interrupted")));
}

INSTANTIATE_TEST_SUITE_P(Formats, PreparedTransactionsTest,
                         ::testing::Values(Format{0x13, false}, Format{0x15, false},
                                           Format{0x17, false}, Format{0xC0, false},
                                           Format{0x1C0, false}, Format{0x13, true},
                                           Format{0x17, true}, Format{0xC0, true},
                                           Format{0x1C0, true}));

}  // namespace
}  // namespace hbk::prepare::prepared_transactions_test

#include "log_follower.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/redo/mini_transaction.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::log_follower_test {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::LogBuilder;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Lsn kFirstLsn = 50'000;
constexpr uint64_t kFileBytes = redo::kLogHeadBytes + 64 * 1024;
constexpr const char* kLogPath = "/data/ib_logfile0";
constexpr const char* kTargetPath = "/backup/ib_logfile0";

class ScriptedLsnSource final : public LsnSource {
 public:
  Result<LsnStatus> ReadLsn() override {
    if (before_answer) before_answer();
    if (!error.ok()) return error;
    return answer;
  }

  LsnStatus answer;
  Status error;
  std::function<void()> before_answer;  // what the server does between our read and our question
};

class LogFollowerTest : public ::testing::Test {
 protected:
  LogFollowerTest() : log_(kFirstLsn, kFileBytes) {
    fs_.PutDirectory("/backup");
    fs_.PutFile(kLogPath, log_.file());
    auto target = RedoTarget::Create(fs_, kTargetPath);
    HBK_CHECK(target.ok());
    target_ = std::move(*target);
  }

  void Open(Lsn start_lsn = 0) {
    auto ring = RedoRing::Open(fs_, kLogPath);
    HBK_CHECK(ring.ok());
    start_lsn_ = start_lsn != 0 ? start_lsn : (*ring)->checkpoint_at_open().checkpoint_lsn;
    follower_ = std::make_unique<LogFollower>(fs_, source_, *target_, std::move(*ring), start_lsn_);
  }

  // The server's log as it is now, written in place; everything in it is flushed.
  void WriteLog() {
    WriteInPlace(log_.file());
    source_.answer.flushed = source_.answer.current = log_.end_lsn();
    if (source_.answer.last_checkpoint == 0) source_.answer.last_checkpoint = kFirstLsn;
  }
  void WriteInPlace(const std::string& bytes) {
    auto file = fs_.Open(kLogPath, {.write = true});
    HBK_CHECK(file.ok());
    HBK_CHECK((*file)->WriteAt(0, AsBytes(bytes)).ok());
  }

  static MtrBuilder Mtr(int i) {
    MtrBuilder mtr;
    mtr.Write({7, 3}, 100, "row " + std::to_string(i) + std::string(200, 'x'));
    return mtr;
  }

  // A round to learn the fence, and one to read.
  Result<FollowRound> Advance() {
    auto first = follower_->Next(now_);
    if (!first.ok()) return first;
    return follower_->Next(now_);
  }

  std::string Copied() {
    HBK_CHECK(target_->Finish().ok());
    return fs_.Contents(kTargetPath);
  }

  MemFileSystem fs_;
  LogBuilder log_;
  ScriptedLsnSource source_;
  std::unique_ptr<RedoTarget> target_;
  std::unique_ptr<LogFollower> follower_;
  Lsn start_lsn_ = 0;
  LogFollower::TimePoint now_;
};

TEST_F(LogFollowerTest, CopiesWhatIsFlushed) {
  for (int i = 0; i < 3; ++i)
    log_.Append(Mtr(i));
  WriteLog();
  Open();

  ASSERT_THAT(Advance(), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), log_.end_lsn());
  EXPECT_EQ(Copied(), log_.file().substr(redo::kLogHeadBytes,
                                         static_cast<size_t>(log_.end_lsn() - kFirstLsn)));
}

TEST_F(LogFollowerTest, DoesNotTakeWhatLiesBeyondTheFence) {
  const Lsn fence = log_.Append(Mtr(0));
  log_.Append(Mtr(1));
  WriteLog();
  source_.answer.flushed = fence;
  Open();

  ASSERT_THAT(Advance(), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), fence);
}

TEST_F(LogFollowerTest, TakesWhatIsKnownToBeWrittenThoughItIsNotFlushed) {
  const Lsn flushed = log_.Append(Mtr(0));
  const Lsn written = log_.Append(Mtr(1));
  log_.Append(Mtr(2));
  WriteLog();
  source_.answer.flushed = flushed;
  Open();
  follower_->NoteWritten(written);
  follower_->NoteWritten(flushed);  // an older answer takes nothing back

  ASSERT_THAT(Advance(), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), written);
}

TEST_F(LogFollowerTest, ReadsOnlyUpToTheFenceThatWasKnownBeforeTheRead) {
  const Lsn first = log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(follower_->Next(now_), IsOk());
  log_.Append(Mtr(1));
  WriteLog();

  ASSERT_THAT(follower_->Next(now_), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), first);
}

TEST_F(LogFollowerTest, FollowsSeveralLapsAndWritesThemAsTheFirst) {
  Open();
  for (int i = 0; i < 1000; ++i) {
    log_.Append(Mtr(i));
    WriteLog();
    source_.answer.last_checkpoint = log_.end_lsn();
    if (i % 10 == 9) {
      ASSERT_THAT(Advance(), IsOk());
    }
  }
  ASSERT_GT(log_.end_lsn() - kFirstLsn, 3 * log_.geometry().capacity());

  const std::string copied = Copied();

  const redo::LogGeometry geometry(kFirstLsn, redo::kLogHeadBytes + copied.size());
  size_t index = 0;
  while (index < copied.size()) {
    const auto parse = redo::ParseMiniTransaction(AsBytes(copied).subspan(index), kFirstLsn + index,
                                                  geometry, false);
    ASSERT_EQ(parse.outcome, redo::MtrOutcome::kWhole) << index << ": " << parse.end_reason;
    index += static_cast<size_t>(parse.mtr.end_lsn - parse.mtr.start_lsn);
  }
  EXPECT_EQ(kFirstLsn + index, log_.end_lsn());
}

TEST_F(LogFollowerTest, ReadsATornPlaceAgain) {
  const Lsn whole = log_.Append(Mtr(0));
  const Lsn end = log_.Append(Mtr(1));
  WriteLog();
  std::string torn = log_.file();
  torn[log_.geometry().OffsetOf(whole) + 50] ^= 1;
  WriteInPlace(torn);
  Open();

  ASSERT_THAT(Advance(), IsOk());
  EXPECT_EQ(follower_->copied_lsn(), whole);
  ASSERT_THAT(follower_->Next(now_), IsOk());
  EXPECT_EQ(follower_->copied_lsn(), whole);
  WriteInPlace(log_.file());
  ASSERT_THAT(follower_->Next(now_), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), end);
}

TEST_F(LogFollowerTest, APlaceThatStaysTornIsCorruption) {
  const Lsn end = log_.Append(Mtr(0));
  WriteLog();
  std::string torn = log_.file();
  torn[log_.geometry().OffsetOf(kFirstLsn) + 50] ^= 1;
  WriteInPlace(torn);
  Open();

  ASSERT_THAT(Advance(), IsOk());
  now_ += 4s;
  ASSERT_THAT(follower_->Next(now_), IsOk());
  now_ += 2s;

  EXPECT_THAT(follower_->Next(now_),
              StatusIs(StatusCode::kCorruption, HasSubstr("at LSN " + std::to_string(kFirstLsn))));
  EXPECT_LT(follower_->copied_lsn(), end);
}

TEST_F(LogFollowerTest, NoProgressWithALargeLagIsAnOverrun) {
  log_.Append(Mtr(0));
  WriteLog();
  std::string torn = log_.file();
  torn[log_.geometry().OffsetOf(kFirstLsn) + 50] ^= 1;
  WriteInPlace(torn);
  source_.answer.current = kFirstLsn + 40'000;
  Open();

  ASSERT_THAT(Advance(), IsOk());
  now_ += 1100ms;

  EXPECT_THAT(follower_->Next(now_), StatusIs(StatusCode::kRedoOverrun, _));
}

TEST_F(LogFollowerTest, OverrunIsToldByDistanceAndNothingIsKept) {
  log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(follower_->Next(now_), IsOk());
  source_.answer.current = kFirstLsn + log_.geometry().capacity() - 4095;
  source_.answer.last_checkpoint = kFirstLsn + 30'000;
  log_.SetCheckpoint({kFirstLsn + 30'000, kFirstLsn + 30'000});
  WriteInPlace(log_.file());

  EXPECT_THAT(follower_->Next(now_), StatusIs(StatusCode::kRedoOverrun, HasSubstr("bytes behind")));

  EXPECT_EQ(follower_->copied_lsn(), kFirstLsn);
  EXPECT_EQ(Copied(), "");
}

TEST_F(LogFollowerTest, ACheckpointThatIsNotBeyondUsProvesThatNothingWasOverwritten) {
  const Lsn end = log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(follower_->Next(now_), IsOk());
  // Between our read and our question the server made a checkpoint and came around.
  source_.answer.current = kFirstLsn + log_.geometry().capacity();
  source_.answer.last_checkpoint = kFirstLsn + 30'000;

  ASSERT_THAT(follower_->Next(now_), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), end);
}

TEST_F(LogFollowerTest, AServerBeyondItsOwnCheckpointByMoreThanTheLogIsAnOverrun) {
  log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(follower_->Next(now_), IsOk());
  source_.answer.current = kFirstLsn + log_.geometry().capacity() + 1;
  source_.answer.last_checkpoint = kFirstLsn;

  EXPECT_THAT(follower_->Next(now_), StatusIs(StatusCode::kRedoOverrun, _));
}

TEST_F(LogFollowerTest, GoesOnInALogThatReplacedTheOld) {
  log_.Append(Mtr(0));
  const Lsn second = log_.Append(Mtr(1));
  WriteLog();
  Open();
  ASSERT_THAT(Advance(), IsOk());
  LogBuilder larger(second, 2 * kFileBytes);
  for (int i = 0; i < 400; ++i)
    larger.Append(Mtr(i));
  fs_.PutFile(kLogPath, larger.file());
  source_.answer.flushed = source_.answer.current = larger.end_lsn();
  source_.answer.last_checkpoint = second;

  ASSERT_LT(larger.end_lsn() - second, 2 * kFileBytes);
  for (int i = 0; i < 4; ++i)
    ASSERT_THAT(follower_->Next(now_), IsOk());

  EXPECT_EQ(follower_->replaced_count(), 1U);
  EXPECT_EQ(follower_->copied_lsn(), larger.end_lsn());
  EXPECT_EQ(follower_->capacity(), larger.geometry().capacity());
}

TEST_F(LogFollowerTest, DrainsTheOldLogBeforeItTakesTheNewOne) {
  const Lsn first = log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(Advance(), IsOk());
  // The old log holds one more mini-transaction than we have; the new one begins after it.
  const Lsn second = log_.Append(Mtr(1));
  WriteInPlace(log_.file());
  LogBuilder larger(second, 2 * kFileBytes);
  const Lsn third = larger.Append(Mtr(2));
  fs_.PutFile(kLogPath, larger.file());
  source_.answer.flushed = source_.answer.current = third;
  ASSERT_LT(first, second);

  for (int i = 0; i < 4; ++i)
    ASSERT_THAT(follower_->Next(now_), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), third);
}

TEST_F(LogFollowerTest, ANewLogThatBeginsTooLateIsAnError) {
  const Lsn first = log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(Advance(), IsOk());
  LogBuilder late(first + 1000, 2 * kFileBytes);
  const Lsn end = late.Append(Mtr(1));
  fs_.PutFile(kLogPath, late.file());
  source_.answer.flushed = source_.answer.current = end;

  ASSERT_THAT(follower_->Next(now_), IsOk());
  EXPECT_THAT(follower_->Next(now_),
              StatusIs(StatusCode::kRedoOverrun, HasSubstr("replaced its redo log")));
}

TEST_F(LogFollowerTest, TellsWhatHappensToFiles) {
  log_.Append(MtrBuilder().FileModify(9, "./d/a.ibd"));
  log_.Append(MtrBuilder().FileCreate(12, "./d/b.ibd").InitPage({12, 0}));
  log_.Append(MtrBuilder().FileRename(12, "./d/b.ibd", "./d/c.ibd"));
  log_.Append(MtrBuilder().FileDelete(9, "./d/a.ibd"));
  WriteLog();
  Open();
  ASSERT_THAT(Advance(), IsOk());

  const SpaceChanges changes = follower_->TakeChanges();

  ASSERT_EQ(changes.size(), 2U);
  EXPECT_TRUE(changes.at(9).is_modified && changes.at(9).is_deleted);
  EXPECT_FALSE(changes.at(9).is_created || changes.at(9).has_first_page);
  EXPECT_TRUE(changes.at(12).is_created && changes.at(12).has_first_page);
  EXPECT_TRUE(changes.at(12).is_renamed);
  EXPECT_EQ(changes.at(12).last_path, "./d/c.ibd");
}

TEST_F(LogFollowerTest, TheAgeOfTheCheckpointAtTheStartIsNoLag) {
  for (int i = 0; i < 100; ++i)
    log_.Append(Mtr(i));
  WriteLog();
  Open();
  ASSERT_THAT(Advance(), IsOk());
  ASSERT_EQ(follower_->lag_bytes_max(), 0U);
  const Lsn before = log_.end_lsn();
  log_.Append(Mtr(100));
  WriteLog();

  ASSERT_THAT(Advance(), IsOk());

  EXPECT_EQ(follower_->lag_bytes_max(), log_.end_lsn() - before);
  EXPECT_EQ(follower_->margin_bytes(), follower_->capacity() - follower_->lag_bytes_max());
}

TEST_F(LogFollowerTest, ALostConnectionEndsTheCopy) {
  Open();
  source_.error = Status(StatusCode::kConnectionLost, "gone away");

  EXPECT_THAT(follower_->Next(now_), StatusIs(StatusCode::kConnectionLost, HasSubstr("gone away")));
}

TEST_F(LogFollowerTest, AServerThatIsBehindUsIsAnotherServer) {
  log_.Append(Mtr(0));
  WriteLog();
  Open();
  ASSERT_THAT(Advance(), IsOk());
  source_.answer = {kFirstLsn, kFirstLsn, kFirstLsn};

  EXPECT_THAT(follower_->Next(now_),
              StatusIs(StatusCode::kCorruption, HasSubstr("another server")));
}

TEST_F(LogFollowerTest, FlushedMayBeAheadOfCurrentByAMoment) {
  const Lsn end = log_.Append(Mtr(0));
  WriteLog();
  source_.answer.current = end - 10;
  Open();

  ASSERT_THAT(Advance(), IsOk());

  EXPECT_EQ(follower_->copied_lsn(), end);
}

TEST_F(LogFollowerTest, MayBeginWhereABaseEnds) {
  const Lsn base_end = log_.Append(Mtr(0));
  log_.Append(Mtr(1));
  WriteLog();
  Open(base_end);

  ASSERT_THAT(follower_->Next(now_), IsOk());
  EXPECT_FALSE(follower_->HasBegun());
  ASSERT_THAT(follower_->Next(now_), IsOk());

  EXPECT_TRUE(follower_->HasBegun());
  EXPECT_EQ(follower_->copied_lsn(), log_.end_lsn());
  EXPECT_EQ(follower_->ReadLastCheckpoint(), kFirstLsn);
  EXPECT_EQ(Copied(),
            log_.file().substr(redo::kLogHeadBytes + static_cast<size_t>(base_end - kFirstLsn),
                               static_cast<size_t>(log_.end_lsn() - base_end)));
}

TEST_F(LogFollowerTest, NothingToCopyIsABeginning) {
  const Lsn base_end = log_.Append(Mtr(0));
  WriteLog();
  Open(base_end);
  ASSERT_THAT(follower_->Next(now_), IsOk());
  EXPECT_TRUE(follower_->HasBegun());
}

TEST_F(LogFollowerTest, WhereNothingBeginsTheBaseIsOfAnotherHistory) {
  const Lsn base_end = log_.Append(Mtr(0)) - 3;
  log_.Append(Mtr(1));
  WriteLog();
  Open(base_end);
  ASSERT_THAT(Advance(), IsOk());
  now_ += std::chrono::seconds(6);

  EXPECT_THAT(follower_->Next(now_), StatusIs(StatusCode::kChainBroken, HasSubstr("history")));
}

}  // namespace
}  // namespace hbk::backup::log_follower_test

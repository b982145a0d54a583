#include "hbk/backup/log_tailer.h"

#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/redo/log_file.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup::log_tailer_test {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::LogBuilder;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr Lsn kFirstLsn = 50'000;

class AtomicLsnSource final : public LsnSource {
 public:
  Result<LsnStatus> ReadLsn() override {
    if (is_lost) return Status(StatusCode::kConnectionLost, "gone away");
    return LsnStatus{lsn, lsn, kFirstLsn};
  }
  std::atomic<Lsn> lsn = 0;
  std::atomic<bool> is_lost = false;
};

class LogTailerTest : public ::testing::Test {
 protected:
  LogTailerTest() : log_(kFirstLsn, redo::kLogHeadBytes + (256 << 10)) {
    fs_.PutDirectory("/backup");
    Append(0);
    fs_.PutFile("/data/ib_logfile0", log_.file());
  }

  Lsn Append(int i) {
    MtrBuilder mtr;
    if (i == 0) mtr.FileModify(7, "./d/t.ibd");
    mtr.Write({7, 3}, 100, "row " + std::to_string(i));
    log_.Append(mtr);
    return log_.end_lsn();
  }
  void Publish() {
    auto file = fs_.Open("/data/ib_logfile0", {.write = true});
    HBK_CHECK(file.ok() && (*file)->WriteAt(0, AsBytes(log_.file())).ok());
    source_.lsn = log_.end_lsn();
  }

  MemFileSystem fs_;
  LogBuilder log_;
  AtomicLsnSource source_;
  LogTailer tailer_{fs_, source_, {"/data/ib_logfile0", "/backup/ib_logfile0", "Backup 10.11.19"}};
};

TEST_F(LogTailerTest, ReachesTheAwaitedLsnAndLeavesALogThatStartsAtTheCheckpoint) {
  Publish();
  ASSERT_THAT(tailer_.Start(), IsOk());
  for (int i = 1; i < 500; ++i)
    Append(i);
  Publish();

  ASSERT_THAT(tailer_.WaitFor(log_.end_lsn(), {}, 10s), IsOk());
  const auto result = tailer_.Finish();

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().start_lsn, kFirstLsn);
  EXPECT_EQ(result.value().last_lsn, log_.end_lsn());
  EXPECT_EQ(result.value().to_lsn, kFirstLsn);
  EXPECT_EQ(result.value().source_creator, "MariaDB 10.11.19");
  const std::string file = fs_.Contents("/backup/ib_logfile0");
  EXPECT_EQ(result.value().file_size, file.size());
  EXPECT_EQ(result.value().digest, filter::DigestOf(AsBytes(file)));
  const auto header = redo::ParseLogFileHeader(AsBytes(file));
  ASSERT_THAT(header, IsOk());
  EXPECT_EQ(header.value().first_lsn, kFirstLsn);
  EXPECT_EQ(header.value().creator, "Backup 10.11.19");
  EXPECT_TRUE(tailer_.knows_space_changes());
  EXPECT_EQ(tailer_.TakeSpaceChanges().at(7).last_path, "./d/t.ibd");
  EXPECT_THAT(tailer_.TakeSpaceChanges(), IsEmpty());
}

TEST_F(LogTailerTest, AnEncryptedLogKeepsItsFormatAndTellsNothingOfFiles) {
  redo::LogHead head;
  head.header.is_encrypted = true;
  head.header.encryption = redo::LogEncryption::kRecords;
  head.header.crypt = {.key_id = 1, .key_version = 4, .message = {9, 9}};
  head.checkpoint = {.checkpoint_lsn = kFirstLsn, .end_lsn = kFirstLsn};
  std::string file = redo::RenderBackupLogHead(head, "MariaDB 10.11.19");
  file.resize(redo::kLogHeadBytes + 65536);
  fs_.PutFile("/data/ib_logfile0", file);
  source_.lsn = kFirstLsn;
  ASSERT_THAT(tailer_.Start(), IsOk());

  EXPECT_FALSE(tailer_.knows_space_changes());
  ASSERT_THAT(tailer_.Finish(), IsOk());

  const std::string copied = fs_.Contents("/backup/ib_logfile0");
  const auto copied_head = redo::ParseLogHead(AsBytes(copied));
  ASSERT_THAT(copied_head, IsOk());
  EXPECT_EQ(copied_head->header.encryption, redo::LogEncryption::kRecords);
  EXPECT_EQ(copied_head->header.crypt, head.header.crypt);
}

TEST_F(LogTailerTest, NothingIsCopiedThatIsWrittenAfterTheStop) {
  Publish();
  ASSERT_THAT(tailer_.Start(), IsOk());
  const Lsn end_lsn = log_.end_lsn();
  ASSERT_THAT(tailer_.WaitFor(end_lsn, {}, 10s), IsOk());
  tailer_.Stop();
  Append(1);
  Publish();

  const auto result = tailer_.Finish();

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->last_lsn, end_lsn);
  EXPECT_EQ(result->file_size, redo::kLogHeadBytes + (end_lsn - kFirstLsn));
}

TEST_F(LogTailerTest, ALogThatDoesNotGetThereInTimeIsAnError) {
  Publish();
  ASSERT_THAT(tailer_.Start(), IsOk());

  EXPECT_THAT(tailer_.WaitFor(log_.end_lsn() + 1, {}, 20ms),
              StatusIs(StatusCode::kCorruption, HasSubstr(std::to_string(log_.end_lsn() + 1))));
}

TEST_F(LogTailerTest, ALostConnectionIsSeenByWhoeverWaits) {
  Publish();
  ASSERT_THAT(tailer_.Start(), IsOk());
  source_.is_lost = true;

  EXPECT_THAT(tailer_.WaitFor(log_.end_lsn() + 1, {}, 10s),
              StatusIs(StatusCode::kConnectionLost, _));
  EXPECT_THAT(tailer_.status(), StatusIs(StatusCode::kConnectionLost, _));
  EXPECT_THAT(tailer_.Finish(), StatusIs(StatusCode::kConnectionLost, _));
}

TEST_F(LogTailerTest, WaitingEndsWithAStopRequest) {
  Publish();
  ASSERT_THAT(tailer_.Start(), IsOk());
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(tailer_.WaitFor(log_.end_lsn() + 1, stop.get_token(), 10s),
              StatusIs(StatusCode::kInterrupted, _));
}

TEST_F(LogTailerTest, AnExistingTargetIsNotOverwritten) {
  Publish();
  fs_.PutFile("/backup/ib_logfile0", "precious");

  EXPECT_THAT(tailer_.Start(), StatusIs(StatusCode::kAlreadyExists, _));
  EXPECT_THAT(tailer_.status(), StatusIs(StatusCode::kAlreadyExists, _));
}

TEST_F(LogTailerTest, OfAnIncrementTheLogBeginsAtTheEndOfTheBase) {
  const Lsn base_end = Append(1);
  Append(2);
  Publish();
  LogTailer tailer(fs_, source_,
                   {.log_path = "/data/ib_logfile0",
                    .target_path = "/backup/ib_logfile0",
                    .creator = "Backup 10.11.19",
                    .start_lsn = base_end});

  ASSERT_THAT(tailer.Start(), IsOk());
  const auto result = tailer.Finish();

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result.value().start_lsn, base_end);
  EXPECT_EQ(result.value().last_lsn, log_.end_lsn());
  EXPECT_EQ(result.value().to_lsn, kFirstLsn);
  const std::string file = fs_.Contents("/backup/ib_logfile0");
  const auto head = redo::ParseLogHead(AsBytes(file));
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->header.first_lsn, base_end);
  EXPECT_EQ(head->checkpoint.checkpoint_lsn, base_end);
  EXPECT_EQ(head->checkpoint.end_lsn, 0U);
}

TEST_F(LogTailerTest, ABaseThatEndsBeforeTheCheckpointChangesNothing) {
  Publish();
  LogTailer tailer(fs_, source_,
                   {.log_path = "/data/ib_logfile0",
                    .target_path = "/backup/ib_logfile0",
                    .creator = "Backup 10.11.19",
                    .start_lsn = kFirstLsn - 100});

  ASSERT_THAT(tailer.Start(), IsOk());

  EXPECT_EQ(tailer.start_lsn(), kFirstLsn);
  ASSERT_THAT(tailer.Finish(), IsOk());
  const std::string file = fs_.Contents("/backup/ib_logfile0");
  EXPECT_EQ(redo::ParseLogHead(AsBytes(file))->checkpoint.end_lsn, kFirstLsn);
}

}  // namespace
}  // namespace hbk::backup::log_tailer_test

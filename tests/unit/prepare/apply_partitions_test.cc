#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "partition_applier.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/redo_builder.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::kSmallBackupPageSize;
using testing::MakeSmallTablespace;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr uint32_t kPageCount = 40;
constexpr uint32_t kPartitionCount = 6;  // the last one is for first pages
constexpr innodb::Lsn kStartLsn = testing::kSmallBackupStartLsn;
constexpr innodb::Lsn kEndLsn = kStartLsn + 10000;
constexpr const char* kPath = "/b/db/t.ibd";

// A tablespace 5 with a change of each of its pages.
class ApplyPartitionsTest : public ::testing::Test {
 protected:
  ApplyPartitionsTest() {
    set_.dir = "/b";
    Tablespace& space = table_.spaces[5];
    space.id = 5;
    space.header.flags = innodb::TablespaceFlags::FullCrc32(kSmallBackupPageSize);
    space.segments.push_back({.name = "db/t.ibd"});
    fs_.PutFile(kPath, MakeSmallTablespace(5, kPageCount));
    for (innodb::PageNo page = 0; page < kPageCount; ++page)
      AddChange(page, page == 0 ? kPartitionCount - 1 : page % (kPartitionCount - 1));
  }

  void AddChange(innodb::PageNo page, uint32_t partition) {
    const std::string records =
        testing::MtrBuilder().Write({5, page}, 1000, "change " + std::to_string(page)).body();
    RedoEntryHeader header;
    header.start_lsn = next_lsn_;
    next_lsn_ += 100;
    header.space = 5;
    header.page = page;
    header.mtr_bytes = 100;
    header.length = static_cast<uint32_t>(records.size()) & 0x3FFFFFFF;
    ASSERT_THAT(store_.section(0).Append(partition, HeaderBytes(header), AsBytes(records)), IsOk());
  }
  Result<ApplyCounts> Apply(uint32_t worker_count, report::Reporter& reporter,
                            const std::stop_token& stop = {}) {
    const auto plan = PlanMemory(64 << 20, worker_count, 0);
    EXPECT_THAT(plan, IsOk());
    EXPECT_EQ(plan->worker_count, worker_count);
    const ApplyInput input{fs_, set_, store_, logs_, table_, *plan, kStartLsn, kEndLsn, stop};
    return ApplyPartitions(input, store_, reporter);
  }
  Result<ApplyCounts> Apply(uint32_t worker_count) {
    testing::SilentReporter reporter;
    return Apply(worker_count, reporter);
  }
  // Makes the checksum of the page wrong.
  void Damage(innodb::PageNo page) {
    std::string file = fs_.Contents(kPath);
    file[page * kSmallBackupPageSize + 3000] ^= 1;
    fs_.PutFile(kPath, file);
  }

  MemFileSystem fs_;
  BackupSet set_;
  innodb::Lsn next_lsn_ = kStartLsn;
  SpaceLogs logs_;
  TablespaceTable table_;
  PartitionStore store_{fs_,
                        {.partition_count = kPartitionCount,
                         .block_bytes = 4096,
                         .block_count = 16,
                         .spill_path = "/spill"}};
};

class WorkerCountTest : public ApplyPartitionsTest,
                        public ::testing::WithParamInterface<uint32_t> {};

// Three are fewer than there are partitions, eight are more.
INSTANTIATE_TEST_SUITE_P(Workers, WorkerCountTest, ::testing::Values(1U, 3U, 8U));

TEST_P(WorkerCountTest, EveryPageIsChangedAndCountedOnce) {
  const auto counts = Apply(GetParam());

  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->pages_written, kPageCount);
  EXPECT_EQ(counts->foreign_pages, 0U);
  EXPECT_THAT(counts->changed_files, ElementsAre("db/t.ibd"));
  const std::string file = fs_.Contents(kPath);
  for (innodb::PageNo number = 0; number < kPageCount; ++number) {
    const std::string page =
        file.substr(size_t{number} * kSmallBackupPageSize, kSmallBackupPageSize);
    const std::string text = "change " + std::to_string(number);
    EXPECT_EQ(page.substr(1000, text.size()), text);
    EXPECT_EQ(innodb::CheckPage(AsBytes(page), table_.spaces[5].header.flags, {5, number}),
              innodb::PageVerdict::kGood)
        << number;
  }
}

// Every partition has a damaged page: the one with the first pages is the one that is told.
TEST_P(WorkerCountTest, FirstPagesAreDoneBeforeAllOthers) {
  for (innodb::PageNo page = 0; page < kPartitionCount; ++page)
    Damage(page);
  const std::string before = fs_.Contents(kPath);

  EXPECT_THAT(Apply(GetParam()), StatusIs(StatusCode::kCorruption, HasSubstr("db/t.ibd, page 0:")));
  EXPECT_EQ(fs_.Contents(kPath), before);
}

TEST_P(WorkerCountTest, FailureInAnyPartitionIsReturned) {
  Damage(17);

  EXPECT_THAT(Apply(GetParam()), StatusIs(StatusCode::kCorruption, HasSubstr("page 17")));
}

// Notes how much redo each partition had, in the order in which they were done.
class SharesReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view, const report::Facts&) override {}
  void Progress(uint64_t done_bytes, uint64_t total_bytes) override {
    shares_.push_back(done_bytes - done_bytes_);
    done_bytes_ = done_bytes;
    total_bytes_ = total_bytes;
  }
  void Info(std::string_view, const report::Facts&) override {}
  void Warning(std::string_view, const report::Facts&) override {}
  void Finish(const Status&, const report::Facts&) override {}
  [[nodiscard]] uint64_t warning_count() const override { return 0; }

  [[nodiscard]] const std::vector<uint64_t>& shares() const { return shares_; }
  [[nodiscard]] uint64_t done_bytes() const { return done_bytes_; }
  [[nodiscard]] uint64_t total_bytes() const { return total_bytes_; }

 private:
  std::vector<uint64_t> shares_;
  uint64_t done_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

TEST_F(ApplyPartitionsTest, LargePartitionsComeBeforeSmallOnesAndProgressEndsAtTheTotal) {
  AddChange(13, 3);
  AddChange(18, 3);
  AddChange(11, 1);
  std::vector<uint64_t> sizes;
  for (uint32_t partition = 0; partition + 1 < kPartitionCount; ++partition)
    sizes.push_back(store_.bytes(partition));
  std::sort(sizes.rbegin(), sizes.rend());
  sizes.insert(sizes.begin(), store_.bytes(kPartitionCount - 1));
  SharesReporter reporter;

  ASSERT_THAT(Apply(1, reporter), IsOk());

  EXPECT_EQ(reporter.shares(), sizes);
  EXPECT_EQ(reporter.done_bytes(), reporter.total_bytes());
}

TEST_F(ApplyPartitionsTest, StopIsInterruptedBeforeAnythingIsWritten) {
  const std::string before = fs_.Contents(kPath);
  std::stop_source stop;
  stop.request_stop();
  testing::SilentReporter reporter;

  EXPECT_THAT(Apply(2, reporter, stop.get_token()),
              StatusIs(StatusCode::kInterrupted, ::testing::_));
  EXPECT_EQ(fs_.Contents(kPath), before);
}

}  // namespace
}  // namespace hbk::prepare

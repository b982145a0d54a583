#include "redo_chain.h"

#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quiet_reporter.h"
#include "redo_entry.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::redo_chain_test {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::LogBuilder;
using testing::MemFileSystem;
using testing::MtrBuilder;
using testing::MutableBytes;
using testing::StatusIs;

constexpr redo::Lsn kFirstLsn = 100000;
constexpr uint64_t kLogBytes = 1 << 20;
constexpr uint32_t kPartitions = 3;

// Names and LSNs of an increment that has nothing but a log.
class LogOnlyIncrement final : public IncrementSource {
 public:
  LogOnlyIncrement(std::string dir, redo::Lsn from_lsn, redo::Lsn last_lsn) : dir_(std::move(dir)) {
    manifest_.base.emplace().last_lsn = from_lsn;
    manifest_.last_lsn = last_lsn;
    manifest_.to_lsn = last_lsn;
  }
  [[nodiscard]] const std::string& dir() const override { return dir_; }
  [[nodiscard]] const manifest::BackupManifest& manifest() const override { return manifest_; }
  [[nodiscard]] bool has_open_sizes() const override { return false; }
  [[nodiscard]] bool tells_spaces() const override { return true; }
  [[nodiscard]] bool is_partial() const override { return false; }
  Status Verify(uint32_t /*worker_count*/, const std::stop_token& /*stop*/) override {
    return OkStatus();
  }
  [[nodiscard]] const DeltaRuns& runs() const override { return runs_; }
  Result<std::unique_ptr<PageSource>> OpenPages(const std::string& /*name*/) const override {
    return NotFoundError("it has no pages");
  }
  [[nodiscard]] std::string PathOf(const std::string& name) const override {
    return dir_ + "/" + name;
  }

 private:
  std::string dir_;
  manifest::BackupManifest manifest_;
  DeltaRuns runs_;
};

// What a scan comes to, to be compared.
struct Outcome {
  std::vector<std::string> partitions;
  uint64_t mtr_count = 0;
  uint64_t entry_count = 0;
  redo::Lsn end_lsn = 0;
  std::map<innodb::SpaceId, std::tuple<std::string, bool, bool, bool, uint64_t, innodb::Lsn>>
      spaces;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << outcome.mtr_count << " mtrs, " << outcome.entry_count << " entries, end "
       << outcome.end_lsn << ", partitions";
  for (const std::string& bytes : outcome.partitions)
    *out << ' ' << bytes.size() << '/' << std::hash<std::string>()(bytes);
  *out << ", spaces " << ::testing::PrintToString(outcome.spaces);
}

class RedoChainTest : public ::testing::Test {
 protected:
  RedoChainTest() { set_.dir = "/base"; }

  void AppendSome(LogBuilder& log, int count) {
    for (int i = 0; i < count; ++i) {
      const auto space = static_cast<innodb::SpaceId>(random_() % 3 + 5);
      const auto page = static_cast<innodb::PageNo>(random_() % 300);
      MtrBuilder mtr;
      switch (random_() % 40) {
        case 0: mtr.FileModify(space, "./db/m" + std::to_string(i) + ".ibd"); break;
        case 1: mtr.FileDelete(space, "./db/d" + std::to_string(i) + ".ibd"); break;
        case 2: mtr.InitPage({space, 0}).Write({space, 0}, 100, "first"); break;
        // A row that holds redo.
        case 3: mtr.Write({space, page}, 100, stored_); break;
        default:
          mtr.Write({space, page}, 100, std::string(random_() % 60 + 1, 'x'));
          mtr.Write({space, page + 1}, 100, "another");
      }
      log.Append(mtr);
    }
  }

  // Of a backup, whose checkpoint promises no list of files.
  static std::string FileOf(LogBuilder& log, redo::Lsn checkpoint) {
    return log.SetCheckpoint({.checkpoint_lsn = checkpoint}).file();
  }

  void PutBase(LogBuilder& log) {
    fs_.PutFile("/base/ib_logfile0", FileOf(log, kFirstLsn));
    set_.last_lsn = log.end_lsn();
    set_.manifest.emplace().to_lsn = kFirstLsn;
  }

  Result<Outcome> Scan(uint32_t section_count) {
    HBK_ASSIGN_OR_RETURN(const auto chain, RedoChain::Open(fs_, set_, increments_, false, nullptr));
    PartitionStore store(fs_, {.partition_count = kPartitions,
                               .section_count = section_count,
                               .block_bytes = 512,
                               .block_count = kPartitions * section_count + 40,
                               .spill_path = "/spill"});
    QuietReporter reporter;
    HBK_ASSIGN_OR_RETURN(const RedoScan scan, chain->Scan(nullptr, 0, store, reporter, {}));
    HBK_RETURN_IF_ERROR(store.Finish());
    Outcome outcome;
    for (uint32_t partition = 0; partition < kPartitions; ++partition) {
      std::string bytes(store.bytes(partition), '\0');
      HBK_RETURN_IF_ERROR(store.Read(partition, 0, MutableBytes(bytes)));
      outcome.partitions.push_back(std::move(bytes));
    }
    outcome.mtr_count = scan.mtr_count;
    outcome.entry_count = scan.entry_count;
    outcome.end_lsn = scan.end_lsn;
    for (const auto& [id, space] : scan.logs.spaces) {
      outcome.spaces[id] = {space.last_name,      space.is_deleted,  space.has_returned,
                            space.has_first_page, space.entry_count, space.first_page_lsn};
    }
    return outcome;
  }

  std::minstd_rand random_{5};
  std::string stored_ = "no redo yet";
  MemFileSystem fs_;
  BackupSet set_;
  IncrementList increments_;
};

TEST_F(RedoChainTest, ManyThreadsReadWhatOneReads) {
  for (int round = 0; round < 30; ++round) {
    LogBuilder log(kFirstLsn, kLogBytes);
    AppendSome(log, 300);
    // From here on rows look like redo, down to the checksums, and sections begin within them.
    stored_ =
        log.file().substr(redo::kLogHeadBytes, std::min<size_t>(log.end_lsn() - kFirstLsn, 12000));
    AppendSome(log, 300);
    PutBase(log);
    const auto expected = Scan(1);
    ASSERT_THAT(expected, IsOk());
    ASSERT_EQ(expected->end_lsn, log.end_lsn());
    for (const uint32_t sections : {2U, 3U, 8U}) {
      const auto scan = Scan(sections);
      ASSERT_THAT(scan, IsOk());
      EXPECT_EQ(*scan, *expected) << round << ", " << sections << " sections";
    }
  }
}

TEST_F(RedoChainTest, SectionsMayGoOverSeveralLogs) {
  LogBuilder base(kFirstLsn, kLogBytes);
  AppendSome(base, 200);
  PutBase(base);
  redo::Lsn from = base.end_lsn();
  for (const int count : {10, 400, 20, 100}) {
    LogBuilder log(from, kLogBytes);
    AppendSome(log, count);
    const std::string dir = "/inc" + std::to_string(increments_.size());
    fs_.PutFile(dir + "/ib_logfile0", FileOf(log, from));
    increments_.push_back(std::make_unique<LogOnlyIncrement>(dir, from, log.end_lsn()));
    from = log.end_lsn();
  }
  const auto expected = Scan(1);
  ASSERT_THAT(expected, IsOk());
  ASSERT_EQ(expected->end_lsn, from);
  for (const uint32_t sections : {2U, 3U, 5U, 8U}) {
    const auto scan = Scan(sections);
    ASSERT_THAT(scan, IsOk());
    EXPECT_EQ(*scan, *expected) << sections << " sections";
  }
}

TEST_F(RedoChainTest, ALogThatEndsTooEarlyIsDamagedHoweverManyReadIt) {
  LogBuilder log(kFirstLsn, kLogBytes);
  AppendSome(log, 600);
  PutBase(log);
  const std::string whole = fs_.Contents("/base/ib_logfile0");
  const uint64_t bytes = log.end_lsn() - kFirstLsn;
  for (const uint64_t at : {bytes / 10, bytes / 2, bytes - 20}) {
    std::string damaged = whole;
    damaged[redo::kLogHeadBytes + at] ^= 0x55;
    fs_.PutFile("/base/ib_logfile0", damaged);
    const auto one = Scan(1);
    ASSERT_THAT(one, StatusIs(StatusCode::kCorruption, HasSubstr("the backup needs LSN")));
    for (const uint32_t sections : {2U, 4U})
      EXPECT_THAT(Scan(sections), StatusIs(StatusCode::kCorruption, one.status().message()));
  }
}

}  // namespace
}  // namespace hbk::prepare::redo_chain_test

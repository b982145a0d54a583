#include "hbk/seal/key_slot_runner.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::seal {
namespace {

using ::hbk::testing::FaultKind;
using ::hbk::testing::FaultyFileSystem;
using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class NotingReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view /*name*/, const report::Facts& /*facts*/) override {}
  void Progress(uint64_t /*done_bytes*/, uint64_t /*total_bytes*/) override {}
  void Info(std::string_view message, const report::Facts& /*facts*/) override {
    said += std::string(message) + "\n";
  }
  void Warning(std::string_view message, const report::Facts& /*facts*/) override {
    said += "warning: " + std::string(message) + "\n";
  }
  void Finish(const Status& /*status*/, const report::Facts& /*facts*/) override {}
  [[nodiscard]] uint64_t warning_count() const override { return 0; }

  std::string said;
};

class KeySlotRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs_.PutFile("/k/a", std::string(64, 'a'));
    fs_.PutFile("/k/b", std::string(64, 'b'));
    fs_.PutFile("/k/phrase", "horse");
    fs_.PutDirectory("/t");
    const DataKey data_key = DataKey::Generate().value();
    KeySlots slots(data_key);
    SealingKeyOptions keys;
    keys.key_files = {"/k/a"};
    ASSERT_THAT(
        slots.Add(data_key, OpenSealingKeys(keys, fs_)->front(), {"first", SlotTimeNow(), {}}),
        IsOk());
    ASSERT_THAT(StoreKeySlots(fs_, "/t", slots, data_key), IsOk());
    options_.target_dir = "/t";
    options_.keys.key_files = {"/k/a"};
    options_.scrypt = {1024, 8, 1};
  }

  Result<KeySlotSummary> Run(KeySlotAction action) {
    options_.action = action;
    return RunKeySlots(options_, fs_, reporter_, {});
  }

  MemFileSystem fs_;
  KeySlotOptions options_;
  NotingReporter reporter_;
};

TEST_F(KeySlotRunnerTest, AddedKeyOpensTheBackup) {
  options_.new_keys.key_files = {"/k/b"};
  options_.new_keys.passphrase_files = {"/k/phrase"};
  const auto added = Run(KeySlotAction::kAdd);
  ASSERT_THAT(added, IsOk());
  EXPECT_THAT(added->added_ids, ElementsAre(2, 3));
  EXPECT_EQ(added->slots[1].label, "key file b");
  EXPECT_THAT(reporter_.said,
              AllOf(HasSubstr("the key file /k/a opens key slot 1 (key: first)\n"),
                    HasSubstr("key slot 3 (passphrase: passphrase file phrase) is new")));

  options_.keys = options_.new_keys;
  EXPECT_THAT(Run(KeySlotAction::kTest), IsOk());
}

TEST_F(KeySlotRunnerTest, LabelCanBeChosen) {
  options_.new_keys.key_files = {"/k/b"};
  options_.label = "escrow";
  EXPECT_EQ(Run(KeySlotAction::kAdd)->slots[1].label, "escrow");
  options_.label = "a\nb";
  EXPECT_THAT(Run(KeySlotAction::kAdd), StatusIs(StatusCode::kUsage, HasSubstr("label")));
}

TEST_F(KeySlotRunnerTest, NothingIsAddedWithoutAKeyOfTheBackup) {
  const std::string before = fs_.Contents("/t/hbk_keys.json");
  options_.new_keys.key_files = {"/k/b"};
  options_.keys.key_files = {"/k/b"};
  EXPECT_THAT(Run(KeySlotAction::kAdd),
              StatusIs(StatusCode::kMissingKey, HasSubstr("/t/hbk_keys.json: the key file /k/b")));
  options_.keys.key_files.clear();
  EXPECT_THAT(Run(KeySlotAction::kAdd),
              StatusIs(StatusCode::kMissingKey, HasSubstr("no key is given")));
  options_.keys.key_files = {"/k/a"};
  options_.new_keys.key_files.clear();
  EXPECT_THAT(Run(KeySlotAction::kAdd), StatusIs(StatusCode::kUsage, "no new key is given"));
  EXPECT_EQ(fs_.Contents("/t/hbk_keys.json"), before);
}

TEST_F(KeySlotRunnerTest, RemovedKeyOpensNothing) {
  options_.new_keys.key_files = {"/k/b"};
  ASSERT_THAT(Run(KeySlotAction::kAdd), IsOk());
  options_.slot_id = 1;
  const auto removed = Run(KeySlotAction::kRemove);
  ASSERT_THAT(removed, IsOk());
  EXPECT_EQ(removed->slots.size(), 1U);

  EXPECT_THAT(Run(KeySlotAction::kTest), StatusIs(StatusCode::kMissingKey, HasSubstr("/k/a")));
  options_.keys.key_files = {"/k/b"};
  options_.slot_id = 2;
  EXPECT_THAT(Run(KeySlotAction::kRemove), StatusIs(StatusCode::kUsage, HasSubstr("the only one")));
  options_.slot_id = 7;
  EXPECT_THAT(Run(KeySlotAction::kRemove),
              StatusIs(StatusCode::kUsage, HasSubstr("no key slot 7")));
  EXPECT_THAT(Run(KeySlotAction::kTest), IsOk());
}

TEST_F(KeySlotRunnerTest, ListNeedsNoKeyAndSaysWhetherItWasChecked) {
  EXPECT_TRUE(Run(KeySlotAction::kList)->is_checked);
  options_.keys.key_files.clear();
  const auto list = Run(KeySlotAction::kList);
  ASSERT_THAT(list, IsOk());
  EXPECT_FALSE(list->is_checked);
  EXPECT_EQ(list->slots.size(), 1U);
  options_.keys.key_files = {"/k/b"};
  EXPECT_THAT(Run(KeySlotAction::kList), StatusIs(StatusCode::kMissingKey, _));
}

TEST_F(KeySlotRunnerTest, TestTriesEveryKey) {
  options_.keys.key_files = {"/k/b", "/k/a"};
  EXPECT_THAT(Run(KeySlotAction::kTest), StatusIs(StatusCode::kMissingKey, HasSubstr("/k/b")));
  EXPECT_THAT(reporter_.said, HasSubstr("the key file /k/a opens key slot 1"));
  options_.keys.key_files.clear();
  EXPECT_THAT(Run(KeySlotAction::kTest),
              StatusIs(StatusCode::kMissingKey, HasSubstr("no key is given")));
}

TEST_F(KeySlotRunnerTest, BackupThatIsNotSealedIsSaidToBeNone) {
  options_.target_dir = "/k";
  for (const KeySlotAction action :
       {KeySlotAction::kAdd, KeySlotAction::kRemove, KeySlotAction::kList, KeySlotAction::kTest}) {
    EXPECT_THAT(Run(action), StatusIs(StatusCode::kFailed, HasSubstr("no sealed backup in /k")));
  }
}

TEST_F(KeySlotRunnerTest, KeyFileThatOthersMayReadIsWarnedOf) {
  ASSERT_THAT(fs_.Open("/k/a", {.write = true}).value()->SetMode(0644), IsOk());
  ASSERT_THAT(Run(KeySlotAction::kList), IsOk());
  EXPECT_THAT(reporter_.said, HasSubstr("warning: the key file /k/a can be read by every user"));
}

TEST_F(KeySlotRunnerTest, OneAtATimeChangesTheSlots) {
  const auto held = fs_.Open("/t/hbk_keys.json", {.write = true});
  ASSERT_THAT(held, IsOk());
  ASSERT_TRUE(*(*held)->TryLock());
  options_.new_keys.key_files = {"/k/b"};

  EXPECT_THAT(Run(KeySlotAction::kAdd),
              StatusIs(StatusCode::kTargetInUse, HasSubstr("another hbk")));
  EXPECT_THAT(Run(KeySlotAction::kTest), IsOk());
}

TEST_F(KeySlotRunnerTest, EveryFailureLeavesTheOldSlotsOrTheNew) {
  const std::string before = fs_.Contents("/t/hbk_keys.json");
  options_.new_keys.key_files = {"/k/b"};
  options_.action = KeySlotAction::kAdd;
  for (const FaultKind kind : {FaultKind::kIoError, FaultKind::kShortWrite, FaultKind::kCrash}) {
    for (uint64_t k = 1;; ++k) {
      fs_.PutFile("/t/hbk_keys.json", before);
      FaultyFileSystem faulty(fs_);
      faulty.Arm(kind, k);
      const auto result = RunKeySlots(options_, faulty, reporter_, {});
      if (!faulty.has_fired()) break;
      if (kind == FaultKind::kCrash) fs_.Crash(0);

      const auto slots = LoadKeySlots(fs_, "/t");
      ASSERT_THAT(slots, IsOk()) << k;
      EXPECT_TRUE(!result.ok() || slots->slots().size() == 2) << k;
    }
  }
}

TEST_F(KeySlotRunnerTest, TimesAreUtc) {
  const std::string now = SlotTimeNow();
  EXPECT_EQ(now.size(), 20U);
  EXPECT_GT(now, "2026-01-01T00:00:00Z");
  EXPECT_EQ(now.back(), 'Z');
}

}  // namespace
}  // namespace hbk::seal

// hbk prepare and mariadb-backup --prepare on copies of the same directory: the same pages; and
// each takes the other's directories, all the way to a server that runs on them.

#include <cstdio>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/integration/redo_backup_scenario.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

// Both prepares on a backup that `maker` took; then `restorer` puts its set back.
struct Case {
  const char* name;
  BackupTool maker;
  BackupTool restorer;
  std::vector<std::string> install_options;
  std::vector<std::string> prepare_options = {};  // of hbk
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class PrepareEqualityTest : public ::testing::TestWithParam<Case> {};

TEST_P(PrepareEqualityTest, EveryPageIsThatOfMariadbBackup) {
  const Case& c = GetParam();
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  auto scratch = ScratchDir::Make();
  ASSERT_THAT(scratch, IsOk());
  const std::string made = scratch->Sub("made");
  const std::string theirs = scratch->Sub("theirs");
  const auto redo_bytes =
      MakeRedoBackup({.seed = seed, .tool = c.maker, .install_options = c.install_options},
                     scratch->Sub("source"), made);
  ASSERT_THAT(redo_bytes, IsOk());
  ASSERT_THAT(CopyTree(made, theirs), IsOk());

  ASSERT_THAT(
      RunToSuccess(PrepareCommand(BackupTool::kMariadbBackup, theirs), scratch->Sub("theirs.log")),
      IsOk());
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, made, c.prepare_options),
                           scratch->Sub("ours.log")),
              IsOk());
  const auto pages = ComparePages(theirs, made);
  ASSERT_THAT(pages, IsOk());
  std::printf(
      "seed %llu, %s: %.1f MB of redo, %llu pages of %llu files compared, "
      "%llu differ, %llu more in freed pages\n",
      static_cast<unsigned long long>(seed), c.name, static_cast<double>(redo_bytes.value()) / 1e6,
      static_cast<unsigned long long>(pages->page_count),
      static_cast<unsigned long long>(pages->file_count),
      static_cast<unsigned long long>(pages->difference_count),
      static_cast<unsigned long long>(pages->freed_page_count));
  EXPECT_GE(redo_bytes.value(), 20U << 20);
  EXPECT_GT(pages->page_count, 1000U);
  EXPECT_EQ(pages->difference_count, 0U) << ::testing::PrintToString(pages->differences);

  // What one tool made and the other prepared, restored and started.
  const std::string& set = c.restorer == BackupTool::kHbk ? made : theirs;
  const std::string data = scratch->Sub("data");
  ASSERT_THAT(MakeDirectory(data), IsOk());
  ASSERT_THAT(RunToSuccess(CopyBackCommand(c.restorer, set, data), scratch->Sub("copy-back.log")),
              IsOk());
  EXPECT_THAT(CheckRestoredData(scratch->Sub("restored"), data, c.install_options), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Sets, PrepareEqualityTest,
                         ::testing::Values(Case{"hbk set, restored by mariadb-backup",
                                                BackupTool::kHbk,
                                                BackupTool::kMariadbBackup,
                                                {"--innodb-undo-tablespaces=3"}},
                                           Case{"mariadb-backup set, restored by hbk",
                                                BackupTool::kMariadbBackup,
                                                BackupTool::kHbk,
                                                {"--innodb-undo-tablespaces=0"}},
                                           Case{"hbk set, crc32",
                                                BackupTool::kHbk,
                                                BackupTool::kMariadbBackup,
                                                {"--innodb-checksum-algorithm=crc32"}},
                                           Case{"mariadb-backup set, crc32, undo",
                                                BackupTool::kMariadbBackup,
                                                BackupTool::kHbk,
                                                {"--innodb-checksum-algorithm=crc32",
                                                 "--innodb-undo-tablespaces=3"}},
                                           Case{"hbk set, 32 MiB of memory, one worker",
                                                BackupTool::kHbk,
                                                BackupTool::kHbk,
                                                {},
                                                {"--use-memory=32M", "--parallel=1"}}),
                         [](const auto& param) { return "Set" + std::to_string(param.index); });

}  // namespace
}  // namespace hbk::testing

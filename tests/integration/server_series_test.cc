// Servers of every series that is supported: a live backup of each, and hbk and the series' own
// mariadb-backup on each other's backups.

#include <cstdio>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/integration/matrix_scenario.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

std::string NameOf(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  name.replace(name.find('.'), 1, "_");
  return "Series" + name;
}

class ServerSeriesTest : public ::testing::TestWithParam<const char*> {
 protected:
  static void ExpectSamePages(const DifferentialConfig& config) {
    SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << config.seed);
    const auto result = RunDifferential(config);
    ASSERT_THAT(result, IsOk());
    std::printf("seed %llu, %s, %.1f MB of redo: %llu pages, %llu differ\n",
                static_cast<unsigned long long>(config.seed), config.format.Describe().c_str(),
                static_cast<double>(result->redo_bytes) / 1e6,
                static_cast<unsigned long long>(result->pages.page_count),
                static_cast<unsigned long long>(result->pages.difference_count));
    EXPECT_EQ(result->pages.difference_count, 0U)
        << ::testing::PrintToString(result->pages.differences);
  }
};

TEST_P(ServerSeriesTest, RestoredServerEqualsSource) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  LiveBackup run({.seed = seed, .tool = ToolUnderTest(), .tree = tree});

  const Status status = run.Run();

  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
              run.figures().Describe().c_str());
  EXPECT_THAT(status, IsOk());
}

TEST_P(ServerSeriesTest, MariadbBackupPreparesAndRestoresOurBackup) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  ExpectSamePages({.seed = SeedFromEnvironment(),
                   .format = {.tree = tree, .checksum = "crc32", .cipher = PageCipher::kCbc},
                   .maker = BackupTool::kHbk,
                   .restorer = BackupTool::kMariadbBackup});
}

TEST_P(ServerSeriesTest, WePrepareAndRestoreABackupOfMariadbBackup) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  ExpectSamePages({.seed = SeedFromEnvironment(),
                   .format = {.tree = tree},
                   .maker = BackupTool::kMariadbBackup,
                   .restorer = BackupTool::kHbk,
                   .has_kinds = false});
}

INSTANTIATE_TEST_SUITE_P(All, ServerSeriesTest, ::testing::Values("10.5", "10.11", "11.8"), NameOf);

}  // namespace
}  // namespace hbk::testing

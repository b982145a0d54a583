// A live server, backed up under load and restored; see live_backup_scenario.h.

#include <cstdio>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

void ExpectRestoredServerEqualsSource(LiveBackupConfig config) {
  config.seed = SeedFromEnvironment();
  config.tool = ToolUnderTest();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << config.seed);
  LiveBackup run(config);

  const Status status = run.Run();

  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(config.seed),
              run.figures().Describe().c_str());
  EXPECT_THAT(status, IsOk());
}

TEST(LiveBackupTest, RestoredServerEqualsSource) {
  ExpectRestoredServerEqualsSource({});
}

TEST(LiveBackupTest, LogThatWrapsDuringTheBackupIsReadWhole) {
  ExpectRestoredServerEqualsSource({.has_small_log = true});
}

TEST(LiveBackupTest, UndoTablespacesMayBeTruncatedMeanwhile) {
  ExpectRestoredServerEqualsSource({.has_undo_truncation = true});
}

TEST(LiveBackupTest, KeysMayBeRotatedMeanwhile) {
  HBK_TREE_OR_SKIP(tree, "10.11");
  if (!tree.HasPlugin("hashicorp_key_management")) {
    GTEST_SKIP() << "MariaDB 10.11 is there without the plugin hashicorp_key_management";
  }
  ExpectRestoredServerEqualsSource({.tree = tree, .has_key_rotation = true});
}

}  // namespace
}  // namespace hbk::testing

// A live server whose tables of every engine come, go and change during the backup; see
// live_backup_scenario.h.

#include <cstdio>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

void ExpectRestoredServerEqualsSource(LiveBackupConfig config) {
  config.seed = SeedFromEnvironment();
  config.tool = ToolUnderTest();
  config.has_all_engines = true;
  config.bulk_mib = 24;
  // The ARCHIVE engine is a plugin, which the installed server may lack.
  const auto tree = FindServerTree("10.11");
  if (tree.ok()) config.tree = tree.value();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << config.seed);
  LiveBackup run(config);

  const Status status = run.Run();

  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(config.seed),
              run.figures().Describe().c_str());
  EXPECT_THAT(status, IsOk());
}

TEST(LiveDdlTest, TablesOfEveryEngineMayChangeMeanwhile) {
  ExpectRestoredServerEqualsSource({.parallel = 1});
}

TEST(LiveDdlTest, TablesOfEveryEngineMayChangeWhileTheAriaLogMovesOn) {
  ExpectRestoredServerEqualsSource({.has_small_aria_log = true, .parallel = 4});
}

}  // namespace
}  // namespace hbk::testing

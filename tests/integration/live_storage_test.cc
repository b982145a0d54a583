// Backups that are compressed, sealed and streamed, of a live server whose tables come and go; see
// live_backup_scenario.h.

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

constexpr const char* kKeyText = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

void ExpectRestoredServerEqualsSource(LiveBackupConfig config) {
  config.seed = SeedFromEnvironment();
  config.has_all_engines = true;
  config.bulk_mib = 24;
  const auto tree = FindServerTree("10.11");
  if (tree.ok()) config.tree = tree.value();
  // For whoever backs up and prepares.
  setenv("HBK_ENCRYPT_KEY", kKeyText, 1);  // NOLINT(concurrency-mt-unsafe): before the first thread
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << config.seed);
  LiveBackup run(config);

  const Status status = run.Run();

  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(config.seed),
              run.figures().Describe().c_str());
  EXPECT_THAT(status, IsOk());
}

TEST(LiveStorageTest, AChainIsCompressedAndSealed) {
  ExpectRestoredServerEqualsSource(
      {.increment_count = 1, .parallel = 4, .backup_options = {"--compress", "--encrypt"}});
}

TEST(LiveStorageTest, AnArchiveIsCompressedAndSealed) {
  ExpectRestoredServerEqualsSource(
      {.parallel = 2,
       .backup_options = {"--compress", "--encrypt", "--encrypt-manifest"},
       .stream = "hbk"});
}

TEST(LiveStorageTest, MariadbBackupPreparesWhatMbstreamHasUnpacked) {
  ExpectRestoredServerEqualsSource({.parallel = 2, .stream = "mbstream"});
}

}  // namespace
}  // namespace hbk::testing

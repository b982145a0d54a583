// Prepare killed at random moments ends in the same bytes when it is run again.

#include <cstdio>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/integration/redo_backup_scenario.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

// The time of the prepare is written into the manifest; the rest of it is compared apart.
const std::vector<std::string> kIgnored = {"hbk_manifest.json"};

int KillCount() {
  const char* text = std::getenv("HBK_KILLS");   // NOLINT(concurrency-mt-unsafe): nobody sets it
  return text == nullptr ? 8 : std::atoi(text);  // NOLINT(cert-err34-c): 0 is seen below
}

std::string ManifestWithoutTime(const std::string& dir) {
  std::string text = ReadWholeFile(dir + "/hbk_manifest.json").value();
  for (const char* member : {"\"prepared_time\"", "\"manifest_digest\""}) {
    const size_t begin = text.find(member);
    EXPECT_NE(begin, std::string::npos) << member;
    text.erase(begin, text.find('\n', begin) - begin);
  }
  return text;
}

TEST(PrepareKillTest, KilledAtAnyMomentItIsFinishedByTheNextRun) {
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  std::mt19937_64 random(seed);
  const int kill_count = KillCount();
  ASSERT_GT(kill_count, 0);
  auto scratch = ScratchDir::Make();
  ASSERT_THAT(scratch, IsOk());
  const std::string made = scratch->Sub("made");
  const std::string whole = scratch->Sub("whole");
  const std::string killed = scratch->Sub("killed");
  ASSERT_THAT(MakeRedoBackup({.seed = seed, .redo_mib = 60}, scratch->Sub("source"), made), IsOk());
  ASSERT_THAT(CopyTree(made, whole), IsOk());
  const auto undisturbed =
      RunToSuccess(PrepareCommand(BackupTool::kHbk, whole), scratch->Sub("whole.log"));
  ASSERT_THAT(undisturbed, IsOk());

  int interrupted_count = 0;
  int run_count = 0;
  // More than were asked for, if the time of the first prepare was that of a busy moment.
  const auto wants_more = [&] {
    return run_count < kill_count ||
           (interrupted_count <= kill_count / 2 && run_count < 4 * kill_count);
  };
  for (; wants_more(); ++run_count) {
    ASSERT_THAT(CopyTree(made, killed), IsOk());
    // Once in four it is killed again while it goes on.
    const int rounds = random() % 4 == 0 ? 2 : 1;
    for (int round = 0; round < rounds; ++round) {
      const auto limit =
          milliseconds(random() % static_cast<uint64_t>(undisturbed->seconds * 1000 + 1));
      const auto process = Process::Start(PrepareCommand(BackupTool::kHbk, killed),
                                          {.output_path = scratch->Sub("killed.log")});
      ASSERT_THAT(process, IsOk());
      if (!(*process)->HasEndedWithin(limit)) ++interrupted_count;
      (*process)->Signal(SIGKILL);
      (void)(*process)->Wait(milliseconds(10'000));
    }
    ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, killed), scratch->Sub("again.log")),
                IsOk());
    const auto differences = CompareFiles(whole, killed, kIgnored);
    ASSERT_THAT(differences, IsOkAndHolds(::testing::IsEmpty())) << "kill " << run_count;
    ASSERT_EQ(ManifestWithoutTime(whole), ManifestWithoutTime(killed)) << "kill " << run_count;
    ASSERT_THAT(RemoveTree(killed), IsOk());
  }
  std::printf(
      "seed %llu: prepare takes %.1f s; %d runs, %d kills while it ran, all finished to the same "
      "bytes\n",
      static_cast<unsigned long long>(seed), undisturbed->seconds, run_count, interrupted_count);
  EXPECT_GT(interrupted_count, kill_count / 2);
}

}  // namespace
}  // namespace hbk::testing

// A few instances of the matrix page size x checksum x kind of table; all of them: matrix.sh.

#include <cstdio>

#include <gtest/gtest.h>

#include "tests/integration/live_backup_scenario.h"
#include "tests/integration/matrix_scenario.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

struct Instance {
  uint32_t page_kib;
  const char* checksum;
  PageCipher cipher;
};

void PrintTo(const Instance& instance, std::ostream* out) {
  *out << InstanceFormat{.tree = {.series = "10.11", .dir = {}},
                         .page_kib = instance.page_kib,
                         .checksum = instance.checksum,
                         .cipher = instance.cipher}
              .Describe();
}

std::string NameOf(const ::testing::TestParamInfo<Instance>& info) {
  return std::to_string(info.param.page_kib) + "k_" + info.param.checksum +
         (info.param.cipher == PageCipher::kCtr ? "_ctr" : "_cbc");
}

InstanceFormat FormatOf(const Instance& instance, const ServerTree& tree) {
  return {.tree = tree,
          .page_kib = instance.page_kib,
          .checksum = instance.checksum,
          .cipher = instance.cipher};
}

class MatrixDifferentialTest : public ::testing::TestWithParam<Instance> {};

TEST_P(MatrixDifferentialTest, PagesOfEveryKindAreThoseOfMariadbBackup) {
  HBK_TREE_OR_SKIP(tree, "10.11");
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  const DifferentialConfig config{.seed = seed, .format = FormatOf(GetParam(), tree)};

  const auto result = RunDifferential(config);

  ASSERT_THAT(result, IsOk());
  std::printf("seed %llu, %s, %.1f MB of redo\n", static_cast<unsigned long long>(seed),
              config.format.Describe().c_str(), static_cast<double>(result->redo_bytes) / 1e6);
  for (const auto& [kind, text] : CellsOf(config, result.value())) {
    std::printf("  %s: %s\n", kind.c_str(), text.c_str());
  }
  EXPECT_EQ(result->pages.difference_count, 0U)
      << ::testing::PrintToString(result->pages.differences);
}

INSTANTIATE_TEST_SUITE_P(Some, MatrixDifferentialTest,
                         ::testing::Values(Instance{4, "crc32", PageCipher::kCbc},
                                           Instance{16, "full_crc32", PageCipher::kCtr},
                                           Instance{64, "full_crc32", PageCipher::kCbc}),
                         NameOf);

class MatrixLiveTest : public ::testing::TestWithParam<Instance> {};

TEST_P(MatrixLiveTest, RestoredServerEqualsSource) {
  HBK_TREE_OR_SKIP(tree, "10.11");
  const uint64_t seed = SeedFromEnvironment();
  SCOPED_TRACE(::testing::Message() << "HBK_SEED=" << seed);
  LiveBackup run({.seed = seed, .format = FormatOf(GetParam(), tree), .has_kinds = true});

  const Status status = run.Run();

  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
              run.figures().Describe().c_str());
  EXPECT_THAT(status, IsOk());
}

INSTANTIATE_TEST_SUITE_P(Some, MatrixLiveTest,
                         ::testing::Values(Instance{8, "full_crc32", PageCipher::kCbc},
                                           Instance{16, "crc32", PageCipher::kCtr}),
                         NameOf);

}  // namespace
}  // namespace hbk::testing

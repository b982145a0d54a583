// Prepare, decompress and decrypt with every fault at every operation.

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "hbk/prepare/prepare_runner.h"
#include "hbk/prepare/unpack_runner.h"

#include "quiet_reporter.h"
#include "tests/support/chain_server.h"
#include "tests/support/compressed_backup.h"
#include "tests/support/fault_matrix.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::prepare_fault_matrix_test {
namespace {

using testing::FaultCase;
using testing::FaultKind;
using testing::FaultMatrix;
using testing::IsOk;
using testing::MemFileSystem;

using Files = std::map<std::string, std::string>;

constexpr std::string_view kKeyText =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

seal::SealingKeyOptions SealingKeys() {
  seal::SealingKeyOptions keys;
  keys.key = Secret(std::string(kKeyText));
  return keys;
}

// One worker: then the k-th operation is always the same one.
Status Prepare(io::FileSystem& fs, const std::string& dir,
               const std::vector<std::string>& increments, bool is_sealed = false) {
  QuietReporter reporter;
  PrepareOptions options;
  options.target_dir = dir;
  options.incremental_dirs = increments;
  options.use_memory_bytes = 8 << 20;
  options.parallel = 1;
  if (is_sealed) options.sealing_keys = SealingKeys();
  const Status status = RunPrepare(options, fs, reporter, {}).status();
  // Nothing was left to do: the run before had ended after its last step.
  return status.message().ends_with("is in " + dir + " already") ? OkStatus() : status;
}

Status Unpack(io::FileSystem& fs, UnpackDepth depth) {
  QuietReporter reporter;
  UnpackOptions options;
  options.target_dir = "/base";
  options.depth = depth;
  options.parallel = 1;
  if (depth == UnpackDepth::kUnsealed) options.sealing_keys = SealingKeys();
  return RunUnpack(options, fs, reporter, {}).status();
}

// Names below `dir`, with the bytes. The manifest has the time, and the file of the lock, which may
// have stayed, says nothing.
Files FilesOf(MemFileSystem& fs, const std::string& dir) {
  Files files;
  for (const auto& [path, bytes] : fs.Tree(dir)) {
    if (path.ends_with("/hbk_manifest.json") || path.ends_with("/hbk_prepare.lock")) continue;
    files[path.substr(dir.size())] = bytes;
  }
  return files;
}

std::string FirstDifference(const Files& files, const Files& expected) {
  for (const auto& [name, bytes] : expected) {
    const auto found = files.find(name);
    if (found == files.end()) return name + " is missing";
    if (found->second != bytes)
      return name + " is another" + (bytes.size() < 300 ? ":\n" + found->second : "");
  }
  for (const auto& [name, bytes] : files)
    if (!expected.contains(name)) return name + " is too much";
  return "";
}

// The server at work is the same each time, and takes long to make.
const Files& ChainTree(int increments) {
  static std::map<int, Files> trees;
  Files& tree = trees[increments];
  if (!tree.empty()) return tree;
  MemFileSystem fs;
  testing::ChainServer server(3);
  server.Work(60);
  size_t last = server.TakeFull(fs, "/base");
  for (int number = 1; number <= increments; ++number) {
    server.ChangeFiles();
    server.Work(60);
    last = server.TakeIncrement(fs, fmt::format("/inc{}", number), last);
  }
  tree = fs.Tree("/");
  return tree;
}

void PutChain(MemFileSystem& fs, int increments) {
  for (const auto& [path, bytes] : ChainTree(increments))
    fs.PutFile(path, bytes);
  for (const char* dir : {"/base", "/inc1", "/inc2"}) {
    fs.PutDirectory(std::string(dir) + "/db");
    fs.PutDirectory(std::string(dir) + "/db2");
  }
}

// A run that ended well has made what the undisturbed one makes; after one that did not, the next
// one makes that.
testing::FaultCounts RunMatrix(const std::string& name, const std::string& dir, uint64_t stride,
                               const std::function<void(MemFileSystem&)>& set_up,
                               const std::function<Status(io::FileSystem&)>& run) {
  MemFileSystem good;
  set_up(good);
  EXPECT_THAT(run(good), IsOk());
  const Files expected = FilesOf(good, dir);
  const FaultMatrix matrix{
      .name = name,
      .set_up = set_up,
      .run = run,
      .check =
          [&](MemFileSystem& fs, const FaultCase& /*fault*/, const Status& ended) {
            if (!ended.ok()) {
              EXPECT_THAT(run(fs), IsOk());
            }
            EXPECT_EQ(FirstDifference(FilesOf(fs, dir), expected), "");
          },
      .stride = stride};
  return RunFaultMatrix(matrix);
}

TEST(PrepareFaultMatrixTest, FullBackup) {
  const auto counts = RunMatrix(
      "prepare", testing::kSmallBackupDir, 1,
      [](MemFileSystem& fs) { testing::PutSmallBackup(fs); },
      [](io::FileSystem& fs) { return Prepare(fs, testing::kSmallBackupDir, {}); });
  EXPECT_GT(counts.cases, 300U);
}

TEST(PrepareFaultMatrixTest, Chain) {
  const auto counts = RunMatrix(
      "prepare of a chain", "/base", 11, [](MemFileSystem& fs) { PutChain(fs, 2); },
      [](io::FileSystem& fs) {
        return Prepare(fs, "/base", {"/inc1", "/inc2"});
      });
  EXPECT_GT(counts.cases, 100U);
}

TEST(PrepareFaultMatrixTest, Decompress) {
  const auto counts = RunMatrix(
      "decompress", "/base", 3,
      [](MemFileSystem& fs) {
        PutChain(fs, 0);
        ASSERT_THAT(testing::CompressBackup(fs, "/base"), IsOk());
      },
      [](io::FileSystem& fs) { return Unpack(fs, UnpackDepth::kDecompressed); });
  EXPECT_GT(counts.cases, 50U);
}

TEST(PrepareFaultMatrixTest, Decrypt) {
  const auto counts = RunMatrix(
      "decrypt", "/base", 7,
      [](MemFileSystem& fs) {
        PutChain(fs, 0);
        const seal::SealingKey key{.kind = seal::SealingKeyKind::kKey,
                                   .secret = seal::ParseSealingKey(kKeyText).value(),
                                   .origin = "a key",
                                   .label = "a key"};
        ASSERT_THAT(testing::SealBackup(fs, "/base", key, /*has_sealed_names=*/false), IsOk());
      },
      [](io::FileSystem& fs) { return Unpack(fs, UnpackDepth::kUnsealed); });
  EXPECT_GT(counts.cases, 50U);
}

}  // namespace
}  // namespace hbk::prepare::prepare_fault_matrix_test

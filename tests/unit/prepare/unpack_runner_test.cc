#include "hbk/prepare/unpack_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/manifest/backup_manifest.h"
#include "hbk/prepare/prepare_runner.h"

#include "quiet_reporter.h"
#include "tests/support/chain_server.h"
#include "tests/support/compressed_backup.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::unpack_runner_test {
namespace {

using ::testing::AllOf;
using testing::CompressBackup;
using testing::FaultKind;
using testing::FaultyFileSystem;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

using Files = std::map<std::string, std::string>;

constexpr std::string_view kKeyText =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

Result<UnpackSummary> Unpack(io::FileSystem& fs, const std::string& dir = "/base") {
  QuietReporter reporter;
  // One worker: then the k-th operation is always the same one.
  return RunUnpack({.target_dir = dir, .parallel = 1}, fs, reporter, {});
}

Status Prepare(io::FileSystem& fs, const std::string& output = "") {
  QuietReporter reporter;
  return RunPrepare({.target_dir = "/base",
                     .incremental_dirs = {"/inc"},
                     .output_dir = output,
                     .use_memory_bytes = 8 << 20,
                     .parallel = 1},
                    fs, reporter, {})
      .status();
}

// Names below `dir`, with the bytes. The manifest has the time.
Files FilesOf(MemFileSystem& fs, const std::string& dir) {
  Files files;
  for (const auto& [path, bytes] : fs.Tree(dir))
    if (!path.ends_with("hbk_manifest.json")) files[path.substr(dir.size())] = bytes;
  return files;
}

// A full backup in /base and an increment to it in /inc.
void PutChain(MemFileSystem& fs) {
  testing::ChainServer server(3);
  server.Work(60);
  const size_t base = server.TakeFull(fs, "/base");
  server.ChangeFiles();
  server.Work(60);
  (void)server.TakeIncrement(fs, "/inc", base);
}

seal::SealingKeyOptions SealingKeys() {
  seal::SealingKeyOptions keys;
  keys.key = Secret(std::string(kKeyText));
  return keys;
}

void PutSealedChain(MemFileSystem& fs, bool has_sealed_names = false) {
  PutChain(fs);
  const seal::SealingKey key{.kind = seal::SealingKeyKind::kKey,
                             .secret = seal::ParseSealingKey(kKeyText).value(),
                             .origin = "a key",
                             .label = "a key"};
  ASSERT_THAT(testing::SealBackup(fs, "/base", key, has_sealed_names), IsOk());
  ASSERT_THAT(testing::SealBackup(fs, "/inc", key, has_sealed_names), IsOk());
}

Status Decrypt(io::FileSystem& fs) {
  QuietReporter reporter;
  return RunUnpack({.target_dir = "/base",
                    .depth = UnpackDepth::kUnsealed,
                    .parallel = 1,
                    .sealing_keys = SealingKeys()},
                   fs, reporter, {})
      .status();
}

Status PrepareSealed(io::FileSystem& fs) {
  QuietReporter reporter;
  return RunPrepare({.target_dir = "/base",
                     .incremental_dirs = {"/inc"},
                     .use_memory_bytes = 8 << 20,
                     .parallel = 1,
                     .sealing_keys = SealingKeys()},
                    fs, reporter, {})
      .status();
}

TEST(UnpackRunnerTest, FilesAreAsTheyWere) {
  MemFileSystem fs;
  PutChain(fs);
  const Files plain = FilesOf(fs, "/base");
  ASSERT_THAT(CompressBackup(fs, "/base"), IsOk());
  ASSERT_NE(FilesOf(fs, "/base"), plain);

  const auto summary = Unpack(fs);

  ASSERT_THAT(summary, IsOk());
  EXPECT_GT(summary->file_count, 3);
  EXPECT_LT(summary->stored_bytes, summary->bytes);
  EXPECT_TRUE(FilesOf(fs, "/base") == plain);
  EXPECT_EQ(manifest::LoadManifest(fs, "/base")->compression, codec::FrameChoice());
  EXPECT_TRUE(Unpack(fs)->was_plain_already);
}

TEST(UnpackRunnerTest, AnIncrementToo) {
  MemFileSystem fs;
  PutChain(fs);
  const Files plain = FilesOf(fs, "/inc");
  ASSERT_THAT(CompressBackup(fs, "/inc"), IsOk());
  ASSERT_THAT(Unpack(fs, "/inc"), IsOk());
  EXPECT_TRUE(FilesOf(fs, "/inc") == plain);
}

// At each moment the backup is whole: prepare, too, makes of it what it makes of the plain one.
TEST(UnpackRunnerTest, ARunThatIsCutOffIsGoneOnWith) {
  MemFileSystem plain;
  PutChain(plain);
  const Files files = FilesOf(plain, "/base");
  for (uint32_t k = 1;; ++k) {
    MemFileSystem mem;
    PutChain(mem);
    ASSERT_THAT(CompressBackup(mem, "/base"), IsOk());
    FaultyFileSystem fs(mem);
    fs.Arm(FaultKind::kCrash, k);
    (void)Unpack(fs).ok();
    if (!fs.has_fired()) break;
    mem.Crash(k);
    ASSERT_THAT(Unpack(mem), IsOk()) << k;
    const Files now = FilesOf(mem, "/base");
    for (const auto& [name, bytes] : now)
      ASSERT_TRUE(files.contains(name)) << k << name;
    ASSERT_TRUE(now == files) << k;
  }
}

TEST(UnpackRunnerTest, ADamagedFileStaysAndIsNamed) {
  MemFileSystem fs;
  PutChain(fs);
  ASSERT_THAT(CompressBackup(fs, "/base"), IsOk());
  std::string stored = fs.Contents("/base/ibdata1.zst");
  stored[stored.size() / 2] = static_cast<char>(stored[stored.size() / 2] ^ 4);
  fs.PutFile("/base/ibdata1.zst", stored);

  EXPECT_THAT(Unpack(fs), StatusIs(StatusCode::kCorruption, HasSubstr("/base/ibdata1.zst")));
  EXPECT_TRUE(fs.Contents("/base/ibdata1.zst") == stored);
  EXPECT_FALSE(io::Exists(fs, "/base/ibdata1").value());
}

TEST(UnpackRunnerTest, AFileOfAnotherBackupIsNotTaken) {
  MemFileSystem fs;
  PutChain(fs);
  std::string other = fs.Contents("/base/ibdata1");
  other.back() = static_cast<char>(other.back() ^ 1);
  fs.PutFile("/base/ibdata1", other);
  ASSERT_THAT(CompressBackup(fs, "/base"), IsOk());
  EXPECT_THAT(Unpack(fs), StatusIs(StatusCode::kCorruption,
                                   AllOf(HasSubstr("/base/ibdata1.zst"), HasSubstr("digest"))));
}

TEST(UnpackRunnerTest, AMissingFileIsSaidBeforeAnythingIsChanged) {
  MemFileSystem fs;
  PutChain(fs);
  ASSERT_THAT(CompressBackup(fs, "/base"), IsOk());
  ASSERT_THAT(fs.Remove("/base/ibdata1.zst"), IsOk());
  const Files before = FilesOf(fs, "/base");
  EXPECT_THAT(Unpack(fs), StatusIs(StatusCode::kCorruption, HasSubstr("missing")));
  EXPECT_TRUE(FilesOf(fs, "/base") == before);
}

TEST(UnpackRunnerTest, WhatIsNoBackupIsLeftAlone) {
  MemFileSystem fs;
  fs.PutDirectory("/base");
  EXPECT_THAT(Unpack(fs), StatusIs(StatusCode::kNotFound, HasSubstr("hbk_manifest.json")));
  EXPECT_TRUE(fs.Tree("/base").empty());
}

TEST(UnpackRunnerTest, PrepareOfACompressedChainGivesTheSame) {
  MemFileSystem plain;
  PutChain(plain);
  ASSERT_THAT(Prepare(plain), IsOk());
  MemFileSystem in_place;
  PutChain(in_place);
  ASSERT_THAT(CompressBackup(in_place, "/base"), IsOk());
  ASSERT_THAT(CompressBackup(in_place, "/inc"), IsOk());
  const Files increment = FilesOf(in_place, "/inc");
  ASSERT_THAT(Prepare(in_place), IsOk());
  EXPECT_TRUE(FilesOf(in_place, "/base") == FilesOf(plain, "/base"));
  EXPECT_EQ(manifest::LoadManifest(in_place, "/base")->compression, codec::FrameChoice());
  EXPECT_TRUE(FilesOf(in_place, "/inc") == increment);

  MemFileSystem elsewhere;
  PutChain(elsewhere);
  ASSERT_THAT(CompressBackup(elsewhere, "/base"), IsOk());
  ASSERT_THAT(CompressBackup(elsewhere, "/inc"), IsOk());
  const Files base = FilesOf(elsewhere, "/base");
  ASSERT_THAT(Prepare(elsewhere, "/new"), IsOk());
  EXPECT_TRUE(FilesOf(elsewhere, "/new") == FilesOf(plain, "/base"));
  EXPECT_EQ(manifest::LoadManifest(elsewhere, "/new")->compression, codec::FrameChoice());
  EXPECT_TRUE(FilesOf(elsewhere, "/base") == base);
}

// With names that are sealed, too, or without.
class SealedUnpackTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Names, SealedUnpackTest, ::testing::Bool());

TEST_P(SealedUnpackTest, PrepareElsewhereLeavesItAsItIs) {
  MemFileSystem plain;
  PutChain(plain);
  ASSERT_THAT(Prepare(plain), IsOk());
  MemFileSystem fs;
  PutSealedChain(fs, GetParam());
  const Files base = FilesOf(fs, "/base");
  QuietReporter reporter;
  ASSERT_THAT(RunPrepare({.target_dir = "/base",
                          .incremental_dirs = {"/inc"},
                          .output_dir = "/new",
                          .use_memory_bytes = 8 << 20,
                          .parallel = 1,
                          .sealing_keys = SealingKeys()},
                         fs, reporter, {}),
              IsOk());
  EXPECT_TRUE(FilesOf(fs, "/new") == FilesOf(plain, "/base"));
  EXPECT_TRUE(FilesOf(fs, "/base") == base);
  const auto manifest = manifest::LoadManifest(fs, "/new");
  ASSERT_THAT(manifest, IsOk());
  EXPECT_FALSE(manifest->is_sealed || manifest->has_sealed_names);
}

// Decrypting in place, and prepare that does so first: killed at any change, the next run ends in
// the same files.
TEST_P(SealedUnpackTest, IsGoneOnWith) {
  MemFileSystem plain;
  PutChain(plain);
  ASSERT_THAT(Prepare(plain), IsOk());
  const Files prepared = FilesOf(plain, "/base");
  MemFileSystem decrypted;
  PutSealedChain(decrypted, GetParam());
  ASSERT_THAT(Decrypt(decrypted), IsOk());
  EXPECT_EQ(manifest::LoadManifest(decrypted, "/base")->compression.method,
            codec::FrameMethod::kZstd);
  EXPECT_FALSE(io::Exists(decrypted, "/base/hbk_keys.json").value());
  EXPECT_FALSE(io::Exists(decrypted, "/base/hbk_manifest.json.sealed").value());
  const Files unsealed = FilesOf(decrypted, "/base");
  for (const bool is_prepare : {false, true}) {
    const auto run = [is_prepare](io::FileSystem& fs) {
      return is_prepare ? PrepareSealed(fs) : Decrypt(fs);
    };
    for (uint32_t k = 1;; k += is_prepare ? 3 : 1) {
      MemFileSystem mem;
      PutSealedChain(mem, GetParam());
      FaultyFileSystem fs(mem);
      fs.Arm(FaultKind::kCrash, k);
      (void)run(fs).ok();
      if (!fs.has_fired()) break;
      mem.Crash(k);
      ASSERT_THAT(run(mem), IsOk()) << k << (is_prepare ? " prepare" : " decrypt");
      // What random ids and salts are in is gone by now.
      ASSERT_TRUE(FilesOf(mem, "/base") == (is_prepare ? prepared : unsealed)) << k;
    }
  }
}

TEST(UnpackRunnerTest, ASealedBackupIsNotDecompressed) {
  MemFileSystem fs;
  PutSealedChain(fs);
  QuietReporter reporter;
  EXPECT_THAT(RunUnpack({.target_dir = "/base",
                         .depth = UnpackDepth::kDecompressed,
                         .parallel = 1,
                         .sealing_keys = SealingKeys()},
                        fs, reporter, {}),
              StatusIs(StatusCode::kUsage, HasSubstr("is sealed")));
  EXPECT_THAT(Unpack(fs), StatusIs(StatusCode::kMissingKey, HasSubstr("no key is given")));
}

// A chain that does not fit is found before an hour goes into its base.
TEST(UnpackRunnerTest, AWrongChainLeavesTheBaseCompressed) {
  MemFileSystem fs;
  PutChain(fs);
  ASSERT_THAT(CompressBackup(fs, "/base"), IsOk());
  auto manifest = manifest::LoadManifest(fs, "/inc").value();
  manifest.base->backup_uuid = "another";
  ASSERT_THAT(manifest::StoreManifest(fs, "/inc", manifest), IsOk());
  const Files before = FilesOf(fs, "/base");
  EXPECT_THAT(Prepare(fs), StatusIs(StatusCode::kChainBroken, ::testing::_));
  EXPECT_TRUE(FilesOf(fs, "/base") == before);
}

}  // namespace
}  // namespace hbk::prepare::unpack_runner_test

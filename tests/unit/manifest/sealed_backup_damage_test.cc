// Whatever is changed in a sealed backup is noticed, and the file named.

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/secret.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"

#include "tests/support/chain_server.h"
#include "tests/support/compressed_backup.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using testing::IsOk;
using testing::MemFileSystem;

constexpr int kFlips = 2000;
constexpr int kCuts = 500;
constexpr std::string_view kKeyText =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

// With names that are sealed, too, or without.
class SealedBackupDamageTest : public ::testing::TestWithParam<bool> {
 protected:
  SealedBackupDamageTest() {
    testing::ChainServer server(3);
    server.Work(60);
    (void)server.TakeFull(fs_, "/base");
    const seal::SealingKey key{.kind = seal::SealingKeyKind::kKey,
                               .secret = seal::ParseSealingKey(kKeyText).value(),
                               .origin = "a key",
                               .label = "a key"};
    EXPECT_THAT(testing::SealBackup(fs_, "/base", key, GetParam()), IsOk());
    options_.key = Secret(std::string(kKeyText));
    for (const auto& [path, bytes] : fs_.Tree("/base"))
      files_.emplace_back(path, bytes);
  }

  // As prepare and decrypt read it: the first error.
  Status ReadAll() {
    SealingKeyRing keys(options_, fs_, {});
    StoredBackups backups(fs_, keys);
    HBK_RETURN_IF_ERROR(backups.Add("/base").status());
    HBK_ASSIGN_OR_RETURN(const auto manifest, LoadManifest(backups.fs(), "/base"));
    for (const ManifestFile& file : manifest.files) {
      HBK_ASSIGN_OR_RETURN(
          const std::string bytes,
          io::ReadFile(backups.fs(), io::JoinPath("/base", file.name), uint64_t{1} << 30));
      if (bytes.size() != file.size) return CorruptionError(file.name + " has another size");
    }
    return OkStatus();
  }

  // Each file as often as the others.
  const std::pair<std::string, std::string>& Pick() { return files_[random_() % files_.size()]; }

  void ExpectNoticed(const std::string& path, const std::string& bytes, const std::string& what) {
    const std::string before = fs_.Contents(path);
    fs_.PutFile(path, bytes);
    const Status status = ReadAll();
    EXPECT_FALSE(status.ok()) << path << " " << what << " seed " << seed_;
    EXPECT_NE(status.message().find(path), std::string::npos) << status.message() << " " << what;
    fs_.PutFile(path, before);
  }

  const uint32_t seed_ = std::random_device()();
  std::mt19937 random_{seed_};
  MemFileSystem fs_;
  seal::SealingKeyOptions options_;
  std::vector<std::pair<std::string, std::string>> files_;
};

TEST_P(SealedBackupDamageTest, UntouchedItIsWhole) {
  EXPECT_THAT(ReadAll(), IsOk());
  // Names say something, or nothing at all.
  for (const auto& [path, bytes] : files_) {
    const bool says_name = path.find("ibdata") != std::string::npos ||
                           path.find('/', 6) != std::string::npos ||
                           bytes.find("ibdata") != std::string::npos;
    EXPECT_FALSE(GetParam() && says_name) << path;
  }
  EXPECT_GT(files_.size(), 5U);
}

TEST_P(SealedBackupDamageTest, EachFlippedBitIsNoticed) {
  for (int i = 0; i < kFlips; ++i) {
    const auto& [path, bytes] = Pick();
    std::string damaged = bytes;
    const size_t bit = random_() % (damaged.size() * 8);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    ExpectNoticed(path, damaged, "bit " + std::to_string(bit));
  }
}

TEST_P(SealedBackupDamageTest, EachCutIsNoticed) {
  for (int i = 0; i < kCuts; ++i) {
    const auto& [path, bytes] = Pick();
    const size_t size = random_() % bytes.size();
    ExpectNoticed(path, bytes.substr(0, size), "size " + std::to_string(size));
  }
}

INSTANTIATE_TEST_SUITE_P(Names, SealedBackupDamageTest, ::testing::Bool());

}  // namespace
}  // namespace hbk::manifest

// A sealed backup of a real server, and a sealed archive: whatever is changed in them is noticed,
// and the file named. HBK_DAMAGE_FLIPS and HBK_DAMAGE_CUTS: how many of each; a tenth of 2,000 and
// 500 unless they say so.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/extract/extract_runner.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/store/sealed_file_system.h"

#include "tests/support/byte_buffers.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::string_view kKeyText =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;

int CountFrom(const char* variable, int usual) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? usual : std::atoi(text);
}

class SealedDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
    // A number that was mistyped would else damage nothing.
    ASSERT_GT(std::min(flips_, cuts_), 0);
    keys_options_.key = Secret(std::string(kKeyText));
    std::ofstream(scratch_->Sub("key")) << kKeyText;
    std::filesystem::permissions(scratch_->Sub("key"), std::filesystem::perms::owner_read);
    auto server = Mariadbd::Start({.base_dir = scratch_->Sub("source")});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(*server);
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    for (const std::string statement :
         {"CREATE DATABASE shop", "USE shop",
          "CREATE TABLE shop.orders ENGINE=InnoDB AS SELECT seq AS id, "
          "REPEAT(MD5(seq), 8) AS v FROM seq_1_to_20000",
          "CREATE TABLE shop.a ENGINE=Aria AS SELECT seq AS id FROM seq_1_to_2000",
          "CREATE TABLE shop.m ENGINE=MyISAM AS SELECT seq AS id FROM seq_1_to_2000"})
      ASSERT_THAT(client->Execute(statement), IsOk());
    RecordProperty("seed", std::to_string(seed_));
    fmt::print("seed {}\n", seed_);
  }

  [[nodiscard]] std::string KeyOption() const {
    return "--encrypt-key-file=" + scratch_->Sub("key");
  }

  void FlipBit(std::string& bytes) {
    const size_t bit = random_() % (bytes.size() * 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }

  const uint32_t seed_ = std::random_device()();
  std::mt19937 random_{seed_};
  const int flips_ = CountFrom("HBK_DAMAGE_FLIPS", 200);
  const int cuts_ = CountFrom("HBK_DAMAGE_CUTS", 50);
  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  seal::SealingKeyOptions keys_options_;
};

// A backup in a directory, read as prepare and decrypt read it.
class SealedDirectoryTest : public SealedDamageTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    SealedDamageTest::SetUp();
    if (HasFatalFailure()) return;
    dir_ = scratch_->Sub("backup");
    std::vector<std::string> options = {"--compress", "--encrypt", KeyOption()};
    if (GetParam()) options.emplace_back("--encrypt-manifest");
    const auto taken = RunToSuccess(
        BackupCommand(
            BackupTool::kHbk,
            {.socket_path = server_->socket_path(), .target_dir = dir_, .extra = options}),
        scratch_->Sub("backup.log"));
    ASSERT_THAT(taken, IsOk());
    ASSERT_THAT(FindNames(), IsOk());
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_))
      if (entry.is_regular_file()) paths_.push_back(entry.path());
    std::sort(paths_.begin(), paths_.end());
  }

  // By the path where it lies, what each file is.
  Status FindNames() {
    HBK_ASSIGN_OR_RETURN(const auto opened, manifest::OpenManifest(fs_, dir_, keys_));
    for (const manifest::ManifestFile& file : opened.manifest.files) {
      std::string stored = manifest::NameBeneathCompression(file.name, opened.manifest.compression);
      stored += store::kSealedSuffix;
      if (GetParam()) {
        HBK_ASSIGN_OR_RETURN(stored, manifest::SealedNameOf(*opened.data_key, stored));
      }
      names_[io::JoinPath(dir_, stored)] = file.name;
    }
    return OkStatus();
  }

  // All of the file; of those that tell of the sealing, all that they tell.
  Status ReadOne(const std::string& path) {
    manifest::StoredBackups backups(fs_, keys_);
    HBK_RETURN_IF_ERROR(backups.Add(dir_).status());
    const auto name = names_.find(path);
    if (name == names_.end()) return OkStatus();
    return io::ReadFile(backups.fs(), io::JoinPath(dir_, name->second), kFileBytesMax).status();
  }

  static std::string Load(const std::string& path) {
    return io::ReadFile(io::PosixFileSystem(), path, kFileBytesMax).value();
  }
  static void Store(const std::string& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << bytes;
    ASSERT_TRUE(file.flush().good());
  }

  void ExpectNoticed(const std::string& path, const std::string& damaged) {
    const std::string bytes = Load(path);
    Store(path, damaged);
    const Status status = ReadOne(path);
    EXPECT_FALSE(status.ok()) << path;
    EXPECT_THAT(status.message(), HasSubstr(path));
    Store(path, bytes);
  }

  io::FileSystem& fs_ = io::PosixFileSystem();
  manifest::SealingKeyRing keys_{keys_options_, fs_, {}};
  std::string dir_;
  std::vector<std::string> paths_;
  std::map<std::string, std::string> names_;
};

TEST_P(SealedDirectoryTest, FlippedBitsAndCutsAreNoticed) {
  ASSERT_GT(names_.size(), 100U);
  for (const std::string& path : paths_)
    ASSERT_THAT(ReadOne(path), IsOk()) << path;
  for (int i = 0; i < flips_; ++i) {
    const std::string& path = paths_[random_() % paths_.size()];
    std::string bytes = Load(path);
    FlipBit(bytes);
    ExpectNoticed(path, bytes);
  }
  for (int i = 0; i < cuts_; ++i) {
    const std::string& path = paths_[random_() % paths_.size()];
    const std::string bytes = Load(path);
    ExpectNoticed(path, bytes.substr(0, random_() % bytes.size()));
  }
}

// What somebody else put there is not hidden by the sealing; an empty directory is taken.
TEST_P(SealedDirectoryTest, ATargetThatIsNotEmptyIsRefused) {
  const std::string target = scratch_->Sub("target");
  std::filesystem::create_directory(target);
  std::vector<std::string> options = {"--encrypt", KeyOption()};
  if (GetParam()) options.emplace_back("--encrypt-manifest");
  const std::vector<std::string> command = BackupCommand(
      BackupTool::kHbk,
      {.socket_path = server_->socket_path(), .target_dir = target, .extra = options});
  Store(target + "/letter", "x");
  const auto refused = RunProcess(command, {.output_path = scratch_->Sub("refused.log")});
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->exit_code, 21) << refused->Describe();
  EXPECT_THAT(Load(scratch_->Sub("refused.log")), HasSubstr("it holds letter"));
  std::filesystem::remove(target + "/letter");
  EXPECT_THAT(RunToSuccess(command, scratch_->Sub("taken.log")), IsOk());
}

// The same by the program, and what it leaves.
TEST_P(SealedDirectoryTest, PrepareRefusesAndNamesTheFile) {
  const auto prepare = [&](const std::string& output, const std::string& log) {
    return RunProcess({HbkProgram(), "--no-defaults", "prepare", "--target-dir=" + dir_,
                       "--output-dir=" + output, KeyOption()},
                      {.output_path = log});
  };
  for (int i = 0; i < 8; ++i) {
    const std::string& path = paths_[random_() % paths_.size()];
    const std::string bytes = Load(path);
    std::string damaged = bytes;
    if (i % 2 == 0) {
      FlipBit(damaged);
    } else {
      damaged.resize(random_() % bytes.size());
    }
    Store(path, damaged);
    const std::string log = scratch_->Sub(fmt::format("prepare{}.log", i));
    const auto end = prepare(scratch_->Sub("prepared"), log);
    ASSERT_THAT(end, IsOk());
    EXPECT_TRUE(end->exit_code == 20 || end->exit_code == 22) << end->Describe();
    EXPECT_THAT(Load(log), HasSubstr(path));
    EXPECT_FALSE(std::filesystem::exists(scratch_->Sub("prepared/hbk_manifest.json")));
    std::filesystem::remove_all(scratch_->Sub("prepared"));
    Store(path, bytes);
  }
  const auto end = prepare(scratch_->Sub("prepared"), scratch_->Sub("prepare.log"));
  ASSERT_THAT(end, IsOk());
  EXPECT_TRUE(end->succeeded()) << end->Describe();
}

INSTANTIATE_TEST_SUITE_P(Names, SealedDirectoryTest, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "Sealed" : "Readable"; });

class SealedStreamTest : public SealedDamageTest {};

TEST_F(SealedStreamTest, FlippedBitsAndCutsAreNoticed) {
  const std::string path = scratch_->Sub("archive");
  std::vector<std::string> command = BackupCommand(
      BackupTool::kHbk, {.socket_path = server_->socket_path(),
                         .target_dir = scratch_->Sub("none"),
                         .extra = {"--compress", "--encrypt", KeyOption(), "--stream=hbk"}});
  const auto end =
      RunProcess(command, {.output_path = scratch_->Sub("backup.log"), .stdout_path = path});
  ASSERT_THAT(end, IsOk());
  ASSERT_TRUE(end->succeeded()) << end->Describe();
  const std::string archive = io::ReadFile(io::PosixFileSystem(), path, kFileBytesMax).value();

  const auto extract = [](const std::string& bytes, MemFileSystem& fs) {
    SilentReporter reporter;
    return extract::RunExtract({.directory = "/x", .parallel = 1}, SourceOf(bytes), fs, reporter,
                               {})
        .status();
  };
  MemFileSystem whole;
  ASSERT_THAT(extract(archive, whole), IsOk());
  std::vector<std::string> names;
  for (const auto& [file, bytes] : whole.Tree("/x"))
    names.push_back(file.substr(3));
  ASSERT_GT(names.size(), 100U);

  const auto expect_noticed = [&](const std::string& bytes, const std::string& what) {
    MemFileSystem fs;
    const Status status = extract(bytes, fs);
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << what;
    // Where in the archive.
    EXPECT_THAT(status.message(), HasSubstr("stream")) << what;
    EXPECT_FALSE(io::Exists(fs, "/x").value()) << what;
  };
  std::string damaged = archive;
  for (int i = 0; i < flips_; ++i) {
    const size_t bit = random_() % (archive.size() * 8);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    expect_noticed(damaged, fmt::format("bit {} of {}", bit, archive.size() * 8));
    damaged[bit / 8] = archive[bit / 8];
  }
  for (int i = 0; i < cuts_; ++i) {
    const size_t size = random_() % archive.size();
    expect_noticed(archive.substr(0, size), fmt::format("cut at {} of {}", size, archive.size()));
  }
}

}  // namespace
}  // namespace hbk::testing

// hbk verify on backups of a real server: nothing is found in good ones, and whatever is damaged at
// random is. The first of these damages also go through prepare and copy-back, which must find them
// as well, or end in what they would have made of the undamaged backup.
//
// HBK_VERIFY_DAMAGES: how many of each kind of backup, 40 unless it says so; then the number that
// is restored is the same, else it is 12.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"
#include "hbk/verify/verify_runner.h"

#include "tests/support/byte_buffers.h"
#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/restore_trial.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;
constexpr size_t kBlockBytes = 4096;
constexpr size_t kPageBytes = 16384;

// What DamageOne does, by its number.
constexpr std::array<const char*, 10> kDamageNames = {
    "bit flip",     "truncation",    "lost block",      "misplaced block", "appended byte",
    "removed file", "swapped files", "file of another", "page of another", "added file"};

uint32_t NumberFrom(const char* variable, uint32_t usual) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? usual : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

std::string Load(const std::string& path) {
  return io::ReadFile(io::PosixFileSystem(), path, kFileBytesMax).value();
}

void Store(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  ASSERT_TRUE(file.flush().good()) << path;
}

class VerifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
    // A number that was mistyped would else damage nothing.
    ASSERT_GT(damages_, 0U);
    auto server = Mariadbd::Start(
        {.base_dir = scratch_->Sub("source"), .install_options = {"--innodb-undo-tablespaces=2"}});
    ASSERT_THAT(server, IsOk());
    server_ = std::move(*server);
    Sql({"CREATE DATABASE shop", "CREATE DATABASE void",
         "CREATE TABLE shop.orders (id INT PRIMARY KEY, v VARCHAR(300), KEY (v(40))) "
         "AS SELECT seq AS id, REPEAT(MD5(seq), 6) AS v FROM seq_1_to_15000",
         "CREATE TABLE shop.z (id INT PRIMARY KEY, v TEXT) ROW_FORMAT=COMPRESSED "
         "KEY_BLOCK_SIZE=4 AS SELECT seq AS id, MD5(seq) AS v FROM seq_1_to_5000",
         "CREATE TABLE shop.pc (id INT PRIMARY KEY, v TEXT) PAGE_COMPRESSED=1 "
         "AS SELECT seq AS id, REPEAT('x', 200) AS v FROM seq_1_to_5000",
         "CREATE TABLE shop.parts (id INT PRIMARY KEY, v TEXT) PARTITION BY HASH(id) PARTITIONS 3",
         "CREATE TABLE shop.words (id INT PRIMARY KEY, v TEXT, FULLTEXT (v))",
         "CREATE TABLE shop.a ENGINE=Aria AS SELECT seq AS id, MD5(seq) AS v FROM seq_1_to_4000",
         "CREATE TABLE shop.m ENGINE=MyISAM AS SELECT seq AS id FROM seq_1_to_2000"});
    RecordProperty("seed", std::to_string(seed_));
    fmt::print("seed {}\n", seed_);
  }

  void Sql(const std::vector<std::string>& statements) {
    auto client = server_->Connect();
    ASSERT_THAT(client, IsOk());
    // Any will do: tables of numbers are in each.
    ASSERT_THAT(client->Execute("USE mysql"), IsOk());
    for (const std::string& statement : statements)
      ASSERT_THAT(client->Execute(statement), IsOk()) << statement;
  }
  void ChangeRows(int round) {
    Sql({fmt::format("UPDATE shop.orders SET v = MD5({} + id) WHERE id % 7 = {}", round, round % 7),
         fmt::format("INSERT INTO shop.parts SELECT seq, 'p' FROM seq_{}_to_{}", round * 300 + 1,
                     round * 300 + 300),
         fmt::format("UPDATE shop.a SET v = '{}' WHERE id % 5 = 1", round),
         fmt::format("DELETE FROM shop.z WHERE id % 11 = {}", round)});
  }
  void Backup(const std::string& name, const std::vector<std::string>& extra = {},
              const std::string& stdout_path = "") {
    const auto end =
        RunProcess(BackupCommand(BackupTool::kHbk, {.socket_path = server_->socket_path(),
                                                    .target_dir = scratch_->Sub(name),
                                                    .extra = extra}),
                   {.output_path = scratch_->Sub(name + ".log"), .stdout_path = stdout_path});
    ASSERT_THAT(end, IsOk());
    ASSERT_TRUE(end->succeeded()) << end->Describe();
  }
  // Of the same server; it has tables that later ones have not.
  void BackupOther() {
    Sql({"CREATE TABLE shop.gone AS SELECT seq AS id FROM seq_1_to_1000",
         "CREATE TABLE shop.gone_too ENGINE=MyISAM AS SELECT seq AS id FROM seq_1_to_1000"});
    Backup("other");
    Sql({"DROP TABLE shop.gone, shop.gone_too"});
  }
  [[nodiscard]] std::string KeyOption() const {
    return "--encrypt-key-file=" + scratch_->Sub("key");
  }
  void MakeKey() {
    std::ofstream(scratch_->Sub("key")) << std::string(64, 'a');
    fs::permissions(scratch_->Sub("key"), fs::perms::owner_read);
  }

  // The exit code of the program, whose words go into the log.
  int RunVerify(const std::vector<std::string>& options, const std::string& stdin_path = "") {
    std::vector<std::string> command = {HbkProgram(), "--no-defaults", "verify"};
    command.insert(command.end(), options.begin(), options.end());
    if (!stdin_path.empty()) command.push_back("--input=" + stdin_path);
    const auto end = RunProcess(command, {.output_path = scratch_->Sub("verify.log")});
    EXPECT_THAT(end, IsOk());
    return end.ok() ? end->exit_code : -1;
  }
  void ExpectGood(const std::vector<std::string>& options, const std::string& stdin_path = "") {
    EXPECT_EQ(RunVerify(options, stdin_path), 0) << Load(scratch_->Sub("verify.log"));
  }

  // True if the program would not end with "completed OK!".
  bool IsFound(const std::string& base, const std::vector<std::string>& increments = {}) {
    const auto summary = verify::RunVerify({.target_dir = scratch_->Sub(base),
                                            .incremental_dirs = increments,
                                            .parallel = 1,
                                            .sealing_keys = keys_},
                                           io::PosixFileSystem(), reporter_, {});
    return !summary.ok() || summary->finding_count != 0;
  }

  // Files of these backups that verify answers for.
  [[nodiscard]] std::vector<std::string> FilesOf(const std::vector<std::string>& names) const {
    std::vector<std::string> paths;
    for (const std::string& name : names)
      for (const auto& entry : fs::recursive_directory_iterator(scratch_->Sub(name)))
        if (entry.is_regular_file() && entry.path().filename() != "hbk_verified.json")
          paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  std::string Damaged(const std::string& bytes, int kind) {
    std::string damaged = bytes;
    const size_t at = random_() % bytes.size();
    switch (kind) {
      case 0: damaged[at] = static_cast<char>(damaged[at] ^ (1 << random_() % 8)); break;
      case 1: damaged.resize(at); break;
      case 2: {  // a lost block
        const size_t block = at / kBlockBytes * kBlockBytes;
        const size_t size = std::min(kBlockBytes, bytes.size() - block);
        damaged.replace(block, size, std::string(size, '\0'));
        break;
      }
      case 3: {  // a block of another place
        const size_t from = random_() % bytes.size() / kBlockBytes * kBlockBytes;
        const size_t to = at / kBlockBytes * kBlockBytes;
        const size_t size = std::min(bytes.size() - from, bytes.size() - to);
        damaged.replace(to, std::min(size, kBlockBytes),
                        bytes.substr(from, std::min(size, kBlockBytes)));
        break;
      }
      default: damaged += static_cast<char>(random_()); break;
    }
    return damaged;
  }

  struct Damage {
    std::string kind;
    std::string what;
    std::string file;  // name in the backup
    bool is_done = false;
    std::map<std::string, std::string> was;  // to put back
    std::vector<std::string> added;          // to be removed
  };

  // Each second time a large file is likelier: it is those that prepare changes.
  const std::string& ChooseFile(const std::vector<std::string>& paths) {
    const std::string* path = &paths[random_() % paths.size()];
    if (random_() % 2 == 0) return *path;
    for (int i = 0; i < 3; ++i) {
      const std::string& other = paths[random_() % paths.size()];
      if (fs::file_size(other) > fs::file_size(*path)) path = &other;
    }
    return *path;
  }

  // One of which the other backup has another version.
  std::string ChooseTwin(const std::vector<std::string>& paths, const std::string& base,
                         const std::string& other) {
    if (twins_.empty()) {
      for (const std::string& path : paths) {
        const std::string twin = other + path.substr(std::min(base.size(), path.size()));
        if (path.starts_with(base + "/") && fs::is_regular_file(twin) && Load(path) != Load(twin))
          twins_.push_back(path);
      }
    }
    return twins_.empty() ? paths.front() : twins_[random_() % twins_.size()];
  }

  // One random damage of the files; `other`: a backup that none of them is of.
  Damage DamageOne(const std::vector<std::string>& paths, const std::string& base,
                   const std::string& other) {
    const auto kind = random_() % kDamageNames.size();
    const bool is_twin = kind == 7 || kind == 8;
    const std::string path = is_twin ? ChooseTwin(paths, base, other) : ChooseFile(paths);
    const std::string bytes = Load(path);
    Damage damage;
    const auto put = [&](const std::string& target, const std::string& before,
                         const std::string& after) {
      if (before == after) return;
      damage.is_done = true;
      damage.was[target] = before;
      Store(target, after);
    };
    damage.kind = kDamageNames[kind];
    damage.file = path.substr(scratch_->path().size() + 1);
    damage.what = fmt::format("{}: {}", path, damage.kind);
    const std::string twin = other + path.substr(base.size());
    if (kind < 5) {
      if (bytes.empty()) return damage;
      put(path, bytes, Damaged(bytes, static_cast<int>(kind)));
    } else if (kind == 5) {
      // Without its list of chunks a backup only takes longer to prepare.
      if (path.ends_with("/hbk_chunks")) return damage;
      damage.is_done = true;
      damage.was[path] = bytes;
      fs::remove(path);
    } else if (kind == 6) {
      const std::string& second = ChooseFile(paths);
      const std::string second_bytes = Load(second);
      damage.what = fmt::format("{} and {} swapped", path, second);
      if (bytes == second_bytes) return damage;
      put(path, bytes, second_bytes);
      put(second, second_bytes, bytes);
    } else if (kind == 7) {
      if (!fs::is_regular_file(twin) || path.ends_with("/hbk_chunks")) return damage;
      put(path, bytes, Load(twin));
    } else if (kind == 8) {
      if (!path.starts_with(base + "/") || !fs::is_regular_file(twin) || bytes.empty())
        return damage;
      // Pages that are whole, but those of another time; each that differs may be it.
      const std::string old = Load(twin);
      std::vector<size_t> offsets;
      for (size_t at = 0; at + kPageBytes <= std::min(old.size(), bytes.size()); at += kPageBytes)
        if (old.compare(at, kPageBytes, bytes, at, kPageBytes) != 0) offsets.push_back(at);
      if (offsets.empty()) return damage;
      const size_t at = offsets[random_() % offsets.size()];
      std::string mixed = bytes;
      mixed.replace(at, kPageBytes, old, at, kPageBytes);
      damage.what += fmt::format(" at {}", at);
      put(path, bytes, mixed);
    } else {
      return AddFile(base, other);
    }
    return damage;
  }

  // A file that the other backup has, and this one has not.
  Damage AddFile(const std::string& base, const std::string& other) {
    Damage damage{
        .kind = "added file", .what = {}, .file = {}, .is_done = false, .was = {}, .added = {}};
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(other)) {
      const std::string name = entry.path().string().substr(other.size() + 1);
      if (entry.is_regular_file() && !name.starts_with("hbk_") && !fs::exists(base + "/" + name))
        names.push_back(name);
    }
    if (names.empty()) return damage;
    damage.file = names[random_() % names.size()];
    const std::string target = base + "/" + damage.file;
    damage.what = target + ": of another backup";
    fs::copy_file(other + "/" + damage.file, target);
    damage.added.push_back(target);
    damage.is_done = true;
    return damage;
  }

  static void Undo(const Damage& damage) {
    for (const auto& [path, bytes] : damage.was)
      Store(path, bytes);
    for (const std::string& path : damage.added)
      fs::remove(path);
  }

  void ExpectAllFound(const std::string& base, const std::vector<std::string>& increments,
                      const std::string& other, bool is_restored = false) {
    std::vector<std::string> names = {base};
    std::vector<std::string> dirs;
    for (const std::string& increment : increments) {
      names.push_back(increment);
      dirs.push_back(scratch_->Sub(increment));
    }
    const std::vector<std::string> paths = FilesOf(names);
    ASSERT_FALSE(IsFound(base, dirs));
    RestoreTrial trial(scratch_->Sub("trial"));
    if (is_restored) {
      ASSERT_THAT(trial.MakeReference(scratch_->Sub(base), dirs), IsOk());
    }
    TrialTally tally;
    uint32_t found = 0;
    for (uint32_t i = 0; i < damages_;) {
      // A twin of a file of the base lies under the same name in the other backup.
      const Damage damage = DamageOne(paths, scratch_->Sub(base), scratch_->Sub(other));
      if (!damage.is_done) continue;
      const std::string which = fmt::format("seed {}, {}: {}", seed_, i, damage.what);
      const bool is_found = IsFound(base, dirs);
      EXPECT_TRUE(is_found) << which;
      found += is_found ? 1 : 0;
      if (is_restored && i < restores_) {
        const auto result = trial.Restore(scratch_->Sub(base), dirs);
        ASSERT_THAT(result, IsOk()) << which;
        EXPECT_NE(result->end, TrialResult::End::kLie) << which << ": " << result->what;
        tally.Add(damage.kind, damage.file, *result);
      }
      ++i;
      Undo(damage);
    }
    EXPECT_FALSE(IsFound(base, dirs));
    fmt::print("{}: {} damages, {} found\n", base, damages_, found);
    if (is_restored) fmt::print("{}", tally.Render(base));
  }

  const uint32_t seed_ = NumberFrom("HBK_SEED", std::random_device()());
  std::mt19937 random_{seed_};
  const uint32_t damages_ = NumberFrom("HBK_VERIFY_DAMAGES", 40);
  const uint32_t restores_ = NumberFrom("HBK_VERIFY_DAMAGES", 12);
  std::vector<std::string> twins_;
  std::optional<ScratchDir> scratch_;
  std::unique_ptr<Mariadbd> server_;
  SilentReporter reporter_;
  seal::SealingKeyOptions keys_;
};

TEST_F(VerifyTest, NothingIsFoundInGoodBackups) {
  MakeKey();
  Backup("full");
  ChangeRows(1);
  Backup("inc1", {"--incremental-basedir=" + scratch_->Sub("full")});
  Sql({"CREATE TABLE shop.late AS SELECT seq AS id FROM seq_1_to_500",
       "RENAME TABLE shop.m TO shop.mm", "TRUNCATE TABLE shop.words"});
  ChangeRows(2);
  Backup("inc2", {"--incremental-basedir=" + scratch_->Sub("inc1")});
  Backup("compressed", {"--compress"});
  Backup("sealed", {"--compress", "--encrypt", KeyOption()});
  Backup("hidden", {"--encrypt", "--encrypt-manifest", KeyOption()});
  Backup("streamed", {"--stream=hbk"}, scratch_->Sub("archive.hbk"));
  Backup("streamed2", {"--stream=mbstream"}, scratch_->Sub("archive.mb"));

  const std::string full = "--target-dir=" + scratch_->Sub("full");
  const std::string first = "--incremental-dir=" + scratch_->Sub("inc1");
  const std::string second = "--incremental-dir=" + scratch_->Sub("inc2");
  ExpectGood({full});
  EXPECT_THAT(Load(scratch_->Sub("verify.log")), HasSubstr("completed OK!"));
  ExpectGood({full, "--fast"});
  ExpectGood({full, "--sample=30%"});
  ExpectGood({full, "--budget=1h"});
  ExpectGood({full, first, second});
  ExpectGood({"--target-dir=" + scratch_->Sub("inc1")});
  ExpectGood({"--target-dir=" + scratch_->Sub("compressed")});
  ExpectGood({"--target-dir=" + scratch_->Sub("sealed"), KeyOption()});
  ExpectGood({"--target-dir=" + scratch_->Sub("hidden"), KeyOption()});
  ExpectGood({}, scratch_->Sub("archive.hbk"));
  ExpectGood({}, scratch_->Sub("archive.mb"));
  EXPECT_EQ(RunVerify({full, second}), 20);

  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("full"), {first, second}),
                           scratch_->Sub("prepare.log")),
              IsOk());
  ExpectGood({full});
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("compressed")),
                           scratch_->Sub("prepare.log")),
              IsOk());
  ExpectGood({"--target-dir=" + scratch_->Sub("compressed")});
}

TEST_F(VerifyTest, NothingIsFoundInBackupsOfMariadbBackup) {
  const std::string dir = scratch_->Sub("theirs");
  ASSERT_THAT(
      RunToSuccess(BackupCommand(BackupTool::kMariadbBackup,
                                 {.socket_path = server_->socket_path(), .target_dir = dir}),
                   scratch_->Sub("backup.log")),
      IsOk());
  ExpectGood({"--target-dir=" + dir});
  ASSERT_THAT(
      RunToSuccess(PrepareCommand(BackupTool::kMariadbBackup, dir), scratch_->Sub("prepare.log")),
      IsOk());
  ExpectGood({"--target-dir=" + dir});
  EXPECT_FALSE(fs::exists(dir + "/hbk_verified.json"));

  // There are no digests, but pages have checksums.
  const std::string path = dir + "/shop/orders.ibd";
  std::string bytes = Load(path);
  bytes[5 * 16384 + 1000] = static_cast<char>(bytes[5 * 16384 + 1000] ^ 1);
  Store(path, bytes);
  EXPECT_EQ(RunVerify({"--target-dir=" + dir}), 20);
  EXPECT_THAT(Load(scratch_->Sub("verify.log")), HasSubstr("page 5 at offset 81920"));
}

TEST_F(VerifyTest, ADamageOfAFullBackupIsFound) {
  BackupOther();
  ChangeRows(3);
  Backup("full");
  ExpectAllFound("full", {}, "other", /*is_restored=*/true);
}

TEST_F(VerifyTest, ADamageOfAPreparedBackupIsFound) {
  Backup("other");
  ChangeRows(3);
  Backup("full");
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, scratch_->Sub("full")),
                           scratch_->Sub("prepare.log")),
              IsOk());
  ExpectAllFound("full", {}, "other");

  // It says that the backup is not prepared: not to be taken for one that mariadb-backup prepared.
  fs::copy_file(scratch_->Sub("other/hbk_manifest.json"), scratch_->Sub("full/hbk_manifest.json"),
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(RunVerify({"--target-dir=" + scratch_->Sub("full")}), 20);
  EXPECT_THAT(Load(scratch_->Sub("verify.log")), HasSubstr("it is not of this backup"));
}

TEST_F(VerifyTest, ADamageOfAChainIsFound) {
  BackupOther();
  ChangeRows(3);
  Backup("base");
  ChangeRows(4);
  Backup("inc1", {"--incremental-basedir=" + scratch_->Sub("base")});
  ChangeRows(5);
  Backup("inc2", {"--incremental-basedir=" + scratch_->Sub("inc1")});
  ExpectAllFound("base", {"inc1", "inc2"}, "other", /*is_restored=*/true);
}

TEST_F(VerifyTest, ADamageOfASealedBackupIsFound) {
  MakeKey();
  keys_.key_files = {scratch_->Sub("key")};
  Backup("other", {"--compress", "--encrypt", KeyOption()});
  ChangeRows(3);
  Backup("full", {"--compress", "--encrypt", KeyOption()});
  ExpectAllFound("full", {}, "other");
}

class VerifyStreamTest : public VerifyTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(VerifyStreamTest, ADamageOfAnArchiveIsFound) {
  const std::string format = std::string("--stream=") + GetParam();
  Backup("x", {format}, scratch_->Sub("other"));
  ChangeRows(3);
  Backup("y", {format}, scratch_->Sub("archive"));
  const std::string archive = Load(scratch_->Sub("archive"));
  const std::string other = Load(scratch_->Sub("other"));
  const auto is_found = [&](const std::string& bytes) {
    const auto summary = verify::RunVerifyStream(SourceOf(bytes), reporter_, {});
    return !summary.ok() || summary->finding_count != 0;
  };
  ASSERT_FALSE(is_found(archive));
  constexpr std::array<const char*, 7> kNames = {"bit flip",        "truncation",    "lost block",
                                                 "misplaced block", "appended byte", "missing part",
                                                 "part of another"};
  RestoreTrial trial(scratch_->Sub("trial"));
  ASSERT_THAT(trial.MakeArchiveReference(scratch_->Sub("archive")), IsOk());
  TrialTally tally;
  uint32_t found = 0;
  for (uint32_t i = 0; i < damages_;) {
    std::string damaged;
    const auto kind = random_() % 7;
    const size_t at = random_() % archive.size();
    const size_t size = std::min<size_t>(1 + random_() % 100000, archive.size() - at);
    if (kind < 5) {
      damaged = Damaged(archive, static_cast<int>(kind));
    } else if (kind == 5) {  // a part is missing
      damaged = archive.substr(0, at) + archive.substr(at + size);
    } else {  // a part is of another archive
      damaged = archive;
      damaged.replace(at, size, other.substr(std::min(at, other.size()), size));
    }
    if (damaged == archive) continue;
    const std::string which = fmt::format("seed {}, {}: {} at {}", seed_, i, kNames[kind], at);
    const bool is = is_found(damaged);
    EXPECT_TRUE(is) << which;
    found += is ? 1 : 0;
    if (i++ >= restores_) continue;
    Store(scratch_->Sub("damaged"), damaged);
    const auto result = trial.RestoreArchive(scratch_->Sub("damaged"));
    ASSERT_THAT(result, IsOk()) << which;
    EXPECT_NE(result->end, TrialResult::End::kLie) << which << ": " << result->what;
    tally.Add(kNames[kind], "the archive", *result);
  }
  fmt::print("{}: {} damages, {} found\n", GetParam(), damages_, found);
  fmt::print("{}", tally.Render(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Formats, VerifyStreamTest, ::testing::Values("hbk", "mbstream"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace hbk::testing

// Random damages of backups in memory: full ones, chains, archives. Each must be found by verify;
// and it must be found by extract, prepare or copy-back, or be harmless: the result is that of the
// undamaged backup, byte for byte. tests/integration/verify_test.cc does the same with backups of a
// real server, and few of them.
//
// HBK_MEMORY_DAMAGES: how many of each kind of backup, 60 unless it says so. HBK_SEED.

#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/extract/extract_runner.h"
#include "hbk/prepare/prepare_runner.h"
#include "hbk/restore/restore_runner.h"
#include "hbk/stream/stream_file_system.h"
#include "hbk/verify/verify_runner.h"

#include "tests/support/byte_buffers.h"
#include "tests/support/chain_server.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify {
namespace {

using testing::IsOk;
using testing::MemFileSystem;

using Files = std::map<std::string, std::string>;  // bytes by path

constexpr size_t kPageBytes = 4096;
constexpr uint32_t kDamagesOfOneBackup = 100;

uint32_t NumberFrom(const char* variable, uint32_t usual) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? usual : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

struct Damage {
  std::string kind;
  std::string what;
};

// Changes what lies in memory in one way, at random.
class Damager {
 public:
  explicit Damager(uint32_t seed) : random_(seed) {}

  // `base` is a directory in `files`, `other` one with a backup that is no part of it, in
  // `other_files`. Changes nothing if the choice of a place does not allow it.
  Damage DamageFiles(Files& files, const Files& other_files) {
    const int kind = static_cast<int>(Random(10));
    const std::string path = Choose(files);
    std::string& bytes = files.at(path);
    const auto twin = other_files.find(path);
    switch (kind) {
      case 5: files.erase(path); return {"removed file", path};
      case 6: {
        const std::string second = Choose(files);
        std::swap(bytes, files.at(second));
        return {"swapped files", path + " and " + second};
      }
      case 7:
        if (twin != other_files.end()) bytes = twin->second;
        return {"file of another", path};
      case 8: {
        if (twin == other_files.end()) return {};
        const size_t pages = std::min(bytes.size(), twin->second.size()) / kPageBytes;
        if (pages == 0) return {};
        const size_t at = Random(pages) * kPageBytes;
        bytes.replace(at, kPageBytes, twin->second, at, kPageBytes);
        return {"page of another", fmt::format("{} at {}", path, at)};
      }
      case 9: {
        std::vector<std::string> added;
        for (const auto& [name, content] : other_files)
          if (!files.contains(name)) added.push_back(name);
        if (added.empty()) return {};
        const std::string name = added[Random(added.size())];
        files[name] = other_files.at(name);
        return {"added file", name};
      }
      default: {
        const std::string was = DamageBytes(bytes, kind);
        return {was, path};
      }
    }
  }
  Damage DamageArchive(std::string& archive, const std::string& other) {
    const int kind = static_cast<int>(Random(7));
    const size_t at = Random(archive.size());
    const size_t size = std::min<size_t>(1 + Random(100000), archive.size() - at);
    if (kind == 5) {
      archive.erase(at, size);
      return {"missing part", fmt::format("{} bytes at {}", size, at)};
    }
    if (kind == 6) {
      archive.replace(at, size, other.substr(std::min(at, other.size()), size));
      return {"part of another", fmt::format("{} bytes at {}", size, at)};
    }
    return {DamageBytes(archive, kind), ""};
  }

 private:
  size_t Random(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  std::string Choose(const Files& files) {
    return std::next(files.begin(), static_cast<ptrdiff_t>(Random(files.size())))->first;
  }
  // Returns what that is called.
  std::string DamageBytes(std::string& bytes, int kind) {
    constexpr size_t kBlockBytes = 512;
    if (kind == 4 || bytes.empty()) {
      bytes += static_cast<char>(Random(256));
      return "appended byte";
    }
    const size_t at = Random(bytes.size());
    const size_t to = at / kBlockBytes * kBlockBytes;
    if (kind == 0) {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << Random(8)));
      return "bit flip";
    }
    if (kind == 1) {
      bytes.resize(at);
      return "truncation";
    }
    const size_t from = Random(bytes.size()) / kBlockBytes * kBlockBytes;
    const size_t size = std::min({kBlockBytes, bytes.size() - from, bytes.size() - to});
    bytes.replace(to, size, kind == 2 ? std::string(size, '\0') : bytes.substr(from, size));
    return kind == 2 ? "lost block" : "misplaced block";
  }

  std::mt19937_64 random_;
};

// A full backup and two increments, and an older full backup of the same server.
struct Backups {
  Files full;   // in /base
  Files chain;  // in /base, /inc1, /inc2
  Files older;  // as if it were in /base
};

Files FilesIn(MemFileSystem& fs, const std::vector<std::string>& dirs) {
  Files files;
  for (const std::string& dir : dirs)
    files.merge(fs.Tree(dir));
  return files;
}

Backups MakeBackups(uint32_t seed) {
  testing::ChainServer server(seed);
  server.ImportNothing();
  Backups backups;
  const auto work = [&] {
    server.Work(150);
    for (int i = 0; i < 3; ++i) {
      server.ChangeFiles();
      server.Work(20);
    }
  };
  work();
  MemFileSystem older;
  server.TakeFull(older, "/base");
  backups.older = FilesIn(older, {"/base"});
  work();
  MemFileSystem fs;
  size_t last = server.TakeFull(fs, "/base");
  backups.full = FilesIn(fs, {"/base"});
  for (const std::string dir : {"/inc1", "/inc2"}) {
    work();
    last = server.TakeIncrement(fs, dir, last);
  }
  backups.chain = FilesIn(fs, {"/base", "/inc1", "/inc2"});
  return backups;
}

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // A number that was mistyped would else damage nothing.
    ASSERT_GT(damages_, 0U);
    fmt::print("seed {}\n", seed_);
  }

  static void Put(MemFileSystem& fs, const Files& files) {
    for (const auto& [path, bytes] : files)
      fs.PutFile(path, bytes);
    // A database may be without tables.
    for (const std::string dir : {"/base", "/inc1", "/inc2"})
      for (const std::string database : {"/db", "/db2"})
        fs.PutDirectory(dir + database);
  }
  bool IsFound(const Files& files, const std::vector<std::string>& increments) {
    MemFileSystem fs;
    Put(fs, files);
    const auto summary = RunVerify(
        {.target_dir = "/base", .incremental_dirs = increments, .parallel = 1}, fs, reporter_, {});
    findings_.clear();
    if (!summary.ok()) return true;
    for (const Finding& finding : summary->findings)
      findings_ += Describe(finding) + "\n";
    return summary->finding_count != 0;
  }
  // Prepare and copy-back of what is in /base. Empty: one of them has failed, and nothing is
  // restored.
  Files Restore(MemFileSystem& fs, const std::vector<std::string>& increments) {
    const auto prepare = [&] {
      return prepare::RunPrepare({.target_dir = "/base",
                                  .incremental_dirs = increments,
                                  .use_memory_bytes = 8 << 20,
                                  .parallel = 1},
                                 fs, reporter_, {})
          .status();
    };
    const auto copy_back = [&] {
      restore::RestoreOptions options;
      options.backup_dir = "/base";
      options.target.datadir = "/restored";
      options.parallel = 1;
      return restore::RunRestore(options, fs, reporter_, {}).status();
    };
    last_status_ = prepare();
    step_ = "prepare";
    if (!last_status_.ok()) {
      // Whoever tries again must not get through.
      EXPECT_FALSE(prepare().ok()) << last_status_.message();
      EXPECT_FALSE(copy_back().ok()) << last_status_.message();
      return {};
    }
    step_ = "copy-back";
    last_status_ = copy_back();
    if (!last_status_.ok()) {
      EXPECT_FALSE(io::Exists(fs, "/restored").value());
      return {};
    }
    return fs.Tree("/restored");
  }
  Files RestoreFiles(const Files& files, const std::vector<std::string>& increments) {
    MemFileSystem fs;
    Put(fs, files);
    return Restore(fs, increments);
  }
  Files RestoreArchive(const std::string& archive) {
    MemFileSystem fs;
    step_ = "extract";
    last_status_ = extract::RunExtract({.directory = "/base", .parallel = 1},
                                       testing::SourceOf(archive), fs, reporter_, {})
                       .status();
    if (!last_status_.ok()) {
      EXPECT_FALSE(io::Exists(fs, "/base").value());
      return {};
    }
    return Restore(fs, {});
  }
  void Judge(const Damage& damage, const Files& result, const Files& reference) {
    if (result.empty()) {
      ++ends_[damage.kind][step_];
      return;
    }
    const bool is_same = result == reference;
    ++ends_[damage.kind][is_same ? "harmless" : "LIE"];
    if (is_same) harmless_.insert(damage.kind + ": " + damage.what);
    std::string difference;
    for (const auto& [path, bytes] : reference)
      if (!result.contains(path) || result.at(path) != bytes) difference += " " + path;
    for (const auto& [path, bytes] : result)
      if (!reference.contains(path)) difference += " " + path;
    EXPECT_TRUE(is_same) << "seed " << seed_ << ": " << damage.kind << " " << damage.what
                         << " goes through, and makes other files:" << difference;
  }
  void Print(const std::string& title) {
    fmt::print("{}: damages, and what has found them\n", title);
    for (const auto& [kind, ends] : ends_) {
      fmt::print("  {}:", kind);
      for (const auto& [end, count] : ends)
        fmt::print(" {} {},", count, end);
      fmt::print("\n");
    }
    for (const std::string& what : harmless_)
      fmt::print("  harmless: {}\n", what);
  }

  void DamageDirectories(bool is_chain) {
    const std::vector<std::string> increments =
        is_chain ? std::vector<std::string>{"/inc1", "/inc2"} : std::vector<std::string>();
    Damager damager(seed_);
    Files files;
    Backups backups;
    Files reference;
    for (uint32_t i = 0; i < damages_;) {
      if (i % kDamagesOfOneBackup == 0) {
        backups = MakeBackups(seed_ + i);
        files = is_chain ? backups.chain : backups.full;
        ASSERT_FALSE(IsFound(files, increments)) << "seed " << seed_ + i << ": " << findings_;
        reference = RestoreFiles(files, increments);
        ASSERT_FALSE(reference.empty()) << step_ << ": " << last_status_.message();
        ASSERT_EQ(RestoreFiles(files, increments), reference) << "not the same bytes again";
      }
      Files damaged = files;
      const Damage damage = damager.DamageFiles(damaged, backups.older);
      if (damaged == files) continue;
      ++i;
      EXPECT_TRUE(IsFound(damaged, increments))
          << "seed " << seed_ << ": " << damage.kind << " " << damage.what;
      Judge(damage, RestoreFiles(damaged, increments), reference);
    }
  }

  const uint32_t seed_ = NumberFrom("HBK_SEED", std::random_device()());
  const uint32_t damages_ = NumberFrom("HBK_MEMORY_DAMAGES", 60);
  testing::SilentReporter reporter_;
  Status last_status_;
  std::string step_;
  std::string findings_;
  std::map<std::string, std::map<std::string, uint64_t>> ends_;
  std::set<std::string> harmless_;
};

TEST_F(DamageTest, DamageOfAFullBackupIsFoundOrHarmless) {
  DamageDirectories(/*is_chain=*/false);
  Print("full backup");
}

TEST_F(DamageTest, DamageOfAChainIsFoundOrHarmless) {
  DamageDirectories(/*is_chain=*/true);
  Print("chain");
}

class DamagedArchiveTest : public DamageTest,
                           public ::testing::WithParamInterface<stream::StreamFormat> {
 protected:
  static std::string Archive(const Files& files) {
    testing::SunkBytes sunk;
    MemFileSystem none;
    stream::StreamFileSystem archive(none, {"/base", {}},
                                     stream::MakeStreamWriter(GetParam(), testing::SinkTo(sunk)));
    std::set<std::string> directories;
    for (const auto& [path, bytes] : files) {
      if (path.ends_with("/hbk_manifest.json")) continue;
      const std::string directory = io::DirName(path);
      if (directory != "/base" && directories.insert(directory).second) {
        EXPECT_THAT(archive.MakeDirectory(directory, 0700), IsOk());
      }
      EXPECT_THAT(io::WriteNewFile(archive, path, bytes, 0600), IsOk());
    }
    EXPECT_THAT(io::WriteNewFile(archive, "/base/hbk_manifest.json",
                                 files.at("/base/hbk_manifest.json"), 0600),
                IsOk());
    EXPECT_THAT(archive.Finish(), IsOk());
    return sunk.bytes;
  }
  bool IsArchiveFound(const std::string& archive) {
    const auto summary = RunVerifyStream(testing::SourceOf(archive), reporter_, {});
    return !summary.ok() || summary->finding_count != 0;
  }
};

TEST_P(DamagedArchiveTest, DamageIsFoundOrHarmless) {
  Damager damager(seed_);
  std::string archive;
  std::string older;
  Files reference;
  for (uint32_t i = 0; i < damages_;) {
    if (i % kDamagesOfOneBackup == 0) {
      const Backups backups = MakeBackups(seed_ + i);
      archive = Archive(backups.full);
      older = Archive(backups.older);
      ASSERT_FALSE(IsArchiveFound(archive));
      reference = RestoreArchive(archive);
      ASSERT_FALSE(reference.empty()) << step_ << ": " << last_status_.message();
    }
    std::string damaged = archive;
    const Damage damage = damager.DamageArchive(damaged, older);
    if (damaged == archive) continue;
    ++i;
    EXPECT_TRUE(IsArchiveFound(damaged))
        << "seed " << seed_ << ": " << damage.kind << " " << damage.what;
    Judge(damage, RestoreArchive(damaged), reference);
  }
  Print(GetParam() == stream::StreamFormat::kHbk ? "hbk archive" : "mbstream archive");
}

INSTANTIATE_TEST_SUITE_P(Formats, DamagedArchiveTest,
                         ::testing::Values(stream::StreamFormat::kHbk,
                                           stream::StreamFormat::kMbstream),
                         [](const auto& param) {
                           return param.param == stream::StreamFormat::kHbk ? "Hbk" : "Mbstream";
                         });

}  // namespace
}  // namespace hbk::verify

#include "hbk/backup/backup_runner.h"

#include <chrono>
#include <map>
#include <string>

#include <fmt/format.h>

#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"

#include "tests/support/fault_matrix.h"
#include "tests/support/played_server.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::FaultCase;
using hbk::testing::FaultMatrix;
using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::PlayedServer;
using ::testing::IsEmpty;

using Files = std::map<std::string, std::string>;

constexpr const char* kTarget = "/backups/one";
constexpr std::string_view kMarker = "/backups/one/hbk_incomplete";
constexpr std::string_view kManifest = "/backups/one/hbk_manifest.json";

Status Backup(PlayedServer& server, io::FileSystem& fs, bool is_compressed = false) {
  hbk::testing::SilentReporter reporter;
  BackupOptions options;
  options.target_dir = kTarget;
  options.connect.dial = [&server] {
    return server.Connect();
  };
  options.parallel = 1;
  if (is_compressed) options.compression.method = codec::FrameMethod::kZstd;
  return RunBackup(options, fs, reporter, {}).status();
}

// What is in the target, which may not be there.
Files TargetOf(MemFileSystem& fs) {
  Files files;
  for (const auto& [path, bytes] : fs.Tree("/"))
    if (path.starts_with(std::string(kTarget) + "/")) files[path] = bytes;
  return files;
}

// What is of the server. The other files name times.
Files DataOf(MemFileSystem& fs) {
  Files files;
  for (const auto& [path, bytes] : TargetOf(fs))
    if (path != kManifest && !path.ends_with("xtrabackup_info")) files[path] = bytes;
  return files;
}

std::string FirstDifference(const Files& files, const Files& expected) {
  for (const auto& [path, bytes] : expected) {
    const auto found = files.find(path);
    if (found == files.end()) return path + " is missing";
    if (found->second != bytes)
      return fmt::format("{}: {} bytes, not the {} expected", path, found->second.size(),
                         bytes.size());
  }
  return files.size() == expected.size() ? "" : "there are more files";
}

// Every file that the manifest names is there, with its digest.
void ExpectManifestTellsTheTruth(MemFileSystem& fs) {
  const auto manifest = manifest::LoadManifest(fs, kTarget);
  ASSERT_THAT(manifest, IsOk());
  for (const manifest::ManifestFile& file : manifest->files) {
    const std::string path = io::JoinPath(kTarget, file.name);
    ASSERT_TRUE(fs.Stat(path, false).ok()) << path;
    EXPECT_EQ(filter::DigestOf(AsBytes(fs.Contents(path))), file.digest) << path;
  }
}

TEST(BackupRunnerTest, BackupOfAPlayedServer) {
  MemFileSystem fs;
  PlayedServer::PutDatadir(fs);
  PlayedServer server;

  ASSERT_THAT(Backup(server, fs), IsOk());

  EXPECT_THAT(server.unknown(), IsEmpty());
  EXPECT_FALSE(server.is_locked());
  ExpectManifestTellsTheTruth(fs);
  const Files files = DataOf(fs);
  for (const char* name : {"/ibdata1", "/undo001", "/db/a.ibd", "/db/m.MYD", "/db/db.opt"})
    EXPECT_TRUE(files.at(std::string(kTarget) + name) ==
                fs.Contents(hbk::testing::kPlayedDatadir + std::string(name)));
}

// What a backup may end in, whatever happens to its files.
class BackupEnds {
 public:
  explicit BackupEnds(bool is_compressed) : is_compressed_(is_compressed) {
    MemFileSystem fs;
    PlayedServer::PutDatadir(fs);
    PlayedServer server;
    EXPECT_THAT(Backup(server, fs, is_compressed_), IsOk());
    expected_ = DataOf(fs);
  }

  Status Run(io::FileSystem& fs) {
    PlayedServer server;
    const Status ended = Backup(server, fs, is_compressed_);
    EXPECT_FALSE(server.is_locked());
    EXPECT_THAT(server.unknown(), IsEmpty());
    return ended;
  }

  void Check(MemFileSystem& fs, const Status& ended) const {
    const Files tree = TargetOf(fs);
    const bool has_manifest = tree.contains(std::string(kManifest));
    const bool is_marked = tree.contains(std::string(kMarker));
    if (ended.ok()) {
      EXPECT_TRUE(has_manifest && !is_marked);
      EXPECT_EQ(FirstDifference(DataOf(fs), expected_), "");
      if (!is_compressed_) ExpectManifestTellsTheTruth(fs);
    } else if (has_manifest) {
      // It failed when all was done: the marker was not to be removed, or that was not durable.
      EXPECT_TRUE(is_marked || DataOf(fs) == expected_);
    } else {
      EXPECT_TRUE(is_marked || tree.empty()) << "neither complete nor marked";
    }
  }

 private:
  const bool is_compressed_;
  Files expected_;
};

class BackupFaultTest : public ::testing::TestWithParam<bool> {};

TEST_P(BackupFaultTest, AFaultIsAnErrorOrAWholeBackup) {
  BackupEnds ends(GetParam());
  const FaultMatrix matrix{.name = GetParam() ? "compressed backup" : "backup",
                           .set_up = PlayedServer::PutDatadir,
                           .run = [&ends](io::FileSystem& fs) { return ends.Run(fs); },
                           .check = [&ends](MemFileSystem& fs, const FaultCase& /*fault*/,
                                            const Status& ended) { ends.Check(fs, ended); },
                           .stride = 1};

  EXPECT_GT(RunFaultMatrix(matrix).cases, 100U);
}

INSTANTIATE_TEST_SUITE_P(Compressed, BackupFaultTest, ::testing::Bool());

// Each statement of the backup, on whichever connection, is the last one of that connection.
TEST(BackupRunnerTest, AConnectionLostAtAnyStatementEndsTheBackup) {
  uint64_t cases = 0;
  uint64_t succeeded = 0;
  for (uint64_t k = 1;; ++k) {
    MemFileSystem fs;
    PlayedServer::PutDatadir(fs);
    PlayedServer server;
    server.LoseConnectionAt(k);

    const Status ended = Backup(server, fs);

    SCOPED_TRACE(fmt::format("statement {}: {}", k, ended.ToString()));
    EXPECT_FALSE(server.is_locked());
    const Files tree = TargetOf(fs);
    EXPECT_EQ(tree.contains(std::string(kManifest)), ended.ok());
    // Nothing of it, or what is there is marked.
    EXPECT_EQ(tree.contains(std::string(kMarker)), !ended.ok() && !tree.empty());
    if (server.statement_count() < k) {
      EXPECT_THAT(ended, IsOk());
      break;
    }
    ++cases;
    succeeded += ended.ok() ? 1 : 0;
    if (!ended.ok()) {
      EXPECT_EQ(ended.code(), StatusCode::kConnectionLost);
    }
  }
  fmt::print("connection lost at each of {} statements: {} backups succeeded\n", cases, succeeded);
  EXPECT_GT(cases, 30U);
}

}  // namespace
}  // namespace hbk::backup

// page_compressed tables stay as small on disk as they are on the server: in the backup, after
// prepare has written to them, and when they are restored.

#include <cstdio>
#include <filesystem>

#include <sys/stat.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/redo_backup_scenario.h"
#include "tests/support/live/kind_schema.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

// What the files occupy, as du counts it.
struct DiskUse {
  uint64_t file_bytes = 0;
  uint64_t allocated_bytes = 0;

  // Of the table files in a directory.
  static DiskUse Of(const std::string& dir) {
    DiskUse use;
    for (const auto& entry : std::filesystem::directory_iterator(dir)) {
      struct stat info {};
      if (entry.path().extension() != ".ibd" || stat(entry.path().c_str(), &info) != 0) continue;
      use.file_bytes += static_cast<uint64_t>(info.st_size);
      use.allocated_bytes += static_cast<uint64_t>(info.st_blocks) * 512;
    }
    return use;
  }
};

struct Case {
  const char* name;
  const char* checksum;
  PageCipher cipher;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class SparseTest : public ::testing::TestWithParam<Case> {
 protected:
  // A table of each algorithm that the server has, on disk, and a quarter of its rows changed
  // after that, so that prepare has something to write.
  static Status MakeTables(SqlClient& client) {
    HBK_RETURN_IF_ERROR(client.Execute("CREATE DATABASE sparse"));
    HBK_RETURN_IF_ERROR(client.Execute("USE sparse"));
    for (const std::string& algorithm : CompressionAlgorithms()) {
      HBK_RETURN_IF_ERROR(client.Execute("SET GLOBAL innodb_compression_algorithm = " + algorithm));
      HBK_RETURN_IF_ERROR(client.Execute("CREATE TABLE " + algorithm +
                                         " (id INT PRIMARY KEY, v VARCHAR(2000), KEY (v(20))) "
                                         "ENGINE=InnoDB PAGE_COMPRESSED=1"));
      HBK_RETURN_IF_ERROR(client.Execute("INSERT INTO " + algorithm +
                                         " SELECT seq, REPEAT(MD5(seq), 40) FROM seq_1_to_2000"));
    }
    HBK_RETURN_IF_ERROR(WritePages(client));
    for (const std::string& algorithm : CompressionAlgorithms()) {
      HBK_RETURN_IF_ERROR(client.Execute("UPDATE " + algorithm +
                                         " SET v = REPEAT(MD5(id + 7), 40) WHERE id % 4 = 1"));
    }
    return OkStatus();
  }

  void Expect(const char* what, const DiskUse& use) {
    if (source_.allocated_bytes == 0) source_ = use;
    const double ratio =
        static_cast<double>(use.allocated_bytes) / static_cast<double>(source_.allocated_bytes);
    std::printf("%s: %-8s %6llu KiB on disk of %6llu KiB, %5.1f %% of the source\n",
                GetParam().name, what, static_cast<unsigned long long>(use.allocated_bytes >> 10),
                static_cast<unsigned long long>(use.file_bytes >> 10), ratio * 100);
    EXPECT_GT(ratio, 0.9) << what;
    EXPECT_LT(ratio, 1.1) << what;
  }

  DiskUse source_;
};

TEST_P(SparseTest, FilesOccupyWhatTheyDoOnTheServer) {
  HBK_TREE_OR_SKIP(tree, "10.11");
  const InstanceFormat format{
      .tree = tree, .checksum = GetParam().checksum, .cipher = GetParam().cipher};
  auto scratch = ScratchDir::Make();
  ASSERT_THAT(scratch, IsOk());
  const auto server_options = ServerOptions(format, scratch->Sub("keys"));
  ASSERT_THAT(server_options, IsOk());
  MariadbdOptions options{.base_dir = scratch->Sub("source"),
                          .install_options = InstallOptions(format),
                          .extra = server_options.value(),
                          .tree = tree};
  options.extra.insert(options.extra.end(), KeepChangesInMemory().begin(),
                       KeepChangesInMemory().end());
  const auto server = Mariadbd::Start(options);
  ASSERT_THAT(server, IsOk());
  const std::string backup = scratch->Sub("backup");
  const BackupTool tool = ToolUnderTest();
  {
    auto client = (*server)->Connect();
    ASSERT_THAT(client, IsOk());
    ASSERT_THAT(MakeTables(client.value()), IsOk());
  }
  ASSERT_THAT(RunToSuccess(BackupCommand(tool, {.socket_path = (*server)->socket_path(),
                                                .target_dir = backup,
                                                .tree = tree}),
                           scratch->Sub("backup.log")),
              IsOk());
  ASSERT_THAT((*server)->Stop(), IsOk());

  const DiskUse source = DiskUse::Of((*server)->data_dir() + "/sparse");
  if (source.allocated_bytes > source.file_bytes / 2) {
    GTEST_SKIP() << "the server's own files are not sparse here";
  }
  Expect("source", source);
  Expect("backup", DiskUse::Of(backup + "/sparse"));
  ASSERT_THAT(RunToSuccess(PrepareCommand(tool, backup, {}, tree), scratch->Sub("prepare.log")),
              IsOk());
  Expect("prepared", DiskUse::Of(backup + "/sparse"));
  const std::string data = scratch->Sub("data");
  ASSERT_THAT(MakeDirectory(data), IsOk());
  ASSERT_THAT(
      RunToSuccess(CopyBackCommand(tool, backup, data, {}, tree), scratch->Sub("copy-back.log")),
      IsOk());
  Expect("restored", DiskUse::Of(data + "/sparse"));
}

INSTANTIATE_TEST_SUITE_P(Formats, SparseTest,
                         ::testing::Values(Case{"full_crc32", "full_crc32", PageCipher::kNone},
                                           Case{"crc32", "crc32", PageCipher::kNone},
                                           Case{"encrypted", "full_crc32", PageCipher::kCbc}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace hbk::testing

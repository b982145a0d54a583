// Archives and the programs of MariaDB: mbstream reads what hbk writes, and hbk extract reads what
// mbstream and mariadb-backup write.

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/byte_stream.h"
#include "hbk/stream/stream_file_system.h"

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using Words = std::vector<std::string>;

// Files of many sizes, and, if wanted, what happens to files during a backup.
void WriteFiles(io::FileSystem& fs, const std::string& root, uint32_t seed, bool has_changes) {
  std::mt19937 random(seed);
  const auto put = [&](const std::string& name, size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes)
      c = static_cast<char>(random());
    auto file = fs.Open(root + "/" + name, {.write = true, .create = true});
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Truncate(size), IsOk());
    std::vector<size_t> ranges;
    for (size_t at = 0; at < size; at += 1 << 20)
      ranges.push_back(at);
    // As several threads bring them.
    for (size_t i = 0; i + 3 < ranges.size(); i += 3)
      std::shuffle(ranges.begin() + static_cast<ptrdiff_t>(i),
                   ranges.begin() + static_cast<ptrdiff_t>(i + 3), random);
    for (const size_t at : ranges) {
      const auto part = AsBytes(bytes).subspan(at, std::min<size_t>(1 << 20, size - at));
      if (random() % 4 == 0) continue;  // a hole
      ASSERT_THAT((*file)->WriteAt(at, part), IsOk());
    }
    if (has_changes && size > 8192) {
      ASSERT_THAT((*file)->WriteAt(0, AsBytes(bytes).first(8192)), IsOk());
    }
    ASSERT_THAT((*file)->Close(), IsOk());
  };
  ASSERT_THAT(io::MakeDirectories(fs, root + "/db", 0700), IsOk());
  put("ibdata1", 12'000'000);
  put("aria_log_control", 52);
  put("db/a.ibd", 3'000'001);
  put("db/b.ibd", 114'688);
  put("db/c.frm", 0);
  if (has_changes) {
    ASSERT_THAT(fs.Rename(root + "/db/a.ibd", root + "/db/hbk_renaming_0"), IsOk());
    ASSERT_THAT(fs.Rename(root + "/db/b.ibd", root + "/db/a.ibd"), IsOk());
    ASSERT_THAT(fs.Rename(root + "/db/hbk_renaming_0", root + "/db/b.ibd"), IsOk());
    ASSERT_THAT(io::MakeDirectories(fs, root + "/dc", 0700), IsOk());
    ASSERT_THAT(fs.Rename(root + "/db/c.frm", root + "/dc/c.frm"), IsOk());
    ASSERT_THAT(fs.Remove(root + "/db/a.ibd"), IsOk());
    put("db/a.ibd", 20'000);
    ASSERT_THAT(fs.MakeDirectory(root + "/empty", 0700), IsOk());
    ASSERT_THAT(fs.MakeDirectory(root + "/gone", 0700), IsOk());
    put("gone/x", 10);
    ASSERT_THAT(fs.Remove(root + "/gone/x"), IsOk());
    ASSERT_THAT(fs.RemoveDirectory(root + "/gone"), IsOk());
  }
  ASSERT_THAT(io::WriteFileAtomically(fs, root + "/hbk_manifest.json", "{}", 0600), IsOk());
}

class StreamTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }

  void WriteStream(stream::StreamFormat format, const std::string& path, uint32_t seed,
                   bool has_changes) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    {
      stream::StreamFileSystem fs(io::PosixFileSystem(), {"/stream", {}},
                                  stream::MakeStreamWriter(format, io::MakeFdSink(fd, path, {})));
      WriteFiles(fs, "/stream", seed, has_changes);
      ASSERT_THAT(fs.Finish(), IsOk());
    }
    (void)close(fd);
  }

  static Result<ProcessEnd> Shell(const std::string& command, const std::string& log) {
    return RunProcess({"sh", "-c", command}, {.output_path = log});
  }
  ProcessEnd Mbstream(const ServerTree& tree, const std::string& dir, const std::string& input) {
    EXPECT_THAT(MakeDirectory(dir), IsOk());
    const auto end =
        Shell(fmt::format("exec '{}' -x -C '{}' < '{}'", tree.Program("mbstream"), dir, input),
              scratch_->Sub("mbstream.log"));
    EXPECT_THAT(end, IsOk());
    return end.ok() ? *end : ProcessEnd();
  }
  Status HbkExtract(const std::string& dir, const std::string& input) {
    return RunToSuccess({HbkProgram(), "--no-defaults", "extract", "--directory=" + dir,
                         "--input=" + input, "--parallel=3"},
                        scratch_->Sub("extract.log"))
        .status();
  }
  static void ExpectSame(const std::string& expected, const std::string& actual) {
    const auto differences = CompareFiles(expected, actual, {});
    ASSERT_THAT(differences, IsOk());
    EXPECT_THAT(*differences, IsEmpty());
  }
  static size_t DirectoryCount(const std::string& dir) {
    const std::filesystem::directory_iterator entries(dir);
    return static_cast<size_t>(std::count_if(begin(entries), end(entries),
                                             [](const auto& e) { return e.is_directory(); }));
  }

  std::optional<ScratchDir> scratch_;
};

TEST_P(StreamTest, MbstreamReadsOurArchives) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  for (const bool has_changes : {false, true}) {
    SCOPED_TRACE(has_changes);
    const std::string tag = has_changes ? "changed" : "plain";
    WriteFiles(io::PosixFileSystem(), scratch_->Sub(tag + "/expected"), 1, has_changes);
    WriteStream(stream::StreamFormat::kMbstream, scratch_->Sub(tag + ".mb"), 1, has_changes);
    const ProcessEnd end =
        Mbstream(tree, scratch_->Sub(tag + "/mbstream"), scratch_->Sub(tag + ".mb"));
    if (has_changes && tree.is_10_5()) {
      // It knows nothing of that, and says so.
      EXPECT_EQ(end.exit_code, 1) << end.Describe();
    } else {
      EXPECT_EQ(end.exit_code, 0) << end.Describe();
      EXPECT_EQ(end.output, "");
      ExpectSame(scratch_->Sub(tag + "/expected"), scratch_->Sub(tag + "/mbstream"));
      EXPECT_EQ(DirectoryCount(scratch_->Sub(tag + "/mbstream")), has_changes ? 3U : 1U);
    }
    EXPECT_THAT(HbkExtract(scratch_->Sub(tag + "/hbk"), scratch_->Sub(tag + ".mb")), IsOk());
    ExpectSame(scratch_->Sub(tag + "/expected"), scratch_->Sub(tag + "/hbk"));
    WriteStream(stream::StreamFormat::kHbk, scratch_->Sub(tag + ".hbk"), 1, has_changes);
    EXPECT_THAT(HbkExtract(scratch_->Sub(tag + "/hbk2"), scratch_->Sub(tag + ".hbk")), IsOk());
    ExpectSame(scratch_->Sub(tag + "/expected"), scratch_->Sub(tag + "/hbk2"));
  }
}

TEST_P(StreamTest, MbstreamNoticesAnArchiveThatWasGivenUp) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  const std::string path = scratch_->Sub("given-up.mb");
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  {
    stream::StreamFileSystem fs(
        io::PosixFileSystem(), {"/stream", {}},
        stream::MakeStreamWriter(stream::StreamFormat::kMbstream, io::MakeFdSink(fd, path, {})));
    WriteFiles(fs, "/stream", 1, /*has_changes=*/false);
  }
  (void)close(fd);
  EXPECT_EQ(Mbstream(tree, scratch_->Sub("out"), path).exit_code, 1);
  EXPECT_THAT(HbkExtract(scratch_->Sub("hbk"), path), Not(IsOk()));
  EXPECT_FALSE(std::filesystem::exists(scratch_->Sub("hbk")));
}

// With DDL while it runs, so that there are renames, removals and files that are sent again.
TEST_P(StreamTest, ExtractReadsMariadbBackup) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  auto server = Mariadbd::Start({.base_dir = scratch_->Sub("source"), .tree = tree});
  ASSERT_THAT(server, IsOk());
  auto client = (*server)->Connect();
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(client->Execute("CREATE DATABASE d"), IsOk());
  ASSERT_THAT(client->Execute("USE d"), IsOk());
  ASSERT_THAT(client->Execute("CREATE TABLE d.big ENGINE=InnoDB AS SELECT seq AS id, "
                              "REPEAT(MD5(seq), 20) AS v FROM seq_1_to_20000"),
              IsOk());
  for (int i = 0; i < 8; ++i)
    ASSERT_THAT(client->Execute(fmt::format("CREATE TABLE d.t{} (id INT PRIMARY KEY) ENGINE={} "
                                            "PARTITION BY HASH (id) PARTITIONS 3",
                                            i, i % 2 == 0 ? "InnoDB" : "Aria")),
                IsOk());
  const std::string stream = scratch_->Sub("backup.mb");
  BackupArguments arguments{.socket_path = (*server)->socket_path(),
                            .target_dir = scratch_->Sub("tmp"),
                            .throttle = 40,
                            .extra = {"--stream=mbstream"},
                            .tree = tree};
  auto backup = Process::Start(BackupCommand(BackupTool::kMariadbBackup, arguments),
                               {.output_path = scratch_->Sub("backup.log"), .stdout_path = stream});
  ASSERT_THAT(backup, IsOk());
  for (int i = 0; !(*backup)->HasEndedWithin(milliseconds(50)); ++i) {
    // Each name once: of a MyISAM table that was made again mariadb-backup sends two files of one
    // name, at the second of which mbstream stops, with exit code 0.
    (void)client->Execute(fmt::format("CREATE TABLE d.n{} (id INT PRIMARY KEY)", i)).ok();
    (void)client->Execute(fmt::format("RENAME TABLE d.n{} TO d.r{}", i, i)).ok();
    if (i % 3 == 0) (void)client->Execute(fmt::format("DROP TABLE d.r{}", i)).ok();
    if (i < 8) (void)client->Execute(fmt::format("RENAME TABLE d.t{} TO d.u{}", i, i)).ok();
    if (i < 4) (void)client->Execute(fmt::format("DROP TABLE d.u{}", i)).ok();
  }
  const ProcessEnd end = (*backup)->Wait(kUsualTimeLimit);
  ASSERT_TRUE(end.succeeded()) << end.Describe();

  ASSERT_THAT(HbkExtract(scratch_->Sub("hbk"), stream), IsOk());
  const ProcessEnd reference = Mbstream(tree, scratch_->Sub("mbstream"), stream);
  ASSERT_EQ(reference.exit_code, 0) << reference.Describe();
  ExpectSame(scratch_->Sub("mbstream"), scratch_->Sub("hbk"));
  // Between any two files, and within them.
  const uintmax_t size = std::filesystem::file_size(stream);
  for (const uintmax_t cut : {size - 1, size - 200, size - 1000, size / 2, uintmax_t{5000}}) {
    std::filesystem::resize_file(stream, cut);
    EXPECT_THAT(HbkExtract(scratch_->Sub("cut"), stream), Not(IsOk())) << cut << " of " << size;
    EXPECT_FALSE(std::filesystem::exists(scratch_->Sub("cut")));
  }
}

TEST_P(StreamTest, ExtractReadsMbstream) {
  HBK_TREE_OR_SKIP(tree, GetParam());
  const std::string dir = scratch_->Sub("files");
  WriteFiles(io::PosixFileSystem(), dir, 2, /*has_changes=*/false);
  const std::string stream = scratch_->Sub("files.mb");
  const auto end = Shell(fmt::format("cd '{}' && exec '{}' -c ibdata1 aria_log_control db/a.ibd "
                                     "db/b.ibd db/c.frm hbk_manifest.json > '{}'",
                                     dir, tree.Program("mbstream"), stream),
                         scratch_->Sub("mbstream.log"));
  ASSERT_THAT(end, IsOk());
  ASSERT_TRUE(end->succeeded()) << end->Describe();
  ASSERT_THAT(HbkExtract(scratch_->Sub("hbk"), stream), IsOk());
  ExpectSame(dir, scratch_->Sub("hbk"));
}

std::string NameOf(const ::testing::TestParamInfo<const char*>& param) {
  std::string name = param.param;
  name.replace(name.find('.'), 1, "_");
  return "Series" + name;
}

INSTANTIATE_TEST_SUITE_P(All, StreamTest, ::testing::Values("10.5", "10.11", "11.8"), NameOf);

}  // namespace
}  // namespace hbk::testing

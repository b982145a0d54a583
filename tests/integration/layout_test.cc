// Servers whose parts lie in many places, backed up and restored into other layouts.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/database_checks.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/live/workload.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr milliseconds kCatchUpLimit{60'000};
constexpr int kDoneWithWarnings = 3;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// A server is to be started with the number that it was made with.
const Words kUndoCount = {"--innodb-undo-tablespaces=3"};

class LayoutTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
    // Another file system than that of the scratch directory.
    memory_dir_ = fmt::format("/dev/shm/hbk-layout-{}", getpid());
    ASSERT_THAT(MakeDirectory(memory_dir_), IsOk());
  }
  void TearDown() override {
    restored_.clear();
    source_.reset();
    EXPECT_THAT(RemoveTree(memory_dir_), IsOk());
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }

  // Makes an instance with these directories and starts it. Templates have the usual layout only.
  Status StartSource(const Words& layout) {
    const std::string data_dir = Sub("source/data");
    HBK_RETURN_IF_ERROR(MakeDirectory(data_dir));
    Words install = {"mariadb-install-db",
                     "--no-defaults",
                     "--datadir=" + data_dir,
                     "--auth-root-authentication-method=normal",
                     "--force",
                     "--skip-test-db"};
    if (geteuid() == 0) install.emplace_back("--user=root");
    HBK_ASSIGN_OR_RETURN(const ProcessEnd end,
                         RunProcess(install + layout, {.output_path = Sub("install.log")}));
    if (!end.succeeded()) return FailedError("mariadb-install-db: " + end.Describe());
    HBK_ASSIGN_OR_RETURN(
        source_,
        Mariadbd::Start({.base_dir = Sub("source"),
                         .has_data = true,
                         .extra = layout + Words{"--log-bin=binlog", "--binlog-format=ROW"}}));
    return OkStatus();
  }

  Status Execute(const Words& statements) {
    HBK_ASSIGN_OR_RETURN(SqlClient client, source_->Connect());
    for (const std::string& statement : statements)
      HBK_RETURN_IF_ERROR(client.Execute(statement));
    return OkStatus();
  }

  // Under load, which then ends; prepared.
  Status BackUp() {
    Workload load(source_->socket_path(), {.seed = 1, .thread_count = 2, .bulk_mib = 4});
    HBK_RETURN_IF_ERROR(load.CreateTables());
    load.Start();
    HBK_RETURN_IF_ERROR(
        RunToSuccess(BackupCommand(BackupTool::kHbk, {.socket_path = source_->socket_path(),
                                                      .target_dir = Sub("backup"),
                                                      .parallel = 2}),
                     Sub("backup.log"))
            .status());
    HBK_RETURN_IF_ERROR(load.Stop());
    return RunToSuccess(PrepareCommand(BackupTool::kHbk, Sub("backup")), Sub("prepare.log"))
        .status();
  }

  Result<ProcessEnd> Restore(const std::string& command, const std::string& name,
                             const Words& options) {
    const Words argv = {HbkProgram(), command, "--no-defaults", "--target-dir=" + Sub("backup"),
                        "--datadir=" + Sub(name + "/data")};
    return RunProcess(argv + options, {.output_path = Sub(name + ".log")});
  }

  // Starts a restored server, which goes on running, and checks what it says of itself.
  Status StartRestored(const std::string& name, const Words& layout) {
    HBK_ASSIGN_OR_RETURN(
        std::unique_ptr<Mariadbd> server,
        Mariadbd::Start({.base_dir = Sub(name),
                         .has_data = true,
                         .server_id = static_cast<int>(restored_.size()) + 2,
                         .extra = layout + Words{"--log-bin=binlog", "--log-slave-updates",
                                                 "--relay-log=relay"}}));
    HBK_ASSIGN_OR_RETURN(SqlClient client, server->Connect());
    restored_.push_back(std::move(server));
    HBK_RETURN_IF_ERROR(CheckBank(client));
    return CheckAllTables(client);
  }

  // The same, and lets it catch up with the source, whose rows it must have then.
  Status CheckRestored(const std::string& name, const Words& layout) {
    HBK_RETURN_IF_ERROR(StartRestored(name, layout));
    Mariadbd& server = *restored_.back();
    HBK_ASSIGN_OR_RETURN(SqlClient client, server.Connect());
    HBK_ASSIGN_OR_RETURN(const BinlogInfo info, ReadBinlogInfo(Sub("backup")));
    HBK_RETURN_IF_ERROR(AttachReplica(*source_, server, info, ReplicationStart::kFilePosition));
    HBK_RETURN_IF_ERROR(CatchUp(*source_, server, kCatchUpLimit));
    HBK_ASSIGN_OR_RETURN(SqlClient expected, source_->Connect());
    HBK_RETURN_IF_ERROR(CompareTables(expected, client));
    return client.Execute("STOP SLAVE");
  }

  // Sums of the tables that the load does not touch.
  static Words SumsOfStillTables(Mariadbd& server) {
    Words sums;
    auto client = server.Connect();
    EXPECT_THAT(client, IsOk());
    if (!client.ok()) return sums;
    const auto rows = client->Query(
        "CHECKSUM TABLE a.in_system, a.dd, b.moved_too, a.moved_too, a.part, a.sub, a.myisam, "
        "a.aria, linked.t EXTENDED");
    EXPECT_THAT(rows, IsOk());
    for (size_t row = 0; rows.ok() && row < rows->rows.size(); ++row)
      sums.push_back(rows->Get(row, "Table") + " " + rows->Get(row, "Checksum"));
    return sums;
  }

  // Below the directory, as "db/t.isl -> path", sorted.
  static Words Links(const std::string& dir) {
    Words links;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
      if (entry.path().extension() != ".isl") continue;
      links.push_back(fmt::format("{} -> {}", std::filesystem::relative(entry.path(), dir).string(),
                                  ReadWholeFile(entry.path().string()).value()));
    }
    std::sort(links.begin(), links.end());
    return links;
  }

  // Tables of every kind that lies elsewhere than in its database.
  Words TablesElsewhere() const {
    const std::string ext = Sub("source/ext");
    const std::string rows = "(id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))";
    return {
        "CREATE DATABASE a",
        "CREATE DATABASE b",
        "CREATE DATABASE empty",
        "USE a",
        "SET GLOBAL innodb_file_per_table = 0",
        "CREATE TABLE in_system " + rows,
        "SET GLOBAL innodb_file_per_table = 1",
        fmt::format("CREATE TABLE dd {} DATA DIRECTORY='{}'", rows, ext),
        fmt::format("CREATE TABLE moved {} DATA DIRECTORY='{}'", rows, ext),
        // The server leaves the file in the directory of `a`, where another table of its name is.
        "RENAME TABLE moved TO b.moved_too",
        "CREATE TABLE moved_too " + rows,
        fmt::format("CREATE TABLE part {} PARTITION BY RANGE (id) "
                    "(PARTITION p0 VALUES LESS THAN (100) DATA DIRECTORY='{}', "
                    "PARTITION p1 VALUES LESS THAN (1000) DATA DIRECTORY='{}2', "
                    "PARTITION p2 VALUES LESS THAN MAXVALUE)",
                    rows, ext, ext),
        fmt::format("CREATE TABLE sub (id INT, y INT, v VARCHAR(200), PRIMARY KEY (id, y)) "
                    "PARTITION BY RANGE (id) SUBPARTITION BY HASH (y) "
                    "(PARTITION p0 VALUES LESS THAN (100) "
                    "(SUBPARTITION s0 DATA DIRECTORY='{}', SUBPARTITION s1), "
                    "PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3))",
                    ext),
        fmt::format("CREATE TABLE myisam {0} ENGINE=MyISAM DATA DIRECTORY='{1}' "
                    "INDEX DIRECTORY='{1}'",
                    rows, Sub("source/other")),
        fmt::format("CREATE TABLE aria {0} ENGINE=Aria DATA DIRECTORY='{1}' INDEX DIRECTORY='{1}'",
                    rows, Sub("source/other")),
        "INSERT INTO in_system (v) SELECT REPEAT('i', 150) FROM seq_1_to_5000",
        "INSERT INTO dd (v) SELECT REPEAT('d', 150) FROM seq_1_to_5000",
        "INSERT INTO b.moved_too (v) SELECT REPEAT('m', 150) FROM seq_1_to_500",
        "INSERT INTO moved_too (v) VALUES ('the other one')",
        "INSERT INTO part (v) SELECT REPEAT('p', 150) FROM seq_1_to_3000",
        "INSERT INTO sub SELECT seq, seq % 7, REPEAT('s', 150) FROM seq_1_to_2000",
        "INSERT INTO myisam (v) SELECT 'm' FROM seq_1_to_500",
        "INSERT INTO aria (v) SELECT 'a' FROM seq_1_to_500",
        "INSERT INTO linked.t (v) SELECT REPEAT('l', 150) FROM seq_1_to_2000",
    };
  }

  // A database whose directory is a symlink.
  Status MakeLinkedDatabase() {
    HBK_RETURN_IF_ERROR(Execute({"CREATE DATABASE linked"}));
    HBK_RETURN_IF_ERROR(MakeDirectory(Sub("source/elsewhere")));
    std::error_code error;
    std::filesystem::rename(Sub("source/data/linked"), Sub("source/elsewhere/linked"), error);
    if (!error) {
      std::filesystem::create_directory_symlink(Sub("source/elsewhere/linked"),
                                                Sub("source/data/linked"), error);
    }
    if (error) return FailedError("moving a database: " + error.message());
    return Execute({"CREATE TABLE linked.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))"});
  }

  std::optional<ScratchDir> scratch_;
  std::string memory_dir_;
  std::unique_ptr<Mariadbd> source_;
  std::vector<std::unique_ptr<Mariadbd>> restored_;
};

TEST_F(LayoutTest, EveryPartGoesWhereItIsSentTo) {
  const std::string ext = Sub("source/ext");
  for (const std::string& dir :
       {Sub("source/home"), Sub("source/undo"), Sub("source/aria"), Sub("source/data/sub"), ext,
        ext + "2", Sub("source/other"), memory_dir_ + "/redo"})
    ASSERT_THAT(MakeDirectory(dir), IsOk());
  const std::string home = Sub("source/home");
  const Words source_layout = {
      "--innodb-data-home-dir=",
      fmt::format("--innodb-data-file-path={0}/ibdata1:12M;sub/ibdata2:8M;{0}/ibdata3:4M:"
                  "autoextend:max:200M",
                  home),
      "--innodb-undo-directory=" + Sub("source/undo"),
      "--innodb-log-group-home-dir=" + memory_dir_ + "/redo",
      "--aria-log-dir-path=" + Sub("source/aria")};
  ASSERT_THAT(StartSource(source_layout + kUndoCount), IsOk());
  ASSERT_THAT(MakeLinkedDatabase(), IsOk());
  ASSERT_THAT(Execute(TablesElsewhere()), IsOk());
  ASSERT_THAT(BackUp(), IsOk());

  // Beside the source, by default: its files are in the way, so that all comes home.
  const Words flat = {
      "--innodb-data-file-path=ibdata1:12M;ibdata2:8M;ibdata3:4M:autoextend:max:200M"};
  auto end = Restore("copy-back", "beside", {});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, kDoneWithWarnings) << end->output;
  EXPECT_THAT(end->output, HasSubstr("ext/a/dd.ibd exists: the table a/dd goes into the data"));
  EXPECT_TRUE(Links(Sub("beside/data")).empty());
  EXPECT_THAT(CheckRestored("beside", flat + kUndoCount), IsOk());

  end = Restore("copy-back", "home", {"--local-tablespaces"});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 0) << end->output;
  EXPECT_TRUE(Links(Sub("home/data")).empty());
  EXPECT_THAT(CheckRestored("home", flat + kUndoCount), IsOk());

  const Words other_layout = {"--innodb-data-home-dir=" + Sub("other/home"),
                              "--innodb-data-file-path=x/one:12M;two:8M;three:4M:autoextend",
                              "--innodb-undo-directory=" + memory_dir_ + "/other-undo",
                              "--innodb-log-group-home-dir=" + memory_dir_ + "/other-redo",
                              "--aria-log-dir-path=" + Sub("other/aria")};
  end = Restore("copy-back", "other",
                other_layout + Words{"--remap=" + ext + "=" + Sub("other/ext"),
                                     "--remap=" + ext + "2=" + memory_dir_ + "/ext2",
                                     "--remap=/of/no/table=/x"});
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, kDoneWithWarnings) << end->output;
  EXPECT_THAT(end->output, HasSubstr("/of/no/table=/x': no table of the backup lies there"));
  EXPECT_THAT(
      Links(Sub("other/data")),
      ::testing::ElementsAre("a/dd.isl -> " + Sub("other/ext/a/dd.ibd"),
                             "a/part#P#p0.isl -> " + Sub("other/ext/a/part#P#p0.ibd"),
                             "a/part#P#p1.isl -> " + memory_dir_ + "/ext2/a/part#P#p1.ibd",
                             "a/sub#P#p0#SP#s0.isl -> " + Sub("other/ext/a/sub#P#p0#SP#s0.ibd"),
                             "b/moved_too.isl -> " + Sub("other/ext/a/moved_too.ibd")));
  EXPECT_THAT(CheckRestored("other", other_layout + kUndoCount), IsOk());

  const Words sums = SumsOfStillTables(*source_);
  ASSERT_EQ(sums.size(), 9U);
  // Where everything was, after the original is gone; the redo log is on another file system.
  ASSERT_THAT(source_->Stop(), IsOk());
  for (const std::string& dir : {Sub("source"), ext, memory_dir_ + "/redo"})
    ASSERT_THAT(RemoveTree(dir), IsOk());
  end = Restore("move-back", "source", source_layout);
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, 0) << end->output;
  EXPECT_THAT(Links(Sub("source/data")), ::testing::SizeIs(5));
  EXPECT_THAT(StartRestored("source", source_layout + kUndoCount), IsOk());
  EXPECT_EQ(SumsOfStillTables(*restored_.back()), sums);
}

TEST_F(LayoutTest, UndoTablespacesOfAnyNumberAreRestored) {
  for (const char* count : {"0", "127"}) {
    SCOPED_TRACE(count);
    const std::string undo = Sub("source/undo");
    ASSERT_THAT(MakeDirectory(undo), IsOk());
    const Words undo_count = {std::string("--innodb-undo-tablespaces=") + count};
    ASSERT_THAT(StartSource(undo_count + Words{"--innodb-undo-directory=" + undo}), IsOk());
    ASSERT_THAT(BackUp(), IsOk());

    const Words layout = {"--innodb-undo-directory=" + Sub("restored/undo")};
    const auto end = Restore("copy-back", "restored", layout);
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(end->exit_code, 0) << end->output;
    EXPECT_THAT(CheckRestored("restored", layout + undo_count), IsOk());

    restored_.clear();
    source_.reset();
    for (const char* dir : {"source", "restored", "backup"})
      ASSERT_THAT(RemoveTree(Sub(dir)), IsOk());
  }
}

uint64_t AllocatedBytes(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_blocks) * 512 : 0;
}

TEST_F(LayoutTest, SparseFilesStaySparse) {
  ASSERT_THAT(StartSource({"--innodb-max-dirty-pages-pct=0"}), IsOk());
  ASSERT_THAT(
      Execute({"CREATE DATABASE d", "USE d",
               "CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(1000)) "
               "PAGE_COMPRESSED=1",
               "INSERT INTO d.t (v) SELECT CONCAT(REPEAT('a', 500), seq) FROM seq_1_to_60000",
               "FLUSH TABLES d.t FOR EXPORT", "UNLOCK TABLES"}),
      IsOk());
  const auto source_bytes = static_cast<double>(AllocatedBytes(Sub("source/data/d/t.ibd")));
  const auto size = std::filesystem::file_size(Sub("source/data/d/t.ibd"));
  if (source_bytes * 2 > static_cast<double>(size)) {
    GTEST_SKIP() << "no holes in page_compressed files here";
  }
  ASSERT_THAT(BackUp(), IsOk());
  const std::string backup_path = Sub("backup/d/t.ibd");
  const auto backup_bytes = static_cast<double>(AllocatedBytes(backup_path));

  const auto copied = Restore("copy-back", "copied", {});
  ASSERT_THAT(copied, IsOk());
  ASSERT_EQ(copied->exit_code, 0) << copied->output;
  EXPECT_THAT(CheckRestored("copied", {}), IsOk());
  const auto moved =
      RunProcess({HbkProgram(), "move-back", "--no-defaults", "--target-dir=" + Sub("backup"),
                  "--datadir=" + memory_dir_ + "/data"},
                 {.output_path = Sub("moved.log")});
  ASSERT_THAT(moved, IsOk());
  ASSERT_EQ(moved->exit_code, 0) << moved->output;

  const auto copied_bytes = static_cast<double>(AllocatedBytes(Sub("copied/data/d/t.ibd")));
  const auto moved_bytes = static_cast<double>(AllocatedBytes(memory_dir_ + "/data/d/t.ibd"));
  std::printf(
      "size %.1f MiB; allocated: source %.2f, backup %.2f, copied back %.2f, moved to "
      "another file system %.2f MiB\n",
      static_cast<double>(size) / 1048576, source_bytes / 1048576, backup_bytes / 1048576,
      copied_bytes / 1048576, moved_bytes / 1048576);
  for (const double bytes : {backup_bytes, copied_bytes, moved_bytes})
    EXPECT_NEAR(bytes, source_bytes, source_bytes / 10);
}

}  // namespace
}  // namespace hbk::testing

// Tables of engines that keep their rows elsewhere, on a real server.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/mariadbd.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDoneWithWarnings = 3;

class ForeignEnginesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HBK_TREE_OR_SKIP(tree, "10.11");
    if (!tree.HasPlugin("ha_federatedx")) GTEST_SKIP() << "MariaDB 10.11 without ha_federatedx";
    tree_ = tree;
    auto scratch = ScratchDir::Make();
    ASSERT_THAT(scratch, IsOk());
    scratch_.emplace(std::move(scratch).value());
  }

  [[nodiscard]] std::string Sub(const std::string& name) const { return scratch_->Sub(name); }

  Result<std::unique_ptr<Mariadbd>> Start(const std::string& name, bool has_data) {
    return Mariadbd::Start(
        {.base_dir = Sub(name),
         .has_data = has_data,
         .extra = {"--plugin-load-add=ha_federatedx.so", "--plugin-load-add=ha_blackhole.so"},
         .tree = tree_});
  }

  ServerTree tree_;
  std::optional<ScratchDir> scratch_;
};

TEST_F(ForeignEnginesTest, TablesWhoseRowsAreMissingAreNamedAndTheRestIsRestored) {
  auto source = Start("source", false);
  ASSERT_THAT(source, IsOk());
  auto client = (*source)->Connect();
  ASSERT_THAT(client, IsOk());
  const std::string statements[] = {
      "CREATE USER limited@localhost",
      "GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO limited@localhost",
      "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'root', SOCKET '" +
          (*source)->socket_path() + "', DATABASE 'd')",
      "CREATE DATABASE d",
      "CREATE TABLE d.t (id INT PRIMARY KEY)",
      "INSERT INTO d.t VALUES (1), (2), (3)",
      "CREATE TABLE d.`far away` (id INT PRIMARY KEY) ENGINE=FEDERATED CONNECTION='s/t'",
      "INSERT INTO d.`far away` VALUES (4)",
      "CREATE TABLE d.fleeting (id INT) ENGINE=MEMORY",
      "CREATE TABLE d.hole (id INT) ENGINE=BLACKHOLE",
  };
  for (const std::string& statement : statements)
    ASSERT_THAT(client->Execute(statement), IsOk()) << statement;

  // With the documented rights, which show this user no table at all.
  const auto end =
      RunProcess(BackupCommand(BackupTool::kHbk, {.socket_path = (*source)->socket_path(),
                                                  .target_dir = Sub("backup"),
                                                  .extra = {"--user=limited"}}),
                 {.output_path = Sub("backup.log")});

  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->exit_code, kDoneWithWarnings) << end->output;
  EXPECT_THAT(end->output, HasSubstr("1 table of the engine FEDERATED"));
  EXPECT_THAT(end->output, HasSubstr("`d`.`far away`"));
  EXPECT_THAT(end->output, HasSubstr("tables of the engine MEMORY have no rows"));
  const auto manifest = ReadWholeFile(Sub("backup/hbk_manifest.json"));
  ASSERT_THAT(manifest, IsOk());
  EXPECT_THAT(*manifest, HasSubstr("FEDERATED"));
  EXPECT_THAT(*manifest, Not(HasSubstr("BLACKHOLE")));
  ASSERT_THAT(RunToSuccess(PrepareCommand(BackupTool::kHbk, Sub("backup")), Sub("prepare.log")),
              IsOk());
  ASSERT_THAT(RunToSuccess(CopyBackCommand(BackupTool::kHbk, Sub("backup"), Sub("copy/data")),
                           Sub("copy.log")),
              IsOk());

  auto copy = Start("copy", true);
  ASSERT_THAT(copy, IsOk());
  auto restored = (*copy)->Connect();
  ASSERT_THAT(restored, IsOk());
  EXPECT_THAT(restored->QueryNumber("SELECT COUNT(*) FROM d.t"), IsOkAndHolds(uint64_t{4}));
  // Its definition leads to the source still.
  EXPECT_THAT(restored->QueryNumber("SELECT COUNT(*) FROM d.`far away`"),
              IsOkAndHolds(uint64_t{4}));
  EXPECT_THAT(restored->QueryNumber("SELECT COUNT(*) FROM d.fleeting"), IsOkAndHolds(uint64_t{0}));
  EXPECT_THAT(restored->QueryNumber("SELECT COUNT(*) FROM d.hole"), IsOkAndHolds(uint64_t{0}));
}

}  // namespace
}  // namespace hbk::testing

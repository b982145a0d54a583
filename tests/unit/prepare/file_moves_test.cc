#include "file_moves.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/forwarding_file_system.h"

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::file_moves_test {
namespace {

using ::testing::ElementsAre;
using testing::FaultKind;
using testing::FaultyFileSystem;
using testing::IsOk;
using testing::MemFileSystem;
using ::testing::Pair;

BackupSet SetAt(const std::string& dir) {
  BackupSet set;
  set.dir = dir;
  return set;
}

void AddSpace(TablespaceTable& table, innodb::SpaceId id, const std::string& name,
              const std::string& final_name) {
  Tablespace& space = table.spaces[id];
  space.id = id;
  space.segments.push_back({.name = name});
  space.final_name = final_name;
}

TablespaceTable Swap(const std::string& name_of_7, const std::string& name_of_8) {
  TablespaceTable table;
  AddSpace(table, 7, name_of_7, "db/y.ibd");
  AddSpace(table, 8, name_of_8, "db/x.ibd");
  return table;
}

void PutSwap(MemFileSystem& fs) {
  fs.PutFile("/b/db/x.ibd", "seven");
  fs.PutFile("/b/db/y.ibd", "eight");
}

TEST(MoveFilesTest, TablespacesCanSwapTheirNames) {
  MemFileSystem fs;
  PutSwap(fs);

  ASSERT_THAT(MoveFiles(fs, SetAt("/b"), Swap("db/x.ibd", "db/y.ibd")), IsOk());

  EXPECT_THAT(fs.Tree("/b"),
              ElementsAre(Pair("/b/db/x.ibd", "eight"), Pair("/b/db/y.ibd", "seven")));
}

// A power cut between the two syncs may leave a file in both directories, but not in none.
TEST(MoveFilesTest, WhereAFileComesToIsSyncedBeforeWhereItCameFrom) {
  class SyncRecorder final : public io::ForwardingFileSystem {
   public:
    using io::ForwardingFileSystem::ForwardingFileSystem;
    Status SyncDirectory(const std::string& path) override {
      synced.push_back(path);
      return io::ForwardingFileSystem::SyncDirectory(path);
    }
    std::vector<std::string> synced;
  };
  for (const auto& [from, to] : {std::pair("aa", "zz"), std::pair("zz", "aa")}) {
    MemFileSystem fs;
    fs.PutFile(std::string("/b/") + from + "/t.ibd", "seven");
    fs.PutDirectory(std::string("/b/") + to);
    SyncRecorder recorder(fs);
    TablespaceTable table;
    AddSpace(table, 7, std::string(from) + "/t.ibd", std::string(to) + "/t.ibd");

    ASSERT_THAT(MoveFiles(recorder, SetAt("/b"), table), IsOk());

    const auto first =
        std::ranges::find_if(recorder.synced, [](const std::string& path) { return path != "/b"; });
    ASSERT_GE(std::distance(first, recorder.synced.end()), 2);
    EXPECT_EQ(first[0], std::string("/b/") + to);
    EXPECT_EQ(first[1], std::string("/b/") + from);
  }
}

// The second run finds each tablespace by its id, under whatever name it has by then.
TEST(MoveFilesTest, SwapThatWasCutOffAnywhereCanBeEnded) {
  for (uint64_t k = 1;; ++k) {
    MemFileSystem fs;
    PutSwap(fs);
    FaultyFileSystem faulty(fs);
    faulty.Arm(FaultKind::kCrash, k);
    (void)MoveFiles(faulty, SetAt("/b"), Swap("db/x.ibd", "db/y.ibd")).ok();
    if (!faulty.has_fired()) {
      EXPECT_GT(k, 6U);
      break;
    }
    fs.Crash(static_cast<uint32_t>(k % 4));
    std::map<std::string, std::string> name_of;
    for (const auto& [path, bytes] : fs.Tree("/b"))
      name_of[bytes] = path.substr(3);
    ASSERT_EQ(name_of.size(), 2U) << k;

    ASSERT_THAT(MoveFiles(fs, SetAt("/b"), Swap(name_of["seven"], name_of["eight"])), IsOk()) << k;

    EXPECT_THAT(fs.Tree("/b"),
                ElementsAre(Pair("/b/db/x.ibd", "eight"), Pair("/b/db/y.ibd", "seven")))
        << k;
  }
}

TEST(MoveFilesTest, FileGoesToAnotherDatabaseThatIsMadeForIt) {
  MemFileSystem fs;
  fs.PutFile("/b/db/t.ibd", "table");
  TablespaceTable table;
  AddSpace(table, 7, "db/t.ibd", "other/t.ibd");

  ASSERT_THAT(MoveFiles(fs, SetAt("/b"), table), IsOk());
  fs.Crash(0);

  EXPECT_THAT(fs.Tree("/b"), ElementsAre(Pair("/b/other/t.ibd", "table")));
}

TEST(MoveFilesTest, RemovedFileMakesWayForARenamedOne) {
  MemFileSystem fs;
  fs.PutFile("/b/db/old.ibd", "dropped");
  fs.PutFile("/b/db/new.ibd", "its successor");
  TablespaceTable table;
  table.removals = {"db/old.ibd"};
  AddSpace(table, 7, "db/new.ibd", "db/old.ibd");

  ASSERT_THAT(MoveFiles(fs, SetAt("/b"), table), IsOk());

  EXPECT_THAT(fs.Tree("/b"), ElementsAre(Pair("/b/db/old.ibd", "its successor")));
}

TEST(MoveFilesTest, FileThatIsGoneAlreadyNeedsNoRemoval) {
  MemFileSystem fs;
  fs.PutDirectory("/b/db");
  TablespaceTable table;
  table.removals = {"db/gone.ibd"};

  EXPECT_THAT(MoveFiles(fs, SetAt("/b"), table), IsOk());
}

TEST(MoveFilesTest, NamesThatStayTouchNothing) {
  MemFileSystem fs;
  fs.PutFile("/b/db/t.ibd", "table");
  TablespaceTable table;
  AddSpace(table, 7, "db/t.ibd", "db/t.ibd");
  FaultyFileSystem counting(fs);

  ASSERT_THAT(MoveFiles(counting, SetAt("/b"), table), IsOk());

  EXPECT_EQ(counting.operation_count(), 0U);
}

TEST(RemoveIntermediateDefinitionsTest, OnlyDefinitionsOfIntermediateTablesGo) {
  MemFileSystem fs;
  fs.PutFile("/b/db/#sql-alter-1-2.frm", "");
  fs.PutFile("/b/db/#sql-alter-1-2.ibd", "data");
  fs.PutFile("/b/db/t.frm", "definition");
  fs.PutFile("/b/#sql-root.frm", "not in a database");

  ASSERT_THAT(RemoveIntermediateDefinitions(fs, SetAt("/b")), IsOk());
  fs.Crash(0);

  EXPECT_THAT(fs.Tree("/b"), ElementsAre(Pair("/b/#sql-root.frm", "not in a database"),
                                         Pair("/b/db/#sql-alter-1-2.ibd", "data"),
                                         Pair("/b/db/t.frm", "definition")));
}

}  // namespace
}  // namespace hbk::prepare::file_moves_test

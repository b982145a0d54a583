#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "tablespace_table.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/small_backup.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using innodb::FirstPageKind;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::kSmallBackupPageSize;
using testing::MakeSmallTablespace;
using testing::MemFileSystem;
using testing::StatusIs;

class ListTablespaceFilesTest : public ::testing::Test {
 protected:
  ListTablespaceFilesTest() {
    set_.dir = "/b";
    set_.page_size = kSmallBackupPageSize;
    set_.system_files = {"ibdata1"};
    fs_.PutFile("/b/ibdata1", MakeSmallTablespace(0, 2));
  }

  // The file of this name; the test fails if there is none.
  FoundFile Find(const std::string& name) {
    const auto files = ListTablespaceFiles(fs_, set_);
    EXPECT_THAT(files, IsOk());
    if (!files.ok()) return {};
    for (const FoundFile& file : *files)
      if (file.name == name) return file;
    ADD_FAILURE() << name << " was not found";
    return {};
  }

  MemFileSystem fs_;
  BackupSet set_;
};

TEST_F(ListTablespaceFilesTest, EachFileHasItsKindSizeAndFirstPage) {
  fs_.PutFile("/b/undo001", MakeSmallTablespace(1, 3));
  fs_.PutFile("/b/db/t.ibd", MakeSmallTablespace(7, 4));

  EXPECT_EQ(Find("ibdata1").kind, SpaceKind::kSystem);
  EXPECT_EQ(Find("undo001").kind, SpaceKind::kUndo);
  const FoundFile table = Find("db/t.ibd");
  EXPECT_EQ(table.kind, SpaceKind::kTable);
  EXPECT_EQ(table.size, 4U * kSmallBackupPageSize);
  ASSERT_EQ(table.first_page.kind, FirstPageKind::kValid) << table.first_page.reason;
  EXPECT_EQ(table.first_page.header.space_id, 7U);
  EXPECT_EQ(table.first_page.header.size_pages, 4U);
}

TEST_F(ListTablespaceFilesTest, FirstPagesAreAskedForTheirLsn) {
  std::string file = MakeSmallTablespace(7, 4);
  const MutableByteView page = testing::MutableBytes(file).first(kSmallBackupPageSize);
  const auto flags = innodb::TablespaceFlags::Decode(LoadBe32(page, innodb::kFspFlags)).value();
  for (const innodb::Lsn lsn : {0U, 4711U}) {
    StoreBe64(page, innodb::kFilLsn, lsn);
    innodb::SealPage(page, flags, {7, 0});
    fs_.PutFile("/b/db/t.ibd", file);

    EXPECT_EQ(Find("db/t.ibd").has_zero_lsn, lsn == 0);
  }
}

TEST_F(ListTablespaceFilesTest, OtherFilesAreNone) {
  fs_.PutFile("/b/ib_logfile0", "");
  fs_.PutFile("/b/ibtmp1", "");
  fs_.PutFile("/b/undo", "");
  fs_.PutFile("/b/t.ibd", MakeSmallTablespace(7, 4));  // in no database
  fs_.PutFile("/b/db/t.frm", "");
  fs_.PutFile("/b/db/t.MAD", "");

  const auto files = ListTablespaceFiles(fs_, set_);

  ASSERT_THAT(files, IsOk());
  EXPECT_EQ(files->size(), 1U);
}

TEST_F(ListTablespaceFilesTest, OnlyTheFirstSystemFileHasAFirstPage) {
  set_.system_files = {"ibdata1", "ibdata2"};
  fs_.PutFile("/b/ibdata2", std::string(kSmallBackupPageSize, 'x'));

  EXPECT_EQ(Find("ibdata1").first_page.kind, FirstPageKind::kValid);
  EXPECT_EQ(Find("ibdata2").size, kSmallBackupPageSize);
  EXPECT_EQ(Find("ibdata2").first_page.kind, FirstPageKind::kDeferred);
}

TEST_F(ListTablespaceFilesTest, UnwrittenAndDamagedFirstPagesAreTold) {
  fs_.PutFile("/b/db/empty.ibd", "");
  fs_.PutFile("/b/db/zero.ibd", std::string(4 * kSmallBackupPageSize, '\0'));
  std::string damaged = MakeSmallTablespace(7, 4);
  damaged[2000] = 'x';
  fs_.PutFile("/b/db/damaged.ibd", damaged);

  EXPECT_EQ(Find("db/empty.ibd").first_page.kind, FirstPageKind::kDeferred);
  EXPECT_EQ(Find("db/zero.ibd").first_page.kind, FirstPageKind::kDeferred);
  EXPECT_EQ(Find("db/damaged.ibd").first_page.kind, FirstPageKind::kDamaged);
}

TEST_F(ListTablespaceFilesTest, FileOfAnotherPageSizeIsDamaged) {
  set_.page_size = 16384;

  EXPECT_EQ(Find("ibdata1").first_page.kind, FirstPageKind::kDamaged);
}

TEST_F(ListTablespaceFilesTest, MissingSystemFileIsNamed) {
  set_.system_files = {"ibdata1", "ibdata2"};

  EXPECT_THAT(ListTablespaceFiles(fs_, set_),
              StatusIs(StatusCode::kCorruption, HasSubstr("ibdata2 is missing")));
}

TEST_F(ListTablespaceFilesTest, TableThatIsNoRegularFileIsRefused) {
  fs_.PutFile("/elsewhere/t.ibd", MakeSmallTablespace(7, 4));
  fs_.PutDirectory("/b/db");
  fs_.PutSymlink("/b/db/t.ibd", "/elsewhere/t.ibd");

  EXPECT_THAT(ListTablespaceFiles(fs_, set_),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/db/t.ibd is no regular file")));
}

}  // namespace
}  // namespace hbk::prepare

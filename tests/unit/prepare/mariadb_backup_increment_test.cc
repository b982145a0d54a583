#include "mariadb_backup_increment.h"

#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::mariadb_backup_increment_test {
namespace {

using innodb::TablespaceFlags;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::StatusIs;

constexpr uint32_t kPage = 16384;
constexpr innodb::SpaceId kSpace = 7;

std::string Be32(uint32_t value) {
  std::string bytes(4, '\0');
  StoreBe32(testing::MutableBytes(bytes), 0, value);
  return bytes;
}

std::string PageOf(innodb::PageId id, innodb::Lsn lsn) {
  const TablespaceFlags flags = TablespaceFlags::FullCrc32(kPage);
  std::string page = id.page == 0 ? testing::MakeFirstPage(flags, id.space, 9, lsn)
                                  : testing::MakePage(kPage, id, lsn, innodb::kPageBlob);
  innodb::SealPage(testing::MutableBytes(page), flags, id);
  return page;
}

// From LSN 1000 to LSN 2000.
class MariadbBackupIncrementTest : public ::testing::Test {
 protected:
  MariadbBackupIncrementTest() {
    fs_.PutDirectory("/i/d");
    PutDelta("ibdata1", 0, {});
    fs_.PutFile("/i/xtrabackup_checkpoints",
                "backup_type = incremental\nfrom_lsn = 1000\nto_lsn = 1900\nlast_lsn = 2000\n");
    fs_.PutFile("/i/backup-my.cnf",
                "[mysqld]\ninnodb_data_file_path=ibdata1:12M:autoextend\ninnodb_page_size=16384\n"
                "innodb_undo_tablespaces=2\n");
    fs_.PutFile("/i/xtrabackup_info",
                "uuid = abc\nserver_version = 10.11.19-MariaDB\npartial = N\n");
    fs_.PutFile("/i/ib_logfile0", "redo");
  }

  void PutDelta(const std::string& name, innodb::SpaceId id,
                const std::vector<std::pair<uint32_t, std::string>>& pages) {
    std::string head = "XTRA";
    std::string images;
    for (const auto& [number, image] : pages) {
      head += Be32(number);
      images += image;
    }
    head += Be32(UINT32_MAX);
    head.resize(kPage);
    fs_.PutFile("/i/" + name + ".delta", head + images);
    fs_.PutFile("/i/" + name + ".meta",
                fmt::format("page_size = {}\nzip_size = 0 \nspace_id = {}\n", kPage, id));
  }
  Result<std::unique_ptr<IncrementSource>> Open() { return OpenIncrement(fs_, "/i"); }
  Status Verify() {
    HBK_ASSIGN_OR_RETURN(const auto increment, Open());
    return increment->Verify(2, {});
  }
  Status VerifyPage(const std::string& image, uint32_t number = 3) {
    PutDelta("d/t.ibd", kSpace, {{number, image}});
    return Verify();
  }

  MemFileSystem fs_;
};

TEST_F(MariadbBackupIncrementTest, HasTheManifestThatItWouldHave) {
  PutDelta("d/t.ibd", kSpace, {{0, PageOf({kSpace, 0}, 1500)}, {3, PageOf({kSpace, 3}, 1501)}});
  fs_.PutFile("/i/d/n.new", PageOf({8, 0}, 1600) + PageOf({8, 1}, 900));
  fs_.PutFile("/i/d/n.frm", "frm");
  const auto increment = Open();
  ASSERT_THAT(increment, IsOk());

  ASSERT_THAT((*increment)->Verify(1, {}), IsOk());

  const manifest::BackupManifest& manifest = (*increment)->manifest();
  EXPECT_EQ(manifest.base, (manifest::BaseBackup{"", "mariadb-backup", 1000}));
  EXPECT_EQ(manifest.backup_uuid, "abc");
  EXPECT_EQ(manifest.to_lsn, 1900U);
  EXPECT_EQ(manifest.last_lsn, 2000U);
  EXPECT_EQ(manifest.server.version, "10.11.19-MariaDB");
  std::vector<std::string> files;
  for (const manifest::ManifestFile& file : manifest.files) {
    files.push_back(fmt::format("{} {} {}", file.name, file.size,
                                file.space.has_value() ? file.space->space_id : 99));
  }
  // As long as the first page says, or the last page of the delta.
  EXPECT_THAT(files, ElementsAre("backup-my.cnf 103 99", "d/n.frm 3 99", "d/n.ibd 32768 8",
                                 "d/t.ibd 147456 7", "ib_logfile0 4 99", "ibdata1 0 0",
                                 "xtrabackup_checkpoints 72 99", "xtrabackup_info 57 99"));
  EXPECT_EQ((*increment)->runs().size(), 1U);
  EXPECT_EQ((*increment)->PathOf("d/n.ibd"), "/i/d/n.new");
  EXPECT_EQ((*increment)->PathOf("d/n.frm"), "/i/d/n.frm");
}

TEST_F(MariadbBackupIncrementTest, PagesAreRead) {
  const std::string page = PageOf({kSpace, 3}, 1501);
  PutDelta("d/t.ibd", kSpace, {{3, page}});
  const auto increment = Open();
  ASSERT_THAT(increment, IsOk());
  ASSERT_THAT((*increment)->Verify(1, {}), IsOk());
  const auto pages = (*increment)->OpenPages("d/t.ibd");
  ASSERT_THAT(pages, IsOk());
  std::string out(kPage, '\0');

  ASSERT_THAT(
      (*pages)->Read((*increment)->runs().at("d/t.ibd").front(), testing::MutableBytes(out)),
      IsOk());

  EXPECT_EQ(out, page);
}

TEST_F(MariadbBackupIncrementTest, DamagedPagesAreRefused) {
  std::string page = PageOf({kSpace, 3}, 1500);
  ASSERT_THAT(VerifyPage(page), IsOk());
  page[9000] ^= 1;

  EXPECT_THAT(VerifyPage(page),
              StatusIs(StatusCode::kCorruption, HasSubstr("t.ibd.delta, page 3")));
  EXPECT_THAT(VerifyPage(PageOf({kSpace, 4}, 1500)),
              StatusIs(StatusCode::kCorruption, HasSubstr("another page number")));
  EXPECT_THAT(VerifyPage(PageOf({8, 3}, 1500)),
              StatusIs(StatusCode::kCorruption, HasSubstr("another space id")));
}

// A list that the server's damage is in.
TEST_F(MariadbBackupIncrementTest, DamageThatWasKnownIsTaken) {
  fs_.PutFile("/i/innodb_corrupted_pages", "d/t 7\n3\n");

  EXPECT_THAT(VerifyPage(std::string(kPage, 'x')), IsOk());
}

TEST_F(MariadbBackupIncrementTest, PagesOfAnotherTimeAreRefused) {
  EXPECT_THAT(VerifyPage(PageOf({kSpace, 3}, 1000)),
              StatusIs(StatusCode::kCorruption, HasSubstr("its LSN is 1000")));
  EXPECT_THAT(VerifyPage(PageOf({kSpace, 3}, 2001)),
              StatusIs(StatusCode::kCorruption, HasSubstr("its LSN is 2001")));
}

TEST_F(MariadbBackupIncrementTest, AMetaFileThatLiesIsRefused) {
  EXPECT_THAT(VerifyPage(PageOf({8, 0}, 1500), 0),
              StatusIs(StatusCode::kCorruption, HasSubstr("says that it is of tablespace 7")));
  PutDelta("d/t.ibd", kSpace, {});
  fs_.PutFile("/i/d/t.ibd.meta", "page_size = 8192\nzip_size = 0 \nspace_id = 7\n");
  EXPECT_THAT(Verify(), StatusIs(StatusCode::kCorruption, HasSubstr("pages of 8192 bytes")));
}

TEST_F(MariadbBackupIncrementTest, DamageInAWholeFileIsRefused) {
  std::string second = PageOf({8, 1}, 1500);
  second[5] ^= 1;
  fs_.PutFile("/i/d/n.new", PageOf({8, 0}, 1500) + second);

  EXPECT_THAT(Verify(), StatusIs(StatusCode::kCorruption, HasSubstr("n.new, page 1")));
}

TEST_F(MariadbBackupIncrementTest, AWholeFileThatIsCutOffInAPageIsRefused) {
  fs_.PutFile("/i/d/n.new", PageOf({8, 0}, 1500) + PageOf({8, 1}, 1500).substr(0, 5000));

  EXPECT_THAT(Verify(), StatusIs(StatusCode::kCorruption, HasSubstr("n.new has 21384 bytes")));
}

// The redo makes it.
TEST_F(MariadbBackupIncrementTest, AWholeFileMayLackItsFirstPage) {
  fs_.PutFile("/i/d/n.new", std::string(4 * kPage, '\0'));
  const auto increment = Open();
  ASSERT_THAT(increment, IsOk());

  ASSERT_THAT((*increment)->Verify(1, {}), IsOk());

  EXPECT_FALSE((*increment)->manifest().files[1].space.has_value());
}

// The doublewrite buffer has copies of other pages.
TEST_F(MariadbBackupIncrementTest, CopiesInTheSystemTablespaceAreNotJudged) {
  const std::string copy = PageOf({kSpace, 3}, 700);

  PutDelta("ibdata1", 0, {{64, copy}, {191, copy}});
  EXPECT_THAT(Verify(), IsOk());
  PutDelta("ibdata1", 0, {{192, copy}});
  EXPECT_THAT(Verify(), StatusIs(StatusCode::kCorruption, HasSubstr("page 192")));
}

TEST_F(MariadbBackupIncrementTest, PartialOnesSaySo) {
  fs_.PutFile("/i/xtrabackup_info", "uuid = a b\npartial = Y\n");

  const auto increment = Open();

  ASSERT_THAT(increment, IsOk());
  EXPECT_TRUE((*increment)->is_partial());
  EXPECT_EQ((*increment)->manifest().backup_uuid, "mariadb-backup-1000-1900-2000");
}

}  // namespace
}  // namespace hbk::prepare::mariadb_backup_increment_test

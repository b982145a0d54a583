#include "restore_plan.h"

#include <gmock/gmock.h>

#include "backup_sample.h"
#include "tests/support/status_matchers.h"

namespace hbk::restore {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RestorePlanTest : public ::testing::Test {
 protected:
  RestorePlanTest() {
    PutSampleBackup(fs_);
    options_.datadir = "/d";
    options_.innodb_data_file_path = "ibdata1:1M:autoextend";
  }

  Result<RestorePlan> Plan() {
    HBK_ASSIGN_OR_RETURN(const RestoreSource source, OpenRestoreSource(fs_, "/b"));
    HBK_ASSIGN_OR_RETURN(datadir::Layout layout, datadir::MakeLayout(options_));
    layout.SetHasRocksdb(source.HasRocksdb());
    return MakeRestorePlan(fs_, source, layout, links_);
  }

  // The backup gets a DATA DIRECTORY table.
  void AddLink(const std::string& text) {
    fs_.PutFile("/b/shop/t.isl", text);
    manifest::BackupManifest manifest = SampleManifest();
    AddToManifest(manifest, "shop/t.isl", text);
    PutManifest(fs_, manifest);
  }

  void SetRemap(const std::vector<std::string>& texts) {
    Result<PathRemap> remap = PathRemap::Parse(texts);
    ASSERT_THAT(remap, IsOk());
    links_.remap = std::move(remap).value();
  }

  static std::map<std::string, std::string> Targets(const RestorePlan& plan) {
    std::map<std::string, std::string> targets;
    for (const PlannedFile& file : plan.files)
      targets[file.source.name] = file.target;
    return targets;
  }

  MemFileSystem fs_;
  datadir::LayoutOptions options_;
  LinkPlacement links_;
};

TEST_F(RestorePlanTest, EverythingGoesIntoTheDatadirByDefault) {
  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  for (const auto& [name, target] : Targets(plan.value()))
    EXPECT_EQ(target, "/d/" + name);
  EXPECT_THAT(plan.value().directories, ElementsAre("/d", "/d/empty", "/d/shop"));
  EXPECT_EQ(plan.value().files.front().source.name, "ibdata1");
  EXPECT_THAT(plan.value().warnings, IsEmpty());
}

TEST_F(RestorePlanTest, PartsGoWhereTheLayoutSays) {
  options_.innodb_data_home_dir = "/innodb";
  options_.innodb_data_file_path = "sub/system:1M:autoextend";
  options_.innodb_undo_directory = "undo";
  options_.innodb_log_group_home_dir = "/redo";
  options_.aria_log_dir_path = "/aria";

  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  const auto targets = Targets(plan.value());
  EXPECT_EQ(targets.at("ibdata1"), "/innodb/sub/system");
  EXPECT_EQ(targets.at("undo001"), "/d/undo/undo001");
  EXPECT_EQ(targets.at("ib_logfile0"), "/redo/ib_logfile0");
  EXPECT_EQ(targets.at("aria_log_control"), "/aria/aria_log_control");
  EXPECT_EQ(targets.at("aria_log.00000001"), "/aria/aria_log.00000001");
  EXPECT_EQ(targets.at("shop/t.ibd"), "/d/shop/t.ibd");
  EXPECT_THAT(plan.value().directories, ElementsAre("/aria", "/d", "/d/empty", "/d/shop", "/d/undo",
                                                    "/innodb", "/innodb/sub", "/redo"));
}

TEST_F(RestorePlanTest, MyrocksGoesIntoItsDirectoryInTheDatadir) {
  AddRocksdb(fs_);
  const auto plan = Plan();
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("#rocksdb/1.sst"), "/d/#rocksdb/1.sst");
  EXPECT_EQ(Targets(plan.value()).at("#rocksdb/2.log"), "/d/#rocksdb/2.log");
  EXPECT_THAT(plan.value().directories, ElementsAre("/d", "/d/#rocksdb", "/d/empty", "/d/shop"));
}

TEST_F(RestorePlanTest, MyrocksGoesWhereTheLayoutSays) {
  AddRocksdb(fs_);
  options_.rocksdb_datadir = "/rocks";
  options_.rocksdb_wal_dir = "/wal";
  const auto plan = Plan();
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("#rocksdb/1.sst"), "/rocks/1.sst");
  EXPECT_EQ(Targets(plan.value()).at("#rocksdb/2.log"), "/wal/2.log");
  EXPECT_THAT(plan.value().directories, ElementsAre("/d", "/d/empty", "/d/shop", "/rocks", "/wal"));
}

TEST_F(RestorePlanTest, ATargetThatTheSystemTablespaceDoesNotFitIsRefused) {
  for (const char* spec : {"ibdata1:1M;ibdata2:1M", "ibdata1:2M", "ibdata1:2M:autoextend",
                           "ibdata1:512K:autoextend:max:1023K"}) {
    options_.innodb_data_file_path = spec;
    const auto plan = Plan();
    EXPECT_THAT(plan, StatusIs(StatusCode::kUsage, HasSubstr("does not fit"))) << spec;
    EXPECT_THAT(plan.status().hint(), HasSubstr("ibdata1:1M:autoextend"));
  }
  for (const char* spec : {"ibdata1:1M", "ibdata1:512K:autoextend", "x:1M:autoextend:max:1M"}) {
    options_.innodb_data_file_path = spec;
    EXPECT_THAT(Plan(), IsOk()) << spec;
  }
}

TEST_F(RestorePlanTest, ADataDirectoryTableGoesWhereItsLinkLeads) {
  AddLink("/ext/shop/t.ibd");

  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("shop/t.ibd"), "/ext/shop/t.ibd");
  EXPECT_EQ(Targets(plan.value()).at("shop/t.isl"), "/d/shop/t.isl");
  EXPECT_THAT(plan.value().directories, ElementsAre("/d", "/d/empty", "/d/shop", "/ext/shop"));
}

TEST_F(RestorePlanTest, ADataDirectoryTableWhosePlaceIsTakenGoesIntoTheDatadir) {
  AddLink("/ext/shop/t.ibd");
  fs_.PutFile("/ext/shop/t.ibd", "of the server that was backed up");

  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("shop/t.ibd"), "/d/shop/t.ibd");
  EXPECT_EQ(Targets(plan.value()).count("shop/t.isl"), 0U);
  EXPECT_THAT(plan.value().warnings, ElementsAre(HasSubstr("/ext/shop/t.ibd exists")));
}

TEST_F(RestorePlanTest, ADataDirectoryInTheDatadirOrTheBackupBecomesAPlainTable) {
  for (const char* place : {"/d/shop/t.ibd", "/d/ext/shop/t.ibd", "/b/ext/t.ibd"}) {
    AddLink(place);

    const auto plan = Plan();

    ASSERT_THAT(plan, IsOk());
    EXPECT_EQ(Targets(plan.value()).at("shop/t.ibd"), "/d/shop/t.ibd") << place;
    EXPECT_EQ(Targets(plan.value()).count("shop/t.isl"), 0U) << place;
    EXPECT_THAT(plan.value().warnings, ElementsAre(HasSubstr(place)));
  }
}

TEST_F(RestorePlanTest, ARemappedTableGetsALinkToItsNewPlace) {
  AddLink("/ext/shop/t.ibd");
  fs_.PutFile("/ext/shop/t.ibd", "of the server that was backed up");
  SetRemap({"/ext=/new/ext", "/other=/x"});

  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("shop/t.ibd"), "/new/ext/shop/t.ibd");
  for (const PlannedFile& file : plan.value().files) {
    EXPECT_EQ(file.content, file.source.name == "shop/t.isl"
                                ? std::optional<std::string>("/new/ext/shop/t.ibd")
                                : std::nullopt);
  }
  EXPECT_THAT(plan.value().warnings, ElementsAre(HasSubstr("/other=/x")));
}

TEST_F(RestorePlanTest, ARemapToTheSamePlaceKeepsTheLink) {
  AddLink("/ext/shop/t.ibd");
  SetRemap({"/ext/shop=/ext/shop", "/ext=/new"});

  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("shop/t.ibd"), "/ext/shop/t.ibd");
  EXPECT_EQ(Targets(plan.value()).at("shop/t.isl"), "/d/shop/t.isl");
}

TEST_F(RestorePlanTest, ARemapIntoTheDatadirOrTheBackupIsRefused) {
  AddLink("/ext/shop/t.ibd");
  for (const char* rule : {"/ext=/d", "/ext=/d/ext", "/ext=/b/ext"}) {
    SetRemap({rule});
    EXPECT_THAT(Plan(), StatusIs(StatusCode::kUsage, HasSubstr("shop/t"))) << rule;
  }
  SetRemap({"/ext=/" + std::string(4090, 'x')});
  EXPECT_THAT(Plan(), StatusIs(StatusCode::kUsage, HasSubstr("4095 at most")));
}

TEST_F(RestorePlanTest, LocalTablespacesBringsEveryTableHome) {
  AddLink("/ext/shop/t.ibd");
  links_.brings_home = true;

  const auto plan = Plan();

  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(Targets(plan.value()).at("shop/t.ibd"), "/d/shop/t.ibd");
  EXPECT_EQ(Targets(plan.value()).count("shop/t.isl"), 0U);
  EXPECT_THAT(plan.value().warnings, IsEmpty());
}

TEST_F(RestorePlanTest, ALinkThatLeadsElsewhereIsRefused) {
  AddLink("/etc/cron.d/t");

  EXPECT_THAT(Plan(), StatusIs(StatusCode::kCorruption, HasSubstr("/b/shop/t.isl")));
}

TEST_F(RestorePlanTest, TwoFilesNeverGoToOnePlace) {
  options_.innodb_data_file_path = "undo001:1M";

  EXPECT_THAT(Plan(), StatusIs(StatusCode::kUsage, HasSubstr("would both become /d/undo001")));
}

}  // namespace
}  // namespace hbk::restore

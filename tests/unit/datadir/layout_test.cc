#include "hbk/datadir/layout.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace hbk::datadir {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kMib = 1 << 20;

TEST(ParseDataFilePathTest, OnlyTheLastFileGrows) {
  const auto files = ParseDataFilePath("ibdata1:12M;sub/ibdata2:1G:autoextend:max:2G");

  ASSERT_THAT(files, IsOk());
  ASSERT_EQ(files.value().size(), 2U);
  EXPECT_EQ(files.value()[0].path, "ibdata1");
  EXPECT_EQ(files.value()[0].size, 12 * kMib);
  EXPECT_FALSE(files.value()[0].is_autoextend);
  EXPECT_EQ(files.value()[1].path, "sub/ibdata2");
  EXPECT_EQ(files.value()[1].size, 1024 * kMib);
  EXPECT_TRUE(files.value()[1].is_autoextend);
  EXPECT_EQ(files.value()[1].max_size, 2048 * kMib);
}

TEST(ParseDataFilePathTest, SizesAndAttributesTakeEveryForm) {
  for (const std::string_view spec :
       {"ibdata1:12582912", "ibdata1:12288K", "ibdata1:12288k", "ibdata1:12m", "/abs/ibdata1:1G",
        "ibdata1:12M:autoextend:autoshrink", "ibdata1:12M:autoextend:autoshrink:max:1G",
        "ibdata1:12M:autoextend:max:1G:autoshrink"}) {
    EXPECT_THAT(ParseDataFilePath(spec), IsOk()) << spec;
  }
}

TEST(ParseDataFilePathTest, WhatTheServerRefusesIsRefused) {
  for (const std::string_view spec : {"",
                                      ";",
                                      "ibdata1",
                                      "ibdata1:",
                                      ":12M",
                                      "ibdata1:0",
                                      "ibdata1:12X",
                                      "ibdata1:-1",
                                      "ibdata1:12MM",
                                      "ibdata1:99999999999999999999M",
                                      "ibdata1:18446744073709551615G",
                                      "ibdata1:12M:",
                                      "ibdata1:12M:max:1G",
                                      "ibdata1:12M:autoextend:max",
                                      "ibdata1:12M;",
                                      "ibdata1:12M:autoextend:max:x",
                                      "ibdata1:12M:autoextend;ibdata2:12M",
                                      "dir/:12M",
                                      "../ibdata1:12M",
                                      "ibdata1:12M:sometimes",
                                      "ibdata1:12M:autoshrink"}) {
    EXPECT_THAT(ParseDataFilePath(spec), StatusIs(StatusCode::kUsage, HasSubstr("data_file_path")))
        << spec;
  }
}

TEST(ParseDataFilePathTest, RawDevicesAreNotSupported) {
  for (const std::string_view spec : {"/dev/sdb1:10Graw", "ibdata1:12M;/dev/sdb1:10Gnewraw"}) {
    EXPECT_THAT(ParseDataFilePath(spec),
                StatusIs(StatusCode::kUnsupported, HasSubstr("/dev/sdb1 is a raw device")));
  }
}

TEST(ParseDataFilePathTest, EqualBaseNamesDoNotFitIntoAFlatBackup) {
  EXPECT_THAT(ParseDataFilePath("a/ibdata:12M;b/ibdata:12M"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("two files are named ibdata")));
}

TEST(FlatDataFilePathTest, HasBaseNamesAndReadsBack) {
  const auto files = ParseDataFilePath("a/ibdata1:12M;/b/ibdata2:5242881:autoextend:max:1G");
  ASSERT_THAT(files, IsOk());

  const std::string flat = FlatDataFilePath(files.value());

  EXPECT_EQ(flat, "ibdata1:12M;ibdata2:5242881:autoextend:max:1073741824");
  EXPECT_THAT(ParseDataFilePath(flat), IsOk());
}

TEST(MakeLayoutTest, EverythingIsInTheDatadirByDefault) {
  LayoutOptions options;
  options.datadir = "/var/lib/mysql/";

  const auto layout = MakeLayout(options);

  ASSERT_THAT(layout, IsOk());
  EXPECT_THAT(layout.value().Roots(), ElementsAre("/var/lib/mysql"));
  ASSERT_EQ(layout.value().system_files.size(), 1U);
  EXPECT_EQ(layout.value().SystemFilePath(layout.value().system_files[0]),
            "/var/lib/mysql/ibdata1");
}

TEST(MakeLayoutTest, RelativePathsStartAtTheDatadir) {
  LayoutOptions options;
  options.datadir = "/d//x/.";
  options.innodb_data_home_dir = "home/";
  options.innodb_data_file_path = "sub/ibdata1:12M;/abs/./ibdata2:12M";
  options.innodb_undo_directory = "./";
  options.innodb_log_group_home_dir = "/redo";
  options.aria_log_dir_path = "../aria";

  const auto layout = MakeLayout(options);

  ASSERT_THAT(layout, IsOk());
  EXPECT_THAT(layout.value().Roots(), ElementsAre("/d/x", "/d/x/home", "/redo", "/d/x/../aria"));
  EXPECT_EQ(layout.value().SystemFilePath(layout.value().system_files[0]), "/d/x/home/sub/ibdata1");
  EXPECT_EQ(layout.value().SystemFilePath(layout.value().system_files[1]), "/abs/ibdata2");
}

TEST(MakeLayoutTest, MyrocksHasPlacesOnlyWhereItIs) {
  LayoutOptions options;
  options.datadir = "/d";
  auto layout = MakeLayout(options);
  ASSERT_THAT(layout, IsOk());
  EXPECT_EQ(layout->rocksdb_dir, "");

  layout->SetHasRocksdb(true);
  EXPECT_EQ(layout->rocksdb_dir, "/d/#rocksdb");
  EXPECT_EQ(layout->rocksdb_wal_dir, "/d/#rocksdb");
  EXPECT_THAT(layout->Roots(), ElementsAre("/d", "/d/#rocksdb"));

  layout->SetHasRocksdb(false);
  EXPECT_THAT(layout->Roots(), ElementsAre("/d"));
}

TEST(MakeLayoutTest, MyrocksIsWhereItIsSaidToBe) {
  LayoutOptions options;
  options.datadir = "/d";
  options.rocksdb_datadir = "./rocks/";
  options.rocksdb_wal_dir = "/wal";
  auto layout = MakeLayout(options);
  ASSERT_THAT(layout, IsOk());
  layout->SetHasRocksdb(true);
  EXPECT_THAT(layout->Roots(), ElementsAre("/d", "/d/rocks", "/wal"));
}

TEST(MakeLayoutTest, ARelativeDatadirBecomesAbsolute) {
  LayoutOptions options;
  options.datadir = "data";

  const auto layout = MakeLayout(options);

  ASSERT_THAT(layout, IsOk());
  EXPECT_TRUE(layout.value().datadir.starts_with('/'));
  EXPECT_TRUE(layout.value().datadir.ends_with("/data"));
}

TEST(MakeLayoutTest, WithoutADatadirThereIsNoLayout) {
  EXPECT_THAT(MakeLayout({}), StatusIs(StatusCode::kUsage, HasSubstr("data directory")));
}

TEST(LayoutTest, PathsAreCleanedOfWhatMeansNothing) {
  EXPECT_EQ(CleanPath("//a/./b/"), "/a/b");
  EXPECT_EQ(CleanPath("/a/../b"), "/a/../b");
  EXPECT_EQ(CleanPath("/"), "/");
}

TEST(LayoutTest, APathIsInsideADirectoryByWholeComponents) {
  EXPECT_TRUE(IsInside("/a/b", "/a"));
  EXPECT_TRUE(IsInside("/a", "/a"));
  EXPECT_TRUE(IsInside("/a", "/"));
  EXPECT_FALSE(IsInside("/ab", "/a"));
  EXPECT_FALSE(IsInside("/a", "/a/b"));
}

}  // namespace
}  // namespace hbk::datadir

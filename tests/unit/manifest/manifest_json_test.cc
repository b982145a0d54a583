#include <gmock/gmock.h>

#include "hbk/manifest/backup_manifest.h"

#include "manifest_sample.h"
#include "tests/support/status_matchers.h"

namespace hbk::manifest {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// The sample with `from` replaced by `to`, and a digest that fits.
std::string Edited(std::string_view from, std::string_view to) {
  std::string json = RenderManifest(SampleManifest());
  const size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  json.replace(at, from.size(), to);
  return Sealed(json);
}

TEST(ManifestJsonTest, WhatIsRenderedReadsBack) {
  const std::string json = RenderManifest(SampleManifest());

  const auto manifest = ParseManifest(json);

  ASSERT_THAT(manifest, IsOk());
  EXPECT_EQ(RenderManifest(manifest.value()), json);
  const BackupManifest& read = manifest.value();
  EXPECT_EQ(read.server.hostname, SampleManifest().server.hostname);
  EXPECT_EQ(read.server.settings, SampleManifest().server.settings);
  EXPECT_EQ(read.server.server_id, 4294967295U);
  EXPECT_EQ(read.last_lsn, 18446744073709551615U);
  EXPECT_EQ(read.redo_margin, 0.1);
  ASSERT_TRUE(read.binlog.has_value());
  EXPECT_EQ(read.binlog->position, 1382U);
  EXPECT_EQ(read.replica, SampleManifest().replica);
  EXPECT_EQ(read.galera, SampleManifest().galera);
  ASSERT_EQ(read.stages.size(), 1U);
  EXPECT_EQ(read.stages[0].held_ms, 2U);
  EXPECT_THAT(read.warnings, ElementsAre("a\nline"));
  EXPECT_THAT(read.databases, ElementsAre("mysql", "shop"));
  ASSERT_EQ(read.files.size(), 2U);
  EXPECT_EQ(read.files[0].digest, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(read.files[1].name, "shop/t.ibd");
  EXPECT_EQ(read.files[1].size, 65536U);
  EXPECT_EQ(read.files[1].stage, "prepare");
}

TEST(ManifestJsonTest, ChecksumsOfTablesReadBackInOrder) {
  BackupManifest manifest = SampleManifest();
  manifest.table_checksums = {{"shop", "u", 2, 4294967295}, {"shop", "\"t", 0, 0}};

  const auto read = ParseManifest(RenderManifest(manifest));

  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(read->table_checksums, ElementsAre(TableChecksum{"shop", "\"t", 0, 0},
                                                 TableChecksum{"shop", "u", 2, 4294967295}));
}

TEST(ManifestJsonTest, StatesReadBack) {
  BackupManifest prepared = SampleManifest();
  prepared.state = BackupState::kPrepared;
  prepared.prepared_by = "0.1.0";
  prepared.prepared_lsn = 5;
  prepared.binlog.reset();

  const auto manifest = ParseManifest(RenderManifest(prepared));

  ASSERT_THAT(manifest, IsOk());
  EXPECT_EQ(manifest.value().state, BackupState::kPrepared);
  EXPECT_EQ(manifest.value().prepared_by, "0.1.0");
  EXPECT_EQ(manifest.value().prepared_lsn, 5U);
  EXPECT_FALSE(manifest.value().binlog.has_value());
}

TEST(ManifestJsonTest, WhatAnIncrementSaysReadsBack) {
  const BackupManifest sample = SampleIncrement();

  const auto manifest = ParseManifest(RenderManifest(sample));

  ASSERT_THAT(manifest, IsOk());
  const BackupManifest& read = manifest.value();
  EXPECT_EQ(RenderManifest(read), RenderManifest(sample));
  EXPECT_EQ(read.base, sample.base);
  EXPECT_EQ(read.merged, sample.merged);
  EXPECT_EQ(read.boot_id, sample.boot_id);
  ASSERT_EQ(read.files.size(), sample.files.size());
  for (size_t i = 0; i < read.files.size(); ++i) {
    EXPECT_EQ(read.files[i].content, sample.files[i].content) << i;
    EXPECT_EQ(read.files[i].delta_size, sample.files[i].delta_size) << i;
    EXPECT_EQ(read.files[i].replaces_base, sample.files[i].replaces_base) << i;
    EXPECT_EQ(read.files[i].space, sample.files[i].space) << i;
    EXPECT_EQ(read.files[i].source, sample.files[i].source) << i;
  }
}

TEST(ManifestJsonTest, AnIncrementDoesNotEndBeforeItsBase) {
  BackupManifest sample = SampleIncrement();
  sample.last_lsn = 500;
  sample.to_lsn = 400;
  sample.base->last_lsn = 500;
  EXPECT_THAT(ParseManifest(RenderManifest(sample)), IsOk());
  sample.base->last_lsn = 501;
  EXPECT_THAT(ParseManifest(RenderManifest(sample)),
              StatusIs(StatusCode::kCorruption, HasSubstr("base ends at 501")));
}

TEST(ManifestJsonTest, WhatAnIncrementCannotSayIsRefused) {
  const struct {
    std::string_view from;
    std::string_view to;
    std::string_view message;
  } table[] = {
      {"\"base\": {", "\"base\": 7, \"x\": {", "base"},
      {"\"base\": {", "\"x\": {", "no increment"},
      {"\"origin\": \"hbk\"", "\"origin\": \"xfs\"", "origin"},
      {"\"origin\": \"hbk\"", "\"origin\": \"lsn\"", "origin"},
      {"\"content\":\"base\"", "\"content\":\"elsewhere\"", "content"},
      {"\"content\":\"delta\",\"delta_size\":70000", "\"content\":\"delta\"", "delta_size"},
      {"\"delta_size\":70000", "\"delta_size\":0", "a delta of 0 bytes"},
      {"\"space_id\":7,", "", "no tablespace"},
      {"\"page_size\":8192", "\"page_size\":8193", "page size"},
      {"\"page_size\":8192", "\"page_size\":512", "page size"},
      {"\"page_size\":8192,", "", "page_size"},
      {"\"source\":[1,", "\"source\":[", "source"},
      {"\"source\":[1,", "\"source\":[1.5,", "source"},
      {"-4,1,9]", "-4,2,9]", "source"},
      {"-4,1,9]", "-4,1,4294967296]", "source"},
      {"\"merged\": [", "\"merged\": [7, ", "merged"},
  };
  const std::string json = RenderManifest(SampleIncrement());
  for (const auto& row : table) {
    std::string edited = json;
    const size_t at = edited.find(row.from);
    ASSERT_NE(at, std::string::npos) << row.from;
    edited.replace(at, row.from.size(), row.to);

    EXPECT_THAT(ParseManifest(Sealed(edited)),
                StatusIs(StatusCode::kCorruption, HasSubstr(std::string(row.message))))
        << row.to;
  }
}

TEST(ManifestJsonTest, KeysStandOneToALineSortedAndOnce) {
  BackupManifest manifest = SampleManifest();
  manifest.encryption_keys = {{2, 1}, {1, 3}, {1, 2}, {2, 1}};

  const std::string json = RenderManifest(manifest);
  const auto read = ParseManifest(json);

  EXPECT_THAT(json, HasSubstr("  \"encryption_keys\": [\n"
                              "    {\"key_id\":1,\"key_version\":2},\n"
                              "    {\"key_id\":1,\"key_version\":3},\n"
                              "    {\"key_id\":2,\"key_version\":1}\n"
                              "  ],\n"));
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(read.value().encryption_keys,
              ElementsAre(EncryptionKeyUse{1, 2}, EncryptionKeyUse{1, 3}, EncryptionKeyUse{2, 1}));
}

TEST(ManifestJsonTest, KeysThatAreNoneAreRefused) {
  BackupManifest manifest = SampleManifest();
  manifest.encryption_keys = {{2, 1}};
  for (const std::string_view to : {"{\"key_id\":2}", "{\"key_id\":4294967296,\"key_version\":1}",
                                    "{\"key_id\":-1,\"key_version\":1}", "7"}) {
    std::string json = RenderManifest(manifest);
    const std::string from = "{\"key_id\":2,\"key_version\":1}";
    json.replace(json.find(from), from.size(), to);

    EXPECT_THAT(ParseManifest(Sealed(json)),
                StatusIs(StatusCode::kCorruption, HasSubstr("encryption_keys")))
        << to;
  }
}

TEST(ManifestJsonTest, FilesStandOneToALineAndSorted) {
  BackupManifest manifest = SampleManifest();
  std::swap(manifest.files[0], manifest.files[1]);

  const std::string json = RenderManifest(manifest);

  EXPECT_EQ(json, RenderManifest(SampleManifest()));
  EXPECT_THAT(json, HasSubstr("  \"files\": [\n    {\"name\":\"ibdata1\","));
  EXPECT_THAT(json, HasSubstr("},\n    {\"name\":\"shop/t.ibd\",\"kind\":\"tablespace\","
                              "\"size\":65536,\"stage\":\"prepare\"}\n  ],\n"));
  EXPECT_THAT(json, EndsWith("\"\n}\n"));
}

TEST(ManifestJsonTest, AnEmptyManifestIsStillADocument) {
  BackupManifest manifest;
  manifest.server.page_size = 4096;

  EXPECT_THAT(ParseManifest(RenderManifest(manifest)), IsOk());
}

TEST(ManifestJsonTest, EveryFlippedBitIsFound) {
  const std::string json = RenderManifest(SampleManifest());

  for (size_t i = 0; i < json.size(); ++i) {
    std::string damaged = json;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    EXPECT_THAT(ParseManifest(damaged), StatusIs(StatusCode::kCorruption, HasSubstr("")))
        << "byte " << i;
  }
}

TEST(ManifestJsonTest, EveryTruncationIsFound) {
  const std::string json = RenderManifest(SampleManifest());

  for (size_t size = 0; size < json.size(); ++size) {
    EXPECT_THAT(ParseManifest(json.substr(0, size)),
                StatusIs(StatusCode::kCorruption, HasSubstr("")))
        << size;
  }
}

TEST(ManifestJsonTest, AnotherFormatVersionIsUnsupported) {
  EXPECT_THAT(ParseManifest(Edited("\"format_version\": 1", "\"format_version\": 2")),
              StatusIs(StatusCode::kUnsupported, HasSubstr("format version 2")));
}

TEST(ManifestJsonTest, UnknownMembersAreIgnored) {
  EXPECT_THAT(ParseManifest(Edited("\"hbk_version\"", "\"x\": [{}], \"hbk_version\"")), IsOk());
}

TEST(ManifestJsonTest, WrongTypesAndRangesAreRefused) {
  const struct {
    std::string_view from;
    std::string_view to;
    std::string_view message;
  } table[] = {
      {"\"format_version\": 1", "\"format_version\": \"1\"", "format_version"},
      {"\"format_version\": 1", "\"format_version\": 1e99", "format_version"},
      {"\"format_version\": 1", "\"format_version\": 99999999999", "too large"},
      {"\"format_version\"", "\"format\"", "format_version"},
      {"\"start_checkpoint_lsn\": 100", "\"start_checkpoint_lsn\": -1", "start_checkpoint_lsn"},
      {"\"start_checkpoint_lsn\": 100", "\"start_checkpoint_lsn\": 1.5", "start_checkpoint_lsn"},
      {"\"start_checkpoint_lsn\": 100", "\"start_checkpoint_lsn\": null", "start_checkpoint_lsn"},
      {"18446744073709551615", "18446744073709551616", "last_lsn"},
      {"\"to_lsn\": 18446744073709551614,\n", "\"to_lsn\": 18446744073709551615,\n", ""},
      {"\"last_lsn\": 18446744073709551615", "\"last_lsn\": 101", "redo"},
      {"\"page_size\": 16384", "\"page_size\": 16385", "page size"},
      {"\"page_size\": 16384", "\"page_size\": 4294983680", "page_size"},
      {"\"redo_margin\": 0.1", "\"redo_margin\": 1.1", "redo margin"},
      {"\"redo_margin\": 0.1", "\"redo_margin\": \"x\"", "redo_margin"},
      {"\"unprepared\"", "\"perhaps\"", "state"},
      {"\"settings\": {", "\"settings\": {\"n\": 1,", "settings"},
      {"\"stages\": [", "\"stages\": [7, ", "element 0 of 'stages'"},
      {"\"options\": [", "\"options\": [7, ", "options"},
      {"\"databases\": [", "\"databases\": {}, \"x\": [", "databases"},
      {"\"databases\": [", "\"databases\": [\"..\",", "'..'"},
      {"\"databases\": [", "\"databases\": [\"shop\",", "twice"},
      {"\"databases\": [", "\"databases\": [\"ibdata1\",", "both a file and a database"},
      {"\"files\": [", "\"files\": [[],", "element 0 of 'files'"},
      {"\"shop/t.ibd\"", "\"ibdata1\"", "twice"},
      {"\"shop/t.ibd\"", "\"../t.ibd\"", "no name of a file"},
      {"\"shop/t.ibd\"", "\"/etc/passwd\"", "no name of a file"},
      {"\"shop/t.ibd\"", "\"a/b/t.ibd\"", "no name of a file"},
      {"\"shop/t.ibd\"", "\"shop/t\\u0000.ibd\"", "no name of a file"},
      {"\"shop/t.ibd\"", "\"\"", "no name of a file"},
      {"\"shop/t.ibd\"", "\"hbk_manifest.json\"", "cannot be listed"},
      {"\"kind\":\"tablespace\"", "\"kind\":\"device\"", "unknown kind"},
      {"\"0123456789abcdef0", "\"0123456789ABCDEF0", "no digest"},
      {"\"0123456789abcdef0", "\"0123456789abcde", "no digest"},
      {"\"size\":65536", "\"size\":-65536", "size"},
      {"\"binlog\": {", "\"binlog\": 7, \"x\": {", "binlog"},
      {"\"server\": {", "\"server\": [], \"x\": {", "server"},
      {"\"replica\": {", "\"replica\": 7, \"x\": {", "replica"},
      {"\"connections\": [", "\"connections\": [7, ", "element 0 of 'connections'"},
      {"\"port\": 65535", "\"port\": 65536", "port"},
      {"\"uses_gtid\": false", "\"uses_gtid\": 0", "uses_gtid"},
      {"\"galera\": {", "\"galera\": [], \"x\": {", "galera"},
      {"\"seqno\": 215", "\"seqno\": -1", "seqno"},
  };

  for (const auto& row : table) {
    const auto manifest = ParseManifest(Edited(row.from, row.to));
    if (row.message.empty()) {
      EXPECT_THAT(manifest, IsOk()) << row.to;
    } else {
      EXPECT_THAT(manifest, StatusIs(StatusCode::kCorruption, HasSubstr(std::string(row.message))))
          << row.to;
    }
  }
}

TEST(ManifestJsonTest, TextThatIsNoDocumentIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), Sealed("{\n"), Sealed("\n"),
        Sealed("{\"a\": " + std::string(100000, '[')), Sealed("{\"a\": \"\xFF\",\n")}) {
    EXPECT_THAT(ParseManifest(text), StatusIs(StatusCode::kCorruption, HasSubstr("")));
  }
}

TEST(ManifestJsonTest, BytesThatAreNoTextDoNotBreakTheDocument) {
  BackupManifest manifest = SampleManifest();
  manifest.options = {"--user=\xFF\xFE"};

  EXPECT_THAT(ParseManifest(RenderManifest(manifest)), IsOk());
}

}  // namespace
}  // namespace hbk::manifest

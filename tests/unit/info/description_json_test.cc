#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/info/description_renderings.h"

#include "sample_description.h"

namespace hbk::info {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(DescriptionJsonTest, EverythingThatIsKnownIsAMember) {
  EXPECT_EQ(
      DescriptionJson({SampleDescription()}),
      R"({"event":"backup","directory":"/b/full","state":"prepared","status":"ok","kind":"full",)"
      R"("tool":"hbk","tool_version":"0.1.0","prepared_by":"0.1.0",)"
      R"("prepared_time":"2026-01-31T17:00:00Z","backup_uuid":"uuid-1",)"
      R"("start_time":"2026-01-31T16:55:30Z","end_time":"2026-01-31T16:56:30Z","duration_s":60,)"
      R"("start_checkpoint_lsn":100,"to_lsn":200,"last_lsn":300,)"
      R"("server":{"version":"10.11.19-MariaDB","hostname":"db1","uid":"abc=","server_id":7,)"
      R"("page_size":16384},)"
      R"("binlog":{"file":"b.8","position":1382,"gtid":"0-1-6","gtid_binlog_pos":"",)"
      R"("gtid_slave_pos":"","gtid_binlog_state":""},)"
      R"("replica":{"gtid_slave_pos":"0-1-5","connections":[{"name":"east","host":"db2",)"
      R"("port":3306,"uses_gtid":false,"file":"b.9","position":4}]},)"
      R"("galera":{"cluster_uuid":"cluster","seqno":215,"gtid_domain_id":7},)"
      R"("stages":[{"stage":"block-commit","wait_ms":10,"held_ms":20,"file_count":3}],)"
      R"("redo_bytes":2048,"redo_margin_bytes":1048576,"redo_margin":0.75,)"
      R"("warnings":["careful"],"file_count":10,"logical_bytes":1073741824,)"
      R"("stored_file_count":12,"stored_bytes":1048576,"disk_bytes":524288,)"
      R"("compression":"zstd:3","is_sealed":true,"has_sealed_names":false,)"
      R"("seal_check":"genuine","key_slot_count":2,)"
      R"("encryption_keys":[{"key_id":1,"key_version":4}],)"
      R"("last_verify":{"verified_at":"2026-02-01T00:00:00Z","kind":"full","is_whole":true,"findings":3,)"
      R"("is_of_this_manifest":true},)"
      R"("last_drill":{"drilled_at":"2026-02-02T00:00:00Z","ok":true,"restore_seconds":9.0,)"
      R"("server_version":"10.11.19","is_of_this_manifest":false}})"
      "\n");
}

TEST(DescriptionJsonTest, AnIncrementNamesTheDirectoryOfItsBase) {
  EXPECT_THAT(DescriptionJson({SampleIncrementDescription(), SampleDescription()}),
              AllOf(StartsWith(R"({"event":"backup","directory":"/b/full")"),
                    HasSubstr(R"("directory":"/b/full","found_by":"uuid"})")));
  EXPECT_THAT(
      DescriptionJson({SampleIncrementDescription()}),
      HasSubstr(
          R"("base":{"backup_uuid":"uuid-1","origin":"hbk","last_lsn":300,"directory":null})"));
}

TEST(DescriptionJsonTest, WhatIsNoBackupHasItsErrorOnly) {
  BackupDescription backup;
  backup.directory = "/b/\xff";
  backup.status = NotFoundError("no backup").WithHint("look");

  EXPECT_EQ(DescriptionJson({backup}),
            "{\"event\":\"backup\",\"directory\":\"/b/\xef\xbf\xbd\",\"state\":\"no backup\","
            "\"status\":\"error\",\"code\":\"not-found\",\"message\":\"no backup\","
            "\"hint\":\"look\"}\n");
}

TEST(DescriptionJsonTest, OfAClosedBackupTheKindIsNotKnown) {
  BackupDescription backup = SampleDescription();
  backup.state = DirectoryState::kClosed;

  EXPECT_THAT(DescriptionJson({backup}), Not(HasSubstr("\"kind\":\"full\",\"tool\"")));
}

}  // namespace
}  // namespace hbk::info

// Descriptions with everything in them, for tests of what is made of them.
#pragma once

#include "hbk/info/backup_description.h"

namespace hbk::info {

inline BackupDescription SampleDescription() {
  BackupDescription backup;
  backup.directory = "/b/full";
  backup.state = DirectoryState::kPrepared;
  backup.tool = BackupTool::kHbk;
  backup.tool_version = "0.1.0";
  backup.prepared_by = "0.1.0";
  backup.prepared_time = "2026-01-31T17:00:00Z";
  backup.backup_uuid = "uuid-1";
  backup.start_time = "2026-01-31T16:55:30Z";
  backup.end_time = "2026-01-31T16:56:30Z";
  backup.duration_s = 60;
  backup.start_checkpoint_lsn = 100;
  backup.to_lsn = 200;
  backup.last_lsn = 300;
  backup.server.version = "10.11.19-MariaDB";
  backup.server.uid = "abc=";
  backup.server.hostname = "db1";
  backup.server.server_id = 7;
  backup.server.page_size = 16384;
  backup.binlog.emplace();
  backup.binlog->file = "b.8";
  backup.binlog->position = 1382;
  backup.binlog->gtid = "0-1-6";
  manifest::SourceConnection source;
  source.name = "east";
  source.host = "db2";
  source.port = 3306;
  source.file = "b.9";
  source.position = 4;
  backup.replica = manifest::ReplicaPosition{.gtid_slave_pos = "0-1-5", .connections = {source}};
  backup.galera =
      manifest::GaleraPosition{.cluster_uuid = "cluster", .seqno = 215, .gtid_domain_id = 7};
  backup.stages = {{.stage = "block-commit", .wait_ms = 10, .held_ms = 20, .file_count = 3}};
  backup.redo_bytes = 2048;
  backup.redo_margin_bytes = 1 << 20;
  backup.redo_margin = 0.75;
  backup.compression = "zstd:3";
  backup.is_sealed = true;
  backup.seal_check = SealCheck::kGenuine;
  backup.key_slot_count = 2;
  backup.encryption_keys = {{.key_id = 1, .key_version = 4}};
  backup.warnings = {"careful"};
  backup.file_count = 10;
  backup.logical_bytes = 1 << 30;
  backup.stored_file_count = 12;
  backup.stored_bytes = 1 << 20;
  backup.disk_bytes = 1 << 19;
  backup.verified.record.emplace();
  backup.verified.record->time = "2026-02-01T00:00:00Z";
  backup.verified.record->mode = "full";
  backup.verified.record->finding_count = 3;
  backup.verified.is_of_this = true;
  backup.drilled.record.emplace();
  backup.drilled.record->drilled_at = "2026-02-02T00:00:00Z";
  backup.drilled.record->ok = true;
  backup.drilled.record->restore_seconds = 9;
  backup.drilled.record->server_version = "10.11.19";
  return backup;
}

inline BackupDescription SampleIncrementDescription() {
  BackupDescription backup;
  backup.directory = "/b/inc";
  backup.state = DirectoryState::kUnprepared;
  backup.tool = BackupTool::kMariadbBackup;
  backup.backup_uuid = "uuid-2";
  backup.base = manifest::BaseBackup{.backup_uuid = "uuid-1", .origin = "hbk", .last_lsn = 300};
  backup.last_lsn = 400;
  backup.binlog_text = "filename 'b.9'";
  backup.replica_text = "CHANGE MASTER\nTO x\n";
  backup.galera_text = "cluster:7 1\n";
  return backup;
}

}  // namespace hbk::info

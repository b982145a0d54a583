// A manifest with everything in it, for tests.
#pragma once

#include <string>
#include <string_view>

#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"

namespace hbk::manifest {

inline BackupManifest SampleManifest() {
  BackupManifest manifest;
  manifest.hbk_version = "0.1.0";
  manifest.backup_uuid = "31dfe97c-e503-11f1-ab80-02fc00000001";
  manifest.start_time = "2026-01-31T16:55:30Z";
  manifest.end_time = "2026-01-31T16:56:30Z";
  manifest.server = {.version = "10.11.19-MariaDB-log",
                     .uid = "abc=",
                     .hostname = "db1 \"quoted\" \xC3\xA9",
                     .server_id = 4294967295,
                     .page_size = 16384,
                     .data_file_path = "ibdata1:12M:autoextend",
                     .undo_tablespaces = "3",
                     .settings = {{"lower_case_table_names", "0"}, {"a", ""}}};
  manifest.start_checkpoint_lsn = 100;
  manifest.to_lsn = 18446744073709551614U;
  manifest.last_lsn = 18446744073709551615U;
  manifest.redo_creator = "MariaDB 10.11.19";
  manifest.redo_bytes = 77;
  manifest.redo_margin_bytes = 1 << 30;
  manifest.redo_margin = 0.1;
  manifest.binlog = BinlogPosition{.file = "b.000008",
                                   .position = 1382,
                                   .gtid = "0-1-6",
                                   .gtid_binlog_pos = "0-1-6",
                                   .gtid_slave_pos = "",
                                   .gtid_binlog_state = "0-1-6"};
  manifest.replica = ReplicaPosition{.gtid_slave_pos = "0-1-966,6-6-4",
                                     .connections = {{.name = "",
                                                      .host = "db2",
                                                      .port = 3306,
                                                      .uses_gtid = false,
                                                      .file = "binlog.000008",
                                                      .position = 55635},
                                                     {.name = "east \xC3\xA9",
                                                      .host = "",
                                                      .port = 65535,
                                                      .uses_gtid = true,
                                                      .file = "",
                                                      .position = 4}}};
  manifest.galera = GaleraPosition{
      .cluster_uuid = "bd09145a-e504-11f1-95aa-e2b1c9df3eab", .seqno = 215, .gtid_domain_id = 77};
  manifest.stages = {{.stage = "start", .wait_ms = 1, .held_ms = 2, .file_count = 3}};
  manifest.options = {"--target-dir=/b", "--password=..."};
  manifest.warnings = {"a\nline"};
  manifest.databases = {"mysql", "shop"};
  manifest.files = {{.name = "ibdata1",
                     .kind = "system-tablespace",
                     .size = 12582912,
                     .digest = "0123456789abcdef0123456789abcdef",
                     .stage = "start"},
                    {.name = "shop/t.ibd",
                     .kind = "tablespace",
                     .size = 65536,
                     .digest = "",
                     .stage = "prepare"}};
  return manifest;
}

// An increment, with every kind of content.
inline BackupManifest SampleIncrement() {
  BackupManifest manifest = SampleManifest();
  manifest.base = BaseBackup{.backup_uuid = "a-base", .origin = "hbk", .last_lsn = 90};
  manifest.merged = {"a-base", manifest.backup_uuid};
  manifest.boot_id = "a-boot";
  manifest.files[0].content = FileContent::kDelta;
  manifest.files[0].delta_size = 70000;
  manifest.files[0].space = SpaceFacts{.space_id = 7, .page_size = 16384, .flags = 21};
  manifest.files[1].content = FileContent::kDelta;
  manifest.files[1].replaces_base = true;
  manifest.files[1].space = SpaceFacts{.space_id = 8, .page_size = 8192, .flags = 0};
  manifest.files.push_back({.name = "shop/u.frm",
                            .kind = "definition",
                            .size = 10,
                            .digest = "0123456789abcdef0123456789abcdef",
                            .stage = "start",
                            .content = FileContent::kBase,
                            .source = SourceFile{.device = 1,
                                                 .inode = 18446744073709551615U,
                                                 .birth_ns = 3,
                                                 .size = 10,
                                                 .mtime_ns = 1700000000000000000,
                                                 .ctime_ns = -4,
                                                 .is_at_rest = true,
                                                 .skip_count = 9}});
  return manifest;
}

// With a digest that fits whatever comes before it.
inline std::string Sealed(std::string_view json) {
  const std::string text(json.substr(0, json.rfind("  \"manifest_digest\"")));
  return text + "  \"manifest_digest\": \"" + filter::DigestOf(AsBytes(text)) + "\"\n}\n";
}

}  // namespace hbk::manifest

// Descriptions for programs.
#include <nlohmann/json.hpp>

#include "hbk/info/description_renderings.h"

namespace hbk::info {
namespace {

using Json = nlohmann::ordered_json;

std::string_view ToolName(BackupTool tool) {
  switch (tool) {
    case BackupTool::kUnknown: return "";
    case BackupTool::kHbk: return "hbk";
    case BackupTool::kMariadbBackup: return "mariadb-backup";
  }
  return "";
}

std::string_view SealCheckName(SealCheck check) {
  switch (check) {
    case SealCheck::kNone: return "none";
    case SealCheck::kNotChecked: return "not-checked";
    case SealCheck::kGenuine: return "genuine";
  }
  return "";
}

// Members that say nothing are left out.
void AddText(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

template <typename T>
void AddOptional(Json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

void AddLsn(Json& json, const char* name, uint64_t lsn) {
  if (lsn != 0) json[name] = lsn;
}

void AddStatus(Json& json, const Status& status) {
  json["status"] = status.ok() ? "ok" : "error";
  if (status.ok()) return;
  json["code"] = StatusCodeName(status.code());
  json["message"] = status.message();
  AddText(json, "hint", status.hint());
}

void AddOrigin(Json& json, const BackupDescription& backup) {
  AddText(json, "tool", std::string(ToolName(backup.tool)));
  AddText(json, "tool_version", backup.tool_version);
  AddText(json, "prepared_by", backup.prepared_by);
  AddText(json, "prepared_time", backup.prepared_time);
  AddText(json, "backup_uuid", backup.backup_uuid);
  AddText(json, "start_time", backup.start_time);
  AddText(json, "end_time", backup.end_time);
  AddOptional(json, "duration_s", backup.duration_s);
  AddLsn(json, "start_checkpoint_lsn", backup.start_checkpoint_lsn);
  AddLsn(json, "to_lsn", backup.to_lsn);
  AddLsn(json, "last_lsn", backup.last_lsn);
}

void AddBase(Json& json, const BackupDescription& backup, const std::vector<BackupDescription>& all,
             const ChainLink& link) {
  if (!backup.merged.empty()) json["merged"] = backup.merged;
  if (!backup.base) return;
  Json base;
  AddText(base, "backup_uuid", backup.base->backup_uuid);
  base["origin"] = backup.base->origin;
  base["last_lsn"] = backup.base->last_lsn;
  if (link.parent) {
    base["directory"] = all[*link.parent].directory;
    base["found_by"] = link.is_by_lsn ? "lsn" : "uuid";
  } else {
    base["directory"] = nullptr;
  }
  json["base"] = std::move(base);
}

void AddServer(Json& json, const manifest::ServerDescription& server) {
  Json out = Json::object();
  AddText(out, "version", server.version);
  AddText(out, "hostname", server.hostname);
  AddText(out, "uid", server.uid);
  AddLsn(out, "server_id", server.server_id);
  AddLsn(out, "page_size", server.page_size);
  if (!out.empty()) json["server"] = std::move(out);
}

void AddReplica(Json& json, const manifest::ReplicaPosition& replica) {
  Json out;
  out["gtid_slave_pos"] = replica.gtid_slave_pos;
  out["connections"] = Json::array();
  for (const manifest::SourceConnection& source : replica.connections) {
    out["connections"].push_back({{"name", source.name},
                                  {"host", source.host},
                                  {"port", source.port},
                                  {"uses_gtid", source.uses_gtid},
                                  {"file", source.file},
                                  {"position", source.position}});
  }
  json["replica"] = std::move(out);
}

void AddPositions(Json& json, const BackupDescription& backup) {
  if (backup.binlog) {
    json["binlog"] = {{"file", backup.binlog->file},
                      {"position", backup.binlog->position},
                      {"gtid", backup.binlog->gtid},
                      {"gtid_binlog_pos", backup.binlog->gtid_binlog_pos},
                      {"gtid_slave_pos", backup.binlog->gtid_slave_pos},
                      {"gtid_binlog_state", backup.binlog->gtid_binlog_state}};
  }
  AddText(json, "binlog_text", backup.binlog_text);
  if (backup.replica) AddReplica(json, *backup.replica);
  AddText(json, "replica_text", backup.replica_text);
  if (backup.galera) {
    json["galera"] = {{"cluster_uuid", backup.galera->cluster_uuid},
                      {"seqno", backup.galera->seqno},
                      {"gtid_domain_id", backup.galera->gtid_domain_id}};
  }
  AddText(json, "galera_text", backup.galera_text);
}

void AddRun(Json& json, const BackupDescription& backup) {
  for (const manifest::StageTime& stage : backup.stages) {
    json["stages"].push_back({{"stage", stage.stage},
                              {"wait_ms", stage.wait_ms},
                              {"held_ms", stage.held_ms},
                              {"file_count", stage.file_count}});
  }
  AddOptional(json, "redo_bytes", backup.redo_bytes);
  AddOptional(json, "redo_margin_bytes", backup.redo_margin_bytes);
  AddOptional(json, "redo_margin", backup.redo_margin);
  if (!backup.warnings.empty()) json["warnings"] = backup.warnings;
}

void AddStorage(Json& json, const BackupDescription& backup) {
  AddOptional(json, "file_count", backup.file_count);
  AddOptional(json, "logical_bytes", backup.logical_bytes);
  json["stored_file_count"] = backup.stored_file_count;
  json["stored_bytes"] = backup.stored_bytes;
  json["disk_bytes"] = backup.disk_bytes;
  AddText(json, "compression", backup.compression);
  json["is_sealed"] = backup.is_sealed;
  if (backup.is_sealed) {
    json["has_sealed_names"] = backup.has_sealed_names;
    json["seal_check"] = SealCheckName(backup.seal_check);
    AddOptional(json, "key_slot_count", backup.key_slot_count);
  }
  for (const manifest::EncryptionKeyUse& key : backup.encryption_keys) {
    json["encryption_keys"].push_back({{"key_id", key.key_id}, {"key_version", key.key_version}});
  }
}

void AddTrust(Json& json, const BackupDescription& backup) {
  if (backup.verified.record) {
    const manifest::VerifyRecord& record = *backup.verified.record;
    json["last_verify"] = {{"verified_at", record.time},
                           {"kind", record.mode},
                           {"is_whole", !record.resume.has_value()},
                           {"findings", record.finding_count},
                           {"is_of_this_manifest", backup.verified.is_of_this}};
  }
  AddText(json, "last_verify_problem", backup.verified.problem);
  if (backup.drilled.record) {
    const manifest::DrilledRecord& record = *backup.drilled.record;
    json["last_drill"] = {{"drilled_at", record.drilled_at},
                          {"ok", record.ok},
                          {"restore_seconds", record.restore_seconds},
                          {"server_version", record.server_version},
                          {"is_of_this_manifest", backup.drilled.is_of_this}};
  }
  AddText(json, "last_drill_problem", backup.drilled.problem);
}

Json OneJson(const BackupDescription& backup, const std::vector<BackupDescription>& all,
             const ChainLink& link) {
  Json json;
  json["event"] = "backup";
  json["directory"] = backup.directory;
  json["state"] = DirectoryStateName(backup.state);
  AddStatus(json, backup.status);
  if (backup.state == DirectoryState::kNoBackup) return json;
  const bool is_known = backup.tool != BackupTool::kUnknown &&
                        backup.state != DirectoryState::kClosed &&
                        backup.state != DirectoryState::kUnreadable;
  if (is_known) json["kind"] = backup.base ? "increment" : "full";
  AddBase(json, backup, all, link);
  AddOrigin(json, backup);
  AddServer(json, backup.server);
  AddPositions(json, backup);
  AddRun(json, backup);
  AddStorage(json, backup);
  AddTrust(json, backup);
  return json;
}

}  // namespace

std::string DescriptionJson(const std::vector<BackupDescription>& backups) {
  std::string text;
  for (const ChainLink& link : OrderChains(backups)) {
    const Json json = OneJson(backups[link.index], backups, link);
    // Names may be no UTF-8; a replacement character is better than no line.
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

}  // namespace hbk::info

// Text of a manifest, and back. Reading and writing files is in backup_manifest.cc.

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"

#include "manifest_rules.h"

namespace hbk::manifest {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDigestMember = "manifest_digest";
constexpr std::string_view kSealMember = "manifest_seal";
constexpr std::string_view kDeltaContent = "delta";
constexpr std::string_view kBaseContent = "base";
constexpr std::string_view kSealing = "aes-256-gcm";
constexpr std::string_view kSealingWithNames = "aes-256-gcm+names";
constexpr size_t kSourceNumbers = 8;
constexpr int kDepthMax = 8;

// ---- Rendering

Json RenderServer(const ServerDescription& server) {
  Json json;
  json["version"] = server.version;
  json["uid"] = server.uid;
  json["hostname"] = server.hostname;
  json["server_id"] = server.server_id;
  json["page_size"] = server.page_size;
  json["data_file_path"] = server.data_file_path;
  json["undo_tablespaces"] = server.undo_tablespaces;
  json["settings"] = Json(server.settings);
  return json;
}

Json RenderBinlog(const BinlogPosition& binlog) {
  Json json;
  json["file"] = binlog.file;
  json["position"] = binlog.position;
  json["gtid"] = binlog.gtid;
  json["gtid_binlog_pos"] = binlog.gtid_binlog_pos;
  json["gtid_slave_pos"] = binlog.gtid_slave_pos;
  json["gtid_binlog_state"] = binlog.gtid_binlog_state;
  return json;
}

Json RenderReplica(const ReplicaPosition& replica) {
  Json json;
  json["gtid_slave_pos"] = replica.gtid_slave_pos;
  json["connections"] = Json::array();
  for (const SourceConnection& connection : replica.connections) {
    Json one;
    one["name"] = connection.name;
    one["host"] = connection.host;
    one["port"] = connection.port;
    one["uses_gtid"] = connection.uses_gtid;
    one["file"] = connection.file;
    one["position"] = connection.position;
    json["connections"].push_back(std::move(one));
  }
  return json;
}

Json RenderGalera(const GaleraPosition& galera) {
  Json json;
  json["cluster_uuid"] = galera.cluster_uuid;
  json["seqno"] = galera.seqno;
  json["gtid_domain_id"] = galera.gtid_domain_id;
  return json;
}

Json RenderStage(const StageTime& stage) {
  Json json;
  json["stage"] = stage.stage;
  json["wait_ms"] = stage.wait_ms;
  json["held_ms"] = stage.held_ms;
  json["file_count"] = stage.file_count;
  return json;
}

Json RenderKeyUse(const EncryptionKeyUse& use) {
  Json json;
  json["key_id"] = use.key_id;
  json["key_version"] = use.key_version;
  return json;
}

Json RenderTable(const TableChecksum& table) {
  Json json;
  json["database"] = table.database;
  json["table"] = table.table;
  json["rows"] = table.row_count;
  json["checksum"] = table.checksum;
  return json;
}

Json RenderBase(const BaseBackup& base) {
  Json json;
  if (!base.backup_uuid.empty()) json["backup_uuid"] = base.backup_uuid;
  json["origin"] = base.origin;
  json["last_lsn"] = base.last_lsn;
  return json;
}

Json RenderSource(const SourceFile& source) {
  return Json::array({source.device, source.inode, source.birth_ns, source.size, source.mtime_ns,
                      source.ctime_ns, source.is_at_rest ? 1 : 0, source.skip_count});
}

Json RenderFile(const ManifestFile& file) {
  Json json;
  json["name"] = file.name;
  json["kind"] = file.kind;
  json["size"] = file.size;
  if (!file.digest.empty()) json["digest"] = file.digest;
  if (!file.seal_id.empty()) json["seal_id"] = file.seal_id;
  json["stage"] = file.stage;
  if (file.content == FileContent::kDelta) {
    json["content"] = kDeltaContent;
    json["delta_size"] = file.delta_size;
    if (file.replaces_base) json["replaces_base"] = true;
  } else if (file.content == FileContent::kBase) {
    json["content"] = kBaseContent;
  }
  if (file.space) {
    json["space_id"] = file.space->space_id;
    json["page_size"] = file.space->page_size;
    json["space_flags"] = file.space->flags;
  }
  if (file.source) json["source"] = RenderSource(*file.source);
  return json;
}

Json RenderHead(const BackupManifest& manifest) {
  Json json;
  json["format_version"] = kManifestFormatVersion;
  json["hbk_version"] = manifest.hbk_version;
  json["backup_uuid"] = manifest.backup_uuid;
  if (manifest.base) json["base"] = RenderBase(*manifest.base);
  if (!manifest.merged.empty()) json["merged"] = manifest.merged;
  if (manifest.compression.method != codec::FrameMethod::kNone)
    json["compression"] = codec::FormatFrameChoice(manifest.compression);
  if (manifest.is_sealed)
    json["sealing"] = manifest.has_sealed_names ? kSealingWithNames : kSealing;
  if (!manifest.boot_id.empty()) json["boot_id"] = manifest.boot_id;
  json["state"] = manifest.state == BackupState::kPrepared ? "prepared" : "unprepared";
  json["start_time"] = manifest.start_time;
  json["end_time"] = manifest.end_time;
  json["server"] = RenderServer(manifest.server);
  json["start_checkpoint_lsn"] = manifest.start_checkpoint_lsn;
  json["to_lsn"] = manifest.to_lsn;
  json["last_lsn"] = manifest.last_lsn;
  json["redo_creator"] = manifest.redo_creator;
  json["redo_bytes"] = manifest.redo_bytes;
  json["redo_margin_bytes"] = manifest.redo_margin_bytes;
  json["redo_margin"] = manifest.redo_margin;
  if (manifest.binlog) json["binlog"] = RenderBinlog(*manifest.binlog);
  if (manifest.replica) json["replica"] = RenderReplica(*manifest.replica);
  if (manifest.galera) json["galera"] = RenderGalera(*manifest.galera);
  json["stages"] = Json::array();
  for (const StageTime& stage : manifest.stages)
    json["stages"].push_back(RenderStage(stage));
  json["options"] = manifest.options;
  json["warnings"] = manifest.warnings;
  if (!manifest.prepared_by.empty()) json["prepared_by"] = manifest.prepared_by;
  if (!manifest.prepared_time.empty()) json["prepared_time"] = manifest.prepared_time;
  if (manifest.prepared_lsn != 0) json["prepared_lsn"] = manifest.prepared_lsn;
  return json;
}

// Bytes that are no UTF-8 (in a host name, in an option) become U+FFFD; file names are held to
// UTF-8 by CheckManifest().
std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

// One element a line: a manifest of thousands of tables can still be read, and compared by diff.
void AppendArray(std::string_view name, const std::vector<std::string>& lines, std::string& text) {
  text += fmt::format("  \"{}\": [", name);
  for (size_t i = 0; i < lines.size(); ++i)
    text += fmt::format("{}\n    {}", i == 0 ? "" : ",", lines[i]);
  text += lines.empty() ? "],\n" : "\n  ],\n";
}

std::string DigestLine(std::string_view text_before) {
  return fmt::format("  \"{}\": \"{}\"\n}}\n", kDigestMember,
                     filter::DigestOf(AsBytes(text_before)));
}

std::string RenderMembers(const BackupManifest& manifest) {
  std::string text = Dump(RenderHead(manifest), 2);
  HBK_CHECK(text.ends_with("\n}"));
  text.resize(text.size() - 2);
  text += ",\n";

  std::vector<std::string> lines;
  for (const std::string& database : manifest.databases)
    lines.push_back(Dump(Json(database), -1));
  std::sort(lines.begin(), lines.end());
  AppendArray("databases", lines, text);

  std::vector<const ManifestFile*> files;
  for (const ManifestFile& file : manifest.files)
    files.push_back(&file);
  std::sort(files.begin(), files.end(),
            [](const ManifestFile* a, const ManifestFile* b) { return a->name < b->name; });
  if (!manifest.encryption_keys.empty()) {
    const std::set<EncryptionKeyUse> uses(manifest.encryption_keys.begin(),
                                          manifest.encryption_keys.end());
    lines.clear();
    for (const EncryptionKeyUse& use : uses)
      lines.push_back(Dump(RenderKeyUse(use), -1));
    AppendArray("encryption_keys", lines, text);
  }

  if (!manifest.table_checksums.empty()) {
    std::vector<TableChecksum> tables = manifest.table_checksums;
    std::sort(tables.begin(), tables.end());
    lines.clear();
    for (const TableChecksum& table : tables)
      lines.push_back(Dump(RenderTable(table), -1));
    AppendArray("table_checksums", lines, text);
  }

  lines.clear();
  for (const ManifestFile* file : files)
    lines.push_back(Dump(RenderFile(*file), -1));
  AppendArray("files", lines, text);

  return text;
}

std::string SealLine(const crypto::Mac& mac) {
  return fmt::format("  \"{}\": \"{}\",\n", kSealMember, seal::MacText(mac));
}

// ---- Parsing

Status Bad(std::string_view member, std::string_view why) {
  return CorruptionError(fmt::format("member '{}' {}", member, why));
}

// Members of one object. The first error is kept; the getters return empty values after it.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string_view what) : json_(json) {
    if (!json.is_object()) Fail(what, "is no object");
  }

  void Text(const char* name, std::string& out, bool is_required = true) {
    const Json* member = Find(name, is_required);
    if (member == nullptr) return;
    if (!member->is_string()) return Fail(name, "is no string");
    out = member->get<std::string>();
  }

  template <typename Integer>
  void Number(const char* name, Integer& out, bool is_required = true) {
    const Json* member = Find(name, is_required);
    if (member == nullptr) return;
    if (!member->is_number_unsigned()) return Fail(name, "is no whole number");
    const auto value = member->get<uint64_t>();
    if (value > std::numeric_limits<Integer>::max()) return Fail(name, "is too large");
    out = static_cast<Integer>(value);
  }

  void Fraction(const char* name, double& out) {
    const Json* member = Find(name, /*is_required=*/true);
    if (member == nullptr) return;
    if (!member->is_number()) return Fail(name, "is no number");
    out = member->get<double>();
  }

  void Switch(const char* name, bool& out, bool is_required = true) {
    const Json* member = Find(name, is_required);
    if (member == nullptr) return;
    if (!member->is_boolean()) return Fail(name, "is neither true nor false");
    out = member->get<bool>();
  }

  void TextList(const char* name, std::vector<std::string>& out, bool is_required = true) {
    const Json* member = Find(name, is_required);
    if (member == nullptr) return;
    if (!member->is_array()) return Fail(name, "is no array");
    for (const Json& element : *member) {
      if (!element.is_string()) return Fail(name, "holds something else than strings");
      out.push_back(element.get<std::string>());
    }
  }

  void TextMap(const char* name, std::map<std::string, std::string>& out) {
    const Json* member = Find(name, /*is_required=*/true);
    if (member == nullptr) return;
    if (!member->is_object()) return Fail(name, "is no object");
    for (const auto& item : member->items()) {
      if (!item.value().is_string()) return Fail(name, "holds something else than strings");
      out[item.key()] = item.value().get<std::string>();
    }
  }

  // Nothing if it is missing.
  const Json* Find(const char* name, bool is_required) {
    if (!status_.ok()) return nullptr;
    const auto it = json_.find(name);
    if (it != json_.end()) return &*it;
    if (is_required) Fail(name, "is missing");
    return nullptr;
  }

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  void Fail(std::string_view name, std::string_view why) {
    if (status_.ok()) status_ = Bad(name, why);
  }

  const Json& json_;
  Status status_;
};

template <typename T, typename Parse>
Status ParseArray(ObjectReader& reader, const char* name, Parse parse, std::vector<T>& out) {
  const Json* array = reader.Find(name, /*is_required=*/true);
  if (array == nullptr) return reader.status();
  if (!array->is_array()) return Bad(name, "is no array");
  out.reserve(array->size());
  for (const Json& element : *array) {
    Result<T> value = parse(element);
    if (!value.ok()) {
      return value.status().WithContext(fmt::format("element {} of '{}'", out.size(), name));
    }
    out.push_back(std::move(value).value());
  }
  return OkStatus();
}

Result<BaseBackup> ParseBase(const Json& json) {
  BaseBackup base;
  ObjectReader reader(json, "base");
  reader.Text("backup_uuid", base.backup_uuid, /*is_required=*/false);
  reader.Text("origin", base.origin);
  reader.Number("last_lsn", base.last_lsn);
  HBK_RETURN_IF_ERROR(reader.status());
  return base;
}

Result<SourceFile> ParseSource(const Json& json) {
  if (!json.is_array() || json.size() != kSourceNumbers) return Bad("source", "is no such array");
  std::array<uint64_t, kSourceNumbers> numbers{};
  for (size_t i = 0; i < kSourceNumbers; ++i) {
    if (!json[i].is_number_integer()) return Bad("source", "holds something else than numbers");
    // Times before 1970 are negative.
    numbers[i] = json[i].is_number_unsigned() ? json[i].get<uint64_t>()
                                              : static_cast<uint64_t>(json[i].get<int64_t>());
  }
  if (numbers[6] > 1 || numbers[7] > std::numeric_limits<uint32_t>::max()) {
    return Bad("source", "holds a number that is too large");
  }
  return SourceFile{.device = numbers[0],
                    .inode = numbers[1],
                    .birth_ns = static_cast<int64_t>(numbers[2]),
                    .size = numbers[3],
                    .mtime_ns = static_cast<int64_t>(numbers[4]),
                    .ctime_ns = static_cast<int64_t>(numbers[5]),
                    .is_at_rest = numbers[6] == 1,
                    .skip_count = static_cast<uint32_t>(numbers[7])};
}

Status ParseContent(ObjectReader& reader, ManifestFile& file) {
  std::string content;
  reader.Text("content", content, /*is_required=*/false);
  if (content.empty()) return reader.status();
  if (content == kBaseContent) {
    file.content = FileContent::kBase;
  } else if (content == kDeltaContent) {
    file.content = FileContent::kDelta;
    reader.Number("delta_size", file.delta_size);
    reader.Switch("replaces_base", file.replaces_base, /*is_required=*/false);
  } else {
    return Bad("content", fmt::format("is '{}'", content));
  }
  return reader.status();
}

Status ParseSpace(ObjectReader& reader, ManifestFile& file) {
  if (reader.Find("space_id", /*is_required=*/false) == nullptr) return reader.status();
  SpaceFacts space;
  reader.Number("space_id", space.space_id);
  reader.Number("page_size", space.page_size);
  reader.Number("space_flags", space.flags);
  file.space = space;
  return reader.status();
}

Result<ManifestFile> ParseFile(const Json& json) {
  ManifestFile file;
  ObjectReader reader(json, "file");
  reader.Text("name", file.name);
  reader.Text("kind", file.kind);
  reader.Number("size", file.size);
  reader.Text("digest", file.digest, /*is_required=*/false);
  reader.Text("seal_id", file.seal_id, /*is_required=*/false);
  reader.Text("stage", file.stage);
  HBK_RETURN_IF_ERROR(ParseContent(reader, file));
  HBK_RETURN_IF_ERROR(ParseSpace(reader, file));
  if (const Json* source = reader.Find("source", /*is_required=*/false)) {
    HBK_ASSIGN_OR_RETURN(file.source, ParseSource(*source));
  }
  HBK_RETURN_IF_ERROR(reader.status());
  return file;
}

Result<EncryptionKeyUse> ParseKeyUse(const Json& json) {
  EncryptionKeyUse use;
  ObjectReader reader(json, "key");
  reader.Number("key_id", use.key_id);
  reader.Number("key_version", use.key_version);
  HBK_RETURN_IF_ERROR(reader.status());
  return use;
}

Result<TableChecksum> ParseTable(const Json& json) {
  TableChecksum table;
  ObjectReader reader(json, "table");
  reader.Text("database", table.database);
  reader.Text("table", table.table);
  reader.Number("rows", table.row_count);
  reader.Number("checksum", table.checksum);
  HBK_RETURN_IF_ERROR(reader.status());
  return table;
}

Result<StageTime> ParseStage(const Json& json) {
  StageTime stage;
  ObjectReader reader(json, "stage");
  reader.Text("stage", stage.stage);
  reader.Number("wait_ms", stage.wait_ms);
  reader.Number("held_ms", stage.held_ms);
  reader.Number("file_count", stage.file_count);
  HBK_RETURN_IF_ERROR(reader.status());
  return stage;
}

Result<ServerDescription> ParseServer(const Json& json) {
  ServerDescription server;
  ObjectReader reader(json, "server");
  reader.Text("version", server.version);
  reader.Text("uid", server.uid);
  reader.Text("hostname", server.hostname);
  reader.Number("server_id", server.server_id);
  reader.Number("page_size", server.page_size);
  reader.Text("data_file_path", server.data_file_path);
  reader.Text("undo_tablespaces", server.undo_tablespaces);
  reader.TextMap("settings", server.settings);
  HBK_RETURN_IF_ERROR(reader.status());
  return server;
}

Result<BinlogPosition> ParseBinlog(const Json& json) {
  BinlogPosition binlog;
  ObjectReader reader(json, "binlog");
  reader.Text("file", binlog.file);
  reader.Number("position", binlog.position);
  reader.Text("gtid", binlog.gtid);
  reader.Text("gtid_binlog_pos", binlog.gtid_binlog_pos);
  reader.Text("gtid_slave_pos", binlog.gtid_slave_pos);
  reader.Text("gtid_binlog_state", binlog.gtid_binlog_state);
  HBK_RETURN_IF_ERROR(reader.status());
  return binlog;
}

Result<SourceConnection> ParseConnection(const Json& json) {
  SourceConnection connection;
  ObjectReader reader(json, "connection");
  reader.Text("name", connection.name);
  reader.Text("host", connection.host);
  reader.Number("port", connection.port);
  reader.Switch("uses_gtid", connection.uses_gtid);
  reader.Text("file", connection.file);
  reader.Number("position", connection.position);
  HBK_RETURN_IF_ERROR(reader.status());
  return connection;
}

Result<ReplicaPosition> ParseReplica(const Json& json) {
  ReplicaPosition replica;
  ObjectReader reader(json, "replica");
  reader.Text("gtid_slave_pos", replica.gtid_slave_pos);
  HBK_RETURN_IF_ERROR(ParseArray(reader, "connections", ParseConnection, replica.connections));
  HBK_RETURN_IF_ERROR(reader.status());
  return replica;
}

Result<GaleraPosition> ParseGalera(const Json& json) {
  GaleraPosition galera;
  ObjectReader reader(json, "galera");
  reader.Text("cluster_uuid", galera.cluster_uuid);
  reader.Number("seqno", galera.seqno);
  reader.Number("gtid_domain_id", galera.gtid_domain_id);
  HBK_RETURN_IF_ERROR(reader.status());
  return galera;
}

Status ParseState(ObjectReader& reader, BackupState& state) {
  std::string name;
  reader.Text("state", name);
  HBK_RETURN_IF_ERROR(reader.status());
  if (name != "prepared" && name != "unprepared") {
    return Bad("state", fmt::format("is '{}'", name));
  }
  state = name == "prepared" ? BackupState::kPrepared : BackupState::kUnprepared;
  return OkStatus();
}

Result<codec::FrameChoice> ParseCompression(ObjectReader& reader) {
  std::string text;
  reader.Text("compression", text, /*is_required=*/false);
  HBK_RETURN_IF_ERROR(reader.status());
  if (text.empty()) return codec::FrameChoice();
  const auto choice = codec::ParseFrameChoice(text);
  // A method that a newer hbk has.
  if (!choice.ok()) return UnsupportedError(fmt::format("the compression '{}'", text));
  return *choice;
}

Status ParseSealing(ObjectReader& reader, BackupManifest& manifest) {
  std::string text;
  reader.Text("sealing", text, /*is_required=*/false);
  HBK_RETURN_IF_ERROR(reader.status());
  manifest.has_sealed_names = text == kSealingWithNames;
  manifest.is_sealed = manifest.has_sealed_names || text == kSealing;
  if (manifest.is_sealed || text.empty()) return OkStatus();
  return UnsupportedError(fmt::format("the sealing '{}'", text));
}

Result<BackupManifest> ParseMembers(const Json& json) {
  BackupManifest manifest;
  ObjectReader reader(json, "document");
  int version = 0;
  reader.Number("format_version", version);
  HBK_RETURN_IF_ERROR(reader.status());
  if (version != kManifestFormatVersion) {
    return UnsupportedError(
               fmt::format("format version {}; this hbk knows {}", version, kManifestFormatVersion))
        .WithHint("use the hbk version that made the backup, or a newer one");
  }
  reader.Text("hbk_version", manifest.hbk_version);
  reader.Text("backup_uuid", manifest.backup_uuid);
  if (const Json* base = reader.Find("base", /*is_required=*/false)) {
    HBK_ASSIGN_OR_RETURN(manifest.base, ParseBase(*base));
  }
  reader.TextList("merged", manifest.merged, /*is_required=*/false);
  HBK_ASSIGN_OR_RETURN(manifest.compression, ParseCompression(reader));
  HBK_RETURN_IF_ERROR(ParseSealing(reader, manifest));
  reader.Text("boot_id", manifest.boot_id, /*is_required=*/false);
  HBK_RETURN_IF_ERROR(ParseState(reader, manifest.state));
  reader.Text("start_time", manifest.start_time);
  reader.Text("end_time", manifest.end_time);
  reader.Number("start_checkpoint_lsn", manifest.start_checkpoint_lsn);
  reader.Number("to_lsn", manifest.to_lsn);
  reader.Number("last_lsn", manifest.last_lsn);
  reader.Text("redo_creator", manifest.redo_creator);
  reader.Number("redo_bytes", manifest.redo_bytes);
  reader.Number("redo_margin_bytes", manifest.redo_margin_bytes);
  reader.Fraction("redo_margin", manifest.redo_margin);
  reader.TextList("options", manifest.options);
  reader.TextList("warnings", manifest.warnings);
  reader.TextList("databases", manifest.databases);
  reader.Text("prepared_by", manifest.prepared_by, /*is_required=*/false);
  reader.Text("prepared_time", manifest.prepared_time, /*is_required=*/false);
  reader.Number("prepared_lsn", manifest.prepared_lsn, /*is_required=*/false);
  HBK_RETURN_IF_ERROR(ParseArray(reader, "stages", ParseStage, manifest.stages));
  HBK_RETURN_IF_ERROR(ParseArray(reader, "files", ParseFile, manifest.files));
  if (reader.Find("encryption_keys", /*is_required=*/false) != nullptr) {
    HBK_RETURN_IF_ERROR(
        ParseArray(reader, "encryption_keys", ParseKeyUse, manifest.encryption_keys));
    std::sort(manifest.encryption_keys.begin(), manifest.encryption_keys.end());
  }
  if (reader.Find("table_checksums", /*is_required=*/false) != nullptr) {
    HBK_RETURN_IF_ERROR(
        ParseArray(reader, "table_checksums", ParseTable, manifest.table_checksums));
    std::sort(manifest.table_checksums.begin(), manifest.table_checksums.end());
  }
  if (const Json* server = reader.Find("server", /*is_required=*/true)) {
    HBK_ASSIGN_OR_RETURN(manifest.server, ParseServer(*server));
  }
  if (const Json* binlog = reader.Find("binlog", /*is_required=*/false)) {
    HBK_ASSIGN_OR_RETURN(manifest.binlog, ParseBinlog(*binlog));
  }
  if (const Json* replica = reader.Find("replica", /*is_required=*/false)) {
    HBK_ASSIGN_OR_RETURN(manifest.replica, ParseReplica(*replica));
  }
  if (const Json* galera = reader.Find("galera", /*is_required=*/false)) {
    HBK_ASSIGN_OR_RETURN(manifest.galera, ParseGalera(*galera));
  }
  HBK_RETURN_IF_ERROR(reader.status());
  return manifest;
}

// The last member is the digest of every byte before its line: a flipped bit in an LSN would
// otherwise go unnoticed.
Status CheckDigest(std::string_view text) {
  const size_t line = text.rfind(fmt::format("  \"{}\": ", kDigestMember));
  if (line == std::string_view::npos) {
    return CorruptionError(fmt::format("no member '{}': the file is cut off", kDigestMember));
  }
  if (text.substr(line) != DigestLine(text.substr(0, line))) {
    return CorruptionError("its digest does not fit: the file is damaged or was edited");
  }
  return OkStatus();
}

bool IsTooDeep(std::string_view text) {
  int depth = 0;
  bool is_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      if (c == '\\') ++i;
      if (c == '"') is_string = false;
    } else if (c == '"') {
      is_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::string RenderManifest(const BackupManifest& manifest) {
  const std::string text = RenderMembers(manifest);
  return text + DigestLine(text);
}

Result<std::string> RenderManifest(const BackupManifest& manifest, const seal::DataKey* data_key) {
  if (data_key == nullptr) return RenderManifest(manifest);
  std::string text = RenderMembers(manifest);
  HBK_ASSIGN_OR_RETURN(const crypto::Mac mac, data_key->ManifestMac(AsBytes(text)));
  text += SealLine(mac);
  return text + DigestLine(text);
}

Status CheckManifestSeal(std::string_view text, const seal::DataKey& data_key) {
  const Status changed =
      CorruptionError("its seal does not fit: somebody without a key of the backup has changed it");
  const size_t digest_line = text.rfind(fmt::format("  \"{}\": ", kDigestMember));
  if (digest_line == std::string_view::npos) return changed;
  const size_t line = text.rfind(fmt::format("  \"{}\": ", kSealMember), digest_line);
  if (line == std::string_view::npos) return changed;
  HBK_ASSIGN_OR_RETURN(const crypto::Mac mac, data_key.ManifestMac(AsBytes(text.substr(0, line))));
  const std::string expected = SealLine(mac);
  std::string_view found = text.substr(line, digest_line - line);
  if (found.size() != expected.size()) return changed;
  const size_t begin = expected.find(seal::MacText(mac));
  const size_t length = seal::MacText(mac).size();
  const bool has_frame =
      found.substr(0, begin) == std::string_view(expected).substr(0, begin) &&
      found.substr(begin + length) == std::string_view(expected).substr(begin + length);
  return has_frame && seal::IsMacText(mac, found.substr(begin, length)) ? OkStatus() : changed;
}

Result<BackupManifest> ParseManifest(std::string_view json) {
  if (json.size() > kManifestBytesMax) return CorruptionError("larger than any manifest is");
  HBK_RETURN_IF_ERROR(CheckDigest(json));
  if (IsTooDeep(json)) return CorruptionError("nested more deeply than any manifest is");
  Result<BackupManifest> manifest = CorruptionError("not parsed");
  try {
    const Json document = Json::parse(json, nullptr, /*allow_exceptions=*/false);
    manifest = document.is_discarded() ? Result<BackupManifest>(CorruptionError("not valid JSON"))
                                       : ParseMembers(document);
  } catch (const std::exception& e) {
    return CorruptionError(e.what());
  }
  if (!manifest.ok()) return manifest;
  HBK_RETURN_IF_ERROR(CheckManifest(*manifest));
  std::sort(manifest->files.begin(), manifest->files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.name < b.name; });
  return manifest;
}

}  // namespace hbk::manifest

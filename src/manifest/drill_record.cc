#include "hbk/manifest/drill_record.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hbk::manifest {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kRecordBytesMax = 64 << 10;
constexpr uint32_t kRecordMode = 0600;
constexpr size_t kDigestDigits = 32;
constexpr std::string_view kTimePattern = "0000-00-00T00:00:00Z";

Status Bad(std::string_view name, std::string_view why) {
  return CorruptionError(fmt::format("'{}' {}", name, why));
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

Status CheckTime(std::string_view name, std::string_view text) {
  bool is_time = text.size() == kTimePattern.size();
  for (size_t i = 0; is_time && i < text.size(); ++i)
    is_time = kTimePattern[i] == '0' ? IsDigit(text[i]) : text[i] == kTimePattern[i];
  return is_time ? OkStatus() : Bad(name, "is no time as 2026-01-31T16:55:30Z");
}

Status CheckDigest(std::string_view text) {
  const bool is_digest = text.size() == kDigestDigits &&
                         std::all_of(text.begin(), text.end(),
                                     [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
  return is_digest ? OkStatus() : Bad("manifest_digest", "is no digest");
}

Status Check(const DrilledRecord& record) {
  HBK_RETURN_IF_ERROR(CheckTime("drilled_at", record.drilled_at));
  if (!std::isfinite(record.restore_seconds) || record.restore_seconds < 0) {
    return Bad("restore_seconds", "is no time span");
  }
  // It is shown to people.
  const bool is_printable = std::all_of(record.server_version.begin(), record.server_version.end(),
                                        [](char c) { return c >= ' ' && c <= '~'; });
  if (!is_printable) return Bad("server_version", "has characters that no version has");
  return CheckDigest(record.manifest_digest);
}

Result<std::string> TextOf(const Json& json, const char* name) {
  const auto it = json.find(name);
  if (it == json.end()) return Bad(name, "is missing");
  if (!it->is_string()) return Bad(name, "is no text");
  return it->get<std::string>();
}

// A later hbk may have more members, whatever is in them.
Result<Json> ParseObject(std::string_view text) {
  if (text.size() > kRecordBytesMax) return CorruptionError("larger than any record is");
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return CorruptionError("no JSON object");
  return json;
}

Result<DrilledRecord> ParseDrilledMembers(const Json& json) {
  DrilledRecord record;
  HBK_ASSIGN_OR_RETURN(record.drilled_at, TextOf(json, "drilled_at"));
  const auto ok = json.find("ok");
  if (ok == json.end() || !ok->is_boolean()) return Bad("ok", "is neither true nor false");
  record.ok = ok->get<bool>();
  const auto seconds = json.find("restore_seconds");
  if (seconds == json.end() || !seconds->is_number()) return Bad("restore_seconds", "is no number");
  record.restore_seconds = seconds->get<double>();
  HBK_ASSIGN_OR_RETURN(record.server_version, TextOf(json, "server_version"));
  if (const auto turn = json.find("sample_turn"); turn != json.end()) {
    if (!turn->is_number_unsigned()) return Bad("sample_turn", "is no count");
    record.sample_turn = turn->get<uint64_t>();
  }
  HBK_ASSIGN_OR_RETURN(record.manifest_digest, TextOf(json, "manifest_digest"));
  HBK_RETURN_IF_ERROR(Check(record));
  return record;
}

std::string Text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <typename Record, typename Parse>
Result<Record> Load(io::FileSystem& fs, const std::string& path, Parse parse) {
  HBK_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(fs, path, kRecordBytesMax));
  Result<Record> record = parse(text);
  if (!record.ok()) return record.status().WithContext(path);
  return record;
}

}  // namespace

std::string RenderDrilledRecord(const DrilledRecord& record) {
  Json json;
  json["drilled_at"] = record.drilled_at;
  json["ok"] = record.ok;
  json["restore_seconds"] = record.restore_seconds;
  json["server_version"] = record.server_version;
  if (record.sample_turn != 0) json["sample_turn"] = record.sample_turn;
  json["manifest_digest"] = record.manifest_digest;
  return Text(json);
}

Result<DrilledRecord> ParseDrilledRecord(std::string_view json) {
  HBK_ASSIGN_OR_RETURN(const Json object, ParseObject(json));
  return ParseDrilledMembers(object);
}

Result<DrilledRecord> LoadDrilledRecord(io::FileSystem& fs, const std::string& backup_dir) {
  return Load<DrilledRecord>(fs, io::JoinPath(backup_dir, kDrilledRecordName), ParseDrilledRecord);
}

Status StoreDrilledRecord(io::FileSystem& fs, const std::string& backup_dir,
                          const DrilledRecord& record) {
  const std::string path = io::JoinPath(backup_dir, kDrilledRecordName);
  HBK_RETURN_IF_ERROR(Check(record).WithContext("writing " + path));
  return io::WriteFileAtomically(fs, path, RenderDrilledRecord(record), kRecordMode);
}

}  // namespace hbk::manifest

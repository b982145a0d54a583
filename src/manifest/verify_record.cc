#include "hbk/manifest/verify_record.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hbk::manifest {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr uint64_t kRecordBytesMax = 1 << 20;
constexpr uint32_t kFileMode = 0600;

Status Unusable(std::string_view why) {
  return CorruptionError(fmt::format("{}: {}", kVerifyRecordName, why));
}

// The member, if it is there and of that type.
template <typename T>
bool Take(const Json& json, const char* name, T& value) {
  const auto member = json.find(name);
  if (member == json.end()) return false;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!member->is_string()) return false;
  } else if constexpr (std::is_same_v<T, double>) {
    if (!member->is_number()) return false;
  } else {
    if (!member->is_number_unsigned()) return false;
  }
  value = member->get<T>();
  return true;
}

bool TakeSubjects(const Json& json, std::vector<std::string>& subjects) {
  const auto list = json.find("subjects");
  if (list == json.end() || !list->is_array()) return false;
  for (const Json& item : *list) {
    if (!item.is_string()) return false;
    subjects.push_back(item.get<std::string>());
  }
  return true;
}

bool TakeFindings(const Json& json, std::map<std::string, uint64_t>& findings) {
  const auto list = json.find("findings");
  if (list == json.end() || !list->is_object()) return false;
  for (const auto& [kind, count] : list->items()) {
    if (!count.is_number_unsigned()) return false;
    findings[kind] = count.get<uint64_t>();
  }
  return true;
}

// Both are shown to people: no more than what we write ourselves.
bool IsTime(std::string_view text) {
  constexpr std::string_view kPattern = "0000-00-00T00:00:00Z";
  if (text.size() != kPattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_right =
        kPattern[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kPattern[i];
    if (!is_right) return false;
  }
  return true;
}
bool IsMode(std::string_view text) {
  return text == "full" || text == "fast" || text == "sample";
}

}  // namespace

std::string RenderVerifyRecord(const VerifyRecord& record) {
  Json json = {{"format_version", kFormatVersion},
               {"hbk_version", record.hbk_version},
               {"time", record.time},
               {"mode", record.mode},
               {"share", record.share},
               {"subjects", record.subjects},
               {"file_count", record.file_count},
               {"bytes", record.bytes},
               {"page_count", record.page_count},
               {"finding_count", record.finding_count}};
  json["findings"] = Json::object();
  for (const auto& [kind, count] : record.findings)
    json["findings"][kind] = count;
  if (record.resume) {
    json["resume"] = {{"backup", record.resume->backup},
                      {"file", record.resume->file},
                      {"offset", record.resume->offset}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<VerifyRecord> ParseVerifyRecord(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Unusable("it is no JSON object");
  uint64_t version = 0;
  if (!Take(json, "format_version", version) || version != kFormatVersion)
    return Unusable("it is of another version");
  VerifyRecord record;
  const bool is_right =
      Take(json, "hbk_version", record.hbk_version) && Take(json, "time", record.time) &&
      Take(json, "mode", record.mode) && Take(json, "share", record.share) &&
      TakeSubjects(json, record.subjects) && Take(json, "file_count", record.file_count) &&
      Take(json, "bytes", record.bytes) && Take(json, "page_count", record.page_count) &&
      Take(json, "finding_count", record.finding_count) && TakeFindings(json, record.findings);
  if (!is_right || !IsTime(record.time) || !IsMode(record.mode))
    return Unusable("a member is missing or wrong");
  const auto resume = json.find("resume");
  if (resume == json.end()) return record;
  VerifyRecord::Resume at;
  if (!resume->is_object() || !Take(*resume, "backup", at.backup) ||
      !Take(*resume, "file", at.file) || !Take(*resume, "offset", at.offset))
    return Unusable("it does not say where to go on");
  record.resume = at;
  return record;
}

Result<VerifyRecord> LoadVerifyRecord(io::FileSystem& fs, const std::string& backup_dir) {
  HBK_ASSIGN_OR_RETURN(
      const std::string text,
      io::ReadFile(fs, io::JoinPath(backup_dir, kVerifyRecordName), kRecordBytesMax));
  return ParseVerifyRecord(text);
}

Status StoreVerifyRecord(io::FileSystem& fs, const std::string& backup_dir,
                         const VerifyRecord& record) {
  return io::WriteFileAtomically(fs, io::JoinPath(backup_dir, kVerifyRecordName),
                                 RenderVerifyRecord(record), kFileMode);
}

}  // namespace hbk::manifest

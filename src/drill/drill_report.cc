#include "drill_report.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace hbk::drill {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;

Json RenderFinding(const Finding& finding) {
  Json json;
  json["severity"] = SeverityName(finding.severity);
  json["phase"] = finding.phase;
  if (!finding.table.empty()) json["table"] = finding.table;
  json["text"] = finding.text;
  return json;
}

Json RenderBackup(const DrillReport& report) {
  Json json;
  json["dir"] = report.backup_dir;
  json["incremental_dirs"] = report.incremental_dirs;
  json["uuid"] = report.backup_uuid;
  json["end_time"] = report.backup_time;
  json["server_version"] = report.backup_server_version;
  json["manifest_digest"] = report.manifest_digest;
  json["stored_bytes"] = report.stored_bytes;
  return json;
}

Json RenderServer(const DrillReport& report) {
  Json json;
  json["program"] = report.server_program;
  json["version"] = report.server_version;
  json["is_confined"] = report.is_confined;
  json["rolled_back_count"] = report.rolled_back_count;
  json["error_log"] = report.error_log;
  return json;
}

Json RenderTables(const DrillReport& report) {
  Json json;
  json["count"] = report.table_count;
  json["check"] = report.check_depth;
  json["sample_percent"] = report.sample_percent;
  json["sample_turn"] = report.sample_turn;
  json["checked_count"] = report.checked_count;
  json["compared_count"] = report.compared_count;
  json["compared_with"] = report.compared_with;
  json["slowest"] = Json::array();
  for (const SlowTable& slow : report.slowest_tables)
    json["slowest"].push_back({{"table", slow.table}, {"seconds", slow.seconds}});
  return json;
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  return severity == Severity::kProblem ? "problem" : "remark";
}

uint64_t DrillReport::problem_count() const {
  return static_cast<uint64_t>(
      std::count_if(findings.begin(), findings.end(),
                    [](const Finding& finding) { return finding.severity == Severity::kProblem; }));
}

void DrillReport::AddProblem(std::string phase, std::string table, std::string text) {
  findings.push_back({Severity::kProblem, std::move(phase), std::move(table), std::move(text)});
}

void DrillReport::AddRemark(std::string phase, std::string table, std::string text) {
  findings.push_back({Severity::kRemark, std::move(phase), std::move(table), std::move(text)});
}

std::string RenderJson(const DrillReport& report) {
  Json json;
  json["format_version"] = kFormatVersion;
  json["hbk_version"] = report.hbk_version;
  json["drilled_at"] = report.drilled_at;
  json["ok"] = report.is_ok();
  json["problem_count"] = report.problem_count();
  json["restore_seconds"] = report.restore_seconds;
  json["total_seconds"] = report.total_seconds;
  json["restored_bytes"] = report.restored_bytes;
  json["backup"] = RenderBackup(report);
  json["server"] = RenderServer(report);
  json["tables"] = RenderTables(report);
  json["phases"] = Json::array();
  for (const PhaseTime& phase : report.phases)
    json["phases"].push_back({{"name", phase.name}, {"seconds", phase.seconds}});
  json["databases"] = Json::array();
  for (const DatabaseSize& database : report.databases) {
    json["databases"].push_back(
        {{"name", database.name}, {"bytes", database.bytes}, {"file_count", database.file_count}});
  }
  if (!report.sql_file.empty()) {
    json["sql_file"] = report.sql_file;
    json["sql_output"] = report.sql_output;
  }
  json["findings"] = Json::array();
  for (const Finding& finding : report.findings)
    json["findings"].push_back(RenderFinding(finding));
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hbk::drill

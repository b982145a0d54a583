// What a drill has found out: a value that is rendered as JSON (here) and as a page
// (html_report.h).
//
// Format   docs/drill.md, "The report".
// Units    Seconds, bytes; times RFC 3339 in UTC.
// Threads  A value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hbk::drill {

enum class Severity {
  kProblem,  // the backup is no good, or could not be shown to be
  kRemark,   // worth knowing
};
std::string_view SeverityName(Severity severity);  // "problem", "remark"

struct Finding {
  Severity severity = Severity::kProblem;
  std::string phase;  // in which it was found: "prepare", "check tables"
  std::string table;  // "`db`.`t`"; may be empty
  std::string text;
  bool operator==(const Finding&) const = default;
};

struct PhaseTime {
  std::string name;
  double seconds = 0;
};

struct DatabaseSize {
  std::string name;  // of the directory; empty: what lies beside the databases
  uint64_t bytes = 0;
  uint64_t file_count = 0;
};

struct SlowTable {
  std::string table;
  double seconds = 0;
};

struct DrillReport {
  std::string hbk_version;
  std::string drilled_at;
  std::string backup_dir;
  std::vector<std::string> incremental_dirs;
  std::string backup_uuid;  // may be empty, as the next two
  std::string backup_time;  // when the backup ended
  std::string backup_server_version;
  std::string manifest_digest;
  std::string server_program;
  std::string server_version;
  bool is_confined = false;  // the kernel kept the server from writing elsewhere

  uint64_t stored_bytes = 0;  // of the backup and its increments as they lie there
  uint64_t restored_bytes = 0;
  std::vector<DatabaseSize> databases;  // of the restored copy, the largest first

  double restore_seconds = 0;  // copy, prepare and start; 0: the server never answered
  double total_seconds = 0;
  std::vector<PhaseTime> phases;

  uint64_t rolled_back_count = 0;  // transactions, as far as they were seen
  uint64_t table_count = 0;
  std::string check_depth;  // "medium"; "none"
  uint64_t sample_percent = 100;
  uint64_t sample_turn = 0;
  uint64_t checked_count = 0;
  uint64_t compared_count = 0;
  std::string compared_with;              // "the backup's own checksums"; empty: nothing
  std::vector<SlowTable> slowest_tables;  // the slowest first

  std::string sql_file;
  std::string sql_output;         // its beginning
  std::vector<Finding> findings;  // in the order in which they were found
  std::string error_log;          // the end of the server's

  // Problems are what makes it fail.
  [[nodiscard]] uint64_t problem_count() const;
  [[nodiscard]] bool is_ok() const { return problem_count() == 0; }
  void AddProblem(std::string phase, std::string table, std::string text);
  void AddRemark(std::string phase, std::string table, std::string text);
};

// Bytes that are no UTF-8 become U+FFFD.
std::string RenderJson(const DrillReport& report);

}  // namespace hbk::drill

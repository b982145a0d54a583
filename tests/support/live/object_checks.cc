#include "tests/support/live/object_checks.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "tests/support/live/database_checks.h"

namespace hbk::testing {

Status CheckNoneWasOpen(SqlClient& client) {
  HBK_ASSIGN_OR_RETURN(
      const SqlRows tables,
      client.Query("SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM "
                   "information_schema.tables WHERE table_schema NOT IN ('mysql', 'sys', "
                   "'information_schema', 'performance_schema') AND (engine = 'MyISAM' OR "
                   "engine = 'Aria' AND (row_format <> 'Page' OR create_options LIKE "
                   "'%transactional=0%' OR create_options LIKE '%page_checksum=0%')) ORDER BY 1"));
  std::vector<std::string> findings;
  for (const SqlRow& row : tables.rows) {
    const std::string table = row.at(0).value_or("");
    HBK_ASSIGN_OR_RETURN(const SqlRows answer, client.Query("CHECK TABLE " + table));
    for (size_t i = 0; i < answer.rows.size(); ++i) {
      if (answer.Get(i, "Msg_text").find("closed the table") != std::string::npos) {
        findings.push_back(table);
        break;
      }
    }
  }
  return Verdict(findings, "tables that were open when they were copied");
}

Status CheckFilesHaveTables(const std::string& data_dir) {
  namespace fs = std::filesystem;
  std::vector<std::string> findings;
  std::error_code error;
  for (const auto& database : fs::directory_iterator(data_dir, error)) {
    if (!database.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(database.path(), error)) {
      const std::string name = entry.path().filename().string();
      const std::string suffix = entry.path().extension().string();
      if (name.starts_with("#sql")) {
        findings.push_back(entry.path().string());
        continue;
      }
      // Tables of full-text indexes have no definition, nor has an ARCHIVE table that nobody has
      // opened; a trigger is named after itself.
      constexpr auto kWithoutDefinition =
          std::to_array<std::string_view>({".opt", ".TRN", ".ARZ", ".frm"});
      if (name.starts_with("FTS_") ||
          std::ranges::find(kWithoutDefinition, suffix) != kWithoutDefinition.end()) {
        continue;
      }
      const std::string table = name.substr(0, name.find_first_of("#."));
      const bool is_partition = name.find("#P#") != std::string::npos;
      if (!fs::exists(database.path() / (table + ".frm"), error) ||
          (is_partition && !fs::exists(database.path() / (table + ".par"), error))) {
        findings.push_back(entry.path().string());
      }
    }
  }
  if (error) return FailedError("reading " + data_dir + ": " + error.message());
  std::ranges::sort(findings);
  return Verdict(findings, "files without a table");
}

namespace {

// One row an object. Events are disabled on a replica, so their state is left out.
constexpr auto kObjects = std::to_array<const char*>(
    {"SELECT CONCAT('database ', schema_name, ' ', default_character_set_name) FROM "
     "information_schema.schemata",
     "SELECT CONCAT('view ', table_schema, '.', table_name, ' ', view_definition) FROM "
     "information_schema.views",
     "SELECT CONCAT('trigger ', trigger_schema, '.', trigger_name, ' ', event_object_table, ' ', "
     "action_statement) FROM information_schema.triggers",
     "SELECT CONCAT('routine ', routine_schema, '.', routine_name, ' ', routine_definition) FROM "
     "information_schema.routines",
     "SELECT CONCAT('event ', event_schema, '.', event_name, ' ', interval_value) FROM "
     "information_schema.events",
     "SELECT CONCAT('right ', grantee, ' ', privilege_type) FROM "
     "information_schema.user_privileges",
     "SELECT CONCAT('right ', grantee, ' ', table_schema, ' ', privilege_type) FROM "
     "information_schema.schema_privileges"});

Result<std::vector<std::string>> ListObjects(SqlClient& client) {
  std::vector<std::string> objects;
  for (const char* query : kObjects) {
    HBK_ASSIGN_OR_RETURN(const SqlRows answer, client.Query(query));
    for (const SqlRow& row : answer.rows)
      objects.push_back(row.at(0).value_or("NULL"));
  }
  std::ranges::sort(objects);
  return objects;
}

}  // namespace

Status CompareObjects(SqlClient& expected, SqlClient& actual) {
  HBK_ASSIGN_OR_RETURN(const auto wanted, ListObjects(expected));
  HBK_ASSIGN_OR_RETURN(const auto found, ListObjects(actual));
  std::vector<std::string> difference;
  std::ranges::set_symmetric_difference(wanted, found, std::back_inserter(difference));
  return Verdict(difference, "on one side only");
}

Status CheckErrorLog(const Mariadbd& server) {
  std::istringstream lines(server.ErrorLog());
  for (std::string line; std::getline(lines, line);) {
    if (line.find("[ERROR]") != std::string::npos) {
      return CorruptionError("error log of the restored server: " + line);
    }
  }
  return OkStatus();
}

}  // namespace hbk::testing

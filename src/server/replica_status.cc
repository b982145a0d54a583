#include "hbk/server/replica_status.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace hbk::server {

namespace {

constexpr std::string_view kWhat = "reading the state of replication";
constexpr std::string_view kColumns[] = {
    "Connection_name", "Master_Host",           "Master_Port",        "Slave_SQL_Running",
    "Using_Gtid",      "Relay_Master_Log_File", "Exec_Master_Log_Pos"};

using Values = std::map<std::string_view, std::string>;

Status ReadNumber(const Values& values, std::string_view column, uint64_t& number) {
  const std::string& text = values.at(column);
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) return OkStatus();
  return UnsupportedError(fmt::format("{}: {} is '{}', not a number", kWhat, column, text));
}

}  // namespace

Result<std::vector<ReplicaConnection>> ParseReplicaStatus(const SqlAnswer& answer) {
  std::vector<ReplicaConnection> connections;
  for (const SqlRow& row : answer.rows) {
    Values values;
    for (size_t i = 0; i < std::min(row.size(), answer.columns.size()); ++i)
      values[answer.columns[i]] = row[i].value_or("");
    for (const std::string_view column : kColumns) {
      if (!values.contains(column))
        return UnsupportedError(fmt::format("{}: the server says no {}", kWhat, column));
    }
    ReplicaConnection connection;
    connection.name = values.at("Connection_name");
    connection.source_host = values.at("Master_Host");
    HBK_RETURN_IF_ERROR(ReadNumber(values, "Master_Port", connection.source_port));
    connection.has_sql_thread = values.at("Slave_SQL_Running") != "No";
    connection.uses_gtid = values.at("Using_Gtid") != "No";
    connection.file = values.at("Relay_Master_Log_File");
    HBK_RETURN_IF_ERROR(ReadNumber(values, "Exec_Master_Log_Pos", connection.position));
    connections.push_back(std::move(connection));
  }
  return connections;
}

std::string DescribeConnection(std::string_view name) {
  return name.empty() ? "the default connection" : fmt::format("connection '{}'", name);
}

}  // namespace hbk::server

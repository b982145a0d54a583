#include "hbk/server/galera_status.h"

#include <charconv>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace hbk::server {

namespace {

constexpr std::string_view kWhat = "reading the state of the Galera node";
constexpr std::string_view kNoUuid = "00000000-0000-0000-0000-000000000000";
constexpr size_t kUuidLength = kNoUuid.size();

// As the server prints it: sometimes -1 is the largest number there is.
Result<int64_t> ParseSeqno(const std::string& text) {
  const char* const end = text.data() + text.size();
  int64_t number = 0;
  auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) return number;
  uint64_t large = 0;
  parsed = std::from_chars(text.data(), end, large);
  if (parsed.ec == std::errc() && parsed.ptr == end) return -1;
  return UnsupportedError(
      fmt::format("{}: wsrep_last_committed is '{}', not a number", kWhat, text));
}

}  // namespace

bool GaleraStatus::IsMember() const {
  const bool has_data =
      state.starts_with("Synced") || state.starts_with("Donor") || state.starts_with("Joined");
  return has_data && cluster_uuid.size() == kUuidLength && cluster_uuid != kNoUuid &&
         last_committed >= 0;
}

Result<GaleraStatus> ParseGaleraStatus(const SqlAnswer& answer) {
  std::map<std::string, std::string> values;
  for (const SqlRow& row : answer.rows)
    if (row.size() >= 2 && row[0]) values[*row[0]] = row[1].value_or("");
  for (const char* name :
       {"wsrep_local_state_uuid", "wsrep_last_committed", "wsrep_local_state_comment"}) {
    if (!values.contains(name))
      return UnsupportedError(fmt::format("{}: the server says no {}", kWhat, name));
  }
  GaleraStatus status;
  status.cluster_uuid = values["wsrep_local_state_uuid"];
  HBK_ASSIGN_OR_RETURN(status.last_committed, ParseSeqno(values["wsrep_last_committed"]));
  status.state = values["wsrep_local_state_comment"];
  return status;
}

}  // namespace hbk::server

#include "tests/support/live/engine_thread.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "tests/support/live/ddl_generator.h"
#include "tests/support/live/engine_schema.h"

namespace hbk::testing {
namespace {

using std::chrono::milliseconds;

// A table, column, index, partition, database or user that is not there, or is there already; a
// deadlock of metadata locks, found before anything is written; what the engine of the moment
// cannot do. Not among them: crashed tables (126 to 145, 1194, 1195), files that are missing (1017,
// 29), duplicate keys (1062) but those below.
constexpr auto kRaces = std::to_array<uint32_t>(
    {1005, 1007, 1008, 1020, 1031, 1049, 1050, 1051, 1054, 1060, 1061, 1066, 1072,
     1090, 1091, 1093, 1133, 1141, 1146, 1176, 1205, 1213, 1235, 1347, 1359, 1396,
     1410, 1412, 1478, 1731, 1732, 1735, 1736, 1737, 1845, 1846, 4089, 4091});

// What a statement on partitions may say of a table that has others; 1526, a row without a
// partition, is not one of them.
bool IsRace(uint32_t error) {
  constexpr uint32_t kPartitionErrorMin = 1479;
  constexpr uint32_t kPartitionErrorMax = 1525;
  return std::ranges::find(kRaces, error) != kRaces.end() ||
         (error >= kPartitionErrorMin && error <= kPartitionErrorMax);
}

// A partitioned table hands out an id twice now and then, while DDL goes over its partitions. That
// is between the sessions and the source; a copy has no part in it.
bool IsCounterBehind(uint32_t error, std::string_view statement) {
  constexpr uint32_t kDuplicateKey = 1062;
  return error == kDuplicateKey && statement.starts_with("INSERT INTO eng.p");
}

constexpr uint64_t kRowsWanted = 500;

}  // namespace

EngineThread::EngineThread(SqlClient client, uint64_t seed, const std::atomic<bool>& is_stopping,
                           const std::atomic<int>& pause_ms, std::atomic<uint64_t>& ddl_count)
    : client_(std::move(client)),
      seed_(seed),
      generate_(seed),
      is_stopping_(is_stopping),
      pause_ms_(pause_ms),
      ddl_count_(ddl_count) {}

Status EngineThread::SetUpSession() {
  for (const char* statement : {"USE eng", "SET SESSION lock_wait_timeout = 600",
                                "SET SESSION innodb_lock_wait_timeout = 5"})
    HBK_RETURN_IF_ERROR(client_.Execute(statement));
  return OkStatus();
}

Status EngineThread::Do(const std::string& statement) {
  const Status status = client_.Execute(statement);
  const uint32_t error = client_.last_error();
  if (status.ok() || IsRace(error) || IsCounterBehind(error, statement)) return OkStatus();
  return status.WithContext(fmt::format("error {}", error));
}

void EngineThread::Pause(uint64_t usual_ms) {
  std::this_thread::sleep_for(milliseconds(generate_.Below(usual_ms)));
  for (int left = pause_ms_; left > 0 && !is_stopping_; left -= 10)
    std::this_thread::sleep_for(milliseconds(std::min(left, 10)));
}

std::string EngineThread::RowStatement() {
  written_.clear();
  const uint64_t kind = generate_.Below(100);
  if (kind < 12) {
    const auto statements = OddEngineStatements();
    return statements.at(generate_.Below(statements.size()));
  }
  TableSpec table;
  if (kind < 30) {
    const auto tables = FixedEngineTables();
    table = tables.at(generate_.Below(tables.size()));
  } else {
    const auto names = kind < 80 ? ChangingNames() : ChangingPartitionedNames();
    table = {.name = names.at(generate_.Below(names.size())),
             .definition = {},
             .columns = EngineColumns()};
  }
  uint64_t& id_end = id_end_[table.name];
  if (id_end > kRowsWanted && generate_.Chance(15)) {
    return fmt::format("DELETE FROM {} WHERE id < {}", table.name, id_end - kRowsWanted);
  }
  const uint64_t what = generate_.Below(10);
  if (what < 5) {
    written_ = table.name;
    return generate_.Insert(table, table.columns, generate_.Below(20) + 1);
  }
  const uint64_t end = std::max<uint64_t>(id_end, kRowsWanted / 4);
  const uint64_t begin = end > kRowsWanted ? end - kRowsWanted : 1;
  return what < 9 ? generate_.Update(table, table.columns, begin, end)
                  : generate_.Delete(table, begin, end);
}

Status EngineThread::RunRows() {
  HBK_RETURN_IF_ERROR(SetUpSession());
  while (!is_stopping_) {
    HBK_RETURN_IF_ERROR(Do(RowStatement()));
    if (!written_.empty() && client_.last_error() == 0) {
      id_end_[written_] = client_.last_insert_id();
    }
    Pause(15);
  }
  return OkStatus();
}

Status EngineThread::RunDdl() {
  HBK_RETURN_IF_ERROR(SetUpSession());
  DdlGenerator ddl(seed_, static_cast<int>(seed_ % 1000));
  while (!is_stopping_) {
    for (const std::string& statement : ddl.Next()) {
      HBK_RETURN_IF_ERROR(Do(statement));
      ddl_count_ += client_.last_error() == 0 ? 1 : 0;
    }
    Pause(50);
  }
  return OkStatus();
}

}  // namespace hbk::testing

#include "tests/support/live/workload.h"

#include <utility>

#include <fmt/format.h>

#include "tests/support/live/engine_schema.h"
#include "tests/support/live/engine_thread.h"
#include "tests/support/live/load_thread.h"

namespace hbk::testing {
namespace {

constexpr uint32_t kBulkRowBytes = 2'000;
constexpr uint32_t kFewerRows = 5;
constexpr int kEngineWriters = 4;
constexpr int kEngineDdlSessions = 2;

TableSpec BulkTable() {
  return {.name = "live.bulk",
          .definition =
              "(id BIGINT UNSIGNED PRIMARY KEY, k INT NOT NULL, v VARCHAR(4000), "
              "KEY (k)) ENGINE=InnoDB DEFAULT CHARSET=latin1",
          .columns = {{"k", ColumnKind::kInteger, 1'000'000}, {"v", ColumnKind::kText, 4'000}}};
}

std::vector<std::unique_ptr<LoadTable>> LoadTables(std::vector<TableSpec> specs) {
  std::vector<std::unique_ptr<LoadTable>> tables;
  for (TableSpec& spec : specs) {
    tables.push_back(std::make_unique<LoadTable>());
    tables.back()->spec = std::move(spec);
  }
  return tables;
}

}  // namespace

Workload::Workload(std::string socket_path, const WorkloadOptions& options)
    : socket_path_(std::move(socket_path)),
      options_(options),
      tables_(options.kinds ? std::vector<std::unique_ptr<LoadTable>>()
                            : LoadTables(TransactionalTables())),
      other_tables_(LoadTables(OtherEngineTables())),
      bulk_(std::make_unique<LoadTable>()) {
  bulk_->spec = BulkTable();
  if (options_.has_all_engines) {
    // They are beside the point, and filling them would take most of the time.
    for (const auto& table : tables_)
      table->spec.row_count /= kFewerRows;
  }
}

Workload::~Workload() {
  is_stopping_ = true;
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

Status Workload::CreateTables() {
  HBK_ASSIGN_OR_RETURN(SqlClient client, SqlClient::Connect(socket_path_));
  for (const std::string& statement : FixedStatements()) {
    HBK_RETURN_IF_ERROR(client.Execute(statement));
  }
  HBK_RETURN_IF_ERROR(
      client.Execute("CREATE TABLE " + bulk_->spec.name + " " + bulk_->spec.definition));
  const uint64_t bulk_rows = (uint64_t{options_.bulk_mib} << 20) / kBulkRowBytes;
  HBK_RETURN_IF_ERROR(client.Execute(fmt::format(
      "INSERT INTO live.bulk SELECT seq, seq % 1000, REPEAT(MD5(seq), {}) FROM seq_1_to_{}",
      kBulkRowBytes / 32, bulk_rows)));
  bulk_->id_end = bulk_rows + 1;

  if (options_.kinds) HBK_RETURN_IF_ERROR(CreateKinds(client));
  LoadThread filler(*this, std::move(client), options_.seed);
  for (auto* tables : {&tables_, &other_tables_}) {
    for (const auto& table : *tables) {
      HBK_RETURN_IF_ERROR(filler.Fill(*table));
    }
  }
  if (options_.kinds) return OkStatus();  // the rest is about the usual tables
  HBK_ASSIGN_OR_RETURN(SqlClient closing, SqlClient::Connect(socket_path_));
  for (const std::string& statement : ClosingStatements()) {
    HBK_RETURN_IF_ERROR(closing.Execute(statement));
  }
  if (!options_.has_all_engines) return OkStatus();
  for (const std::string& statement :
       EngineStatements(options_.outside_dir, options_.has_archive)) {
    HBK_RETURN_IF_ERROR(closing.Execute(statement).WithContext(statement));
  }
  return OkStatus();
}

// The databases of the kinds, and the list of their tables.
Status Workload::CreateKinds(SqlClient& client) {
  KindOptions& kinds = *options_.kinds;
  for (const std::string& algorithm : CompressionAlgorithms()) {
    // One that is not there is an error in one series and a warning in others.
    const Status is_set = client.Execute("SET GLOBAL innodb_compression_algorithm = " + algorithm);
    HBK_ASSIGN_OR_RETURN(const std::string now,
                         client.QueryValue("SELECT @@GLOBAL.innodb_compression_algorithm"));
    if (is_set.ok() && now == algorithm) kinds.algorithms.push_back(algorithm);
  }
  for (const std::string& database : KindDatabases(kinds)) {
    HBK_RETURN_IF_ERROR(client.Execute("CREATE DATABASE " + database));
  }
  tables_ = LoadTables(KindTables(kinds));
  const std::vector<std::string> switches = CodecSwitches(kinds);
  options_.side_statements.insert(options_.side_statements.end(), switches.begin(), switches.end());
  return OkStatus();
}

void Workload::Start() {
  uint64_t seed = options_.seed * 1000;
  const auto start = [this, &seed](ThreadRole role) {
    ++seed;
    threads_.emplace_back([this, role, thread_seed = seed] { RunThread(role, thread_seed); });
  };
  for (int i = 0; i < options_.thread_count; ++i) {
    start(ThreadRole::kShort);
  }
  start(ThreadRole::kLong);
  if (options_.writes_other_engines) {
    start(ThreadRole::kOtherEngines);
  }
  if (options_.has_ddl) {
    start(ThreadRole::kDdl);
  }
  if (!options_.side_statements.empty()) {
    start(ThreadRole::kSide);
  }
  if (options_.has_all_engines) {
    for (int i = 0; i < kEngineWriters; ++i)
      start(ThreadRole::kEngineRows);
    for (int i = 0; i < kEngineDdlSessions; ++i)
      start(ThreadRole::kEngineDdl);
  }
}

void Workload::RunThread(ThreadRole role, uint64_t seed) {
  auto client = SqlClient::Connect(socket_path_);
  if (!client.ok()) {
    Report(client.status());
    return;
  }
  if (role == ThreadRole::kEngineRows || role == ThreadRole::kEngineDdl) {
    EngineThread thread(std::move(client).value(), seed, is_stopping_, pause_ms_, ddl_count_);
    Report(role == ThreadRole::kEngineRows ? thread.RunRows() : thread.RunDdl());
    return;
  }
  LoadThread thread(*this, std::move(client).value(), seed);
  Status status = thread.SetUpSession();
  if (status.ok()) {
    switch (role) {
      case ThreadRole::kShort: status = thread.RunShortTransactions(); break;
      case ThreadRole::kLong: status = thread.RunLongTransactions(); break;
      case ThreadRole::kOtherEngines: status = thread.RunOtherEngines(); break;
      case ThreadRole::kDdl: status = thread.RunDdl(); break;
      case ThreadRole::kSide: status = thread.RunSideStatements(); break;
      case ThreadRole::kEngineRows:
      case ThreadRole::kEngineDdl: break;  // another class
    }
  }
  Report(status);
}

void Workload::Report(const Status& status) {
  const MutexLock lock(mutex_);
  if (first_failure_.ok()) {
    first_failure_ = status;
  }
}

Status Workload::Stop() {
  is_stopping_ = true;
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
  const MutexLock lock(mutex_);
  return first_failure_.WithContext("load");
}

}  // namespace hbk::testing

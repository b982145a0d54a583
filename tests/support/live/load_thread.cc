#include "tests/support/live/load_thread.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace hbk::testing {
namespace {

using std::chrono::milliseconds;

// Server errors that the load brings about by itself.
constexpr uint32_t kLockWaitTimeout = 1205;
constexpr uint32_t kDeadlock = 1213;
constexpr uint32_t kRecordChanged = 1020;  // by another transaction since the snapshot
constexpr uint32_t kRowTooLarge = 1118;    // does not compress into its page

// Races of the DDL thread with itself and with others: it changes tables that may be gone.
constexpr auto kDdlRaces = std::to_array<uint32_t>(
    {1007, 1008, 1050, 1051, 1054, 1060, 1061, 1091, 1146, 1176, 1412, 1845, 1846, 1072, 1090});

}  // namespace

Status LoadThread::SetUpSession() {
  HBK_RETURN_IF_ERROR(client_.Execute("USE live"));
  // A short lock wait keeps the load going beside transactions that stay open for seconds.
  HBK_RETURN_IF_ERROR(client_.Execute("SET SESSION innodb_lock_wait_timeout = 1"));
  return client_.Execute(generate_.Chance(50)
                             ? "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
                             : "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
}

Status LoadThread::Do(const std::string& statement) {
  const Status status = client_.Execute(statement);
  if (status.ok()) {
    return status;
  }
  const uint32_t error = client_.last_error();
  if (error == kDeadlock || error == kLockWaitTimeout || error == kRecordChanged) {
    was_rolled_back_ = true;
    return client_.Execute("ROLLBACK");
  }
  return error == kRowTooLarge ? OkStatus() : status;
}

void LoadThread::Pause() {
  // In small steps, so that stopping does not wait for it.
  for (int left = load_.pause_ms_; left > 0 && !IsStopping(); left -= 10) {
    std::this_thread::sleep_for(milliseconds(std::min(left, 10)));
  }
}

Status LoadThread::Fill(LoadTable& table) {
  TableSpec& spec = table.spec;
  if (!spec.preparation.empty()) HBK_RETURN_IF_ERROR(client_.Execute(spec.preparation));
  HBK_RETURN_IF_ERROR(client_.Execute("CREATE TABLE " + spec.name + " " + spec.definition));
  const uint64_t share = spec.row_count / (spec.alterations.size() + 1);
  const auto add_rows = [&]() -> Status {
    for (uint64_t left = share; left > 0;) {
      const uint64_t count = std::min<uint64_t>(left, 50);
      HBK_RETURN_IF_ERROR(InsertRows(table, count));
      left -= count;
    }
    return OkStatus();
  };
  HBK_RETURN_IF_ERROR(add_rows());
  for (const std::string& alteration : spec.alterations) {
    HBK_RETURN_IF_ERROR(client_.Execute("ALTER TABLE " + spec.name + " " + alteration));
    HBK_RETURN_IF_ERROR(add_rows());
  }
  spec.columns.insert(spec.columns.end(), spec.later_columns.begin(), spec.later_columns.end());
  return OkStatus();
}

Status LoadThread::InsertRows(LoadTable& table, uint64_t row_count) {
  HBK_RETURN_IF_ERROR(Do(generate_.Insert(table.spec, table.spec.columns, row_count)));
  const uint64_t id_end = client_.last_insert_id() + row_count;
  for (uint64_t seen = table.id_end; id_end > seen;) {
    if (table.id_end.compare_exchange_weak(seen, id_end)) {
      break;
    }
  }
  return OkStatus();
}

Status LoadThread::RemoveOldRows(LoadTable& table) {
  constexpr uint64_t kBatch = 40;
  const uint64_t begin = table.id_begin.fetch_add(kBatch);
  return Do(fmt::format("DELETE FROM {} WHERE id BETWEEN {} AND {} ORDER BY RAND()",
                        table.spec.name, begin, begin + kBatch - 1));
}

Status LoadThread::ChangeTable(LoadTable& table) {
  const uint64_t begin = table.id_begin;
  const uint64_t end = std::max<uint64_t>(table.id_end, begin + 1);
  const uint64_t kind = generate_.Below(10);
  if (end - begin > table.spec.row_count + table.spec.row_count / 4) {
    return RemoveOldRows(table);
  }
  if (kind < 4) {
    return InsertRows(table, generate_.Below(8) + 1);
  }
  if (kind < 8) {
    return Do(generate_.Update(table.spec, table.spec.columns, begin, end));
  }
  return Do(generate_.Delete(table.spec, begin, end));
}

Status LoadThread::ChangeBulk() {
  LoadTable& bulk = *load_.bulk_;
  return Do(generate_.Update(bulk.spec, bulk.spec.columns, 1, bulk.id_end));
}

Status LoadThread::ChangeSomething() {
  if (generate_.Chance(15)) {
    return ChangeBulk();
  }
  return ChangeTable(*load_.tables_[generate_.Below(load_.tables_.size())]);
}

Status LoadThread::Transfer() {
  const uint64_t from = generate_.Below(kAccountCount) + 1;
  const uint64_t to = generate_.Below(kAccountCount) + 1;
  const uint64_t amount = generate_.Below(100) + 1;
  const std::string note = generate_.Value({"note", ColumnKind::kText, 200});
  for (const std::string& statement :
       {fmt::format("UPDATE live.accounts SET balance = balance - {}, note = {} WHERE id = {}",
                    amount, note, from),
        fmt::format("UPDATE live.accounts SET balance = balance + {} WHERE id = {}", amount, to),
        fmt::format("INSERT INTO live.transfers (from_id, to_id, amount) VALUES ({}, {}, {})", from,
                    to, amount)}) {
    HBK_RETURN_IF_ERROR(Do(statement));
    if (was_rolled_back_) {
      return OkStatus();
    }
  }
  return OkStatus();
}

Status LoadThread::RunShortTransaction() {
  was_rolled_back_ = false;
  if (generate_.Chance(20)) {  // autocommit
    return ChangeSomething();
  }
  HBK_RETURN_IF_ERROR(client_.Execute("START TRANSACTION"));
  const bool is_transfer = generate_.Chance(35);
  if (is_transfer) {
    HBK_RETURN_IF_ERROR(Transfer());
  }
  for (uint64_t left = generate_.Below(5); left > 0 && !was_rolled_back_; --left) {
    HBK_RETURN_IF_ERROR(ChangeSomething());
  }
  if (!was_rolled_back_ && generate_.Chance(15)) {
    HBK_RETURN_IF_ERROR(client_.Execute("SAVEPOINT here"));
    HBK_RETURN_IF_ERROR(ChangeSomething());
    if (!was_rolled_back_) {
      HBK_RETURN_IF_ERROR(client_.Execute("ROLLBACK TO SAVEPOINT here"));
    }
  }
  // Also after a deadlock: the statements since then are a transaction of their own otherwise.
  return client_.Execute(was_rolled_back_ || generate_.Chance(15) ? "ROLLBACK" : "COMMIT");
}

Status LoadThread::RunShortTransactions() {
  while (!IsStopping()) {
    HBK_RETURN_IF_ERROR(RunShortTransaction());
    ++load_.transaction_count_;
    Pause();
  }
  return OkStatus();
}

// Takes money from an account and gives it to nobody: only a rollback keeps the sum.
Status LoadThread::HalfTransfer() {
  return Do(fmt::format("UPDATE live.accounts SET balance = balance - 50 WHERE id = {}",
                        generate_.Below(kAccountCount) + 1));
}

Status LoadThread::RunLongTransaction() {
  was_rolled_back_ = false;
  HBK_RETURN_IF_ERROR(client_.Execute("START TRANSACTION"));
  const bool is_half_transfer = generate_.Chance(50);
  if (is_half_transfer) {
    HBK_RETURN_IF_ERROR(HalfTransfer());
  }
  for (uint64_t left = 20 + generate_.Below(300); left > 0 && !was_rolled_back_ && !IsStopping();
       --left) {
    // Mostly new rows and rows of the large table: fewer others wait for these.
    LoadTable& table = *load_.tables_[generate_.Below(load_.tables_.size())];
    HBK_RETURN_IF_ERROR(generate_.Chance(50)   ? InsertRows(table, generate_.Below(20) + 1)
                        : generate_.Chance(80) ? ChangeBulk()
                                               : ChangeTable(table));
    std::this_thread::sleep_for(milliseconds(generate_.Below(20)));
    Pause();
  }
  const bool commits = !was_rolled_back_ && !is_half_transfer && generate_.Chance(40);
  return client_.Execute(commits ? "COMMIT" : "ROLLBACK");
}

Status LoadThread::RunLongTransactions() {
  while (!IsStopping()) {
    HBK_RETURN_IF_ERROR(RunLongTransaction());
    ++load_.transaction_count_;
  }
  return OkStatus();
}

Status LoadThread::RunOtherEngines() {
  while (!IsStopping()) {
    HBK_RETURN_IF_ERROR(
        ChangeTable(*load_.other_tables_[generate_.Below(load_.other_tables_.size())]));
    std::this_thread::sleep_for(milliseconds(20 + generate_.Below(60)));
    Pause();
  }
  return OkStatus();
}

Status LoadThread::DdlStatement() {
  const std::string table = fmt::format("live.ddl_{}", generate_.Below(8));
  const std::string column = fmt::format("c{}", generate_.Below(4));
  const std::string value = generate_.Value({"v", ColumnKind::kText, 300});
  switch (generate_.Below(14)) {
    case 0:
    case 1:
      return client_.Execute("CREATE TABLE " + table +
                             " (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(300), KEY (v(20))) "
                             "ENGINE=InnoDB");
    case 2: return client_.Execute("DROP TABLE " + table);
    case 3:
      return client_.Execute(
          fmt::format("RENAME TABLE {} TO live.ddl_{}", table, generate_.Below(8)));
    case 4: return client_.Execute("TRUNCATE TABLE " + table);
    case 5:
      return client_.Execute(
          fmt::format("ALTER TABLE {} ADD COLUMN {} INT DEFAULT 3, "
                      "ALGORITHM=INSTANT",
                      table, column));
    case 6:
      return client_.Execute(
          fmt::format("ALTER TABLE {} DROP COLUMN {}, ALGORITHM=INSTANT", table, column));
    case 7: return client_.Execute(fmt::format("ALTER TABLE {} ADD INDEX i{} (v)", table, column));
    case 8: return client_.Execute("ALTER TABLE " + table + " FORCE");
    case 9: return client_.Execute("ALTER TABLE " + table + " ENGINE=InnoDB, ALGORITHM=COPY");
    default:
      return client_.Execute(fmt::format("INSERT INTO {} (v) SELECT {} FROM seq_1_to_{}", table,
                                         value, generate_.Below(300) + 1));
  }
}

Status LoadThread::RunSideStatements() {
  const std::vector<std::string>& statements = load_.options_.side_statements;
  // Nobody is waited for: not long transactions, nor a backup that blocks DDL.
  HBK_RETURN_IF_ERROR(client_.Execute("SET SESSION lock_wait_timeout = 0"));
  while (!IsStopping()) {
    HBK_RETURN_IF_ERROR(Do(statements.at(generate_.Below(statements.size()))));
    const auto pause = load_.options_.side_pause / 2;
    std::this_thread::sleep_for(
        pause + milliseconds(generate_.Below(static_cast<uint64_t>(pause.count()) * 2 + 1)));
    Pause();
  }
  return OkStatus();
}

Status LoadThread::RunDdl() {
  // DDL waits for a running BACKUP STAGE; it must not give up.
  HBK_RETURN_IF_ERROR(client_.Execute("SET SESSION lock_wait_timeout = 600"));
  while (!IsStopping()) {
    const Status status = DdlStatement();
    if (!status.ok() && std::ranges::find(kDdlRaces, client_.last_error()) == kDdlRaces.end()) {
      return status;
    }
    std::this_thread::sleep_for(milliseconds(generate_.Below(60)));
    Pause();
  }
  return OkStatus();
}

}  // namespace hbk::testing

// under_load LABEL FILE SOCKET -- COMMAND...: runs a command beside a write load, and appends one
// line of what other sessions felt of it to FILE: label, seconds of the command, milliseconds from
// BLOCK_DDL granted to END (as the server saw it; 0 if there was no backup), longest commit in
// milliseconds, longest DDL in milliseconds, transactions and MyISAM writes while it ran; tab
// separated.
//
// Wants the databases that many_tables.sh makes: many.iN (InnoDB), many.mN (MyISAM), watch. Four
// sessions write InnoDB tables and one writes MyISAM tables; one commits a row of its own over and
// over, and one creates and drops a table. The load ends with the command, and that ends after 10
// minutes at the latest. Exit code: 0 if the command succeeded.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/mutex.h"

#include "tests/support/live/process.h"
#include "tests/support/live/sql_client.h"
#include "tests/support/live/stage_watch.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;

constexpr int kWriters = 4;
constexpr milliseconds kWarmUp{2'000};
constexpr milliseconds kCommandLimit{600'000};
constexpr milliseconds kPause{1};
// A statement that waited for END may end after the command has.
constexpr milliseconds kAftermath{1'000};

// Of one kind of session, since the last Reset.
struct Meter {
  std::atomic<uint64_t> count = 0;
  std::atomic<uint64_t> longest_us = 0;

  void Reset() {
    count = 0;
    longest_us = 0;
  }
  void Add(steady_clock::duration time) {
    const auto us =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    ++count;
    for (uint64_t seen = longest_us; us > seen && !longest_us.compare_exchange_weak(seen, us);) {
    }
  }
  [[nodiscard]] double longest_ms() const { return static_cast<double>(longest_us) / 1e3; }
};

class Load {
 public:
  explicit Load(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  Status Start() {
    HBK_ASSIGN_OR_RETURN(SqlClient client, SqlClient::Connect(socket_path_));
    HBK_ASSIGN_OR_RETURN(innodb_count_, CountTables(client, "i"));
    HBK_ASSIGN_OR_RETURN(myisam_count_, CountTables(client, "m"));
    for (int i = 0; i < kWriters; ++i)
      Run(transactions, [this, random = std::mt19937(i)](SqlClient& own) mutable {
        return Transaction(own, random);
      });
    Run(myisam_writes, [this, random = std::mt19937(kWriters)](SqlClient& own) mutable {
      return own.Execute(fmt::format("INSERT INTO many.m{} (k, v) VALUES ({}, REPEAT('m', 100))",
                                     random() % myisam_count_, random() % 1000));
    });
    Run(commits,
        [](SqlClient& own) { return own.Execute("UPDATE watch.tick SET n = n + 1 WHERE id = 1"); });
    Run(ddls, [is_there = false](SqlClient& own) mutable {
      is_there = !is_there;
      return own.Execute(is_there ? "CREATE TABLE watch.passing (id INT PRIMARY KEY) ENGINE=InnoDB"
                                  : "DROP TABLE watch.passing");
    });
    return OkStatus();
  }

  void Reset() {
    for (Meter* meter : {&transactions, &myisam_writes, &commits, &ddls})
      meter->Reset();
  }

  Status Stop() {
    is_stopping_ = true;
    for (std::thread& thread : threads_)
      thread.join();
    HBK_ASSIGN_OR_RETURN(SqlClient client, SqlClient::Connect(socket_path_));
    HBK_RETURN_IF_ERROR(client.Execute("DROP TABLE IF EXISTS watch.passing"));
    const MutexLock lock(mutex_);
    return first_failure_;
  }

  Meter transactions;
  Meter myisam_writes;
  Meter commits;
  Meter ddls;

 private:
  static Result<uint64_t> CountTables(SqlClient& client, const std::string& letter) {
    return client.QueryNumber(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'many' AND table_name "
        "LIKE '" +
        letter + "%'");
  }

  Status Transaction(SqlClient& client, std::mt19937& random) const {
    HBK_RETURN_IF_ERROR(client.Execute("START TRANSACTION"));
    for (int i = 0; i < 3; ++i) {
      HBK_RETURN_IF_ERROR(
          client.Execute(fmt::format("INSERT INTO many.i{} (k, v) VALUES ({}, REPEAT('i', 100))",
                                     random() % innodb_count_, random() % 1000)));
    }
    return client.Execute("COMMIT");
  }

  template <typename Step>
  void Run(Meter& meter, Step step) {
    threads_.emplace_back([this, &meter, step]() mutable {
      auto client = SqlClient::Connect(socket_path_);
      Status status = client.status();
      while (status.ok() && !is_stopping_) {
        const auto begin = steady_clock::now();
        status = step(client.value());
        meter.Add(steady_clock::now() - begin);
        std::this_thread::sleep_for(kPause);
      }
      const MutexLock lock(mutex_);
      if (first_failure_.ok()) first_failure_ = status;
    });
  }

  std::string socket_path_;
  uint64_t innodb_count_ = 0;
  uint64_t myisam_count_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  Status first_failure_ HBK_GUARDED_BY(mutex_);
};

Status Measure(const std::string& label, const std::string& file, const std::string& socket_path,
               const std::vector<std::string>& command) {
  Load load(socket_path);
  HBK_RETURN_IF_ERROR(load.Start());
  std::this_thread::sleep_for(kWarmUp);
  HBK_ASSIGN_OR_RETURN(SqlClient client, SqlClient::Connect(socket_path));
  HBK_RETURN_IF_ERROR(
      client.Execute("TRUNCATE TABLE performance_schema.events_statements_history_long"));
  load.Reset();

  const auto end = RunProcess(command, {.output_path = file + ".output"}, kCommandLimit);

  const uint64_t transactions = load.transactions.count;
  const uint64_t myisam_writes = load.myisam_writes.count;
  std::this_thread::sleep_for(kAftermath);
  const double commit_ms = load.commits.longest_ms();
  const double ddl_ms = load.ddls.longest_ms();
  HBK_RETURN_IF_ERROR(load.Stop());
  HBK_RETURN_IF_ERROR(end.status());
  if (!end->succeeded()) return FailedError(label + ": " + end->Describe());
  const auto blocked_ms = BlockedMs(client);
  std::ofstream out(file, std::ios::app);
  out << fmt::format("{}\t{:.3f}\t{:.3f}\t{:.3f}\t{:.3f}\t{}\t{}\n", label, end->seconds,
                     blocked_ms.ok() ? *blocked_ms : 0, commit_ms, ddl_ms, transactions,
                     myisam_writes);
  return out.flush() ? OkStatus() : FailedError("writing " + file);
}

}  // namespace
}  // namespace hbk::testing

int main(int argc, char** argv) {
  if (argc < 6 || std::strcmp(argv[4], "--") != 0) {
    (void)std::fputs("usage: under_load LABEL FILE SOCKET -- COMMAND...\n", stderr);
    return 2;
  }
  const hbk::Status status = hbk::testing::Measure(argv[1], argv[2], argv[3],
                                                   std::vector<std::string>(argv + 5, argv + argc));
  if (!status.ok()) (void)std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

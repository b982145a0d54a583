// A seeded random load on a server: the schema, the first rows, and threads that keep changing
// them until they are told to stop.
//
// Transactions of one or more statements on all InnoDB tables (rows that grow and shrink, several
// rows at a time, deletes in random order, savepoints), some rolled back; a bank whose transfers
// keep a sum; long transactions that stay open for seconds and mostly roll back, among them half
// transfers; a few statements on Aria and MyISAM tables. With DDL: tables made, dropped, renamed,
// truncated and altered all the time, next to the others.
//
// The same seed gives the same statements per thread, not the same interleaving.
//
// Errors   Deadlocks and lock waits are part of the load. Any other failed statement ends its
//          thread and is what Stop() returns.
// Threads  Called from one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"

#include "tests/support/live/kind_schema.h"
#include "tests/support/live/sql_client.h"
#include "tests/support/live/workload_schema.h"

namespace hbk::testing {

struct WorkloadOptions {
  uint64_t seed = 1;
  int thread_count = 4;    // of short transactions; long ones and other engines add one each
  uint32_t bulk_mib = 60;  // size of a table that gives a backup something to copy
  bool has_ddl = false;
  // Tables of every engine, written by four sessions while two others create, drop, swap, truncate
  // and alter them (engine_schema.h), beside the usual load.
  bool has_all_engines = false;
  bool has_archive = false;      // the server has that engine
  std::string outside_dir = {};  // for tables with files elsewhere, if not empty
  bool writes_other_engines = true;
  // Tables of every kind (kind_schema.h) instead of the usual ones; the algorithms of
  // page_compressed are those that the server turns out to have.
  std::optional<KindOptions> kinds = {};
  // Run in random order by a thread of its own, with about that pause between them.
  std::vector<std::string> side_statements = {};
  std::chrono::milliseconds side_pause{300};
};

// A table as the load sees it; ids are what the server has handed out.
struct LoadTable {
  TableSpec spec;
  std::atomic<uint64_t> id_end = 1;    // above every id that was inserted
  std::atomic<uint64_t> id_begin = 1;  // rows below are gone
};

class Workload {
 public:
  Workload(std::string socket_path, const WorkloadOptions& options);
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  ~Workload();

  Status CreateTables();
  void Start();
  // Between transactions of each thread, from now on; 0 at first.
  void SetPause(std::chrono::milliseconds pause) { pause_ms_ = static_cast<int>(pause.count()); }
  // Ends all threads, which rolls back what is open.
  Status Stop();

  // Of the kinds, as the server turned out to be; after CreateTables.
  [[nodiscard]] const std::optional<KindOptions>& kinds() const { return options_.kinds; }
  [[nodiscard]] uint64_t transaction_count() const { return transaction_count_; }
  // Statements so far that changed tables of every engine, and succeeded.
  [[nodiscard]] uint64_t ddl_count() const { return ddl_count_; }
  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }

 private:
  friend class LoadThread;

  enum class ThreadRole { kShort, kLong, kOtherEngines, kDdl, kSide, kEngineRows, kEngineDdl };

  Status CreateKinds(SqlClient& client);
  void RunThread(ThreadRole role, uint64_t seed);
  void Report(const Status& status);

  std::string socket_path_;
  WorkloadOptions options_;
  std::vector<std::unique_ptr<LoadTable>> tables_;
  std::vector<std::unique_ptr<LoadTable>> other_tables_;
  std::unique_ptr<LoadTable> bulk_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<int> pause_ms_ = 0;
  std::atomic<uint64_t> transaction_count_ = 0;
  std::atomic<uint64_t> ddl_count_ = 0;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  Status first_failure_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::testing

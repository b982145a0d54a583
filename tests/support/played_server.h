// A server that is played: its data directory in a MemFileSystem, and SqlClients that answer for
// it.
//
// It has a system and an undo tablespace, two tables of InnoDB, one of MyISAM and an Aria log; its
// redo log changes pages that the files do not have yet. Nothing
// moves, so that two backups are of the same state. The directory is kPlayedDatadir.
//
// Threads  Any number of clients, each used by one thread at a time. Outlives its clients.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/server/sql_client.h"

#include "tests/support/mem_file_system.h"

namespace hbk::testing {

constexpr const char* kPlayedDatadir = "/data";

class PlayedServer {
 public:
  static void PutDatadir(MemFileSystem& fs);

  Result<std::unique_ptr<server::SqlClient>> Connect();

  // The connection that sends the k-th statement of all is gone from then on.
  void LoseConnectionAt(uint64_t k);
  [[nodiscard]] uint64_t statement_count() const;
  // Whether somebody holds a backup stage.
  [[nodiscard]] bool is_locked() const;
  // Statements for which there is no answer: a mistake of the test.
  [[nodiscard]] std::vector<std::string> unknown() const;

 private:
  friend class PlayedClient;
  server::SqlAnswer Answer(uint64_t client, std::string_view sql);
  void Forget(uint64_t client);

  mutable Mutex mutex_;
  uint64_t last_client_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t stage_holder_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t statement_count_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t lost_at_ HBK_GUARDED_BY(mutex_) = 0;
  std::vector<uint64_t> lost_clients_ HBK_GUARDED_BY(mutex_);
  std::vector<std::string> unknown_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::testing

// A real mariadbd of one test: own data directory, socket and port, and no option file.
//
// Nothing outside its directory is touched, and the server never survives the test (see
// process.h). New servers start from a template data directory, made once per build directory by
// mariadb-install-db, since copying it takes 0.06 s and making it 1.2 s.
//
// Threads  Start, Stop and Kill9 from the main thread; Connect from any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/process.h"
#include "tests/support/live/server_tree.h"
#include "tests/support/live/sql_client.h"

namespace hbk::testing {

struct MariadbdOptions {
  // Gets socket, error log, tmp, and `data` unless data_dir says otherwise. Made if missing.
  std::string base_dir;
  std::string data_dir = {};  // empty: <base_dir>/data
  // Start on what is in data_dir (a restored backup), instead of on the template.
  bool has_data = false;
  int server_id = 1;
  // What a data directory is made with and keeps: --innodb-page-size, --innodb-undo-tablespaces.
  // Given to every start too. Each combination has its own template.
  std::vector<std::string> install_options = {};
  std::vector<std::string> extra = {};  // of the server alone, "--innodb-log-file-size=12M"
  ServerTree tree = {};                 // whose programs run
};

class Mariadbd {
 public:
  // Returns when the server answers; else the end of its error log is in the message.
  static Result<std::unique_ptr<Mariadbd>> Start(const MariadbdOptions& options);
  Mariadbd(const Mariadbd&) = delete;
  Mariadbd& operator=(const Mariadbd&) = delete;
  ~Mariadbd() = default;  // SIGKILL, if it is still running

  Status Stop();   // clean shutdown; an error if it was not clean
  void Kill9();    // no shutdown at all
  Status Start();  // again, after Stop or Kill9, with the same options

  Result<SqlClient> Connect() const;
  [[nodiscard]] bool IsRunning();

  [[nodiscard]] const ServerTree& tree() const { return options_.tree; }
  [[nodiscard]] const std::string& data_dir() const { return options_.data_dir; }
  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  // All that it has logged, over all starts.
  [[nodiscard]] std::string ErrorLog() const;

 private:
  explicit Mariadbd(MariadbdOptions options);

  Status PrepareDirectories() const;
  Status WaitUntilItAnswers();

  MariadbdOptions options_;
  std::string socket_path_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

// A template data directory; makes it when it is not there yet. Safe between processes.
Result<std::string> TemplateDataDir(const std::vector<std::string>& install_options = {},
                                    const ServerTree& tree = {});

// A TCP port of 127.0.0.1 that nobody listens at now.
Result<int> FreePort();

}  // namespace hbk::testing

// `hbk drill`: proves a backup by restoring it, and by asking the restored server.
//
// The backup, with its increments, is copied into a scratch directory (sharing blocks where the
// file system can) and prepared there; a private mariadbd is started on that copy, reachable by a
// socket in that directory only; when it has rolled back what was open, tables are checked, and
// compared with what `hbk backup --record-checksums` took or with a live server; the user's SQL is
// run; the server is stopped, the directory removed. Of the backup nothing is changed but the
// record of the drill (manifest/drill_record.h).
//
// The server never survives hbk, and is kept from writing anywhere else where the kernel can
// (io/background_process.h). What is found wrong ends up in the reports, with the end of the
// server's error log.
//
// Units    Seconds, bytes.
// Errors   kDrillFailed: the backup is no good, or could not be shown to be; the reports are
//          written. Others, without reports: no drill took place, as there is no backup
//          (kNotFound), no server to start, or one that is older than the backup's (kUnsupported),
//          no space, a scratch directory that is not empty (kTargetInUse), kInterrupted.
// Threads  Run is called once, from the main thread; `stop` may be requested from any.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"
#include "hbk/report/reporter.h"
#include "hbk/seal/sealing_keys.h"
#include "hbk/server/connect_options.h"
#include "hbk/server/table_session.h"

namespace hbk::drill {

struct DrillOptions {
  std::string target_dir;
  std::vector<std::string> incremental_dirs{};  // oldest first
  std::string scratch_dir{};                    // absent or empty; "": target_dir + ".drill"
  bool keeps_scratch = false;
  std::string mariadbd{};                    // path or name; "": mariadbd or mysqld of search_path
  std::string search_path{};                 // as PATH
  uint64_t use_memory_bytes = 256ULL << 20;  // of prepare, and of the server's buffer pool
  uint32_t parallel = 1;
  keys::GivenKeyOptions keys{};
  seal::SealingKeyOptions sealing_keys{};
  // Nothing: no CHECK TABLE.
  std::optional<server::CheckDepth> check = server::CheckDepth::kMedium;
  uint32_t sample_percent = 100;  // of the tables; 1 to 100
  // Of a server whose tables must be equal to those of the backup.
  std::optional<server::ConnectOptions> compare_with{};
  std::string sql_file{};  // for the client mariadb
  std::string report_json{};
  std::string report_html{};
  uint32_t start_timeout_s = 600;     // until the server answers
  uint32_t answer_timeout_s = 86400;  // until it has answered a statement, or has rolled back
};

struct DrillSummary {
  uint64_t table_count = 0;
  uint64_t checked_count = 0;
  uint64_t compared_count = 0;
  double restore_seconds = 0;
  std::string server_version;
};

Result<DrillSummary> RunDrill(const DrillOptions& options, io::FileSystem& fs,
                              report::Reporter& reporter, std::stop_token stop);

}  // namespace hbk::drill

// Mini-transactions that one thread reads and another one looks into.
//
// Memory   Six batches of 256 KiB, or of one larger mini-transaction.
// Errors   Those of the visitor, with the path of the log and the LSN in front.
// Threads  One adds. The visitor runs in one of its own, which ends in Finish.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "hbk/base/bounded_queue.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/redo/log_file.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::prepare {

class MtrPipe {
 public:
  // Is shown each mini-transaction, in the order of the log, until it fails; of its place only the
  // LSNs.
  using Visit = std::function<Status(const redo::MiniTransaction&)>;

  // `path`: of the log, for messages.
  MtrPipe(std::string path, Visit visit);
  MtrPipe(const MtrPipe&) = delete;
  MtrPipe& operator=(const MtrPipe&) = delete;
  ~MtrPipe();

  // An error may be that of an earlier mini-transaction.
  Status Add(const redo::MiniTransaction& mtr);
  // Waits until all have been visited.
  Status Finish() HBK_EXCLUDES(mutex_);

 private:
  static constexpr size_t kBatchBytes = 256 << 10;
  static constexpr size_t kBatchesMax = 4;

  // With bytes of its own: the window of the reader moves on.
  struct Batch {
    struct Mtr {
      redo::Lsn start_lsn = 0;
      redo::Lsn end_lsn = 0;
      size_t begin = 0;
      size_t size = 0;
    };
    std::vector<uint8_t> bytes;
    std::vector<Mtr> mtrs;
  };

  Status Send();
  void VisitBatches() HBK_EXCLUDES(mutex_);
  Status VisitBatch(const Batch& batch);
  Status status() HBK_EXCLUDES(mutex_);

  const std::string path_;
  const Visit visit_;
  Batch batch_;
  BoundedQueue<Batch> full_{kBatchesMax};
  BoundedQueue<Batch> free_{kBatchesMax + 2};  // all that there are
  Mutex mutex_;
  Status status_ HBK_GUARDED_BY(mutex_);  // of the thread
  std::thread thread_;                    // last: it uses the others
};

}  // namespace hbk::prepare

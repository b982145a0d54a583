#include "mtr_pipe.h"

#include <utility>

#include <fmt/format.h>

namespace hbk::prepare {

MtrPipe::MtrPipe(std::string path, Visit visit)
    : path_(std::move(path)), visit_(std::move(visit)), thread_([this] { VisitBatches(); }) {}

MtrPipe::~MtrPipe() {
  (void)Finish();
}

Status MtrPipe::Add(const redo::MiniTransaction& mtr) {
  batch_.mtrs.push_back({mtr.start_lsn, mtr.end_lsn, batch_.bytes.size(), mtr.body.size()});
  batch_.bytes.insert(batch_.bytes.end(), mtr.body.begin(), mtr.body.end());
  return batch_.bytes.size() < kBatchBytes ? OkStatus() : Send();
}

Status MtrPipe::Send() {
  if (!full_.Push(std::exchange(batch_, {}))) return status();
  if (auto used = free_.TryPop()) batch_ = std::move(*used);
  return OkStatus();
}

Status MtrPipe::Finish() {
  Status sent = batch_.mtrs.empty() ? OkStatus() : Send();
  full_.Close();
  if (thread_.joinable()) thread_.join();
  return sent.ok() ? status() : sent;
}

void MtrPipe::VisitBatches() {
  while (auto batch = full_.Pop()) {
    Status visited = VisitBatch(*batch);
    if (!visited.ok()) {
      {
        const MutexLock lock(mutex_);
        status_ = std::move(visited);
      }
      full_.Close();
      return;
    }
    batch->bytes.clear();
    batch->mtrs.clear();
    if (!free_.Push(std::move(*batch))) return;
  }
}

Status MtrPipe::VisitBatch(const Batch& batch) {
  for (const Batch::Mtr& mtr : batch.mtrs) {
    const Status visited = visit_({.start_lsn = mtr.start_lsn,
                                   .end_lsn = mtr.end_lsn,
                                   .body = ByteView(batch.bytes).subspan(mtr.begin, mtr.size),
                                   .sequence_index = 0});
    if (!visited.ok()) return visited.WithContext(fmt::format("{}, LSN {}", path_, mtr.start_lsn));
  }
  return OkStatus();
}

Status MtrPipe::status() {
  const MutexLock lock(mutex_);
  return status_;
}

}  // namespace hbk::prepare

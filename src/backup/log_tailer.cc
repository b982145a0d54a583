#include "hbk/backup/log_tailer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/redo/log_block.h"
#include "hbk/redo/log_file.h"

#include "log_follower.h"
#include "poll_pace.h"
#include "redo_ring.h"
#include "redo_target.h"
#include "space_change_scan.h"
#include "urgency.h"

namespace hbk::backup {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// While somebody waits for the log, probably under a backup lock.
constexpr microseconds kPauseWhileAwaited{1'000};
// How often a waiting thread looks at its stop token.
constexpr milliseconds kWaitSlice{50};

}  // namespace

class LogTailer::State {
 public:
  State(io::FileSystem& fs, LsnSource& source, LogTailerOptions options)
      : fs_(fs), source_(source), options_(std::move(options)) {}
  ~State() { StopThread(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Status Start() {
    const Status status = TryStart();
    if (!status.ok()) {
      const MutexLock lock(mutex_);
      status_ = status;
    }
    return status;
  }
  void NoteWritten(Lsn lsn) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    written_lsn_ = std::max(written_lsn_, lsn);
  }
  Status WaitFor(Lsn lsn, const std::stop_token& stop, milliseconds timeout);
  void StopThread();
  Result<LogTailerResult> Finish();

  Status status() const HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return status_;
  }
  LogTailerProgress progress() const HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return progress_;
  }
  SpaceChanges TakeSpaceChanges() HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return std::exchange(changes_, {});
  }
  Lsn written_lsn() const HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return written_lsn_;
  }
  Lsn start_lsn() const { return start_lsn_; }
  bool knows_space_changes() const { return knows_space_changes_; }

 private:
  Status TryStart();
  void Run();
  void Publish(const Status& status);
  // False once the tailer is to end.
  bool Pause(microseconds pause);

  io::FileSystem& fs_;
  LsnSource& source_;
  const LogTailerOptions options_;

  // Of the thread, between Start and StopThread.
  std::unique_ptr<RedoTarget> target_;
  std::unique_ptr<LogFollower> follower_;
  std::string source_creator_;
  Lsn start_lsn_ = 0;
  bool knows_space_changes_ = true;
  std::thread thread_;

  mutable Mutex mutex_;
  CondVar wake_;      // of the tailer's thread
  CondVar advanced_;  // of those who wait for an LSN
  Status status_ HBK_GUARDED_BY(mutex_);
  LogTailerProgress progress_ HBK_GUARDED_BY(mutex_);
  SpaceChanges changes_ HBK_GUARDED_BY(mutex_);
  Lsn written_lsn_ HBK_GUARDED_BY(mutex_) = 0;
  Lsn awaited_lsn_ HBK_GUARDED_BY(mutex_) = 0;
  bool must_stop_ HBK_GUARDED_BY(mutex_) = false;
};

Status LogTailer::State::TryStart() {
  HBK_CHECK(!thread_.joinable());
  HBK_ASSIGN_OR_RETURN(auto ring, RedoRing::Open(fs_, options_.log_path));
  redo::LogHead head = ring->head();
  const bool is_at_base = options_.start_lsn > head.checkpoint.checkpoint_lsn;
  if (is_at_base) head.checkpoint = {.checkpoint_lsn = options_.start_lsn, .end_lsn = 0};
  start_lsn_ = head.checkpoint.checkpoint_lsn;
  if (head.header.container == redo::LogContainer::kBlocks &&
      !redo::IsInPayload(start_lsn_, head.header.is_encrypted)) {
    return Status(StatusCode::kChainBroken,
                  fmt::format("no redo log can begin at LSN {}: it lies in no block", start_lsn_))
        .WithHint("take a full backup");
  }
  source_creator_ = ring->header().creator;
  knows_space_changes_ = HasPlainFileRecords(ring->header().encryption);
  HBK_ASSIGN_OR_RETURN(target_, RedoTarget::Create(fs_, options_.target_path));
  HBK_RETURN_IF_ERROR(target_->Append(AsBytes(redo::RenderBackupLogHead(head, options_.creator))));
  follower_ = std::make_unique<LogFollower>(fs_, source_, *target_, std::move(ring), start_lsn_);
  // The first round only asks the server; if it fails, better here than in the thread. So is it if
  // nothing begins where the base ends.
  do {
    const auto round = follower_->Next(steady_clock::now());
    Publish(round.status());
    HBK_RETURN_IF_ERROR(round.status());
  } while (is_at_base && !follower_->HasBegun() && Pause(kPauseWhileAwaited));
  thread_ = std::thread([this] { Run(); });
  return OkStatus();
}

void LogTailer::State::Run() {
  const Urgency urgency;  // Ahead of our own copiers when cores are scarce.
  PollPace pace;
  auto last_time = steady_clock::now();
  Lsn last_server_lsn = follower_->server().current;
  while (true) {
    const auto now = steady_clock::now();
    follower_->NoteWritten(written_lsn());
    const auto round = follower_->Next(now);
    Publish(round.status());
    if (!round.ok()) return;
    const Lsn server_lsn = follower_->server().current;
    const auto elapsed = std::chrono::duration_cast<microseconds>(now - last_time);
    const microseconds pause =
        pace.Next(server_lsn - follower_->copied_lsn(), follower_->capacity(),
                  server_lsn - last_server_lsn, elapsed);
    last_time = now;
    last_server_lsn = server_lsn;
    if (!Pause(pause)) return;
  }
}

void LogTailer::State::Publish(const Status& status) {
  const SpaceChanges changes = follower_->TakeChanges();
  {
    const MutexLock lock(mutex_);
    status_ = status;
    MergeSpaceChanges(changes, changes_);
    progress_.copied_lsn = follower_->copied_lsn();
    progress_.current_lsn = follower_->server().current;
    progress_.redo_bytes = follower_->copied_lsn() - start_lsn_;
    progress_.capacity = follower_->capacity();
    progress_.lag_bytes_max = follower_->lag_bytes_max();
    progress_.margin_bytes = follower_->margin_bytes();
  }
  advanced_.NotifyAll();
}

bool LogTailer::State::Pause(microseconds pause) {
  const MutexLock lock(mutex_);
  if (must_stop_) return false;
  if (awaited_lsn_ > progress_.copied_lsn) pause = std::min(pause, kPauseWhileAwaited);
  // Woken early is as good: the next round comes a little sooner.
  if (pause.count() > 0) wake_.WaitFor(mutex_, pause);
  return !must_stop_;
}

void LogTailer::State::StopThread() {
  {
    const MutexLock lock(mutex_);
    must_stop_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

Status LogTailer::State::WaitFor(Lsn lsn, const std::stop_token& stop, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  awaited_lsn_ = std::max(awaited_lsn_, lsn);
  wake_.NotifyAll();
  while (progress_.copied_lsn < lsn) {
    if (!status_.ok()) return status_;
    if (stop.stop_requested()) return InterruptedError();
    if (must_stop_ || steady_clock::now() >= deadline) {
      return CorruptionError(fmt::format(
          "the redo log could be copied up to LSN {} only, and LSN {} is needed; the server is at "
          "LSN {}",
          progress_.copied_lsn, lsn, progress_.current_lsn));
    }
    advanced_.WaitFor(mutex_, kWaitSlice);
  }
  return OkStatus();
}

Result<LogTailerResult> LogTailer::State::Finish() {
  StopThread();
  HBK_RETURN_IF_ERROR(status());
  HBK_CHECK(follower_ != nullptr);
  LogTailerResult result;
  result.start_lsn = start_lsn_;
  result.last_lsn = follower_->whole_lsn();
  result.to_lsn = follower_->ReadLastCheckpoint();
  result.redo_bytes = result.last_lsn - start_lsn_;
  result.capacity = follower_->capacity();
  result.margin_bytes = follower_->margin_bytes();
  result.margin = follower_->margin();
  result.lag_bytes_max = follower_->lag_bytes_max();
  result.replaced_count = follower_->replaced_count();
  result.round_count = follower_->round_count();
  result.source_creator = source_creator_;
  HBK_RETURN_IF_ERROR(follower_->Finish());
  HBK_RETURN_IF_ERROR(target_->Finish());
  result.file_size = target_->size();
  result.digest = target_->digest();
  return result;
}

LogTailer::LogTailer(io::FileSystem& fs, LsnSource& source, LogTailerOptions options)
    : state_(std::make_unique<State>(fs, source, std::move(options))) {}
LogTailer::~LogTailer() = default;

Status LogTailer::Start() {
  return state_->Start();
}
void LogTailer::NoteWritten(Lsn lsn) {
  state_->NoteWritten(lsn);
}
Status LogTailer::WaitFor(Lsn lsn, std::stop_token stop, milliseconds timeout) {
  return state_->WaitFor(lsn, stop, timeout);
}
void LogTailer::Stop() {
  state_->StopThread();
}
Result<LogTailerResult> LogTailer::Finish() {
  return state_->Finish();
}
Status LogTailer::status() const {
  return state_->status();
}
LogTailerProgress LogTailer::progress() const {
  return state_->progress();
}
Lsn LogTailer::start_lsn() const {
  return state_->start_lsn();
}
SpaceChanges LogTailer::TakeSpaceChanges() {
  return state_->TakeSpaceChanges();
}
bool LogTailer::knows_space_changes() const {
  return state_->knows_space_changes();
}

}  // namespace hbk::backup

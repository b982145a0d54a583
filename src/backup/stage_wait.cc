#include "stage_wait.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace hbk::backup {

namespace {

using server::BackupStage;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLookInterval{1000};
// Enough for DDL that stood behind the pending stage.
constexpr milliseconds kPauseBeforeStart{5000};
// Whoever FLUSH stops stands still in the pause too.
constexpr milliseconds kPauseUnderStage{1000};
constexpr milliseconds kPauseSlice{500};
constexpr size_t kShownMax = 5;

void SleepFor(milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  (void)never.wait_for(lock, stop, duration, [] { return false; });
}

std::string JoinDescriptions(const std::vector<StageBlocker>& blockers) {
  std::string text;
  for (size_t i = 0; i < std::min(blockers.size(), kShownMax); ++i)
    text += (i == 0 ? "" : "; ") + DescribeBlocker(blockers[i]);
  if (blockers.size() > kShownMax)
    text += fmt::format("; and {} more", blockers.size() - kShownMax);
  return text;
}

// "held up by ...", with the doubt that there is; empty if nobody was seen.
std::string HeldUpBy(const std::vector<StageBlocker>& blockers) {
  if (blockers.empty()) return "";
  const std::string who = JoinDescriptions(blockers);
  if (blockers.front().is_certain()) return "held up by " + who;
  if (blockers.front().is_idle())
    return "no statement that runs explains it; perhaps one of these idle sessions holds LOCK "
           "TABLES "
           ".. WRITE or a backup stage: " +
           who;
  return "held up, as far as the process list tells, by " + who;
}

std::string HowToEnd(const StageBlocker& blocker) {
  const uint64_t id = blocker.session.id;
  if (!blocker.is_idle()) return fmt::format("end it (KILL QUERY {})", id);
  if (blocker.is_certain()) return fmt::format("end that session (KILL {})", id);
  return "find out which session it is (the plugin METADATA_LOCK_INFO tells) and end it with KILL";
}

std::string_view TypeName(KillQueryType type) {
  switch (type) {
    case KillQueryType::kSelect: return "select";
    case KillQueryType::kUpdate: return "update";
    case KillQueryType::kAll: return "all";
  }
  return "";
}

}  // namespace

StageWaitPorts MakeStageWaitPorts(server::BackupStageLadder& ladder, server::ServerSession& session,
                                  std::function<Status()> check) {
  StageWaitPorts ports;
  ports.begin = [&ladder](BackupStage stage, const server::StageAttempt& attempt) {
    return ladder.Begin(stage, attempt);
  };
  ports.can_retry = [&ladder] {
    return ladder.can_retry();
  };
  ports.look = [&session] {
    return LookAtServer(session);
  };
  ports.kill = [&session](uint64_t query_id) {
    return session.KillQuery(query_id);
  };
  ports.check = std::move(check);
  ports.now = [] {
    return std::chrono::steady_clock::now();
  };
  ports.pause = SleepFor;
  return ports;
}

StageWait::StageWait(StageWaitPorts ports, const LockWaitOptions& options, bool start_waits_for_ddl,
                     std::vector<uint64_t> own_ids, report::Reporter& reporter)
    : ports_(std::move(ports)),
      options_(options),
      start_waits_for_ddl_(start_waits_for_ddl),
      own_ids_(std::move(own_ids)),
      reporter_(reporter) {}

Status StageWait::Begin(BackupStage stage, std::stop_token stop) {
  begin_ = ports_.now();
  blockers_.clear();
  shown_.clear();
  killed_.clear();
  const milliseconds pause = stage == BackupStage::kStart ? kPauseBeforeStart : kPauseUnderStage;
  const auto deadline = begin_ + seconds(options_.retry_time_s);
  std::optional<uint32_t> wait_s;  // The first attempt takes what one attempt may.
  for (uint32_t attempts = 1;; ++attempts) {
    HBK_RETURN_IF_ERROR(AwaitQuiet(stage, stop));
    const Status status = Attempt(stage, wait_s, stop);
    if (status.ok() && stage == BackupStage::kFlush) flushed_at_ = ports_.now();
    if (status.code() != StatusCode::kLockWaitTimeout) return status;
    const auto left =
        std::chrono::duration_cast<seconds>(deadline - (ports_.now() + pause)).count();
    if (!ports_.can_retry() || left < 1) return NotGranted(stage, status, attempts);
    reporter_.Info(fmt::format("{}; trying again in {:.0f} s", status.message(),
                               std::chrono::duration<double>(pause).count()));
    HBK_RETURN_IF_ERROR(Pause(pause, stop));
    wait_s = std::min(options_.timeout_s, static_cast<uint32_t>(left));
  }
}

// The bound is that of retries: with none, one look decides.
Status StageWait::AwaitQuiet(BackupStage stage, const std::stop_token& stop) {
  // Under BLOCK_DDL the server stands still already; waiting there would help nobody.
  if (options_.threshold_s == 0 || stage == BackupStage::kBlockCommit) return OkStatus();
  // FLUSH itself waits for nobody, but from it on those who will wait for BLOCK_DDL are stopped.
  const BackupStage waits = stage == BackupStage::kFlush ? BackupStage::kBlockDdl : stage;
  const uint64_t threshold_ms = uint64_t{options_.threshold_s} * 1000;
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const ServerView view, ports_.look());
    std::vector<StageBlocker> running =
        FindBlockers(view, {.stage = waits,
                            .start_waits_for_ddl = start_waits_for_ddl_,
                            .own_ids = own_ids_,
                            .flush_held_ms = flushed_at_ ? MillisecondsSince(*flushed_at_) : 0,
                            .waited_ms = 0});
    std::erase_if(running, [threshold_ms](const StageBlocker& blocker) {
      return blocker.session.time_ms < threshold_ms;
    });
    if (running.empty()) return OkStatus();
    if (MillisecondsSince(begin_) >= uint64_t{options_.retry_time_s} * 1000) {
      return Status(StatusCode::kLockWaitTimeout,
                    fmt::format("{} was not asked for: it would be {}",
                                server::BackupStageStatement(stage), HeldUpBy(running)))
          .WithHint(
              fmt::format("in {} s (--lock-retry-time) there was no moment without a statement "
                          "that had been running for {} s (--lock-wait-threshold); choose a "
                          "quieter time, or other limits",
                          options_.retry_time_s, options_.threshold_s));
    }
    Show(fmt::format("waiting before {}, by --lock-wait-threshold={}",
                     server::BackupStageStatement(stage), options_.threshold_s),
         running);
    HBK_RETURN_IF_ERROR(Pause(kLookInterval, stop));
  }
}

Status StageWait::Attempt(BackupStage stage, std::optional<uint32_t> wait_s,
                          const std::stop_token& stop) {
  const auto asked_at = ports_.now();
  auto looked_at = asked_at;
  Status reason;
  std::stop_source end;
  const std::stop_callback forward(stop, [&end] { end.request_stop(); });
  const auto meanwhile = [&] {
    const auto now = ports_.now();
    if (!reason.ok() || now - looked_at < kLookInterval) return;
    looked_at = now;
    reason = ports_.check();
    if (!reason.ok()) {
      end.request_stop();
      return;
    }
    const uint64_t waited_ms = MillisecondsSince(asked_at);
    const auto seen = Look(stage, waited_ms);
    if (!seen) return;
    blockers_ = *seen;
    Show("waiting for " + server::BackupStageStatement(stage), blockers_);
    if (options_.kill_after_s != 0 && waited_ms >= uint64_t{options_.kill_after_s} * 1000)
      Kill(stage, blockers_);
  };
  const Status status =
      ports_.begin(stage, {.stop = end.get_token(), .wait_s = wait_s, .meanwhile = meanwhile});
  return reason.ok() ? status : reason;
}

Status StageWait::Pause(milliseconds duration, const std::stop_token& stop) {
  const auto until = ports_.now() + duration;
  for (;;) {
    if (stop.stop_requested()) return InterruptedError();
    HBK_RETURN_IF_ERROR(ports_.check());
    const auto left = std::chrono::duration_cast<milliseconds>(until - ports_.now());
    if (left.count() <= 0) return OkStatus();
    ports_.pause(std::min(left, kPauseSlice), stop);
  }
}

std::optional<std::vector<StageBlocker>> StageWait::Look(BackupStage stage, uint64_t waited_ms) {
  const auto view = ports_.look();
  if (!view.ok()) {
    // What is being waited for may come all the same.
    reporter_.Detail(
        "cannot see what the server waits for: " + std::string(view.status().message()), {});
    return std::nullopt;
  }
  return FindBlockers(*view, {.stage = stage,
                              .start_waits_for_ddl = start_waits_for_ddl_,
                              .own_ids = own_ids_,
                              .flush_held_ms = flushed_at_ ? MillisecondsSince(*flushed_at_) : 0,
                              .waited_ms = waited_ms});
}

// Who was not there before.
void StageWait::Show(std::string_view what, const std::vector<StageBlocker>& blockers) {
  std::set<uint64_t> ids;
  for (size_t i = 0; i < std::min(blockers.size(), kShownMax); ++i)
    ids.insert(blockers[i].session.id);
  if (std::ranges::includes(shown_, ids)) return;
  shown_ = ids;
  reporter_.Info(fmt::format("{}: {}", what, HeldUpBy(blockers)));
}

void StageWait::Kill(BackupStage stage, const std::vector<StageBlocker>& blockers) {
  for (const StageBlocker& blocker : blockers) {
    const uint64_t query_id = blocker.session.query_id;
    if (!MayKill(blocker, stage, options_.kill_type) || !killed_.insert(query_id).second) continue;
    const auto was_there = ports_.kill(query_id);
    if (!was_there.ok()) {
      reporter_.Info(fmt::format("could not end the statement of {}: {}", DescribeBlocker(blocker),
                                 was_there.status().message()));
    } else if (*was_there) {
      reporter_.Info(fmt::format("ended the statement of {}, which held up {} for {} s",
                                 DescribeBlocker(blocker), server::BackupStageStatement(stage),
                                 options_.kill_after_s));
    }
  }
}

Status StageWait::NotGranted(BackupStage stage, const Status& last, uint32_t attempts) {
  if (blockers_.empty() && ports_.can_retry()) {
    // An attempt of a second has had no time to look.
    const auto seen = Look(stage, 1);
    if (seen) blockers_ = *seen;
  }
  std::string message(last.message());
  if (attempts > 1) {
    message = fmt::format("{} was not granted in {} attempts within {} s",
                          server::BackupStageStatement(stage), attempts,
                          (MillisecondsSince(begin_) + 500) / 1000);
  }
  if (blockers_.empty()) return Status(StatusCode::kLockWaitTimeout, message).WithHint(last.hint());
  const StageBlocker& first = blockers_.front();
  std::string advice =
      HowToEnd(first) +
      ", choose a quieter time, or wait longer with --lock-wait-timeout and --lock-retry-time";
  if (options_.kill_after_s != 0 && !MayKill(first, stage, options_.kill_type) &&
      MayKill(first, stage, KillQueryType::kAll)) {
    advice +=
        fmt::format("; --kill-long-query-type={} left it alone", TypeName(options_.kill_type));
  }
  return Status(StatusCode::kLockWaitTimeout, message + ": " + HeldUpBy(blockers_))
      .WithHint(advice);
}

uint64_t StageWait::MillisecondsSince(Clock::time_point time) const {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<milliseconds>(ports_.now() - time).count());
}

}  // namespace hbk::backup

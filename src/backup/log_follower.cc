#include "log_follower.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/redo/mini_transaction.h"

namespace hbk::backup {
namespace {

using namespace std::chrono_literals;

// The server writes whole blocks (of innodb_log_write_ahead_size, which is at most this), so it may
// have touched this much beyond its current LSN.
constexpr uint64_t kWriteAheadMax = 16384;
// A read can meet a write and be torn; that heals at once. This long it cannot last.
constexpr auto kStallMax = 5s;
constexpr auto kStallWithLargeLagMax = 1s;

constexpr std::string_view kOverrunHint =
    "make the server's log larger (SET GLOBAL innodb_log_file_size = ...), or back up when it "
    "writes less";

// The head of a log that begins at `start_lsn`.
redo::LogHead HeadFrom(redo::LogHead head, Lsn start_lsn) {
  if (head.checkpoint.checkpoint_lsn != start_lsn)
    head.checkpoint = {.checkpoint_lsn = start_lsn, .end_lsn = 0};
  return head;
}

static_assert(LogFollower::kWindowBytes >= redo::kMiniTransactionBytesMax + 16);

}  // namespace

LogFollower::LogFollower(io::FileSystem& fs, LsnSource& source, RedoTarget& target,
                         std::unique_ptr<RedoRing> ring, Lsn start_lsn)
    : fs_(fs),
      source_(source),
      ring_(std::move(ring)),
      copier_(LogCopier::Create(HeadFrom(ring_->head(), start_lsn), ring_->geometry(), target)),
      buffer_(kWindowBytes + RedoRing::kSlackBytes),
      start_lsn_(start_lsn),
      is_end_of_base_(start_lsn != ring_->checkpoint_at_open().checkpoint_lsn),
      last_checkpoint_(ring_->checkpoint_at_open().checkpoint_lsn),
      margin_bytes_(ring_->geometry().capacity()) {}

Result<FollowRound> LogFollower::Next(TimePoint now) {
  ++round_count_;
  const Lsn copied = copied_lsn();
  const Lsn begin = copier_->read_begin();
  const Lsn fence = std::max(server_.flushed, written_);
  // Looked at before the read: a log that was replaced before is not written any more, so what
  // cannot be read of it now never will be.
  HBK_ASSIGN_OR_RETURN(const bool is_replaced, IsReplaced());

  RingBytes read;
  std::optional<Lsn> checkpoint;
  if (fence > copied) {
    const uint64_t wanted = copier_->ReadEnd(fence) - begin;
    const uint64_t size = std::min({wanted, capacity(), uint64_t{kWindowBytes}});
    HBK_ASSIGN_OR_RETURN(read, ring_->Read(begin, static_cast<size_t>(size), buffer_));
    const Result<redo::Checkpoint> newest = ring_->ReadCheckpoint();
    if (newest.ok()) checkpoint = newest->checkpoint_lsn;
  }
  HBK_RETURN_IF_ERROR(PollServer());

  FollowRound round;
  round.lag_bytes = server_.current - copied;
  const Status overrun = CheckOverrun(begin, checkpoint);
  if (!overrun.ok()) {
    if (!is_replaced) return overrun;
    // Measured with a log that is not written any more. The new one may still have it all.
    HBK_RETURN_IF_ERROR(SwitchRing());
    return round;
  }
  NoteMargin(round.lag_bytes);
  if (!read.bytes.empty()) {
    HBK_RETURN_IF_ERROR(
        JudgeStart(copier_->Take(buffer_.view().subspan(read.index, read.bytes.size()), fence)));
    round.copied_bytes = copied_lsn() - copied;
  }
  if (checkpoint) NoteCheckpoint(*checkpoint);
  if (fence > 0 && copied_lsn() >= fence) has_caught_up_ = true;
  if (round.copied_bytes > 0 || read.bytes.empty()) {
    stalled_since_.reset();
  } else if (is_replaced) {
    HBK_RETURN_IF_ERROR(SwitchRing());
  } else {
    HBK_RETURN_IF_ERROR(JudgeStart(CheckStall(now, fence)));
  }
  return round;
}

Result<bool> LogFollower::IsReplaced() {
  const auto info = fs_.Stat(ring_->path(), true);
  if (!info.ok()) {
    // Not there at this moment: the descriptor is what counts.
    if (info.status().code() == StatusCode::kNotFound) return false;
    return info.status();
  }
  return info->inode != ring_->info().inode || info->device != ring_->info().device;
}

Status LogFollower::SwitchRing() {
  auto ring = RedoRing::Open(fs_, ring_->path());
  if (!ring.ok()) return ring.status().WithContext("opening the redo log that replaced another");
  const redo::LogFileHeader& header = (*ring)->header();
  if (header.container != ring_->header().container ||
      header.encryption != ring_->header().encryption || header.crypt != ring_->header().crypt) {
    return UnsupportedError("the server replaced its redo log by one with another encryption")
        .WithHint("run the backup again");
  }
  if (copied_lsn() < (*ring)->geometry().first_lsn()) {
    return Status(StatusCode::kRedoOverrun,
                  fmt::format("the server replaced its redo log: the new one begins at LSN {}, and "
                              "the old one could be read up to LSN {} only ({})",
                              (*ring)->geometry().first_lsn(), copied_lsn(), copier_->end_reason()))
        .WithHint("do not change innodb_log_file_size during a backup");
  }
  ring_ = std::move(*ring);
  copier_->UseGeometry(ring_->geometry());
  ++replaced_count_;
  stalled_since_.reset();
  return OkStatus();
}

Status LogFollower::PollServer() {
  auto status = source_.ReadLsn();
  if (!status.ok()) return status.status().WithContext("asking the server for its redo position");
  server_ = *status;
  // The server reads the two one after the other, and may write meanwhile.
  server_.current = std::max(server_.current, server_.flushed);
  if (server_.current < copied_lsn()) {
    return CorruptionError(
        fmt::format("the server says its redo log ends at LSN {}, but {} was read up to LSN {}: is "
                    "it another server's log?",
                    server_.current, ring_->path(), copied_lsn()));
  }
  return OkStatus();
}

// Whether what was read from `begin` on may have been overwritten before or while it was read.
Status LogFollower::CheckOverrun(Lsn begin, std::optional<Lsn> checkpoint_after_read) {
  const uint64_t ring = capacity();
  const uint64_t lag = server_.current - begin;
  if (lag + kWriteAheadMax <= ring) return OkStatus();
  // The server may have come around only after the read. It never overwrites what its newest
  // checkpoint needs; unless it had to, which shows in its own distance from that checkpoint.
  if (checkpoint_after_read && *checkpoint_after_read <= begin &&
      server_.current - std::min(server_.current, server_.last_checkpoint) <= ring) {
    return OkStatus();
  }
  return Status(
             StatusCode::kRedoOverrun,
             fmt::format("the server overwrote redo before it was read: it is at LSN {}, the copy "
                         "at LSN {}, {} bytes behind in a log of {} bytes; {} bytes were copied",
                         server_.current, copied_lsn(), lag, ring, copied_lsn() - start_lsn_))
      .WithHint(kOverrunHint);
}

void LogFollower::NoteMargin(uint64_t lag) {
  // At the start we are a whole checkpoint age behind, of which nothing can be overwritten.
  if (!has_caught_up_) return;
  const uint64_t ring = capacity();
  const uint64_t room = ring - std::min(ring, lag);
  lag_bytes_max_ = std::max(lag_bytes_max_, lag);
  margin_bytes_ = std::min(margin_bytes_, room);
  margin_ = std::min(margin_, static_cast<double>(room) / static_cast<double>(ring));
}

Status LogFollower::CheckStall(TimePoint now, Lsn flushed) {
  if (!stalled_since_) stalled_since_ = now;
  const auto stalled = now - *stalled_since_;
  const bool is_lag_large = server_.current - copied_lsn() > capacity() / 2;
  if (stalled < (is_lag_large ? kStallWithLargeLagMax : kStallMax)) return OkStatus();
  const std::string what = fmt::format(
      "{} cannot be read on at LSN {} (offset {}): {}; the server says it is written up to LSN {}",
      ring_->path(), copied_lsn(), ring_->geometry().OffsetOf(copied_lsn()), copier_->end_reason(),
      flushed);
  if (!is_lag_large) return CorruptionError(what);
  return Status(StatusCode::kRedoOverrun, what).WithHint(kOverrunHint);
}

// A log in which nothing begins where the base ends is not the one that the base was made with.
Status LogFollower::JudgeStart(const Status& status) const {
  const bool is_at_start = is_end_of_base_ && copied_lsn() == start_lsn_;
  const bool is_of_log =
      status.code() == StatusCode::kCorruption || status.code() == StatusCode::kRedoOverrun;
  if (!is_at_start || !is_of_log) return status;
  return Status(
             StatusCode::kChainBroken,
             fmt::format("the server's redo log does not go on at LSN {}, where the base ends: the "
                         "base is of another history ({})",
                         start_lsn_, status.message()))
      .WithHint("take a full backup");
}

void LogFollower::NoteCheckpoint(Lsn lsn) {
  if (lsn <= copied_lsn()) last_checkpoint_ = std::max(last_checkpoint_, lsn);
}

Lsn LogFollower::ReadLastCheckpoint() {
  // Opened anew: the log may have been replaced after the last round.
  const auto ring = RedoRing::Open(fs_, ring_->path());
  if (ring.ok()) NoteCheckpoint((*ring)->checkpoint_at_open().checkpoint_lsn);
  return last_checkpoint_;
}

}  // namespace hbk::backup

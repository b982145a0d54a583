#include "aria_log.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace hbk::backup {

namespace {

constexpr uint64_t kPageBytes = 8192;
constexpr uint64_t kBufferBytes = 1 << 20;
// Of the end of a log: its last page is rewritten until it is full.
constexpr uint64_t kTailBytes = 2 * kPageBytes;
constexpr int kReadTries = 50;
constexpr std::chrono::milliseconds kReadPause{10};

}  // namespace

AriaLogCopier::AriaLogCopier(io::FileSystem& fs, std::string log_dir, std::string target_dir)
    : fs_(fs), log_dir_(std::move(log_dir)), target_dir_(std::move(target_dir)) {}

Status AriaLogCopier::Begin() {
  const std::string path = io::JoinPath(log_dir_, aria::kControlFileName);
  Status status;
  // A checkpoint of the server may be writing it: read again.
  for (int i = 0; i < kReadTries; ++i) {
    HBK_ASSIGN_OR_RETURN(const std::string bytes,
                         io::ReadFile(fs_, path, aria::kControlFileBytesMax));
    Result<aria::ControlFile> control = aria::ParseControlFile(bytes);
    status = control.status();
    if (status.ok()) {
      control_ = std::move(control).value();
      break;
    }
    std::this_thread::sleep_for(kReadPause);
  }
  HBK_RETURN_IF_ERROR(status.WithContext(fmt::format("reading {}", path)));

  // Recovery needs the files from the checkpoint on; the run may begin earlier.
  uint32_t first = std::max<uint32_t>(control_.checkpoint_log, 1);
  while (first > 1) {
    HBK_ASSIGN_OR_RETURN(const bool exists,
                         io::Exists(fs_, io::JoinPath(log_dir_, aria::LogFileName(first - 1))));
    if (!exists) break;
    --first;
  }
  HBK_RETURN_IF_ERROR(OpenLogs(first));
  if (control_.last_log != 0 && (logs_.empty() || logs_.back().number < control_.last_log)) {
    return CorruptionError(fmt::format("{} is missing, the last Aria log says {}",
                                       io::JoinPath(log_dir_, aria::LogFileName(control_.last_log)),
                                       path));
  }
  return OkStatus();
}

Status AriaLogCopier::OpenLogs(uint32_t first) {
  for (uint32_t number = first;; ++number) {
    auto source = fs_.Open(io::JoinPath(log_dir_, aria::LogFileName(number)), {});
    if (!source.ok() && source.status().code() == StatusCode::kNotFound) return OkStatus();
    HBK_RETURN_IF_ERROR(source.status());
    Log log;
    log.number = number;
    log.source = std::move(source).value();
    io::OpenOptions create;
    create.write = true;
    create.create = true;
    create.mode = 0600;
    HBK_ASSIGN_OR_RETURN(log.target,
                         fs_.Open(io::JoinPath(target_dir_, aria::LogFileName(number)), create));
    logs_.push_back(std::move(log));
  }
}

Status AriaLogCopier::CopyAhead(std::stop_token stop) {
  HBK_RETURN_IF_ERROR(OpenLogs(logs_.empty() ? 1 : logs_.back().number + 1));
  for (Log& log : logs_) {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, log.source->Stat());
    const uint64_t whole = info.size / kPageBytes * kPageBytes;
    if (whole > kTailBytes) HBK_RETURN_IF_ERROR(CopyUpTo(log, whole - kTailBytes, stop));
  }
  return OkStatus();
}

Status AriaLogCopier::CopyUpTo(Log& log, uint64_t end, const std::stop_token& stop) {
  std::vector<uint8_t> buffer(kBufferBytes);
  while (log.copied < end) {
    if (stop.stop_requested()) return InterruptedError();
    const uint64_t wanted = std::min(end - log.copied, kBufferBytes);
    const MutableByteView part(buffer.data(), wanted);
    HBK_ASSIGN_OR_RETURN(const size_t got, log.source->ReadAt(log.copied, part));
    if (got != wanted) {
      return CorruptionError(
          fmt::format("{} became shorter than {} bytes", log.source->path(), end));
    }
    HBK_RETURN_IF_ERROR(log.target->WriteAt(log.copied, part));
    log.copied += wanted;
  }
  return OkStatus();
}

Status AriaLogCopier::Finish(std::stop_token stop) {
  // A log may be finished and the next one begun while we copy: look again until none is new.
  size_t done = 0;
  do {
    HBK_RETURN_IF_ERROR(OpenLogs(logs_.empty() ? 1 : logs_.back().number + 1));
    for (done = 0; done < logs_.size(); ++done)
      HBK_RETURN_IF_ERROR(CopyRest(logs_[done], stop));
    HBK_RETURN_IF_ERROR(OpenLogs(logs_.empty() ? 1 : logs_.back().number + 1));
  } while (done < logs_.size());

  const uint32_t last_log = logs_.empty() ? control_.last_log : logs_.back().number;
  for (Log& log : logs_)
    HBK_RETURN_IF_ERROR(log.target->Close());
  io::OpenOptions create;
  create.write = true;
  create.create = true;
  create.mode = 0600;
  HBK_ASSIGN_OR_RETURN(const auto file,
                       fs_.Open(io::JoinPath(target_dir_, aria::kControlFileName), create));
  has_control_copy_ = true;
  HBK_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(aria::RenderControlFile(control_, last_log))));
  return file->Close();
}

Status AriaLogCopier::CopyRest(Log& log, const std::stop_token& stop) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, log.source->Stat());
  const uint64_t settled =
      info.size > kTailBytes ? (info.size - kTailBytes) / kPageBytes * kPageBytes : 0;
  HBK_RETURN_IF_ERROR(CopyUpTo(log, settled, stop));
  // The end was copied while it was being rewritten; page 0 changes when a log is finished.
  HBK_RETURN_IF_ERROR(CopySettled(log, std::min(log.copied, settled), info.size));
  return CopySettled(log, 0, std::min(info.size, kPageBytes));
}

// Copies bytes that may be rewritten while they are read: until two reads agree.
Status AriaLogCopier::CopySettled(Log& log, uint64_t offset, uint64_t end) {
  if (offset >= end) return OkStatus();
  std::vector<uint8_t> last(end - offset);
  std::vector<uint8_t> buffer(end - offset);
  HBK_RETURN_IF_ERROR(log.source->ReadAt(offset, last).status());
  for (int i = 0; i < kReadTries; ++i) {
    HBK_ASSIGN_OR_RETURN(const size_t got, log.source->ReadAt(offset, buffer));
    if (got != buffer.size())
      return CorruptionError(fmt::format("{} became shorter", log.source->path()));
    if (buffer == last) return log.target->WriteAt(offset, buffer);
    last.swap(buffer);
    std::this_thread::sleep_for(kReadPause);
  }
  return FailedError(
      fmt::format("{} does not come to rest at offset {}, although commits are "
                  "blocked",
                  log.source->path(), offset));
}

std::vector<std::string> AriaLogCopier::names() const {
  std::vector<std::string> names;
  for (const Log& log : logs_)
    names.push_back(aria::LogFileName(log.number));
  if (has_control_copy_) names.emplace_back(aria::kControlFileName);
  return names;
}

}  // namespace hbk::backup

#include "aria_log.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"

namespace hbk::backup {

namespace {

constexpr uint64_t kPageBytes = 8192;
// Of the end of a log: its last page is rewritten until it is full.
constexpr uint64_t kTailBytes = 2 * kPageBytes;
constexpr int kReadTries = 50;
constexpr std::chrono::milliseconds kReadPause{10};

// Bytes that may be rewritten while they are read: until two reads agree.
Result<std::vector<uint8_t>> ReadSettled(io::File& log, uint64_t offset, uint64_t end) {
  std::vector<uint8_t> last(end - offset);
  std::vector<uint8_t> bytes(end - offset);
  HBK_RETURN_IF_ERROR(log.ReadAt(offset, last).status());
  for (int i = 0; i < kReadTries; ++i) {
    HBK_ASSIGN_OR_RETURN(const size_t got, log.ReadAt(offset, bytes));
    if (got != bytes.size()) return CorruptionError(fmt::format("{} became shorter", log.path()));
    if (bytes == last) return bytes;
    last.swap(bytes);
    std::this_thread::sleep_for(kReadPause);
  }
  return FailedError(fmt::format(
      "{} does not come to rest at offset {}, although commits are blocked", log.path(), offset));
}

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
    logs_.push_back(std::move(log));
  }
}

Status AriaLogCopier::OpenNewLogs() {
  return OpenLogs(logs_.empty() ? 1 : logs_.back().number + 1);
}

// A log that came and was purged before it was opened.
Status AriaLogCopier::CheckNoGap() const {
  const std::string last = aria::LogFileName(logs_.empty() ? 0 : logs_.back().number);
  HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(log_dir_));
  for (const io::DirectoryEntry& entry : entries) {
    const bool is_log = entry.name.size() == last.size() &&
                        datadir::ClassifyRootFile(entry.name) == datadir::FileKind::kAriaLog;
    if (is_log && entry.name > last) {
      return FailedError(fmt::format("{} is there, and the Aria log before it was purged before it "
                                     "could be copied",
                                     io::JoinPath(log_dir_, entry.name)))
          .WithHint(
              "a larger aria_log_file_size, or less load on Aria tables, and the backup again");
    }
  }
  return OkStatus();
}

Status AriaLogCopier::Settle() {
  // A log may be finished and the next one begun meanwhile: look again until none is new.
  for (size_t done = 0;; ++done) {
    if (done == logs_.size()) {
      HBK_RETURN_IF_ERROR(OpenNewLogs());
      if (done == logs_.size()) return CheckNoGap();
    }
    Log& log = logs_[done];
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, log.source->Stat());
    log.size = info.size;
    log.tail_offset =
        info.size > kTailBytes ? (info.size - kTailBytes) / kPageBytes * kPageBytes : 0;
    HBK_ASSIGN_OR_RETURN(log.tail, ReadSettled(*log.source, log.tail_offset, log.size));
    HBK_ASSIGN_OR_RETURN(log.head,
                         ReadSettled(*log.source, 0, std::min(kPageBytes, log.tail_offset)));
  }
}

Result<std::vector<AriaLogCopier::Copy>> AriaLogCopier::CopyAll(std::stop_token stop) {
  std::vector<Copy> copies;
  for (Log& log : logs_) {
    HBK_ASSIGN_OR_RETURN(Copy copy, CopyLog(log, stop));
    copies.push_back(std::move(copy));
    HBK_RETURN_IF_ERROR(log.source->Close());
  }
  HBK_ASSIGN_OR_RETURN(Copy control, WriteControlFile());
  copies.push_back(std::move(control));
  logs_.clear();
  return copies;
}

Result<AriaLogCopier::Copy> AriaLogCopier::CopyLog(const Log& log,
                                                   const std::stop_token& stop) const {
  Copy copy;
  copy.name = aria::LogFileName(log.number);
  copy.size = log.size;
  HBK_ASSIGN_OR_RETURN(const auto target, fs_.Open(io::JoinPath(target_dir_, copy.name),
                                                   {.write = true, .create = true, .mode = 0600}));
  filter::TreeDigest digest(log.size);
  std::vector<uint8_t> buffer(filter::TreeDigest::kChunkBytes);
  for (uint64_t index = 0; index < digest.chunk_count(); ++index) {
    if (stop.stop_requested()) return InterruptedError();
    const uint64_t offset = index * buffer.size();
    const uint64_t end = std::min<uint64_t>(log.size, offset + buffer.size());
    const MutableByteView chunk = MutableByteView(buffer).first(end - offset);
    const uint64_t tail_begin = std::clamp(log.tail_offset, offset, end);
    const MutableByteView rest = chunk.first(tail_begin - offset);
    HBK_ASSIGN_OR_RETURN(const size_t got, log.source->ReadAt(offset, rest));
    if (got != rest.size()) {
      return CorruptionError(
          fmt::format("{} became shorter than {} bytes", log.source->path(), tail_begin));
    }
    if (offset == 0) std::ranges::copy(log.head, chunk.begin());
    if (tail_begin < end) {
      std::ranges::copy(ByteView(log.tail).subspan(tail_begin - log.tail_offset, end - tail_begin),
                        chunk.subspan(tail_begin - offset).begin());
    }
    digest.AddChunk(index, chunk);
    HBK_RETURN_IF_ERROR(target->WriteAt(offset, chunk));
  }
  HBK_RETURN_IF_ERROR(target->Close());
  copy.digest = digest.Finish();
  return copy;
}

Result<AriaLogCopier::Copy> AriaLogCopier::WriteControlFile() const {
  const uint32_t last_log = logs_.empty() ? control_.last_log : logs_.back().number;
  const std::string bytes = aria::RenderControlFile(control_, last_log);
  HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(io::JoinPath(target_dir_, aria::kControlFileName),
                                                 {.write = true, .create = true, .mode = 0600}));
  HBK_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(bytes)));
  HBK_RETURN_IF_ERROR(file->Close());
  return Copy{std::string(aria::kControlFileName), bytes.size(), filter::DigestOf(AsBytes(bytes))};
}

}  // namespace hbk::backup

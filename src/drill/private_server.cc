#include "private_server.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace hbk::drill {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{50};
constexpr std::chrono::milliseconds kRollbackPoll{200};
constexpr uint32_t kConnectTimeoutS = 5;
constexpr uint64_t kStopMs = 120000;
constexpr std::string_view kInnodbMark = "InnoDB: ";
constexpr size_t kDumpDigitsMin = 32;
constexpr std::string_view kErrorMark = "[ERROR] ";

bool IsPageDump(std::string_view line) {
  const size_t mark = line.find(kInnodbMark);
  if (mark == std::string_view::npos) return false;
  line.remove_prefix(mark + kInnodbMark.size());
  return line.size() >= kDumpDigitsMin &&
         line.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status Failed(std::string message) {
  return {StatusCode::kDrillFailed, std::move(message)};
}

}  // namespace

Result<std::unique_ptr<PrivateServer>> PrivateServer::Start(io::FileSystem& fs,
                                                            PrivateServerPlan plan) {
  HBK_RETURN_IF_ERROR(io::WriteNewFile(fs, plan.config_path, plan.config.Reveal(), 0600));
  HBK_ASSIGN_OR_RETURN(
      auto process,
      io::BackgroundProcess::Start({.words = {plan.program, "--defaults-file=" + plan.config_path},
                                    .output_path = plan.error_log,
                                    .writable = plan.writable}));
  return std::unique_ptr<PrivateServer>(new PrivateServer(std::move(plan), std::move(process)));
}

Status PrivateServer::CheckRuns(std::string_view when) const {
  const auto end = process_->HasEnded();
  return end ? Failed(fmt::format("the server {} {}", end->ToString(), when)) : OkStatus();
}

Result<std::unique_ptr<server::TableSession>> PrivateServer::Connect(
    const std::stop_token& stop) const {
  server::ConnectOptions options;
  options.user = "root";
  options.socket = plan_.socket;
  options.protocol = "socket";
  options.connect_timeout_s = kConnectTimeoutS;
  HBK_ASSIGN_OR_RETURN(auto session, server::TableSession::Connect(options));
  session->SetWait({.stop = stop, .bound = std::chrono::seconds(plan_.answer_timeout_s)});
  return session;
}

Status PrivateServer::AwaitAnswer(const std::stop_token& stop) {
  const auto deadline = Clock::now() + std::chrono::seconds(plan_.start_timeout_s);
  while (true) {
    if (stop.stop_requested()) return InterruptedError();
    HBK_RETURN_IF_ERROR(CheckRuns("before it answered"));
    const auto session = Connect(stop);
    if (session.ok()) return OkStatus();
    if (Clock::now() >= deadline) {
      return Failed(fmt::format("the server did not answer within {} s, and was killed: {}",
                                plan_.start_timeout_s, session.status().message()));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

Result<uint64_t> PrivateServer::AwaitRollback(const std::stop_token& stop) {
  HBK_ASSIGN_OR_RETURN(const auto session, Connect(stop));
  const auto deadline = Clock::now() + std::chrono::seconds(plan_.answer_timeout_s);
  uint64_t most = 0;
  while (true) {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const uint64_t count, session->CountRecoveredTransactions());
    most = std::max(most, count);
    if (count == 0) return most;
    if (Clock::now() >= deadline) {
      return Failed(fmt::format("{} transactions are not rolled back after {} s", count,
                                plan_.answer_timeout_s));
    }
    std::this_thread::sleep_for(kRollbackPoll);
  }
}

// The connection is lost a moment before the process is known to be dead.
Status PrivateServer::Explain(const Status& lost) const {
  if (lost.code() != StatusCode::kConnectionLost && lost.code() != StatusCode::kCannotConnect)
    return lost;
  for (int i = 0; i < 100; ++i) {
    if (const auto end = process_->HasEnded())
      return Failed(fmt::format("the server {} during: {}", end->ToString(), lost.message()));
    std::this_thread::sleep_for(kPoll / 5);
  }
  return Failed("the server runs, but: " + lost.message());
}

Status PrivateServer::Stop() {
  HBK_RETURN_IF_ERROR(CheckRuns("by itself"));
  const auto end = process_->Stop(kStopMs);
  if (!end) {
    (void)process_->Kill();
    return Failed(
        fmt::format("the server did not shut down within {} s, and was killed", kStopMs / 1000));
  }
  if (end->signal_number == 0 && end->exit_code == 0) return OkStatus();
  return Failed(fmt::format("the server {} when it was shut down", end->ToString()));
}

std::string TailOf(io::FileSystem& fs, const std::string& path, uint64_t bytes_max) {
  const auto file = fs.Open(path, {});
  if (!file.ok()) return "";
  const auto info = (*file)->Stat();
  if (!info.ok()) return "";
  const uint64_t begin = info->size > bytes_max ? info->size - bytes_max : 0;
  std::vector<uint8_t> bytes(static_cast<size_t>(info->size - begin));
  const auto got = (*file)->ReadAt(begin, bytes);
  if (!got.ok()) return "";
  bytes.resize(*got);
  std::string text(AsText(bytes));
  if (begin != 0) text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  return text;
}

std::string WithoutPageDumps(std::string_view log) {
  std::string kept;
  while (!log.empty()) {
    const size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    if (!IsPageDump(line)) kept += fmt::format("{}\n", line);
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return kept;
}

std::vector<std::string> ErrorLines(std::string_view log, size_t count_max) {
  std::vector<std::string> lines;
  while (!log.empty() && lines.size() < count_max) {
    const size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    const size_t mark = line.find(kErrorMark);
    if (mark == std::string_view::npos) continue;
    std::string text(line.substr(mark + kErrorMark.size()));
    if (std::find(lines.begin(), lines.end(), text) == lines.end())
      lines.push_back(std::move(text));
  }
  return lines;
}

}  // namespace hbk::drill

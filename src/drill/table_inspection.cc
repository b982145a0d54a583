#include "table_inspection.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "hbk/base/mutex.h"

#include "server_config.h"

namespace hbk::drill {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kPhase = "check tables";
// The answer for sequences, and for tables in memory.
constexpr std::string_view kNoCheck = "doesn't support check";
constexpr std::string_view kUnknownEngine = "Unknown storage engine '";

Finding Problem(const server::ListedTable& table, std::string text) {
  return {Severity::kProblem, std::string(kPhase), table.ToString(), std::move(text)};
}
Finding Remark(const server::ListedTable& table, std::string text) {
  return {Severity::kRemark, std::string(kPhase), table.ToString(), std::move(text)};
}

// Of a table whose rows lie elsewhere: the engine that the server lacks; else empty.
std::string ForeignEngine(const std::vector<server::CheckMessage>& messages) {
  for (const server::CheckMessage& message : messages) {
    const size_t at = message.text.find(kUnknownEngine);
    if (at == std::string::npos) continue;
    const std::string rest = message.text.substr(at + kUnknownEngine.size());
    const std::string engine = rest.substr(0, rest.find('\''));
    if (!IsRestoredEngine(engine)) return engine;
  }
  return "";
}

bool IsGoodEnd(const server::CheckMessage& message) {
  return message.kind == "status" &&
         (message.text == "OK" || message.text == "Table is already up to date");
}

class Inspection {
 public:
  Inspection(const std::vector<TableJob>& jobs, const InspectionPlan& plan,
             report::Reporter& reporter, const std::stop_token& stop)
      : jobs_(jobs), plan_(plan), reporter_(reporter), stop_(stop), outcomes_(jobs.size()) {}

  std::vector<TableOutcome> Run(Status& lost) {
    const size_t count = std::min<size_t>(std::max<uint32_t>(plan_.session_count, 1), jobs_.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i)
      threads.emplace_back([this] { Note(Work()); });
    for (std::thread& thread : threads)
      thread.join();
    MutexLock lock(mutex_);
    lost = lost_;
    return std::move(outcomes_);
  }

 private:
  Status Work() {
    HBK_ASSIGN_OR_RETURN(const auto session, plan_.connect());
    while (!is_lost_) {
      const size_t i = next_++;
      if (i >= jobs_.size()) return OkStatus();
      if (stop_.stop_requested()) return InterruptedError();
      HBK_RETURN_IF_ERROR(Inspect(*session, jobs_[i], outcomes_[i]));
      reporter_.Detail("inspected", {{"table", jobs_[i].table.ToString()}});
    }
    return OkStatus();
  }

  void Note(const Status& status) {
    if (status.ok()) return;
    is_lost_ = true;
    MutexLock lock(mutex_);
    if (lost_.ok()) lost_ = status;
  }

  // A table is its own thread's until all are done.
  Status Inspect(server::TableSession& session, const TableJob& job, TableOutcome& outcome) const {
    const auto begin = Clock::now();
    if (plan_.check) {
      const auto messages = session.Check(job.table, *plan_.check);
      HBK_RETURN_IF_ERROR(messages.status());
      Append(JudgeCheck(job.table, *messages), outcome);
      outcome.is_checked = true;
    }
    if (job.expected) {
      std::string why;
      const auto sum = session.Sum(job.table, why);
      HBK_RETURN_IF_ERROR(sum.status());
      Append(JudgeSum(job, *sum, why), outcome);
      outcome.is_compared = true;
    }
    outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return OkStatus();
  }

  static void Append(std::vector<Finding> findings, TableOutcome& outcome) {
    for (Finding& finding : findings)
      outcome.findings.push_back(std::move(finding));
  }

  const std::vector<TableJob>& jobs_;
  const InspectionPlan& plan_;
  report::Reporter& reporter_;
  const std::stop_token& stop_;
  std::vector<TableOutcome> outcomes_;  // each written by the thread that took the job
  std::atomic<size_t> next_{0};
  std::atomic<bool> is_lost_{false};
  Mutex mutex_;
  Status lost_ HBK_GUARDED_BY(mutex_);
};

}  // namespace

std::vector<Finding> JudgeCheck(const server::ListedTable& table,
                                const std::vector<server::CheckMessage>& messages) {
  const std::string foreign = ForeignEngine(messages);
  if (!foreign.empty()) {
    return {Remark(table, fmt::format("not checked: the rows of {} are in no backup", foreign))};
  }
  if (messages.size() == 1 && messages[0].kind == "note" &&
      messages[0].text.find(kNoCheck) != std::string::npos) {
    return {Remark(table, "not checked: " + messages[0].text)};
  }
  std::vector<Finding> findings;
  for (const server::CheckMessage& message : messages) {
    if (IsGoodEnd(message)) continue;
    const std::string text = fmt::format("CHECK TABLE, {}: {}", message.kind, message.text);
    const bool is_remark =
        message.kind == "warning" || message.kind == "note" || message.kind == "info";
    findings.push_back(is_remark ? Remark(table, text) : Problem(table, text));
  }
  const bool has_good_end = !messages.empty() && IsGoodEnd(messages.back());
  const bool has_problem =
      std::any_of(findings.begin(), findings.end(),
                  [](const Finding& finding) { return finding.severity == Severity::kProblem; });
  if (!has_good_end && !has_problem)
    findings.push_back(Problem(table, "CHECK TABLE did not end with OK"));
  return findings;
}

std::vector<Finding> JudgeSum(const TableJob& job, const std::optional<server::TableSum>& found,
                              const std::string& why) {
  const server::TableSum& expected = *job.expected;
  if (!found) return {Problem(job.table, "its rows cannot be read: " + why)};
  if (found->row_count != expected.row_count) {
    return {Problem(job.table,
                    fmt::format("{} rows, expected {}", found->row_count, expected.row_count))};
  }
  if (job.is_checksum_comparable && found->checksum != expected.checksum) {
    return {Problem(job.table,
                    fmt::format("the {} rows have the checksum {}, expected {}: some have another "
                                "content",
                                found->row_count, found->checksum, expected.checksum))};
  }
  return {};
}

std::vector<TableOutcome> InspectTables(const std::vector<TableJob>& jobs,
                                        const InspectionPlan& plan, report::Reporter& reporter,
                                        const std::stop_token& stop, Status& lost) {
  return Inspection(jobs, plan, reporter, stop).Run(lost);
}

}  // namespace hbk::drill

#include "tests/support/live/restore_trial.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "tests/support/live/backup_tool.h"
#include "tests/support/live/directory_comparison.h"
#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"

namespace hbk::testing {
namespace {

namespace fs = std::filesystem;

// Of the prepared backup. The manifest has the time of the run; what matters in it is in the result
// of copy-back. The lists of chunks may be there or not: they are only believed if they fit the
// digests in the manifest. The record of verify is no part of a backup.
const std::vector<std::string> kNotCompared = {"hbk_manifest.json", "hbk_chunks",
                                               "hbk_verified.json"};
constexpr size_t kDifferencesShownMax = 3;

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (size_t i = 0; i < lines.size() && i < kDifferencesShownMax; ++i)
    text += (i == 0 ? "" : "; ") + lines[i];
  return lines.size() > kDifferencesShownMax
             ? fmt::format("{} and {} more", text, lines.size() - kDifferencesShownMax)
             : text;
}

Status CopyDirectory(const std::string& from, const std::string& to) {
  // Keeps holes, on every file system.
  HBK_ASSIGN_OR_RETURN(const ProcessEnd end,
                       RunProcess({"cp", "-a", from, to}, {.output_path = to + ".log"}));
  return end.succeeded() ? OkStatus() : FailedError(end.Describe());
}

}  // namespace

Result<int> RestoreTrial::Run(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {HbkProgram(), "--no-defaults"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  HBK_ASSIGN_OR_RETURN(const ProcessEnd end, RunProcess(command, {.output_path = Sub("log")}));
  if (end.signal != 0) return FailedError(end.Describe());
  return end.exit_code;
}

std::string RestoreTrial::LastLine() const {
  const auto log = ReadWholeFile(Sub("log"));
  return log.ok() ? Tail(*log, 1) : "";
}

Status RestoreTrial::Clear() {
  for (const char* name : {"backup", "restored"})
    HBK_RETURN_IF_ERROR(RemoveTree(Sub(name)));
  return MakeDirectory(dir_);
}

Result<TrialResult> RestoreTrial::Restore(const std::string& base,
                                          const std::vector<std::string>& increments) {
  HBK_RETURN_IF_ERROR(Clear());
  HBK_RETURN_IF_ERROR(CopyDirectory(base, Sub("backup")));
  return RestoreBackup(increments);
}

Result<TrialResult> RestoreTrial::RestoreArchive(const std::string& archive) {
  HBK_RETURN_IF_ERROR(Clear());
  HBK_ASSIGN_OR_RETURN(const int exit_code, Run({"extract", "--directory=" + Sub("backup"),
                                                 "--input=" + archive, "--parallel=1"}));
  if (exit_code == 0) return RestoreBackup({});
  TrialResult result{.end = TrialResult::End::kFound,
                     .step = "extract",
                     .exit_code = exit_code,
                     .what = LastLine()};
  if (!fs::exists(Sub("backup"))) return result;
  result.end = TrialResult::End::kLie;
  result.what = "extract failed, and left a directory";
  return result;
}

Result<TrialResult> RestoreTrial::RestoreBackup(const std::vector<std::string>& increments) {
  std::vector<std::string> prepare = {"prepare", "--target-dir=" + Sub("backup"), "--parallel=1"};
  for (const std::string& increment : increments)
    prepare.push_back("--incremental-dir=" + increment);
  HBK_ASSIGN_OR_RETURN(const int prepared, Run(prepare));
  if (prepared != 0) return FoundByPrepare(prepare, prepared);
  HBK_ASSIGN_OR_RETURN(const int restored, Run({"copy-back", "--target-dir=" + Sub("backup"),
                                                "--datadir=" + Sub("restored"), "--parallel=1"}));
  if (restored == 0) return CompareWithReference();
  TrialResult result{.end = TrialResult::End::kFound,
                     .step = "copy-back",
                     .exit_code = restored,
                     .what = LastLine()};
  if (!fs::exists(Sub("restored"))) return result;
  result.end = TrialResult::End::kLie;
  result.what = "copy-back failed, and left a data directory";
  return result;
}

// Whoever tries again must not get a backup that is prepared after all, unless it is the right one:
// that is so with a lock that was given up, say, but never after damage.
Result<TrialResult> RestoreTrial::FoundByPrepare(const std::vector<std::string>& prepare,
                                                 int exit_code) {
  TrialResult result{.end = TrialResult::End::kFound,
                     .step = "prepare",
                     .exit_code = exit_code,
                     .what = LastLine()};
  HBK_ASSIGN_OR_RETURN(const int again, Run(prepare));
  HBK_ASSIGN_OR_RETURN(const int restored, Run({"copy-back", "--target-dir=" + Sub("backup"),
                                                "--datadir=" + Sub("restored"), "--parallel=1"}));
  if (again != 0 && restored != 0) return result;
  result.end = TrialResult::End::kLie;
  result.what = fmt::format("{}, and then {} goes through", result.what,
                            again == 0 ? "a second prepare" : "copy-back");
  return result;
}

Result<TrialResult> RestoreTrial::CompareWithReference() {
  TrialResult result{.end = TrialResult::End::kHarmless};
  if (!has_reference_) return result;
  HBK_ASSIGN_OR_RETURN(const auto restored,
                       CompareFiles(Sub("reference_restored"), Sub("restored"), {}));
  // Users look up positions in what is not restored. Files that nobody knows are never restored.
  std::vector<std::string> ignored = kNotCompared;
  for (const auto& entry : fs::recursive_directory_iterator(Sub("backup"))) {
    const std::string name = fs::relative(entry.path(), Sub("backup"));
    if (fs::exists(Sub("restored/" + name)) || !fs::exists(Sub("reference_backup/" + name)))
      ignored.push_back(name);
  }
  HBK_ASSIGN_OR_RETURN(const auto prepared,
                       CompareFiles(Sub("reference_backup"), Sub("backup"), ignored));
  if (restored.empty() && prepared.empty()) return result;
  result.end = TrialResult::End::kLie;
  result.what = restored.empty() ? "in the prepared backup: " + Join(prepared) : Join(restored);
  return result;
}

Status RestoreTrial::KeepAsReference(const TrialResult& first) {
  if (first.end != TrialResult::End::kHarmless || has_reference_)
    return FailedError(fmt::format("no reference: {} {}", first.step, first.what));
  for (const std::string name : {"backup", "restored"}) {
    std::error_code error;
    fs::rename(Sub(name), Sub("reference_" + name), error);
    if (error) return FailedError(error.message());
  }
  has_reference_ = true;
  return OkStatus();
}

Status RestoreTrial::MakeReference(const std::string& base,
                                   const std::vector<std::string>& increments) {
  HBK_ASSIGN_OR_RETURN(const TrialResult first, Restore(base, increments));
  HBK_RETURN_IF_ERROR(KeepAsReference(first));
  HBK_ASSIGN_OR_RETURN(const TrialResult second, Restore(base, increments));
  if (second.end == TrialResult::End::kHarmless) return OkStatus();
  return FailedError("two runs do not end in the same bytes: " + second.what);
}

Status RestoreTrial::MakeArchiveReference(const std::string& archive) {
  HBK_ASSIGN_OR_RETURN(const TrialResult first, RestoreArchive(archive));
  HBK_RETURN_IF_ERROR(KeepAsReference(first));
  HBK_ASSIGN_OR_RETURN(const TrialResult second, RestoreArchive(archive));
  if (second.end == TrialResult::End::kHarmless) return OkStatus();
  return FailedError("two runs do not end in the same bytes: " + second.what);
}

void TrialTally::Add(const std::string& kind, const std::string& file, const TrialResult& result) {
  switch (result.end) {
    case TrialResult::End::kFound:
      ++ends_[kind][fmt::format("{} {}", result.step, result.exit_code)];
      break;
    case TrialResult::End::kHarmless:
      ++ends_[kind]["harmless"];
      ++harmless_[kind + " in " + file];
      break;
    case TrialResult::End::kLie: ++ends_[kind]["LIE"]; break;
  }
}

std::string TrialTally::Render(const std::string& title) const {
  std::string text = title + ": damages, and the exit code that has told of them\n";
  for (const auto& [kind, ends] : ends_) {
    uint64_t sum = 0;
    std::string line;
    for (const auto& [end, count] : ends) {
      sum += count;
      line += fmt::format(", {}: {}", end, count);
    }
    text += fmt::format("  {}: {}{}\n", kind, sum, line);
  }
  for (const auto& [what, count] : harmless_)
    text += fmt::format("  harmless: {} {}\n", count, what);
  return text;
}

}  // namespace hbk::testing

#include "user_sql.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/io/child_process.h"

namespace hbk::drill {
namespace {

constexpr size_t kSaidBytesKept = 256 << 10;
constexpr uint64_t kOutputBytesShown = 64 << 10;
constexpr std::string_view kErrorWord = "ERROR ";
// stdin and stdout are the first two words behind it; the rest is the client and its options.
constexpr const char* kRun =
    "exec sh -c 'in=$1; out=$2; shift 2; exec \"$@\" <\"$in\" >\"$out\"' sh";

std::string BeginOf(io::FileSystem& fs, const std::string& path) {
  const auto file = fs.Open(path, {});
  if (!file.ok()) return "";
  std::vector<uint8_t> bytes(kOutputBytesShown);
  const auto got = (*file)->ReadAt(0, bytes);
  if (!got.ok()) return "";
  bytes.resize(*got);
  std::string text(AsText(bytes));
  if (*got == kOutputBytesShown) text += "\n(and more)\n";
  return text;
}

}  // namespace

std::vector<std::string> ErrorsOfClient(std::string_view said, int exit_code, int signal_number) {
  std::vector<std::string> errors;
  std::string last;
  while (!said.empty()) {
    const size_t end = std::min(said.find('\n'), said.size());
    const std::string_view line = said.substr(0, end);
    said.remove_prefix(std::min(end + 1, said.size()));
    if (line.starts_with(kErrorWord)) errors.emplace_back(line);
    if (!line.empty()) last = line;
  }
  if (signal_number != 0)
    errors.push_back(fmt::format("the client was ended by signal {}", signal_number));
  if (errors.empty() && exit_code != 0)
    errors.push_back(fmt::format("the client ended with exit code {}: {}", exit_code, last));
  return errors;
}

Result<UserSqlOutcome> RunUserSql(io::FileSystem& fs, const UserSqlPlan& plan,
                                  const std::stop_token& stop) {
  const io::ChildLimits limits = {.timeout_ms = uint64_t{plan.timeout_s} * 1000,
                                  .stdout_bytes_max = 4096,
                                  .stderr_bytes_kept = kSaidBytesKept};
  auto result = io::RunShellCommand(
      kRun,
      {plan.sql_file, plan.output_path, plan.client, "--no-defaults", "--user=root",
       "--socket=" + plan.socket, "--batch", "--force", "--default-character-set=utf8mb4"},
      limits, stop);
  if (result.status().code() == StatusCode::kFailed) {
    return Status(StatusCode::kDrillFailed,
                  fmt::format("{}: {}", plan.sql_file, result.status().message()));
  }
  HBK_RETURN_IF_ERROR(result.status());
  UserSqlOutcome outcome;
  outcome.errors = ErrorsOfClient(result->err, result->exit_code, result->signal_number);
  outcome.output = BeginOf(fs, plan.output_path);
  return outcome;
}

}  // namespace hbk::drill

#include "run_options.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hbk::cli {
namespace {

constexpr uint32_t kDefaultThreadsMax = 8;
constexpr uint64_t kDefaultLockWaitSeconds = 60;
constexpr uint64_t kDefaultUseMemoryBytes = 256ULL << 20;

Status NeedText(const OptionValues& values, Opt id, Command command) {
  if (!values.Text(id).empty()) return OkStatus();
  const OptionSpec& spec = SpecOf(id);
  return UsageError(
             fmt::format("hbk {} needs --{}={}", CommandName(command), spec.name, spec.value_name))
      .WithHint(fmt::format("hbk help {} shows an example", CommandName(command)));
}

server::ConnectOptions MakeConnectOptions(const OptionValues& values, Secret password) {
  server::ConnectOptions connect;
  connect.user = values.Text(Opt::kUser);
  connect.password = std::move(password);
  connect.host = values.Text(Opt::kHost);
  connect.port = static_cast<uint16_t>(values.Number(Opt::kPort, 0));
  connect.socket = values.Text(Opt::kSocket);
  connect.protocol = values.Text(Opt::kProtocol);
  if (values.Find(Opt::kSsl) != nullptr) {
    connect.tls = values.Flag(Opt::kSsl) ? server::TlsMode::kRequired : server::TlsMode::kDisabled;
  }
  connect.tls_verify_server_cert = values.Flag(Opt::kSslVerifyServerCert);
  connect.tls_ca = values.Text(Opt::kSslCa);
  connect.tls_ca_path = values.Text(Opt::kSslCapath);
  connect.tls_cert = values.Text(Opt::kSslCert);
  connect.tls_key = values.Text(Opt::kSslKey);
  connect.tls_cipher = values.Text(Opt::kSslCipher);
  connect.tls_crl = values.Text(Opt::kSslCrl);
  connect.tls_crl_path = values.Text(Opt::kSslCrlpath);
  connect.tls_version = values.Text(Opt::kTlsVersion);
  return connect;
}

datadir::LayoutOptions MakeLayoutOptions(const OptionValues& values) {
  datadir::LayoutOptions layout;
  layout.datadir = values.Text(Opt::kDatadir);
  layout.innodb_data_home_dir = values.Text(Opt::kInnodbDataHomeDir);
  layout.innodb_data_file_path = values.Text(Opt::kInnodbDataFilePath);
  layout.innodb_undo_directory = values.Text(Opt::kInnodbUndoDirectory);
  layout.innodb_log_group_home_dir = values.Text(Opt::kInnodbLogGroupHomeDir);
  layout.aria_log_dir_path = values.Text(Opt::kAriaLogDirPath);
  return layout;
}

}  // namespace

Status CheckNeeded(const OptionValues& values, Command command) {
  HBK_RETURN_IF_ERROR(NeedText(values, Opt::kTargetDir, command));
  const bool is_restore = command == Command::kCopyBack || command == Command::kMoveBack;
  return is_restore ? NeedText(values, Opt::kDatadir, command) : OkStatus();
}

Result<backup::BackupOptions> MakeBackupOptions(const OptionValues& values, Secret password,
                                                uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kBackup));
  backup::BackupOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.connect = MakeConnectOptions(values, std::move(password));
  options.parallel = ChosenThreads(values, core_count);
  options.throttle = static_cast<uint32_t>(values.Number(Opt::kThrottle, 0));
  options.log_page_corruption = values.Flag(Opt::kLogInnodbPageCorruption);
  options.lock_wait_timeout_s =
      static_cast<uint32_t>(values.Number(Opt::kLockWaitTimeout, kDefaultLockWaitSeconds));
  options.said_layout = MakeLayoutOptions(values);
  options.recorded_options = values.Recorded(Command::kBackup);
  return options;
}

Result<prepare::PrepareOptions> MakePrepareOptions(const OptionValues& values,
                                                   uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kPrepare));
  prepare::PrepareOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.use_memory_bytes = values.Number(Opt::kUseMemory, kDefaultUseMemoryBytes);
  options.parallel = ChosenThreads(values, core_count);
  return options;
}

Result<restore::RestoreOptions> MakeRestoreOptions(const OptionValues& values, Command command,
                                                   uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, command));
  restore::RestoreOptions options;
  options.backup_dir = values.Text(Opt::kTargetDir);
  options.move = command == Command::kMoveBack;
  options.target = MakeLayoutOptions(values);
  options.force_non_empty_directories = values.Flag(Opt::kForceNonEmptyDirectories);
  options.owner = values.Text(Opt::kOwner);
  options.remap = values.Texts(Opt::kRemap);
  options.local_tablespaces = values.Flag(Opt::kLocalTablespaces);
  options.parallel = ChosenThreads(values, core_count);
  return options;
}

report::ReporterOptions MakeReporterOptions(const OptionValues& values) {
  report::ReporterOptions options;
  options.format = values.Text(Opt::kOutput) == "json" ? report::OutputFormat::kJson
                                                       : report::OutputFormat::kText;
  options.quiet = values.Flag(Opt::kQuiet);
  options.verbose = values.Flag(Opt::kVerbose);
  return options;
}

uint32_t ChosenThreads(const OptionValues& values, uint32_t core_count) {
  const uint32_t by_cores = std::clamp<uint32_t>(core_count, 1, kDefaultThreadsMax);
  return static_cast<uint32_t>(values.Number(Opt::kParallel, by_cores));
}

}  // namespace hbk::cli

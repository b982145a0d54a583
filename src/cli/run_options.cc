#include "run_options.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "process_priority.h"

namespace hbk::cli {
namespace {

constexpr uint32_t kDefaultThreadsMax = 8;
constexpr std::string_view kDefaultCompression = "zstd:3";
constexpr uint64_t kDefaultSafeSlaveSeconds = 300;
constexpr uint32_t kLongVaultTimeoutSeconds = 300;  // what the server's plugin makes of 0
constexpr uint64_t kDefaultUseMemoryBytes = 256ULL << 20;
constexpr uint64_t kRateLimitMin = 1 << 20;
// Of one file.
constexpr uint64_t kFindingsInText = 20;
constexpr uint64_t kFindingsInJson = 1000;
constexpr uint64_t kBudgetSecondsMax = 31536000;

// What only makes sense for a directory.
Status CheckStreamOptions(const OptionValues& values) {
  for (const Opt id : {Opt::kTargetDir, Opt::kIncrementalDir, Opt::kFast, Opt::kSample, Opt::kSeed,
                       Opt::kBudget}) {
    if (values.Find(id) == nullptr) continue;
    return UsageError(fmt::format("--{} is for a backup in a directory, and an archive is given",
                                  SpecOf(id).name))
        .WithHint("leave one of them out");
  }
  return OkStatus();
}

// "5%" or "0.5%".
Result<double> ParseShare(const std::string& text) {
  const Status wrong = UsageError(fmt::format("--sample={}: not a share like 5%", text))
                           .WithHint("more than 0%, and at most 100%");
  const size_t digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string::npos || text.substr(digits) != "%") return wrong;
  char* end = nullptr;
  const double percent = std::strtod(text.c_str(), &end);
  if (*end != '%' || !(percent > 0) || percent > 100) return wrong;
  return percent / 100;
}

// "90s", "30m", "2h", "1d".
Result<uint64_t> ParseBudget(const std::string& text) {
  const Status wrong = UsageError(fmt::format("--budget={}: not a time like 30m", text))
                           .WithHint("a number and s, m, h or d");
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || digits > 8 || digits + 1 != text.size())
    return wrong;
  uint64_t unit = 0;
  switch (text[digits]) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    default: return wrong;
  }
  const uint64_t seconds = std::strtoull(text.c_str(), nullptr, 10) * unit;
  if (seconds == 0 || seconds > kBudgetSecondsMax) return wrong;
  return seconds;
}

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

Result<backup::BinlogInfo> ChosenBinlogInfo(const OptionValues& values) {
  const std::string text = values.Text(Opt::kBinlogInfo);
  if (text == "lockless") {
    return UsageError("--binlog-info=LOCKLESS: hbk reads the position under its locks only")
        .WithHint("--binlog-info=AUTO; the lock on commits lasts a fraction of a second");
  }
  if (text == "off") return backup::BinlogInfo::kOff;
  return text == "on" ? backup::BinlogInfo::kOn : backup::BinlogInfo::kAuto;
}

datadir::LayoutOptions MakeLayoutOptions(const OptionValues& values) {
  datadir::LayoutOptions layout;
  layout.datadir = values.Text(Opt::kDatadir);
  layout.innodb_data_home_dir = values.Text(Opt::kInnodbDataHomeDir);
  layout.innodb_data_file_path = values.Text(Opt::kInnodbDataFilePath);
  layout.innodb_undo_directory = values.Text(Opt::kInnodbUndoDirectory);
  layout.innodb_log_group_home_dir = values.Text(Opt::kInnodbLogGroupHomeDir);
  layout.aria_log_dir_path = values.Text(Opt::kAriaLogDirPath);
  layout.rocksdb_datadir = values.Text(Opt::kRocksdbDatadir);
  layout.rocksdb_wal_dir = values.Text(Opt::kRocksdbWalDir);
  return layout;
}

// Those that groups of servers set, or the others.
keys::KeyOptions MakeKeyOptions(const OptionValues& values, bool is_of_server) {
  const auto is_ours = [&](Opt id) {
    const Setting* setting = values.Find(id);
    return setting != nullptr && (setting->rank == SettingRank::kServerGroup) == is_of_server;
  };
  const auto text = [&](Opt id) {
    return is_ours(id) ? values.Text(id) : std::string();
  };
  const auto secret = [&](Opt id) {
    return is_ours(id) ? values.SecretOf(id) : Secret();
  };
  const auto number = [&](Opt id, uint32_t otherwise) {
    return is_ours(id) ? static_cast<uint32_t>(values.Number(id, otherwise)) : otherwise;
  };
  keys::KeyOptions options;
  options.key_file = text(Opt::kKeyFile);
  options.key_file_secret = secret(Opt::kKeyFileSecret);
  options.encryption_algorithm = text(Opt::kKeyFileAlgorithm);
  options.key_file_digest = text(Opt::kKeyFileDigest);
  if (is_ours(Opt::kKeyFilePbkdf2)) {
    options.key_file_pbkdf2_iterations = values.Number(Opt::kKeyFilePbkdf2, 0);
  }
  options.command = text(Opt::kKeyCommand);
  options.command_timeout_s = number(Opt::kKeyCommandTimeout, options.command_timeout_s);
  options.vault_url = text(Opt::kVaultUrl);
  options.vault_token = secret(Opt::kVaultToken);
  options.vault_token_file = text(Opt::kVaultTokenFile);
  options.vault_ca = text(Opt::kVaultCa);
  options.vault_timeout_s = number(Opt::kVaultTimeout, options.vault_timeout_s);
  if (options.vault_timeout_s == 0) options.vault_timeout_s = kLongVaultTimeoutSeconds;
  options.vault_max_retries = number(Opt::kVaultMaxRetries, options.vault_max_retries);
  options.vault_allow_http = is_ours(Opt::kVaultAllowHttp) && values.Flag(Opt::kVaultAllowHttp);
  return options;
}

Result<backup::LockWaitOptions> MakeLockWaitOptions(const OptionValues& values) {
  backup::LockWaitOptions options;
  const auto number = [&values](Opt id, uint32_t otherwise) {
    return static_cast<uint32_t>(values.Number(id, otherwise));
  };
  options.timeout_s = number(Opt::kLockWaitTimeout, options.timeout_s);
  options.retry_time_s = number(Opt::kLockRetryTime, options.retry_time_s);
  options.threshold_s = number(Opt::kLockWaitThreshold, options.threshold_s);
  options.kill_after_s = number(Opt::kKillLongQueriesTimeout, options.kill_after_s);
  const std::string type = values.Text(Opt::kKillLongQueryType);
  if (type == "update") options.kill_type = backup::KillQueryType::kUpdate;
  if (type == "all") options.kill_type = backup::KillQueryType::kAll;
  if (options.kill_after_s >= options.timeout_s) {
    return UsageError(
               fmt::format("--kill-long-queries-timeout={} would never come: an attempt ends "
                           "after --lock-wait-timeout={}",
                           options.kill_after_s, options.timeout_s))
        .WithHint("make the first shorter than the second");
  }
  return options;
}

Result<codec::FrameChoice> ChosenCompression(const OptionValues& values) {
  if (values.Find(Opt::kCompress) == nullptr) return codec::FrameChoice();
  const std::string text = values.Text(Opt::kCompress);
  auto choice =
      codec::ParseFrameChoice(text.empty() ? kDefaultCompression : std::string_view(text));
  HBK_RETURN_IF_ERROR(choice.status().WithContext("--compress=" + text));
  return choice;
}

keys::GivenKeyOptions GivenKeys(const OptionValues& values, Secret vault_token) {
  keys::GivenKeyOptions keys;
  keys.user = MakeKeyOptions(values, /*is_of_server=*/false);
  keys.server = MakeKeyOptions(values, /*is_of_server=*/true);
  if (keys.user.vault_token.empty() && keys.user.vault_token_file.empty())
    keys.user.vault_token = std::move(vault_token);
  return keys;
}

// "20%" or "20".
Result<uint32_t> ChosenSample(const OptionValues& values) {
  if (values.Find(Opt::kCheckSample) == nullptr) return 100U;
  const std::string text = values.Text(Opt::kCheckSample);
  std::string_view digits = text;
  if (digits.ends_with('%')) digits.remove_suffix(1);
  uint32_t percent = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), percent);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  if (is_number && percent >= 1 && percent <= 100) return percent;
  return UsageError(fmt::format("--check-sample={} is no share of 1% to 100%", text))
      .WithHint("--check-sample=20% checks each table once in five drills");
}

std::optional<server::CheckDepth> ChosenCheck(const OptionValues& values) {
  const std::string text = values.Text(Opt::kCheck);
  if (text == "none") return std::nullopt;
  if (text == "quick") return server::CheckDepth::kQuick;
  return text == "extended" ? server::CheckDepth::kExtended : server::CheckDepth::kMedium;
}

// A socket file, HOST or HOST:PORT. An address of IPv6 with a port has brackets.
Result<server::ConnectOptions> OtherServer(const OptionValues& values, Secret password) {
  server::ConnectOptions connect = MakeConnectOptions(values, std::move(password));
  std::string text = values.Text(Opt::kCompareWith);
  if (text.starts_with('/')) {
    connect.socket = text;
    connect.protocol = "socket";
    return connect;
  }
  connect.protocol = "tcp";
  const size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos &&
                        (text.find(':') == colon || text[colon == 0 ? 0 : colon - 1] == ']');
  if (has_port) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, connect.port);
    if (parsed.ec != std::errc() || parsed.ptr != end || connect.port == 0) {
      return UsageError(fmt::format("--compare-with={}: no such port", text))
          .WithHint("a socket file, HOST or HOST:PORT");
    }
    text.resize(colon);
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  if (text.empty()) {
    return UsageError("--compare-with names no host").WithHint("a socket file, HOST or HOST:PORT");
  }
  connect.host = text;
  return connect;
}

// Whoever writes 50 means 50M; at 50 bytes a second nobody would see how it ends.
Result<uint64_t> ChosenRateLimit(const OptionValues& values) {
  const uint64_t rate = values.Number(Opt::kRateLimit, 0);
  if (rate == 0 || rate >= kRateLimitMin) return rate;
  return UsageError(fmt::format("--rate-limit={} is {} bytes per second", rate, rate))
      .WithHint(fmt::format("--rate-limit={}M, if that is what you mean; 1M is the least", rate));
}

Status TakeIncrementOptions(const OptionValues& values, backup::BackupOptions& options) {
  options.incremental_basedir = values.Text(Opt::kIncrementalBasedir);
  if (values.Find(Opt::kIncrementalLsn) != nullptr)
    options.incremental_lsn = values.Number(Opt::kIncrementalLsn, 0);
  options.incremental_history_name = values.Text(Opt::kIncrementalHistoryName);
  options.incremental_history_uuid = values.Text(Opt::kIncrementalHistoryUuid);
  options.trust_file_times = values.Flag(Opt::kTrustFileTimes);
  options.incremental_force_scan = values.Flag(Opt::kIncrementalForceScan);
  if (options.trust_file_times && options.incremental_force_scan) {
    return UsageError("--trust-file-times leaves files unread, --incremental-force-scan none")
        .WithHint("leave out one of them");
  }
  options.extra_lsndir = values.Text(Opt::kExtraLsndir);
  if (values.Find(Opt::kHistory) != nullptr) options.history = values.Text(Opt::kHistory);
  const int base_count = (options.incremental_basedir.empty() ? 0 : 1) +
                         (options.incremental_lsn ? 1 : 0) +
                         (options.incremental_history_name.empty() ? 0 : 1) +
                         (options.incremental_history_uuid.empty() ? 0 : 1);
  if (base_count <= 1) return OkStatus();
  return UsageError(
             "an increment has one base: --incremental-basedir, --incremental-lsn, "
             "--incremental-history-name or --incremental-history-uuid")
      .WithHint("leave out all but one of them");
}

}  // namespace

// --stream may stand in an option file, for backups: a directory that is given counts for more.
bool VerifiesStream(const OptionValues& values) {
  const bool has_directory = values.Find(Opt::kTargetDir) != nullptr;
  return values.Find(Opt::kInput) != nullptr ||
         (values.Find(Opt::kStream) != nullptr && !has_directory);
}

Status CheckNeeded(const OptionValues& values, Command command) {
  if (command == Command::kExtract) return NeedText(values, Opt::kDirectory, command);
  if (command == Command::kInfo) return OkStatus();
  if (command == Command::kBackup && ChosenStream(values)) return OkStatus();
  if (command == Command::kVerify && VerifiesStream(values)) return CheckStreamOptions(values);
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
  HBK_ASSIGN_OR_RETURN(options.rate_limit, ChosenRateLimit(values));
  HBK_ASSIGN_OR_RETURN(options.compression, ChosenCompression(values));
  options.is_sealed = values.Find(Opt::kEncrypt) != nullptr;
  options.seals_names = values.Flag(Opt::kEncryptManifest);
  if (options.seals_names && !options.is_sealed) {
    return UsageError("--encrypt-manifest goes with --encrypt")
        .WithHint("add --encrypt and a key, or leave it out");
  }
  options.record_checksums = values.Flag(Opt::kRecordChecksums);
  if (options.record_checksums && options.is_sealed && !options.seals_names) {
    return UsageError(
               "--record-checksums would tell of the rows of a sealed backup in its manifest")
        .WithHint("add --encrypt-manifest, or leave it out");
  }
  options.log_page_corruption = values.Flag(Opt::kLogInnodbPageCorruption);
  HBK_ASSIGN_OR_RETURN(options.lock_wait, MakeLockWaitOptions(values));
  options.rocksdb_backup =
      values.Find(Opt::kRocksdbBackup) == nullptr || values.Flag(Opt::kRocksdbBackup);
  HBK_ASSIGN_OR_RETURN(options.binlog_info, ChosenBinlogInfo(values));
  options.slave_info = values.Flag(Opt::kSlaveInfo);
  options.galera_info = values.Flag(Opt::kGaleraInfo);
  options.safe_slave_backup = values.Flag(Opt::kSafeSlaveBackup);
  options.safe_slave_backup_timeout_s =
      static_cast<uint32_t>(values.Number(Opt::kSafeSlaveBackupTimeout, kDefaultSafeSlaveSeconds));
  HBK_RETURN_IF_ERROR(TakeIncrementOptions(values, options));
  options.said_layout = MakeLayoutOptions(values);
  options.recorded_options = values.Recorded(Command::kBackup);
  return options;
}

Result<prepare::UnpackOptions> MakeUnpackOptions(const OptionValues& values, Command command,
                                                 Secret passphrase, uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, command));
  prepare::UnpackOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.depth = command == Command::kDecrypt ? prepare::UnpackDepth::kUnsealed
                                               : prepare::UnpackDepth::kDecompressed;
  options.parallel = ChosenThreads(values, core_count);
  if (command == Command::kDecrypt)
    options.sealing_keys = MakeSealingKeyOptions(values, std::move(passphrase));
  return options;
}

Result<prepare::PrepareOptions> MakePrepareOptions(const OptionValues& values, Secret vault_token,
                                                   uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kPrepare));
  prepare::PrepareOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.incremental_dirs = values.Texts(Opt::kIncrementalDir);
  // An empty variable of a script would else change the backup that was to stay as it is.
  if (values.Find(Opt::kOutputDir) != nullptr)
    HBK_RETURN_IF_ERROR(NeedText(values, Opt::kOutputDir, Command::kPrepare));
  options.output_dir = values.Text(Opt::kOutputDir);
  options.use_memory_bytes = values.Number(Opt::kUseMemory, kDefaultUseMemoryBytes);
  options.parallel = ChosenThreads(values, core_count);
  options.keys = GivenKeys(values, std::move(vault_token));
  return options;
}

Result<drill::DrillOptions> MakeDrillOptions(const OptionValues& values, Secret vault_token,
                                             Secret password, std::string search_path,
                                             uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kDrill));
  drill::DrillOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.incremental_dirs = values.Texts(Opt::kIncrementalDir);
  // An empty variable of a script would else mean the default, which may be a full disk.
  for (const Opt id : {Opt::kScratchDir, Opt::kSqlFile, Opt::kReportJson, Opt::kReportHtml,
                       Opt::kCompareWith, Opt::kMariadbd}) {
    if (values.Find(id) != nullptr) HBK_RETURN_IF_ERROR(NeedText(values, id, Command::kDrill));
  }
  options.scratch_dir = values.Text(Opt::kScratchDir);
  options.keeps_scratch = values.Flag(Opt::kKeepScratch);
  options.mariadbd = values.Text(Opt::kMariadbd);
  options.search_path = std::move(search_path);
  options.use_memory_bytes = values.Number(Opt::kUseMemory, kDefaultUseMemoryBytes);
  options.parallel = ChosenThreads(values, core_count);
  options.keys = GivenKeys(values, std::move(vault_token));
  options.check = ChosenCheck(values);
  HBK_ASSIGN_OR_RETURN(options.sample_percent, ChosenSample(values));
  if (values.Find(Opt::kCompareWith) != nullptr) {
    HBK_ASSIGN_OR_RETURN(options.compare_with, OtherServer(values, std::move(password)));
  }
  options.sql_file = values.Text(Opt::kSqlFile);
  options.report_json = values.Text(Opt::kReportJson);
  options.report_html = values.Text(Opt::kReportHtml);
  options.start_timeout_s =
      static_cast<uint32_t>(values.Number(Opt::kServerStartTimeout, options.start_timeout_s));
  options.answer_timeout_s =
      static_cast<uint32_t>(values.Number(Opt::kStatementTimeout, options.answer_timeout_s));
  return options;
}

Result<verify::VerifyOptions> MakeVerifyOptions(const OptionValues& values, Secret vault_token,
                                                uint32_t core_count, uint64_t random_seed) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kVerify));
  verify::VerifyOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.incremental_dirs = values.Texts(Opt::kIncrementalDir);
  options.is_fast = values.Flag(Opt::kFast);
  if (values.Find(Opt::kSample) != nullptr) {
    HBK_ASSIGN_OR_RETURN(options.sample_share, ParseShare(values.Text(Opt::kSample)));
  }
  options.seed = values.Number(Opt::kSeed, random_seed);
  if (values.Find(Opt::kBudget) != nullptr) {
    HBK_ASSIGN_OR_RETURN(options.budget_s, ParseBudget(values.Text(Opt::kBudget)));
  }
  if (options.budget_s != 0 && options.sample_share < 1) {
    return UsageError("--sample and --budget together: a share is read at once")
        .WithHint("give one of them");
  }
  options.parallel = ChosenThreads(values, core_count);
  options.findings_per_file_max =
      values.Text(Opt::kOutput) == "json" ? kFindingsInJson : kFindingsInText;
  options.keys.user = MakeKeyOptions(values, /*is_of_server=*/false);
  options.keys.server = MakeKeyOptions(values, /*is_of_server=*/true);
  if (options.keys.user.vault_token.empty() && options.keys.user.vault_token_file.empty())
    options.keys.user.vault_token = std::move(vault_token);
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

seal::SealingKeyOptions MakeSealingKeyOptions(const OptionValues& values, Secret passphrase) {
  seal::SealingKeyOptions options;
  options.key_files = values.Texts(Opt::kEncryptKeyFile);
  options.passphrase_files = values.Texts(Opt::kEncryptPassphraseFile);
  options.key = values.SecretOf(Opt::kEncryptKey);
  options.passphrase =
      passphrase.empty() ? values.SecretOf(Opt::kEncryptPassphrase) : std::move(passphrase);
  options.command = values.SecretOf(Opt::kEncryptKeyCommand);
  options.command_timeout_s = static_cast<uint32_t>(
      values.Number(Opt::kEncryptKeyCommandTimeout, options.command_timeout_s));
  return options;
}

Status CheckKeyAction(const OptionValues& values, seal::KeySlotAction action) {
  const auto is_said = [&values](Opt id) {
    const Setting* setting = values.Find(id);
    return setting != nullptr && setting->rank == SettingRank::kCommandLine;
  };
  const bool is_add = action == seal::KeySlotAction::kAdd;
  const bool is_remove = action == seal::KeySlotAction::kRemove;
  for (const Opt id : {Opt::kNewKeyFile, Opt::kNewPassphrase, Opt::kNewPassphraseFile, Opt::kNewKey,
                       Opt::kNewKeyCommand, Opt::kLabel}) {
    if (is_add || !is_said(id)) continue;
    return UsageError(fmt::format("--{} is for hbk key add", SpecOf(id).name))
        .WithHint("keys that open the backup are given as --encrypt-key-file and such");
  }
  if (is_said(Opt::kSlot) && !is_remove) return UsageError("--slot is for hbk key remove");
  if (is_remove && values.Find(Opt::kSlot) == nullptr) {
    return UsageError("hbk key remove needs --slot=N")
        .WithHint("hbk key list --target-dir=DIR shows the slots");
  }
  return OkStatus();
}

Result<seal::KeySlotOptions> MakeKeySlotOptions(const OptionValues& values,
                                                seal::KeySlotAction action, Secret passphrase,
                                                Secret new_passphrase) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kKey));
  HBK_RETURN_IF_ERROR(CheckKeyAction(values, action));
  seal::KeySlotOptions options;
  options.target_dir = values.Text(Opt::kTargetDir);
  options.action = action;
  options.keys = MakeSealingKeyOptions(values, std::move(passphrase));
  options.slot_id = static_cast<uint32_t>(values.Number(Opt::kSlot, 0));
  if (action != seal::KeySlotAction::kAdd) return options;
  options.label = values.Text(Opt::kLabel);
  options.new_keys.key_files = values.Texts(Opt::kNewKeyFile);
  options.new_keys.passphrase_files = values.Texts(Opt::kNewPassphraseFile);
  options.new_keys.key = values.SecretOf(Opt::kNewKey);
  options.new_keys.passphrase =
      new_passphrase.empty() ? values.SecretOf(Opt::kNewPassphrase) : std::move(new_passphrase);
  options.new_keys.command = values.SecretOf(Opt::kNewKeyCommand);
  options.new_keys.command_timeout_s = options.keys.command_timeout_s;
  return options;
}

Result<extract::ExtractOptions> MakeExtractOptions(const OptionValues& values,
                                                   uint32_t core_count) {
  HBK_RETURN_IF_ERROR(CheckNeeded(values, Command::kExtract));
  // An empty variable of a script would else wait for stdin.
  if (values.Find(Opt::kInput) != nullptr)
    HBK_RETURN_IF_ERROR(NeedText(values, Opt::kInput, Command::kExtract));
  extract::ExtractOptions options;
  options.directory = values.Text(Opt::kDirectory);
  options.parallel = ChosenThreads(values, core_count);
  return options;
}

std::optional<stream::StreamFormat> ChosenStream(const OptionValues& values) {
  const std::string text = values.Text(Opt::kStream);
  if (text.empty()) return std::nullopt;
  // xbstream is mariadb-backup's old name of the same.
  return text == "hbk" ? stream::StreamFormat::kHbk : stream::StreamFormat::kMbstream;
}

Status ApplyPriority(const OptionValues& values) {
  std::optional<int> nice;
  if (values.Find(Opt::kNice) != nullptr) nice = static_cast<int>(values.Number(Opt::kNice, 0));
  std::optional<IoPriority> io;
  if (values.Find(Opt::kIonice) != nullptr) {
    HBK_ASSIGN_OR_RETURN(io, ParseIoPriority(values.Text(Opt::kIonice)));
  }
  return SetProcessPriority(nice, io);
}

report::ReporterOptions MakeReporterOptions(const OptionValues& values) {
  report::ReporterOptions options;
  options.format = values.Text(Opt::kOutput) == "json" ? report::OutputFormat::kJson
                                                       : report::OutputFormat::kText;
  options.quiet = values.Flag(Opt::kQuiet);
  options.verbose = values.Flag(Opt::kVerbose);
  options.stdout_is_data = ChosenStream(values).has_value();
  return options;
}

Result<OutletOptions> MakeOutletOptions(const OptionValues& values, Command command) {
  OutletOptions options;
  options.command = CommandName(command);
  options.reporter = MakeReporterOptions(values);
  // It reads archives, and writes none.
  if (command == Command::kVerify) options.reporter.stdout_is_data = false;
  options.metrics_file = values.Text(Opt::kMetricsFile);
  options.on_failure = values.SecretOf(Opt::kOnFailure);
  options.target_dir =
      values.Text(command == Command::kExtract ? Opt::kDirectory : Opt::kTargetDir);
  options.recorded_options = fmt::format("{}", fmt::join(values.Recorded(command), " "));
  options.log_file = values.Text(Opt::kLogFile);
  if (values.Text(Opt::kLogFormat) == "json") options.log_format = report::OutputFormat::kJson;
  const Setting* format = values.Find(Opt::kLogFormat);
  // In an option file it may stand for whoever gives the file.
  if (options.log_file.empty() && format != nullptr && format->rank == SettingRank::kCommandLine)
    return UsageError("--log-format goes with --log-file");
  return options;
}

// Others may read a backup; who writes to it, or leaves it unread by its owner, breaks it.
Result<std::optional<uint32_t>> ChosenBackupMode(const OptionValues& values) {
  const std::string text = values.Text(Opt::kBackupMode);
  if (text.empty()) return std::optional<uint32_t>();
  uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || (mode & 0600U) != 0600U || (mode & ~0644U) != 0) {
    return UsageError(fmt::format("--backup-mode={}: not a mode that a backup can have", text))
        .WithHint("0600, 0640 or 0644: its owner reads and writes, others at most read");
  }
  return std::optional<uint32_t>(mode);
}

uint32_t ChosenThreads(const OptionValues& values, uint32_t core_count) {
  const uint32_t by_cores = std::clamp<uint32_t>(core_count, 1, kDefaultThreadsMax);
  return static_cast<uint32_t>(values.Number(Opt::kParallel, by_cores));
}

}  // namespace hbk::cli

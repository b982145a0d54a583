#include "program.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "hbk/backup/backup_runner.h"
#include "hbk/drill/drill_runner.h"
#include "hbk/extract/extract_runner.h"
#include "hbk/info/backup_description.h"
#include "hbk/info/description_renderings.h"
#include "hbk/info/stored_files.h"
#include "hbk/io/byte_stream.h"
#include "hbk/io/creation_modes.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/prepare/prepare_runner.h"
#include "hbk/prepare/unpack_runner.h"
#include "hbk/report/reporter.h"
#include "hbk/restore/restore_runner.h"
#include "hbk/seal/key_slot_runner.h"
#include "hbk/stream/stream_file_system.h"
#include "hbk/verify/verify_runner.h"

#include "command_line.h"
#include "exit_code.h"
#include "help_text.h"
#include "key_slot_table.h"
#include "option_file_set.h"
#include "option_values.h"
#include "password_prompt.h"
#include "run_options.h"
#include "run_outlets.h"
#include "signal_watcher.h"
#include "wipe.h"

namespace hbk::cli {
namespace {

// What messages call the directory that is an archive.
constexpr std::string_view kStreamRoot = "/dev/stdout";

// Everything that was said to the program, by whatever way.
struct Given {
  CommandLine command_line;
  OptionValues values;
  OptionFileSet files;
};

const char* LookUp(const std::string& name) {
  return std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before the first thread
}

// A core file would hold passwords and keys. The limit is for files only: where the system gives
// cores to a program (core_pattern with a pipe), it is asked whether the process may be dumped; and
// so is who wants to attach a debugger.
Status ForbidCoreFiles() {
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return ErrnoStatus(errno, "forbidding core files");
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return ErrnoStatus(errno, "forbidding core dumps");
  return OkStatus();
}

// Text on stdout is what was asked for; a full disk there is a failure.
int Print(const std::string& text) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return is_written && std::fflush(stdout) == 0 ? 0 : ExitCodeFor(StatusCode::kFailed, 0, 0);
}

// For a command line that could not be read to its end.
bool AsksForJson(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--output=json") return true;
    if (words[i] == "--output" && i + 1 < words.size() && words[i + 1] == "json") return true;
  }
  return false;
}

// In the form that --output asks for, as far as it is known.
int FinishEarly(const OptionValues& values, const Status& status, bool is_json = false) {
  report::ReporterOptions options = MakeReporterOptions(values);
  if (is_json) options.format = report::OutputFormat::kJson;
  const auto reporter = report::MakeReporter(options);
  reporter->Finish(status, {});
  return ExitCodeFor(status.code(), 0, 0);
}

Status ReadOptions(Given& given) {
  const CommandLine& line = given.command_line;
  HBK_RETURN_IF_ERROR(ApplyEnvironment(LookUp, *line.command, given.values));
  HBK_ASSIGN_OR_RETURN(given.files, LoadOptionFiles(io::PosixFileSystem(), line.defaults, LookUp));
  Status applied = ApplyOptionFiles(given.files, GroupSuffix(line.defaults, LookUp), *line.command,
                                    given.values);
  WipePasswords(given.files);
  return applied;
}

std::string DefaultsText(const OptionValues& values, Command command) {
  std::string text = fmt::format("# set for hbk {}, and where\n", CommandName(command));
  for (const OptionSpec& spec : OptionTable()) {
    const Setting* setting = values.Find(spec.id);
    if (setting == nullptr || !spec.AppliesTo(command)) continue;
    for (const std::string& item : setting->texts)
      text += fmt::format("--{}={}    # {}\n", spec.name, item, setting->origin);
    if (spec.kind == ValueKind::kTextList) continue;
    const bool is_secret = IsSecret(spec.kind);
    text += fmt::format("--{}={}    # {}\n", spec.name, is_secret ? "..." : setting->text,
                        setting->origin);
  }
  return text;
}

// From the options, else the terminal, else MYSQL_PWD.
Result<Secret> FindPassword(const OptionValues& values) {
  const Setting* setting = values.Find(Opt::kPassword);
  if (setting != nullptr && setting->asks_password) {
    return AskPassword("Enter password: ", "HBK_PASSWORD");
  }
  if (setting != nullptr) return setting->secret;
  const char* from_environment = LookUp("MYSQL_PWD");
  return Secret(from_environment == nullptr ? "" : from_environment);
}

// What was typed for an option; empty if it has a value or is not set.
Result<Secret> FindTyped(const OptionValues& values, Opt id, std::string_view prompt) {
  const Setting* setting = values.Find(id);
  if (setting == nullptr || !setting->asks_password) return Secret();
  return AskPassword(prompt, EnvironmentName(SpecOf(id)));
}

Result<Secret> FindNewPassphrase(const OptionValues& values, Opt id) {
  HBK_ASSIGN_OR_RETURN(Secret typed, FindTyped(values, id, "Enter the new passphrase: "));
  if (typed.empty()) return typed;
  HBK_ASSIGN_OR_RETURN(const Secret again, FindTyped(values, id, "Enter it again: "));
  // Nobody sees what he types; and nobody could open the slot.
  if (typed.Reveal() != again.Reveal()) return UsageError("the two passphrases differ");
  return typed;
}

// What a command needs beyond its options.
struct Secrets {
  Secret main;      // the password for the server, or the token for a Vault
  Secret password;  // for the server that a drill compares with
  Secret passphrase;
  Secret new_passphrase;
};

Result<Secrets> FindSecrets(const OptionValues& values, Command command) {
  Secrets secrets;
  if (command == Command::kBackup) {
    HBK_ASSIGN_OR_RETURN(secrets.main, FindPassword(values));
  }
  if (command == Command::kDrill && values.Find(Opt::kCompareWith) != nullptr) {
    HBK_ASSIGN_OR_RETURN(secrets.password, FindPassword(values));
  }
  if (command == Command::kPrepare || command == Command::kVerify || command == Command::kDrill) {
    const char* token = LookUp("VAULT_TOKEN");
    secrets.main = Secret(token == nullptr ? "" : token);
  }
  if (command == Command::kBackup && values.Find(Opt::kEncrypt) != nullptr) {
    HBK_ASSIGN_OR_RETURN(secrets.passphrase, FindNewPassphrase(values, Opt::kEncryptPassphrase));
  } else if (SpecOf(Opt::kEncryptPassphrase).AppliesTo(command)) {
    HBK_ASSIGN_OR_RETURN(secrets.passphrase, FindTyped(values, Opt::kEncryptPassphrase,
                                                       "Enter the passphrase of the backup: "));
  }
  if (command == Command::kKey) {
    HBK_ASSIGN_OR_RETURN(secrets.new_passphrase, FindNewPassphrase(values, Opt::kNewPassphrase));
  }
  return secrets;
}

void WipeSecretsInEnvironment(const OptionValues& values) {
  for (const OptionSpec& spec : OptionTable()) {
    if (IsSecret(spec.kind)) WipeEnvironment(EnvironmentName(spec).c_str());
  }
  WipeEnvironment("MYSQL_PWD");
  // A key command may ask the Vault itself.
  if (values.Find(Opt::kKeyCommand) == nullptr) WipeEnvironment("VAULT_TOKEN");
}

void ReportOptionFiles(const Given& given, report::Reporter& reporter) {
  for (const std::string& warning : given.files.warnings)
    reporter.Warning(warning);
  for (const std::string& remark : given.files.remarks)
    reporter.Info(remark);
}

void ReportOptions(const Given& given, uint32_t thread_count, report::Reporter& reporter) {
  ReportOptionFiles(given, reporter);
  const bool is_said = given.values.Find(Opt::kParallel) != nullptr;
  reporter.Info(fmt::format("working with {} thread{}{}", thread_count,
                            thread_count == 1 ? "" : "s", is_said ? "" : ", from the cores"));
}

void ReportSealingKeys(const seal::SealingKeyOptions& options, report::Reporter& reporter) {
  for (const std::string& warning : seal::SealingKeyWarnings(options, io::PosixFileSystem()))
    reporter.Warning(warning);
}

report::Fact NumberFact(std::string name, uint64_t number) {
  return {std::move(name), std::to_string(number)};
}

Result<report::Facts> Backup(const backup::BackupOptions& options, io::FileSystem& fs,
                             RunOutlets& outlets, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const backup::BackupSummary summary,
                       backup::RunBackup(options, fs, outlets.reporter(), std::move(stop)));
  outlets.figures().backup = summary;
  return report::Facts{NumberFact("file_count", summary.file_count),
                       NumberFact("bytes", summary.bytes),
                       NumberFact("last_lsn", summary.last_lsn)};
}

Result<report::Facts> Extract(const extract::ExtractOptions& options, io::FileSystem& fs,
                              const std::string& input, report::Reporter& reporter,
                              const std::stop_token& stop) {
  auto source = input.empty() ? io::OpenStdin(stop) : io::OpenSource(input, stop);
  if (!source.ok()) {
    return source.status().WithHint(
        "hbk extract --directory=DIR < FILE, or --input=FILE, or behind a pipe");
  }
  HBK_ASSIGN_OR_RETURN(const extract::ExtractSummary summary,
                       extract::RunExtract(options, std::move(*source), fs, reporter, stop));
  return report::Facts{{"format", std::string(stream::StreamFormatName(summary.format))},
                       NumberFact("file_count", summary.file_count),
                       NumberFact("bytes", summary.bytes)};
}

Result<report::Facts> BackupIntoDirectory(const backup::BackupOptions& options, io::FileSystem& fs,
                                          RunOutlets& outlets, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(report::Facts facts, Backup(options, fs, outlets, std::move(stop)));
  if (!outlets.has_metrics()) return facts;
  // The backup is complete: no figure is worth more than that.
  const auto stored = info::ListStoredFiles(io::PosixFileSystem(), options.target_dir);
  if (stored.ok()) outlets.figures().stored_bytes = stored->bytes;
  return facts;
}

Result<report::Facts> StreamBackup(backup::BackupOptions options, stream::StreamFormat format,
                                   RunOutlets& outlets, std::stop_token stop) {
  options.target_dir = kStreamRoot;
  options.is_streamed = true;
  HBK_ASSIGN_OR_RETURN(
      const auto archive,
      stream::OpenStreamToStdout(
          io::PosixFileSystem(), format,
          {.root = options.target_dir, .unsent = {std::string(manifest::kIncompleteMarkerName)}},
          stop));
  HBK_ASSIGN_OR_RETURN(report::Facts facts, Backup(options, *archive, outlets, std::move(stop)));
  // Without its end nobody takes it for a backup.
  HBK_RETURN_IF_ERROR(archive->Finish());
  return facts;
}

Result<report::Facts> Prepare(const prepare::PrepareOptions& options, io::FileSystem& fs,
                              report::Reporter& reporter, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const prepare::PrepareSummary summary,
                       prepare::RunPrepare(options, fs, reporter, std::move(stop)));
  if (summary.was_prepared_already) return report::Facts{{"was_prepared_already", "yes"}};
  return report::Facts{NumberFact("start_lsn", summary.start_lsn),
                       NumberFact("end_lsn", summary.end_lsn),
                       NumberFact("mtr_count", summary.mtr_count),
                       NumberFact("page_count", summary.page_count),
                       NumberFact("redo_bytes", summary.redo_bytes),
                       NumberFact("increment_page_count", summary.increment_page_count)};
}

Result<report::Facts> Unpack(const prepare::UnpackOptions& options, io::FileSystem& fs,
                             report::Reporter& reporter, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const prepare::UnpackSummary summary,
                       prepare::RunUnpack(options, fs, reporter, std::move(stop)));
  if (summary.was_plain_already) return report::Facts{{"was_plain_already", "yes"}};
  return report::Facts{NumberFact("file_count", summary.file_count),
                       NumberFact("stored_bytes", summary.stored_bytes),
                       NumberFact("bytes", summary.bytes)};
}

report::Facts VerifyFacts(const verify::VerifySummary& summary) {
  return {NumberFact("file_count", summary.file_count),
          NumberFact("bytes", summary.bytes),
          NumberFact("page_count", summary.page_count),
          {"is_complete", summary.is_complete ? "yes" : "no"}};
}

Result<report::Facts> Verify(const verify::VerifyOptions& options, report::Reporter& reporter,
                             std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(
      const verify::VerifySummary summary,
      verify::RunVerify(options, io::PosixFileSystem(), reporter, std::move(stop)));
  HBK_RETURN_IF_ERROR(verify::VerdictOf(summary, options.target_dir));
  return VerifyFacts(summary);
}

Result<report::Facts> VerifyStream(const std::string& input, report::Reporter& reporter,
                                   const std::stop_token& stop) {
  auto source = input.empty() ? io::OpenStdin(stop) : io::OpenSource(input, stop);
  if (!source.ok()) {
    return source.status().WithHint(
        "hbk verify --stream=hbk < FILE, or --input=FILE, or behind a pipe");
  }
  HBK_ASSIGN_OR_RETURN(const verify::VerifySummary summary,
                       verify::RunVerifyStream(std::move(*source), reporter, stop));
  HBK_RETURN_IF_ERROR(verify::VerdictOf(summary, input.empty() ? "stdin" : input));
  return VerifyFacts(summary);
}

Result<report::Facts> Restore(const restore::RestoreOptions& options, report::Reporter& reporter,
                              std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(
      const restore::RestoreSummary summary,
      restore::RunRestore(options, io::PosixFileSystem(), reporter, std::move(stop)));
  return report::Facts{NumberFact("file_count", summary.file_count),
                       NumberFact("bytes", summary.bytes)};
}

Result<report::Facts> Drill(const drill::DrillOptions& options, report::Reporter& reporter,
                            std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const drill::DrillSummary summary,
                       drill::RunDrill(options, io::PosixFileSystem(), reporter, std::move(stop)));
  return report::Facts{NumberFact("table_count", summary.table_count),
                       NumberFact("checked_count", summary.checked_count),
                       NumberFact("compared_count", summary.compared_count),
                       {"restore_s", fmt::format("{:.3f}", summary.restore_seconds)},
                       {"server_version", summary.server_version}};
}

Result<report::Facts> ChangeKeys(const seal::KeySlotOptions& options, report::OutputFormat format,
                                 report::Reporter& reporter, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(
      const seal::KeySlotSummary summary,
      seal::RunKeySlots(options, io::PosixFileSystem(), reporter, std::move(stop)));
  if (options.action == seal::KeySlotAction::kList) {
    if (format == report::OutputFormat::kJson) {
      for (const seal::KeySlot& slot : summary.slots)
        reporter.Info("key slot", SlotFacts(slot));
    } else if (Print(SlotTable(summary.slots)) != 0) {
      return FailedError("the list cannot be written");
    }
    if (!summary.is_checked) {
      reporter.Info("not checked: give a key, to see that nobody without one has changed the list");
    }
  }
  return report::Facts{NumberFact("slot_count", summary.slots.size()),
                       {"is_checked", summary.is_checked ? "yes" : "no"}};
}

// The worst of what was found, by its exit code; the others are in the list.
Status WorstStatus(const std::vector<info::BackupDescription>& backups) {
  Status worst;
  uint64_t count = 0;
  for (const info::BackupDescription& backup : backups) {
    if (backup.status.ok()) continue;
    ++count;
    if (ExitCodeFor(backup.status.code(), 0, 0) > ExitCodeFor(worst.code(), 0, 0))
      worst = backup.status;
  }
  return count < 2 ? worst
                   : worst.WithContext(fmt::format("{} of {} directories have errors, the worst",
                                                   count, backups.size()));
}

Result<report::Facts> Info(const std::vector<std::string>& directories,
                           const seal::SealingKeyOptions& keys, report::OutputFormat format,
                           const std::stop_token& stop) {
  manifest::SealingKeyRing ring(keys, io::PosixFileSystem(), stop);
  std::vector<info::BackupDescription> backups;
  for (const std::string& directory : directories) {
    if (stop.stop_requested()) return InterruptedError();
    backups.push_back(
        info::DescribeBackup(io::PosixFileSystem(), directory, ring, keys.HasSource()));
  }
  const std::string text = format == report::OutputFormat::kJson ? info::DescriptionJson(backups)
                                                                 : info::DescriptionText(backups);
  if (Print(text) != 0) return FailedError("the list cannot be written");
  HBK_RETURN_IF_ERROR(WorstStatus(backups));
  return report::Facts{NumberFact("backup_count", backups.size())};
}

Result<report::Facts> RunCommand(const Given& given, uint32_t core_count, Secrets secrets,
                                 RunOutlets& outlets, std::stop_token stop) {
  report::Reporter& reporter = outlets.reporter();
  const OptionValues& values = given.values;
  const Command command = *given.command_line.command;
  HBK_ASSIGN_OR_RETURN(const std::optional<uint32_t> mode, ChosenBackupMode(values));
  std::optional<io::CreationModes> with_modes;
  if (mode) {
    with_modes.emplace(io::PosixFileSystem(), *mode);
    umask(0777 & ~io::DirectoryModeFor(*mode));
  }
  io::FileSystem& fs = mode ? static_cast<io::FileSystem&>(*with_modes) : io::PosixFileSystem();
  switch (command) {
    case Command::kExtract: {
      HBK_ASSIGN_OR_RETURN(const extract::ExtractOptions options,
                           MakeExtractOptions(values, core_count));
      ReportOptions(given, options.parallel, reporter);
      return Extract(options, fs, values.Text(Opt::kInput), reporter, stop);
    }
    case Command::kBackup: {
      HBK_ASSIGN_OR_RETURN(backup::BackupOptions options,
                           MakeBackupOptions(values, std::move(secrets.main), core_count));
      options.sealing_keys = MakeSealingKeyOptions(values, std::move(secrets.passphrase));
      ReportSealingKeys(options.sealing_keys, reporter);
      ReportOptions(given, options.parallel, reporter);
      const auto format = ChosenStream(values);
      // In an option file it may stand for backups that go into a directory.
      const Setting* mode_setting = values.Find(Opt::kBackupMode);
      if (format && mode && mode_setting->rank == SettingRank::kCommandLine) {
        return UsageError("--backup-mode is for a backup in a directory, and this one is a stream")
            .WithHint("give it to hbk extract");
      }
      if (format) return StreamBackup(options, *format, outlets, std::move(stop));
      return BackupIntoDirectory(options, fs, outlets, std::move(stop));
    }
    case Command::kPrepare: {
      HBK_ASSIGN_OR_RETURN(prepare::PrepareOptions options,
                           MakePrepareOptions(values, std::move(secrets.main), core_count));
      options.sealing_keys = MakeSealingKeyOptions(values, std::move(secrets.passphrase));
      ReportSealingKeys(options.sealing_keys, reporter);
      ReportOptions(given, options.parallel, reporter);
      return Prepare(options, fs, reporter, std::move(stop));
    }
    case Command::kVerify: {
      if (VerifiesStream(values)) {
        ReportOptionFiles(given, reporter);
        return VerifyStream(values.Text(Opt::kInput), reporter, stop);
      }
      HBK_ASSIGN_OR_RETURN(
          verify::VerifyOptions options,
          MakeVerifyOptions(values, std::move(secrets.main), core_count, std::random_device()()));
      options.sealing_keys = MakeSealingKeyOptions(values, std::move(secrets.passphrase));
      ReportSealingKeys(options.sealing_keys, reporter);
      ReportOptions(given, options.parallel, reporter);
      return Verify(options, reporter, std::move(stop));
    }
    case Command::kDrill: {
      const char* search_path = LookUp("PATH");
      HBK_ASSIGN_OR_RETURN(
          drill::DrillOptions options,
          MakeDrillOptions(values, std::move(secrets.main), std::move(secrets.password),
                           search_path == nullptr ? "" : search_path, core_count));
      options.sealing_keys = MakeSealingKeyOptions(values, std::move(secrets.passphrase));
      ReportSealingKeys(options.sealing_keys, reporter);
      ReportOptions(given, options.parallel, reporter);
      return Drill(options, reporter, std::move(stop));
    }
    case Command::kDecompress:
    case Command::kDecrypt: {
      HBK_ASSIGN_OR_RETURN(
          const prepare::UnpackOptions options,
          MakeUnpackOptions(values, command, std::move(secrets.passphrase), core_count));
      ReportSealingKeys(options.sealing_keys, reporter);
      ReportOptions(given, options.parallel, reporter);
      return Unpack(options, fs, reporter, std::move(stop));
    }
    case Command::kCopyBack:
    case Command::kMoveBack: {
      HBK_ASSIGN_OR_RETURN(const restore::RestoreOptions options,
                           MakeRestoreOptions(values, command, core_count));
      ReportOptions(given, options.parallel, reporter);
      return Restore(options, reporter, std::move(stop));
    }
    case Command::kKey: {
      HBK_ASSIGN_OR_RETURN(
          const seal::KeySlotOptions options,
          MakeKeySlotOptions(values, *given.command_line.key_action, std::move(secrets.passphrase),
                             std::move(secrets.new_passphrase)));
      ReportOptionFiles(given, reporter);
      return ChangeKeys(options, MakeReporterOptions(values).format, reporter, std::move(stop));
    }
    case Command::kInfo: {
      const seal::SealingKeyOptions keys =
          MakeSealingKeyOptions(values, std::move(secrets.passphrase));
      ReportSealingKeys(keys, reporter);
      ReportOptionFiles(given, reporter);
      return Info(given.command_line.directories, keys, MakeReporterOptions(values).format, stop);
    }
  }
  return FailedError("no such command");
}

// What fails here is said by all outlets.
Result<report::Facts> RunWatched(const Given& given, RunOutlets& outlets, std::stop_source& stop,
                                 SignalWatcher& signals) {
  HBK_RETURN_IF_ERROR(outlets.Open());
  const Command command = *given.command_line.command;
  // Nobody wants to type a password and then read that an option is missing.
  HBK_RETURN_IF_ERROR(CheckNeeded(given.values, command));
  if (given.command_line.key_action)
    HBK_RETURN_IF_ERROR(CheckKeyAction(given.values, *given.command_line.key_action));
  HBK_ASSIGN_OR_RETURN(Secrets secrets, FindSecrets(given.values, command));
  WipeSecretsInEnvironment(given.values);
  HBK_RETURN_IF_ERROR(ApplyPriority(given.values));
  HBK_RETURN_IF_ERROR(signals.Start());
  const uint32_t core_count = std::max(1U, std::thread::hardware_concurrency());
  return RunCommand(given, core_count, std::move(secrets), outlets, stop.get_token());
}

int RunGiven(const Given& given) {
  auto options = MakeOutletOptions(given.values, *given.command_line.command);
  if (!options.ok()) return FinishEarly(given.values, options.status());
  if (!given.command_line.directories.empty())
    options->target_dir = given.command_line.directories.front();
  RunOutlets outlets(std::move(*options));
  std::stop_source stop;
  SignalWatcher signals(stop);  // also while the outlets finish: a second signal ends them
  const Result<report::Facts> facts = RunWatched(given, outlets, stop, signals);
  // The command for failures inherits the environment, and there may have been no time for it.
  WipeSecretsInEnvironment(given.values);
  return outlets.Finish(facts.status(), facts.ok() ? *facts : report::Facts{},
                        signals.signal_number());
}

}  // namespace

int RunProgram(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  WipePasswordArguments(argc, argv);
  // A parent may have left it ignored: then nobody would learn how a key command ended.
  std::signal(SIGCHLD, SIG_DFL);
  umask(S_IRWXG | S_IRWXO);  // a backup holds all data: restore sets its modes itself

  Given given;
  const Status core_files = ForbidCoreFiles();
  if (!core_files.ok()) return FinishEarly(given.values, core_files);
  Result<CommandLine> line = ParseCommandLine(words, given.values);
  const bool is_json = AsksForJson(words);
  for (std::string& word : words)
    WipeText(word);
  if (!line.ok()) return FinishEarly(given.values, line.status(), is_json);
  given.command_line = std::move(*line);
  if (given.command_line.action == CommandLine::Action::kVersion) return Print(VersionText());
  if (given.command_line.action == CommandLine::Action::kHelp) {
    return Print(HelpText(given.command_line.command));
  }
  const Status read = ReadOptions(given);
  if (!read.ok()) return FinishEarly(given.values, read);
  if (given.command_line.defaults.print_defaults) {
    return Print(DefaultsText(given.values, *given.command_line.command));
  }
  return RunGiven(given);
}

}  // namespace hbk::cli

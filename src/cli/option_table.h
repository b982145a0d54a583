// Every option of hbk, once: command line, environment, option files and --help read this table.
//
// Threads  Constant data.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hbk::cli {

enum class Command : uint8_t {
  kBackup,
  kExtract,
  kPrepare,
  kVerify,
  kCopyBack,
  kMoveBack,
  kDecompress,
  kDecrypt,
  kKey,
  kInfo,
  kDrill
};
inline constexpr std::array kCommands = {
    Command::kBackup,  Command::kExtract,  Command::kPrepare,  Command::kVerify,
    Command::kDrill,   Command::kCopyBack, Command::kMoveBack, Command::kDecompress,
    Command::kDecrypt, Command::kKey,      Command::kInfo};
std::string_view CommandName(Command command);  // "copy-back"
// nullptr: no such command.
const Command* FindCommand(std::string_view name);

enum class Opt : uint8_t {
  kTargetDir,
  kStream,
  kDirectory,
  kInput,
  kUser,
  kPassword,
  kHost,
  kPort,
  kSocket,
  kProtocol,
  kSsl,
  kSslCa,
  kSslCapath,
  kSslCert,
  kSslCipher,
  kSslKey,
  kSslCrl,
  kSslCrlpath,
  kTlsVersion,
  kSslVerifyServerCert,
  kDatadir,
  kInnodbDataHomeDir,
  kInnodbDataFilePath,
  kInnodbUndoDirectory,
  kInnodbLogGroupHomeDir,
  kAriaLogDirPath,
  kRocksdbDatadir,
  kRocksdbWalDir,
  kKeyFile,
  kKeyFileSecret,
  kKeyFileAlgorithm,
  kKeyFileDigest,
  kKeyFilePbkdf2,
  kKeyCommand,
  kKeyCommandTimeout,
  kVaultUrl,
  kVaultToken,
  kVaultTokenFile,
  kVaultCa,
  kVaultTimeout,
  kVaultMaxRetries,
  kVaultAllowHttp,
  kEncryptKeyFile,
  kEncryptPassphrase,
  kEncryptPassphraseFile,
  kEncryptKey,
  kEncryptKeyCommand,
  kEncryptKeyCommandTimeout,
  kNewKeyFile,
  kNewPassphrase,
  kNewPassphraseFile,
  kNewKey,
  kNewKeyCommand,
  kLabel,
  kSlot,
  kCompress,
  kEncrypt,
  kEncryptManifest,
  kParallel,
  kThrottle,
  kRateLimit,
  kNice,
  kIonice,
  kLockWaitTimeout,
  kLockRetryTime,
  kLockWaitThreshold,
  kKillLongQueriesTimeout,
  kKillLongQueryType,
  kLogInnodbPageCorruption,
  kRocksdbBackup,
  kBinlogInfo,
  kSlaveInfo,
  kSafeSlaveBackup,
  kSafeSlaveBackupTimeout,
  kGaleraInfo,
  kIncrementalBasedir,
  kIncrementalLsn,
  kIncrementalHistoryName,
  kIncrementalHistoryUuid,
  kTrustFileTimes,
  kIncrementalForceScan,
  kExtraLsndir,
  kHistory,
  kUseMemory,
  kIncrementalDir,
  kOutputDir,
  kFast,
  kSample,
  kSeed,
  kBudget,
  kOwner,
  kRemap,
  kLocalTablespaces,
  kForceNonEmptyDirectories,
  kBackupMode,
  kLogFile,
  kLogFormat,
  kMetricsFile,
  kOnFailure,
  kRecordChecksums,
  kMariadbd,
  kScratchDir,
  kKeepScratch,
  kCheck,
  kCheckSample,
  kCompareWith,
  kSqlFile,
  kReportJson,
  kReportHtml,
  kServerStartTimeout,
  kStatementTimeout,
  kOutput,
  kQuiet,
  kVerbose,
};
constexpr size_t kOptionCount = static_cast<size_t>(Opt::kVerbose) + 1;

enum class ValueKind : uint8_t {
  kFlag,       // --x, --x=0, --skip-x
  kText,       // --x=TEXT
  kMaybeText,  // --x, --x=TEXT
  kNumber,     // --x=N, with K, M, G, T
  kPassword,   // --x asks, --x=TEXT
  kSecret,     // --x=TEXT, which nobody is shown
  kTextList,   // --x=TEXT, any number of times
};

constexpr bool IsSecret(ValueKind kind) {
  return kind == ValueKind::kPassword || kind == ValueKind::kSecret;
}

// The headings of --help, in this order.
enum class Section : uint8_t {
  kMain,
  kConnection,
  kTls,
  kLayout,
  kKeys,
  kSealing,
  kNewKeys,
  kReplication,
  kIncrements,
  kStorage,
  kSpeed,
  kOutput
};
std::string_view SectionTitle(Section section);

// Which groups of option files may set it, apart from those made for backup tools.
enum class FileRole : uint8_t { kTool, kServer, kClient };

constexpr uint32_t CommandBit(Command command) {
  return 1U << static_cast<uint32_t>(command);
}

struct OptionSpec {
  Opt id = Opt::kTargetDir;
  std::string_view name;  // without dashes in front
  char letter = 0;        // 0: none
  ValueKind kind = ValueKind::kText;
  uint32_t commands = 0;  // CommandBit()s
  Section section = Section::kMain;
  FileRole role = FileRole::kTool;
  std::string_view value_name;    // for --help
  std::string_view default_text;  // for --help; empty: none
  std::string_view help;
  uint64_t number_min = 0;
  uint64_t number_max = 0;
  std::string_view choices;  // "a|b" for a text with few values

  [[nodiscard]] bool AppliesTo(Command command) const {
    return (commands & CommandBit(command)) != 0;
  }
};

// In the order of Opt.
std::span<const OptionSpec> OptionTable();
const OptionSpec& SpecOf(Opt id);

// What a name as written means: `_` is `-`; prefixes loose-, skip-, disable-, enable- are cut.
struct OptionName {
  const OptionSpec* spec = nullptr;  // nullptr: not an option of hbk
  std::string normalized;            // without loose-; with skip- and such where spec is null
  bool is_loose = false;             // unknown names are not an error then
  bool is_negated = false;           // skip- or disable- before a flag
};
OptionName ResolveOptionName(std::string_view written);
const OptionSpec* FindOptionByLetter(char letter);

// The option whose name is nearest to a mistyped one; empty if none is near.
std::string NearestOptionName(std::string_view mistyped);
// "HBK_TARGET_DIR" for "target-dir".
std::string EnvironmentName(const OptionSpec& spec);

}  // namespace hbk::cli

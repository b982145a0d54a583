#include "option_table.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "hbk/base/check.h"

namespace hbk::cli {
namespace {

constexpr uint32_t kInBackup = CommandBit(Command::kBackup);
constexpr uint32_t kInExtract = CommandBit(Command::kExtract);
constexpr uint32_t kInPrepare = CommandBit(Command::kPrepare);
constexpr uint32_t kInVerify = CommandBit(Command::kVerify);
constexpr uint32_t kInRestore = CommandBit(Command::kCopyBack) | CommandBit(Command::kMoveBack);
constexpr uint32_t kInUnpack = CommandBit(Command::kDecompress) | CommandBit(Command::kDecrypt);
constexpr uint32_t kInKey = CommandBit(Command::kKey);
constexpr uint32_t kInInfo = CommandBit(Command::kInfo);
constexpr uint32_t kInDrill = CommandBit(Command::kDrill);
// Commands that apply redo.
constexpr uint32_t kInPreparing = kInPrepare | kInDrill;
// Commands that may log in to a server.
constexpr uint32_t kInSession = kInBackup | kInDrill;
constexpr uint32_t kWithTargetDir =
    kInBackup | kInPreparing | kInVerify | kInRestore | kInUnpack | kInKey;
// Commands that read or write the files of a backup.
constexpr uint32_t kWithFiles =
    kInBackup | kInPreparing | kInVerify | kInRestore | kInUnpack | kInExtract;
constexpr uint32_t kEverywhere = kWithTargetDir | kInExtract | kInInfo;
// Commands that make or open a sealed backup.
constexpr uint32_t kInSealed =
    kInBackup | kInPreparing | kInVerify | CommandBit(Command::kDecrypt) | kInKey | kInInfo;
// Commands that read what the server has encrypted.
constexpr uint32_t kInEncrypted = kInPreparing | kInVerify;

// Not "as many as a uint32_t holds": a thread has its buffers, and a typing error should not cost
// all memory.
constexpr uint64_t kThreadsMax = 256;
// The distance of two names costs the product of their lengths.
constexpr size_t kMistypedLengthMax = 64;
constexpr uint64_t kNiceMax = 19;
constexpr uint64_t kWaitSecondsMax = 31536000;  // a year, as in the server
constexpr uint64_t kUint32Max = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kInt32Max = std::numeric_limits<int32_t>::max();

constexpr OptionSpec TextOption(Opt id, std::string_view name, char letter, uint32_t commands,
                                Section section, FileRole role, std::string_view value_name,
                                std::string_view default_text, std::string_view help) {
  OptionSpec spec;
  spec.id = id;
  spec.name = name;
  spec.letter = letter;
  spec.commands = commands;
  spec.section = section;
  spec.role = role;
  spec.value_name = value_name;
  spec.default_text = default_text;
  spec.help = help;
  return spec;
}

constexpr OptionSpec NumberOption(Opt id, std::string_view name, char letter, uint32_t commands,
                                  Section section, FileRole role, std::string_view value_name,
                                  std::string_view default_text, uint64_t min, uint64_t max,
                                  std::string_view help) {
  OptionSpec spec =
      TextOption(id, name, letter, commands, section, role, value_name, default_text, help);
  spec.kind = ValueKind::kNumber;
  spec.number_min = min;
  spec.number_max = max;
  return spec;
}

constexpr OptionSpec FlagOption(Opt id, std::string_view name, uint32_t commands, Section section,
                                FileRole role, std::string_view default_text,
                                std::string_view help) {
  OptionSpec spec = TextOption(id, name, 0, commands, section, role, "", default_text, help);
  spec.kind = ValueKind::kFlag;
  return spec;
}

constexpr OptionSpec Connect(Opt id, std::string_view name, char letter,
                             std::string_view value_name, std::string_view default_text,
                             std::string_view help) {
  return TextOption(id, name, letter, kInBackup, Section::kConnection, FileRole::kClient,
                    value_name, default_text, help);
}

constexpr OptionSpec Tls(Opt id, std::string_view name, std::string_view value_name,
                         std::string_view help) {
  return TextOption(id, name, 0, kInSession, Section::kTls, FileRole::kClient, value_name, "",
                    help);
}

constexpr OptionSpec LayoutOption(Opt id, std::string_view name, char letter,
                                  std::string_view value_name, std::string_view default_text,
                                  std::string_view help) {
  return TextOption(id, name, letter, kInBackup | kInRestore, Section::kLayout, FileRole::kServer,
                    value_name, default_text, help);
}

constexpr OptionSpec Increment(Opt id, std::string_view name, std::string_view value_name,
                               std::string_view help) {
  return TextOption(id, name, 0, kInBackup, Section::kIncrements, FileRole::kTool, value_name, "",
                    help);
}

constexpr OptionSpec KeyOption(Opt id, std::string_view name, FileRole role,
                               std::string_view value_name, std::string_view default_text,
                               std::string_view help) {
  return TextOption(id, name, 0, kInEncrypted, Section::kKeys, role, value_name, default_text,
                    help);
}

constexpr OptionSpec KeyNumber(Opt id, std::string_view name, FileRole role,
                               std::string_view value_name, std::string_view default_text,
                               uint64_t min, uint64_t max, std::string_view help) {
  return NumberOption(id, name, 0, kInEncrypted, Section::kKeys, role, value_name, default_text,
                      min, max, help);
}

constexpr OptionSpec Sealing(Opt id, std::string_view name, std::string_view value_name,
                             std::string_view default_text, std::string_view help) {
  return TextOption(id, name, 0, kInSealed, Section::kSealing, FileRole::kTool, value_name,
                    default_text, help);
}

constexpr OptionSpec NewKey(Opt id, std::string_view name, std::string_view value_name,
                            std::string_view help) {
  return TextOption(id, name, 0, kInKey, Section::kNewKeys, FileRole::kTool, value_name, "", help);
}

constexpr OptionSpec WithKind(OptionSpec spec, ValueKind kind) {
  spec.kind = kind;
  return spec;
}

constexpr OptionSpec WithChoices(OptionSpec spec, std::string_view choices) {
  spec.choices = choices;
  return spec;
}

constexpr std::array<OptionSpec, kOptionCount> kTable = {{
    TextOption(Opt::kTargetDir, "target-dir", 0, kWithTargetDir, Section::kMain, FileRole::kTool,
               "DIR", "",
               "the backup directory: to be made by backup (absent or empty), taken by the others"),
    WithChoices(
        TextOption(Opt::kStream, "stream", 0, kInBackup | kInVerify, Section::kMain,
                   FileRole::kTool, "FORMAT", "",
                   "an archive instead: hbk, or mbstream, which mbstream -x reads too. backup "
                   "writes it to stdout, verify reads it from stdin"),
        "hbk|mbstream|xbstream"),
    TextOption(Opt::kDirectory, "directory", 0, kInExtract, Section::kMain, FileRole::kTool, "DIR",
               "", "the backup directory to be made (absent or empty)"),
    TextOption(Opt::kInput, "input", 0, kInExtract | kInVerify, Section::kMain, FileRole::kTool,
               "FILE", "stdin", "the archive"),

    TextOption(Opt::kUser, "user", 'u', kInSession, Section::kConnection, FileRole::kClient, "NAME",
               "the user of the operating system", "login name"),
    WithKind(TextOption(Opt::kPassword, "password", 'p', kInSession, Section::kConnection,
                        FileRole::kClient, "TEXT", "",
                        "password; without a value it is asked for on the terminal"),
             ValueKind::kPassword),
    Connect(Opt::kHost, "host", 'H', "NAME", "localhost",
            "host of the server; its files must be on this machine"),
    NumberOption(Opt::kPort, "port", 'P', kInBackup, Section::kConnection, FileRole::kClient, "N",
                 "3306", 0, 65535, "TCP port"),
    Connect(Opt::kSocket, "socket", 'S', "FILE", "the client library's", "socket file"),
    WithChoices(Connect(Opt::kProtocol, "protocol", 0, "NAME", "",
                        "tcp or socket, where host and port do not say it"),
                "tcp|socket"),

    FlagOption(Opt::kSsl, "ssl", kInSession, Section::kTls, FileRole::kClient,
               "over TCP, if the server offers it", "insist on TLS; --skip-ssl: never use it"),
    Tls(Opt::kSslCa, "ssl-ca", "FILE", "certificates of trusted authorities"),
    Tls(Opt::kSslCapath, "ssl-capath", "DIR", "directory of such certificates"),
    Tls(Opt::kSslCert, "ssl-cert", "FILE", "own certificate"),
    Tls(Opt::kSslCipher, "ssl-cipher", "LIST", "permitted ciphers"),
    Tls(Opt::kSslKey, "ssl-key", "FILE", "own private key"),
    Tls(Opt::kSslCrl, "ssl-crl", "FILE", "revoked certificates"),
    Tls(Opt::kSslCrlpath, "ssl-crlpath", "DIR", "directory of such lists"),
    Tls(Opt::kTlsVersion, "tls-version", "LIST", "permitted versions, as TLSv1.2,TLSv1.3"),
    FlagOption(Opt::kSslVerifyServerCert, "ssl-verify-server-cert", kInSession, Section::kTls,
               FileRole::kClient, "off", "the server's certificate must be valid for --host"),

    LayoutOption(Opt::kDatadir, "datadir", 'h', "DIR", "",
                 "data directory; backup compares it with what the server says"),
    LayoutOption(Opt::kInnodbDataHomeDir, "innodb-data-home-dir", 0, "DIR", "datadir",
                 "directory of the system tablespace"),
    LayoutOption(Opt::kInnodbDataFilePath, "innodb-data-file-path", 0, "LIST",
                 "ibdata1:12M:autoextend", "files of the system tablespace"),
    LayoutOption(Opt::kInnodbUndoDirectory, "innodb-undo-directory", 0, "DIR", "datadir",
                 "directory of undo tablespaces"),
    LayoutOption(Opt::kInnodbLogGroupHomeDir, "innodb-log-group-home-dir", 0, "DIR", "datadir",
                 "directory of ib_logfile0"),
    LayoutOption(Opt::kAriaLogDirPath, "aria-log-dir-path", 0, "DIR", "datadir",
                 "directory of the Aria log"),
    LayoutOption(Opt::kRocksdbDatadir, "rocksdb-datadir", 0, "DIR", "#rocksdb in datadir",
                 "directory of MyRocks"),
    LayoutOption(Opt::kRocksdbWalDir, "rocksdb-wal-dir", 0, "DIR", "rocksdb-datadir",
                 "directory of the log of MyRocks"),

    KeyOption(Opt::kKeyFile, "file-key-management-filename", FileRole::kServer, "FILE",
              "what the backup recorded", "key file of the server"),
    WithKind(
        KeyOption(Opt::kKeyFileSecret, "file-key-management-filekey", FileRole::kServer, "TEXT", "",
                  "secret of an encrypted key file, or FILE:PATH of a file with it"),
        ValueKind::kSecret),
    WithChoices(KeyOption(Opt::kKeyFileAlgorithm, "file-key-management-encryption-algorithm",
                          FileRole::kServer, "NAME", "what the backup recorded, or aes_cbc",
                          "cipher of pages and redo, aes_cbc or aes_ctr"),
                "aes_cbc|aes_ctr"),
    WithChoices(KeyOption(Opt::kKeyFileDigest, "file-key-management-digest", FileRole::kServer,
                          "NAME", "sha1", "digest of an encrypted key file"),
                "sha1|sha224|sha256|sha384|sha512"),
    KeyNumber(Opt::kKeyFilePbkdf2, "file-key-management-use-pbkdf2", FileRole::kServer, "N",
              "0: none", 0, kInt32Max, "iterations of PBKDF2 of an encrypted key file"),
    KeyOption(Opt::kKeyCommand, "key-command", FileRole::kTool, "COMMAND", "",
              "run by /bin/sh with id and version of a key as further words; prints it in hex"),
    KeyNumber(Opt::kKeyCommandTimeout, "key-command-timeout", FileRole::kTool, "S", "30", 1, 3600,
              "seconds that the command may take for a key"),
    KeyOption(Opt::kVaultUrl, "hashicorp-key-management-vault-url", FileRole::kServer, "URL",
              "what the backup recorded", "Vault with the keys, as https://HOST:8200/v1/MOUNT"),
    WithKind(KeyOption(Opt::kVaultToken, "hashicorp-key-management-token", FileRole::kServer,
                       "TEXT", "VAULT_TOKEN", "token for the Vault"),
             ValueKind::kSecret),
    KeyOption(Opt::kVaultTokenFile, "hashicorp-key-management-token-file", FileRole::kTool, "FILE",
              "", "file with the token in its first line"),
    KeyOption(Opt::kVaultCa, "hashicorp-key-management-vault-ca", FileRole::kServer, "FILE",
              "those of the system", "certificates of authorities that the Vault's may be of"),
    KeyNumber(Opt::kVaultTimeout, "hashicorp-key-management-timeout", FileRole::kServer, "S", "15",
              0, 86400, "seconds to wait for an answer; 0 is 300"),
    KeyNumber(Opt::kVaultMaxRetries, "hashicorp-key-management-max-retries", FileRole::kServer, "N",
              "3", 0, kInt32Max, "how often a Vault that does not answer is asked again"),
    FlagOption(Opt::kVaultAllowHttp, "hashicorp-key-management-allow-http", kInEncrypted,
               Section::kKeys, FileRole::kTool, "off",
               "permit a URL with http://; others can then read token and keys"),

    WithKind(Sealing(Opt::kEncryptKeyFile, "encrypt-key-file", "FILE", "",
                     "file with a key: 32 bytes, 64 hex digits or base64; can be repeated"),
             ValueKind::kTextList),
    WithKind(Sealing(Opt::kEncryptPassphrase, "encrypt-passphrase", "TEXT", "",
                     "passphrase; without a value it is asked for on the terminal"),
             ValueKind::kPassword),
    WithKind(Sealing(Opt::kEncryptPassphraseFile, "encrypt-passphrase-file", "FILE", "",
                     "file with a passphrase; can be repeated"),
             ValueKind::kTextList),
    WithKind(Sealing(Opt::kEncryptKey, "encrypt-key", "TEXT", "",
                     "the key itself, in hex or base64; best as HBK_ENCRYPT_KEY"),
             ValueKind::kSecret),
    WithKind(Sealing(Opt::kEncryptKeyCommand, "encrypt-key-command", "COMMAND", "",
                     "run by /bin/sh; prints a key"),
             ValueKind::kSecret),
    NumberOption(Opt::kEncryptKeyCommandTimeout, "encrypt-key-command-timeout", 0, kInSealed,
                 Section::kSealing, FileRole::kTool, "S", "30", 1, 3600,
                 "seconds that such a command may take"),
    WithKind(NewKey(Opt::kNewKeyFile, "new-key-file", "FILE",
                    "add: the key in this file; can be repeated"),
             ValueKind::kTextList),
    WithKind(NewKey(Opt::kNewPassphrase, "new-passphrase", "TEXT",
                    "add: this passphrase; without a value it is asked for, twice"),
             ValueKind::kPassword),
    WithKind(NewKey(Opt::kNewPassphraseFile, "new-passphrase-file", "FILE",
                    "add: the passphrase in this file; can be repeated"),
             ValueKind::kTextList),
    WithKind(NewKey(Opt::kNewKey, "new-key", "TEXT",
                    "add: this key, in hex or base64; best as HBK_NEW_KEY"),
             ValueKind::kSecret),
    WithKind(NewKey(Opt::kNewKeyCommand, "new-key-command", "COMMAND",
                    "add: the key that this command prints"),
             ValueKind::kSecret),
    TextOption(Opt::kLabel, "label", 0, kInKey, Section::kNewKeys, FileRole::kTool, "TEXT",
               "where the key came from", "add: what the list says of the new slots"),
    NumberOption(Opt::kSlot, "slot", 0, kInKey, Section::kMain, FileRole::kTool, "N", "", 1,
                 kUint32Max, "remove: which slot"),

    WithKind(
        TextOption(Opt::kCompress, "compress", 0, kInBackup, Section::kStorage, FileRole::kTool,
                   "METHOD[:LEVEL]", "none",
                   "compress the files: zstd (levels -7 to 19), lz4 (1 to 12) or none; without a "
                   "method zstd:3. zstd -d and lz4 -d unpack them, too"),
        ValueKind::kMaybeText),
    WithChoices(WithKind(TextOption(Opt::kEncrypt, "encrypt", 0, kInBackup, Section::kStorage,
                                    FileRole::kTool, "CIPHER", "",
                                    "encrypt and authenticate the files, so that each key "
                                    "that is given opens them. The cipher is aes-256-gcm"),
                         ValueKind::kMaybeText),
                "aes-256-gcm"),
    FlagOption(Opt::kEncryptManifest, "encrypt-manifest", kInBackup, Section::kStorage,
               FileRole::kTool, "off",
               "with --encrypt: also the manifest and the names of the files"),

    NumberOption(Opt::kParallel, "parallel", 0, kWithFiles, Section::kSpeed, FileRole::kTool, "N",
                 "one per core, 8 at most", 1, kThreadsMax, "worker threads"),
    NumberOption(Opt::kThrottle, "throttle", 0, kInBackup, Section::kSpeed, FileRole::kTool, "N",
                 "0: no limit", 0, kUint32Max,
                 "pairs of a read and a write of 1 MiB per second, over all threads"),
    NumberOption(Opt::kRateLimit, "rate-limit", 0, kInBackup, Section::kSpeed, FileRole::kTool,
                 "BYTES", "0: no limit", 0, std::numeric_limits<uint64_t>::max(),
                 "bytes per second that are read of the server's files, over all threads: 50M"),
    NumberOption(Opt::kNice, "nice", 0, kWithFiles, Section::kSpeed, FileRole::kTool, "N",
                 "as it was started", 0, kNiceMax,
                 "run at this scheduling priority: 19 is the lowest"),
    TextOption(Opt::kIonice, "ionice", 0, kWithFiles, Section::kSpeed, FileRole::kTool,
               "CLASS[:LEVEL]", "as it was started",
               "disk priority: idle, or best-effort with a level from 0 to 7, the lowest"),
    NumberOption(Opt::kLockWaitTimeout, "lock-wait-timeout", 0, kInBackup, Section::kSpeed,
                 FileRole::kTool, "S", "60", 1, kWaitSecondsMax,
                 "seconds an attempt to get a backup stage may wait for other sessions"),
    NumberOption(Opt::kLockRetryTime, "lock-retry-time", 0, kInBackup, Section::kSpeed,
                 FileRole::kTool, "S", "300", 0, kWaitSecondsMax,
                 "seconds until a stage that was not granted is given up; 0: one attempt"),
    NumberOption(Opt::kLockWaitThreshold, "lock-wait-threshold", 0, kInBackup, Section::kSpeed,
                 FileRole::kTool, "S", "0: not looked at", 0, kWaitSecondsMax,
                 "before an attempt, wait until no statement in its way is older than S seconds"),
    NumberOption(Opt::kKillLongQueriesTimeout, "kill-long-queries-timeout", 0, kInBackup,
                 Section::kSpeed, FileRole::kTool, "S", "0: never", 0, kWaitSecondsMax,
                 "end statements that hold a stage up after S seconds of an attempt"),
    WithChoices(TextOption(Opt::kKillLongQueryType, "kill-long-query-type", 0, kInBackup,
                           Section::kSpeed, FileRole::kTool, "NAME", "select",
                           "which: select, update (whatever changes rows or tables) or all"),
                "select|update|all"),
    FlagOption(Opt::kLogInnodbPageCorruption, "log-innodb-page-corruption", kInBackup,
               Section::kMain, FileRole::kTool, "off",
               "copy damaged pages as they are and list them, instead of failing"),
    FlagOption(Opt::kRocksdbBackup, "rocksdb-backup", kInBackup, Section::kMain, FileRole::kTool,
               "on", "copy the rows of MyRocks tables; --skip-rocksdb-backup: definitions only"),
    WithChoices(
        TextOption(Opt::kBinlogInfo, "binlog-info", 0, kInBackup, Section::kReplication,
                   FileRole::kTool, "WHEN", "auto",
                   "record the position in the binlog: auto (if there is one), on (or fail), off"),
        "auto|on|off|lockless"),
    FlagOption(Opt::kSlaveInfo, "slave-info", kInBackup, Section::kReplication, FileRole::kTool,
               "off", "on a replica: record where it is in the binlogs of all its sources"),
    FlagOption(Opt::kSafeSlaveBackup, "safe-slave-backup", kInBackup, Section::kReplication,
               FileRole::kTool, "off",
               "on a replica: stop its SQL threads, once no temporary tables are open"),
    NumberOption(Opt::kSafeSlaveBackupTimeout, "safe-slave-backup-timeout", 0, kInBackup,
                 Section::kReplication, FileRole::kTool, "S", "300", 1, 31536000,
                 "seconds to wait until there are none"),
    FlagOption(Opt::kGaleraInfo, "galera-info", kInBackup, Section::kReplication, FileRole::kTool,
               "off", "on a node of a Galera cluster: record its position in the cluster"),
    Increment(Opt::kIncrementalBasedir, "incremental-basedir", "DIR",
              "make an increment to the backup in DIR, of which the manifest is enough"),
    NumberOption(Opt::kIncrementalLsn, "incremental-lsn", 0, kInBackup, Section::kIncrements,
                 FileRole::kTool, "N", "", 0, std::numeric_limits<uint64_t>::max(),
                 "make an increment to a backup that ends at this LSN and is not at hand"),
    Increment(Opt::kIncrementalHistoryName, "incremental-history-name", "NAME",
              "make an increment to the newest backup of this name on the server's list"),
    Increment(Opt::kIncrementalHistoryUuid, "incremental-history-uuid", "UUID",
              "make an increment to the backup with this uuid on the server's list"),
    FlagOption(Opt::kTrustFileTimes, "trust-file-times", kInBackup, Section::kIncrements,
               FileRole::kTool, "off",
               "do not read files whose times say that they were not changed since the base"),
    FlagOption(Opt::kIncrementalForceScan, "incremental-force-scan", kInBackup,
               Section::kIncrements, FileRole::kTool, "off",
               "read all pages, though the redo log tells which have changed since the base"),
    Increment(Opt::kExtraLsndir, "extra-lsndir", "DIR",
              "put copies of manifest, checkpoints and info into DIR: a base for increments"),
    WithKind(Increment(Opt::kHistory, "history", "NAME",
                       "put the backup on the server's list, under NAME if there is one"),
             ValueKind::kMaybeText),
    NumberOption(Opt::kUseMemory, "use-memory", 0, kInPreparing, Section::kSpeed, FileRole::kTool,
                 "BYTES", "256M", 8ULL << 20, 1ULL << 44,
                 "memory to apply redo with; drill: also of its server"),
    WithKind(TextOption(Opt::kIncrementalDir, "incremental-dir", 0, kInPreparing | kInVerify,
                        Section::kMain, FileRole::kTool, "DIR", "none",
                        "increment to the base in --target-dir; can be repeated, oldest first"),
             ValueKind::kTextList),
    TextOption(Opt::kOutputDir, "output-dir", 0, kInPrepare, Section::kMain, FileRole::kTool, "DIR",
               "",
               "make the prepared backup there (absent or empty), and leave the one in "
               "--target-dir as it is"),

    FlagOption(Opt::kFast, "fast", kInVerify, Section::kMain, FileRole::kTool, "off",
               "sizes and digests only: no look at pages, redo and logs"),
    TextOption(Opt::kSample, "sample", 0, kInVerify, Section::kMain, FileRole::kTool, "SHARE",
               "100%", "read only a random share of the files, as 5%"),
    NumberOption(Opt::kSeed, "seed", 0, kInVerify, Section::kMain, FileRole::kTool, "N", "random",
                 1, std::numeric_limits<uint64_t>::max(),
                 "with --sample: choose the same share again"),
    TextOption(Opt::kBudget, "budget", 0, kInVerify, Section::kMain, FileRole::kTool, "TIME",
               "no limit",
               "end after that time, as 30m, 2h or 90s; the next run with it goes on there"),

    TextOption(Opt::kOwner, "owner", 0, kInRestore, Section::kMain, FileRole::kTool, "USER[:GROUP]",
               "that of the data directory", "owner of what is put there"),
    WithKind(TextOption(Opt::kRemap, "remap", 0, kInRestore, Section::kMain, FileRole::kTool,
                        "/OLD=/NEW", "where they were",
                        "tables with DATA DIRECTORY below /OLD go below /NEW; can be repeated"),
             ValueKind::kTextList),
    FlagOption(Opt::kLocalTablespaces, "local-tablespaces", kInRestore, Section::kMain,
               FileRole::kTool, "off",
               "tables with DATA DIRECTORY go into the data directory, and stay there"),
    FlagOption(Opt::kForceNonEmptyDirectories, "force-non-empty-directories", kInRestore,
               Section::kMain, FileRole::kTool, "off",
               "permit other files in the target; existing ones are never overwritten"),

    TextOption(Opt::kBackupMode, "backup-mode", 0, kInBackup | kInExtract | kInPrepare | kInUnpack,
               Section::kMain, FileRole::kTool, "MODE", "0600",
               "mode of new files of the backup, as 0640; its directories get the x to each r"),

    TextOption(Opt::kLogFile, "log-file", 0, kEverywhere, Section::kOutput, FileRole::kTool, "FILE",
               "", "append everything that is said to this file as well, however quiet the rest"),
    WithChoices(
        TextOption(Opt::kLogFormat, "log-format", 0, kEverywhere, Section::kOutput, FileRole::kTool,
                   "FORM", "text", "text with times, or json (lines), of --log-file"),
        "text|json"),
    TextOption(Opt::kMetricsFile, "metrics-file", 0, kEverywhere, Section::kOutput, FileRole::kTool,
               "FILE", "", "put figures of the run there for Prometheus: FILE ends in .prom"),
    WithKind(TextOption(Opt::kOnFailure, "on-failure", 0, kEverywhere, Section::kOutput,
                        FileRole::kTool, "COMMAND", "",
                        "run by /bin/sh if the run fails, with HBK_MESSAGE and others set"),
             ValueKind::kSecret),
    FlagOption(Opt::kRecordChecksums, "record-checksums", kInBackup, Section::kMain,
               FileRole::kTool, "off",
               "record row counts and checksums of InnoDB tables, for hbk drill to compare; all "
               "rows are read once more"),
    TextOption(Opt::kMariadbd, "mariadbd", 0, kInDrill, Section::kMain, FileRole::kTool, "FILE",
               "the one in PATH", "the server to start on the restored copy"),
    TextOption(Opt::kScratchDir, "scratch-dir", 0, kInDrill, Section::kMain, FileRole::kTool, "DIR",
               "TARGET_DIR.drill", "where to restore (absent or empty); removed at the end"),
    FlagOption(Opt::kKeepScratch, "keep-scratch", kInDrill, Section::kMain, FileRole::kTool, "off",
               "leave the restored copy and the server's error log there"),
    WithChoices(TextOption(Opt::kCheck, "check", 0, kInDrill, Section::kMain, FileRole::kTool,
                           "DEPTH", "medium", "CHECK TABLE: quick, medium, extended or none"),
                "quick|medium|extended|none"),
    TextOption(Opt::kCheckSample, "check-sample", 0, kInDrill, Section::kMain, FileRole::kTool,
               "PERCENT", "100%",
               "check and compare so many of the tables, others the next time: 20%"),
    TextOption(Opt::kCompareWith, "compare-with", 0, kInDrill, Section::kMain, FileRole::kTool,
               "SERVER", "what the backup recorded",
               "compare rows with those of this server: a socket file, HOST or HOST:PORT"),
    TextOption(Opt::kSqlFile, "sql-file", 0, kInDrill, Section::kMain, FileRole::kTool, "FILE", "",
               "statements to run on the restored server; each that fails is a problem"),
    TextOption(Opt::kReportJson, "report-json", 0, kInDrill, Section::kOutput, FileRole::kTool,
               "FILE", "", "write the report as JSON"),
    TextOption(Opt::kReportHtml, "report-html", 0, kInDrill, Section::kOutput, FileRole::kTool,
               "FILE", "", "write the report as a page that stands alone"),
    NumberOption(Opt::kServerStartTimeout, "server-start-timeout", 0, kInDrill, Section::kSpeed,
                 FileRole::kTool, "S", "600", 1, kWaitSecondsMax,
                 "seconds until the started server must answer"),
    NumberOption(Opt::kStatementTimeout, "statement-timeout", 0, kInDrill, Section::kSpeed,
                 FileRole::kTool, "S", "86400", 1, kWaitSecondsMax,
                 "seconds for the check of a table, the rollback or the SQL file"),

    WithChoices(
        TextOption(Opt::kOutput, "output", 0, kEverywhere, Section::kOutput, FileRole::kTool,
                   "FORM", "text", "text for people (stderr), json for programs (lines on stdout)"),
        "text|json"),
    FlagOption(Opt::kQuiet, "quiet", kEverywhere, Section::kOutput, FileRole::kTool, "off",
               "warnings and errors only; an error in one line"),
    FlagOption(Opt::kVerbose, "verbose", kEverywhere, Section::kOutput, FileRole::kTool, "off",
               "details as well"),
}};

constexpr bool IsInOrder() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<size_t>(kTable[i].id) != i) return false;
  }
  return true;
}
static_assert(IsInOrder(), "kTable follows the order of Opt");

const OptionSpec* FindExact(std::string_view name) {
  const auto found = std::ranges::find(kTable, name, &OptionSpec::name);
  return found == kTable.end() ? nullptr : &*found;
}

bool CutPrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Levenshtein distance.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view CommandName(Command command) {
  switch (command) {
    case Command::kBackup: return "backup";
    case Command::kExtract: return "extract";
    case Command::kPrepare: return "prepare";
    case Command::kVerify: return "verify";
    case Command::kCopyBack: return "copy-back";
    case Command::kMoveBack: return "move-back";
    case Command::kDecompress: return "decompress";
    case Command::kDecrypt: return "decrypt";
    case Command::kKey: return "key";
    case Command::kInfo: return "info";
    case Command::kDrill: return "drill";
  }
  return "";
}

const Command* FindCommand(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name, CommandName);
  return found == kCommands.end() ? nullptr : &*found;
}

std::string_view SectionTitle(Section section) {
  switch (section) {
    case Section::kMain: return "Main";
    case Section::kConnection: return "Connection";
    case Section::kTls: return "TLS";
    case Section::kLayout: return "Directories of the server";
    case Section::kKeys: return "Encryption keys";
    case Section::kSealing: return "Keys of the backup";
    case Section::kNewKeys: return "New keys";
    case Section::kReplication: return "Replication and Galera";
    case Section::kStorage: return "Storage";
    case Section::kIncrements: return "Increments";
    case Section::kSpeed: return "Speed and limits";
    case Section::kOutput: return "Output";
  }
  return "";
}

std::span<const OptionSpec> OptionTable() {
  return kTable;
}

const OptionSpec& SpecOf(Opt id) {
  return kTable[static_cast<size_t>(id)];
}

OptionName ResolveOptionName(std::string_view written) {
  OptionName name;
  std::string text(written);
  std::ranges::replace(text, '_', '-');
  std::string_view rest = text;
  name.is_loose = CutPrefix(rest, "loose-");
  name.normalized = rest;
  name.spec = FindExact(rest);
  if (name.spec != nullptr) return name;

  const bool is_negated = CutPrefix(rest, "skip-") || CutPrefix(rest, "disable-");
  if (is_negated || CutPrefix(rest, "enable-")) {
    const OptionSpec* spec = FindExact(rest);
    if (spec != nullptr && spec->kind == ValueKind::kFlag) {
      name.spec = spec;
      name.is_negated = is_negated;
      name.normalized = rest;
    }
  }
  return name;
}

const OptionSpec* FindOptionByLetter(char letter) {
  const auto found = std::ranges::find(kTable, letter, &OptionSpec::letter);
  return letter == 0 || found == kTable.end() ? nullptr : &*found;
}

std::string NearestOptionName(std::string_view mistyped) {
  if (mistyped.size() > kMistypedLengthMax) return "";
  std::string_view nearest;
  size_t nearest_distance = std::max<size_t>(1, mistyped.size() / 4) + 1;
  for (const OptionSpec& spec : kTable) {
    const size_t distance = EditDistance(mistyped, spec.name);
    if (distance < nearest_distance) {
      nearest = spec.name;
      nearest_distance = distance;
    }
  }
  return std::string(nearest);
}

std::string EnvironmentName(const OptionSpec& spec) {
  std::string name = "HBK_";
  for (const char c : spec.name)
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace hbk::cli

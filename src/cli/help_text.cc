#include "help_text.h"

#include <string_view>

#include <fmt/format.h>

#include "hbk/base/version.h"

#include "exit_code.h"

namespace hbk::cli {
namespace {

constexpr size_t kNameColumns = 34;
constexpr size_t kLineColumns = 96;

struct CommandHelp {
  std::string_view summary;  // one line
  std::string_view text;
  std::string_view example;
};

CommandHelp HelpOf(Command command) {
  switch (command) {
    case Command::kBackup:
      return {"copy a running server",
              "Copies the files of a running MariaDB server on this machine, and the redo that it\n"
              "writes meanwhile. Other sessions go on reading and writing. The user needs RELOAD,\n"
              "PROCESS and BINLOG MONITOR; a missing privilege is said before anything is copied.\n"
              "The target directory is made if it is absent, and must be empty otherwise.\n",
              "hbk backup --target-dir=/backup/monday -u backup -p"};
    case Command::kExtract:
      return {
          "unpack a backup that is an archive",
          "Unpacks what hbk backup --stream or mariadb-backup --stream has written, into a\n"
          "directory, which is then as --target-dir would have made it. The archive comes from\n"
          "stdin or --input, and its format is recognised. It must be right to its last byte:\n"
          "one that is damaged, cut off, or has names that lead out of the directory, is refused\n"
          "with exit code 20, and nothing of it is left. No file has its name before all of them\n"
          "are complete and on disk; the manifest comes last. What else is packed around the\n"
          "archive (zstd, gpg, ...) is to be taken off before.\n",
          "ssh db1 hbk backup --stream=hbk -u backup | hbk extract --directory=/backup/monday"};
    case Command::kPrepare:
      return {"make a backup consistent",
              "Applies the redo of a backup to its files, without a server. Needed once before\n"
              "copy-back or move-back. If it was interrupted, run it again. Increments to the\n"
              "backup, given by --incremental-dir in their order, are applied at once; they stay\n"
              "as they are. So does the backup itself, with --output-dir.\n",
              "hbk prepare --target-dir=/backup/monday --use-memory=1G"};
    case Command::kVerify:
      return {"look whether a backup is whole",
              "Reads a backup, prepared or not, and compares every file with the manifest, every\n"
              "page with its checksum and its place, the redo with the LSNs that it must reach.\n"
              "Increments to it are given by --incremental-dir. Everything that is wrong is told;\n"
              "anything that is makes exit code 20. The backup is not changed, but that\n"
              "hbk_verified.json in it says what was seen. With --stream or --input it is an\n"
              "archive that is read, and nothing is written.\n",
              "hbk verify --target-dir=/backup/monday"};
    case Command::kCopyBack:
      return {"copy a prepared backup to where a server can start on it",
              "Copies a prepared backup into a data directory that is absent or empty. The backup\n"
              "stays as it is. Directories of the server are taken from its option files where\n"
              "they are not given.\n",
              "hbk copy-back --target-dir=/backup/monday --datadir=/var/lib/mysql "
              "--owner=mysql:mysql"};
    case Command::kMoveBack:
      return {"move a prepared backup to where a server can start on it",
              "As copy-back, but the files are moved: afterwards the backup is gone.\n",
              "hbk move-back --target-dir=/backup/monday --datadir=/var/lib/mysql "
              "--owner=mysql:mysql"};
    case Command::kDecompress:
      return {"make the files of a compressed backup plain ones",
              "Unpacks the files of a backup that was made with --compress, in place: each one is\n"
              "checked, written, and then put in the place of the compressed one. Prepare does so\n"
              "by itself. If it was interrupted, run it again; the backup is whole at any time.\n",
              "hbk decompress --target-dir=/backup/monday"};
    case Command::kDecrypt:
      return {
          "make the files of a sealed backup plain ones",
          "Decrypts the files of a backup that was made with --encrypt, in place; those that are\n"
          "compressed stay so. Prepare does so by itself. If it was interrupted, run it again.\n"
          "Afterwards everybody who can read the directory can read the data.\n",
          "hbk decrypt --target-dir=/backup/monday --encrypt-key-file=/etc/hbk/backup.key"};
    case Command::kDrill:
      return {
          "prove a backup by restoring it",
          "Copies a backup, with its increments if they are given, into a scratch directory,\n"
          "prepares the copy, starts a private server on it, checks the tables, compares them\n"
          "with what --record-checksums took or with another server, runs your SQL, and removes\n"
          "all of it. The backup stays as it is. The server can be reached by a socket in the\n"
          "scratch directory only, and ends with hbk. Whatever is found wrong ends with exit\n"
          "code 23 and is in the reports, with the end of the server's error log.\n",
          "hbk drill --target-dir=/backup/monday --report-html=/var/www/drill.html"};
    case Command::kKey:
      return {
          "change who can open a sealed backup",
          "A sealed backup has a data key of its own, which each of its key slots holds, wrapped\n"
          "with a key or a passphrase. These change slots only, and take no longer for a large\n"
          "backup than for a small one:\n"
          "\n"
          "  hbk key list    what the slots are for; with a key, also whether they are genuine\n"
          "  hbk key test    each of the keys that are given must open a slot\n"
          "  hbk key add     a slot for each new key; needs one that opens the backup already\n"
          "  hbk key remove  the slot that --slot names, but not the last one; needs a key, too\n"
          "\n"
          "The data key stays the same: whoever could open the backup, and kept the data key or a\n"
          "copy of hbk_keys.json, still can when his slot is removed. If a key became known, make\n"
          "a new backup. A wrong key ends with exit code 22, slots that somebody without a key\n"
          "has changed with 20.\n",
          "hbk key add --target-dir=/backup/monday --encrypt-key-file=a.key --new-passphrase"};
    case Command::kInfo:
      return {
          "say what backups are",
          "Says of each directory what it is: full backup or increment, of which server, when and\n"
          "how long, positions, sizes, whether it is prepared, when it was last verified and\n"
          "drilled; and which of them is an increment to which. Only metadata and names of files\n"
          "are read. Directories of mariadb-backup are known, too. Of a sealed backup as much is\n"
          "said as the keys permit. The exit code is the worst one: 1 no backup, or one that is\n"
          "not complete; 20 damaged, or files are missing; 22 a key is missing.\n",
          "hbk info /backup/monday /backup/tuesday"};
  }
  return {};
}

// Breaks between words; the first line starts at column `indent`, where the cursor is.
std::string Wrap(std::string_view text, size_t indent) {
  std::string wrapped;
  size_t column = indent;
  while (!text.empty()) {
    const size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (column > indent && column + 1 + word.size() > kLineColumns) {
      wrapped += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
  }
  return wrapped;
}

std::string Row(const std::string& name, std::string_view text) {
  std::string row = "  " + name;
  if (row.size() + 1 > kNameColumns) {
    row += "\n" + std::string(kNameColumns, ' ');
  } else {
    row.resize(kNameColumns, ' ');
  }
  return row + Wrap(text, kNameColumns) + "\n";
}

std::string OptionRow(const OptionSpec& spec) {
  std::string name = spec.letter == 0 ? "    " : fmt::format("-{}, ", spec.letter);
  name += fmt::format("--{}", spec.name);
  if (spec.kind == ValueKind::kPassword || spec.kind == ValueKind::kMaybeText) {
    name += fmt::format("[={}]", spec.value_name);
  } else if (!spec.value_name.empty()) {
    name += fmt::format("={}", spec.value_name);
  }
  std::string text(spec.help);
  if (!spec.default_text.empty()) text += fmt::format(" (default: {})", spec.default_text);
  return Row(name, text);
}

std::string OptionRows(Command command) {
  std::string rows;
  for (const Section section :
       {Section::kMain, Section::kConnection, Section::kTls, Section::kLayout, Section::kKeys,
        Section::kSealing, Section::kNewKeys, Section::kReplication, Section::kIncrements,
        Section::kStorage, Section::kSpeed, Section::kOutput}) {
    std::string in_section;
    for (const OptionSpec& spec : OptionTable()) {
      if (spec.section == section && spec.AppliesTo(command)) in_section += OptionRow(spec);
    }
    if (!in_section.empty()) rows += fmt::format("\n{}:\n{}", SectionTitle(section), in_section);
  }
  return rows;
}

std::string DefaultsRows() {
  return "\nOption files, to be given before all other options:\n" +
         Row("    --no-defaults", "read none") +
         Row("    --defaults-file=FILE", "read this one only") +
         Row("    --defaults-extra-file=FILE", "read this one too, before ~/.my.cnf") +
         Row("    --defaults-group-suffix=TEXT", "read [hbkTEXT], [clientTEXT], ... as well") +
         Row("    --print-defaults", "show what option files and environment set, and end");
}

std::string ExitCodeRows() {
  std::string rows = "\nExit codes:\n";
  for (const ExitCodeEntry& entry : ExitCodeTable())
    rows += fmt::format("  {:>3}  {}\n", entry.code, entry.meaning);
  return rows;
}

std::string GeneralHelp() {
  std::string text =
      "hbk makes physical backups of MariaDB servers, and restores them.\n"
      "\n"
      "Usage: hbk [OPTION FILE OPTIONS] COMMAND [OPTIONS]\n"
      "\n"
      "Commands:\n";
  for (const Command command : kCommands) {
    text += fmt::format("  {:<10} {}\n", CommandName(command), HelpOf(command).summary);
  }
  text +=
      "  help       say more of a command: hbk help backup\n"
      "\n"
      "A backup, from start to end:\n";
  for (const Command command : {Command::kBackup, Command::kPrepare, Command::kCopyBack}) {
    text += fmt::format("  {}\n", HelpOf(command).example);
  }
  text += DefaultsRows();
  text +=
      "\n"
      "Options may also be set in the environment (HBK_TARGET_DIR for --target-dir) and in the\n"
      "groups [hbk], [hbk-COMMAND], [mariadb-backup], [client] and those of the server. The\n"
      "command line comes first, then the environment, then [hbk], then the other groups.\n";
  return text + ExitCodeRows();
}

}  // namespace

std::string HelpText(std::optional<Command> command) {
  if (!command) return GeneralHelp();
  const CommandHelp help = HelpOf(*command);
  const std::string_view actions = *command == Command::kKey ? " list|test|add|remove" : "";
  const OptionSpec& option =
      SpecOf(*command == Command::kExtract ? Opt::kDirectory : Opt::kTargetDir);
  const std::string needed = *command == Command::kInfo
                                 ? "DIR..."
                                 : fmt::format("--{}={}", option.name, option.value_name);
  return fmt::format("hbk {}: {}\n\nUsage: hbk {}{} {} [OPTIONS]\n\n{}", CommandName(*command),
                     help.summary, CommandName(*command), actions, needed, help.text) +
         OptionRows(*command) + DefaultsRows() + fmt::format("\nExample:\n  {}\n", help.example) +
         ExitCodeRows();
}

std::string VersionText() {
  return fmt::format("hbk {}\n", kVersion);
}

}  // namespace hbk::cli

#include "hbk/datadir/file_kind.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace hbk::datadir {
namespace {

struct KindName {
  FileKind kind;
  std::string_view name;
};
constexpr std::array kKindNames = {
    KindName{FileKind::kSystemTablespace, "system-tablespace"},
    KindName{FileKind::kUndoTablespace, "undo-tablespace"},
    KindName{FileKind::kTablespace, "tablespace"},
    KindName{FileKind::kTablespaceLink, "tablespace-link"},
    KindName{FileKind::kDefinition, "definition"},
    KindName{FileKind::kAriaTable, "aria-table"},
    KindName{FileKind::kAriaControl, "aria-control"},
    KindName{FileKind::kAriaLog, "aria-log"},
    KindName{FileKind::kMyisamTable, "myisam-table"},
    KindName{FileKind::kCsvTable, "csv-table"},
    KindName{FileKind::kArchiveTable, "archive-table"},
    KindName{FileKind::kMroonga, "mroonga"},
    KindName{FileKind::kRocksdb, "rocksdb"},
    KindName{FileKind::kBufferPoolDump, "buffer-pool-dump"},
    KindName{FileKind::kUpgradeMarker, "upgrade-marker"},
    KindName{FileKind::kRedoLog, "redo-log"},
    KindName{FileKind::kMetadata, "metadata"},
};

struct ExtensionKind {
  std::string_view extension;
  FileKind kind;
};
// Upper and lower case matter: the server writes them like this on every platform we run on.
constexpr std::array kDatabaseExtensions = {
    ExtensionKind{".ibd", FileKind::kTablespace},
    ExtensionKind{".isl", FileKind::kTablespaceLink},
    ExtensionKind{".frm", FileKind::kDefinition},
    ExtensionKind{".par", FileKind::kDefinition},
    ExtensionKind{".TRG", FileKind::kDefinition},
    ExtensionKind{".TRN", FileKind::kDefinition},
    ExtensionKind{".MRG", FileKind::kDefinition},
    ExtensionKind{".MAI", FileKind::kAriaTable},
    ExtensionKind{".MAD", FileKind::kAriaTable},
    ExtensionKind{".MYI", FileKind::kMyisamTable},
    ExtensionKind{".MYD", FileKind::kMyisamTable},
    ExtensionKind{".CSV", FileKind::kCsvTable},
    ExtensionKind{".CSM", FileKind::kCsvTable},
    ExtensionKind{".ARZ", FileKind::kArchiveTable},
    ExtensionKind{".ARM", FileKind::kArchiveTable},
};

constexpr std::array kRootNames = {
    ExtensionKind{"aria_log_control", FileKind::kAriaControl},
    ExtensionKind{"ib_buffer_pool", FileKind::kBufferPoolDump},
    ExtensionKind{"ib_logfile0", FileKind::kRedoLog},
    ExtensionKind{"mysql_upgrade_info", FileKind::kUpgradeMarker},
    ExtensionKind{"mariadb_upgrade_info", FileKind::kUpgradeMarker},
    ExtensionKind{"backup-my.cnf", FileKind::kMetadata},
    ExtensionKind{"donor_galera_info", FileKind::kMetadata},
    ExtensionKind{"innodb_corrupted_pages", FileKind::kMetadata},
};

constexpr std::array<std::string_view, 3> kMetadataPrefixes = {"xtrabackup_", "mariadb_backup_",
                                                               "hbk_"};

constexpr size_t kComponentBytesMax = 255;  // NAME_MAX of every file system we know

bool IsDigits(std::string_view text, size_t count) {
  return text.size() == count &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// undo001 ... undo127: the server knows no more.
bool IsUndoName(std::string_view name) {
  if (!name.starts_with("undo") || !IsDigits(name.substr(4), 3)) return false;
  const int number = (name[4] - '0') * 100 + (name[5] - '0') * 10 + (name[6] - '0');
  return number >= 1 && number <= 127;
}

bool IsAriaLogName(std::string_view name) {
  constexpr std::string_view kPrefix = "aria_log.";
  return name.starts_with(kPrefix) && IsDigits(name.substr(kPrefix.size()), 8);
}

// Length of the UTF-8 sequence at the start of `text`; 0 if there is none.
size_t Utf8SequenceLength(std::string_view text) {
  const auto at = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if (first == 0xE0 && at(1) < 0xA0) return 0;
  if (first == 0xED && at(1) > 0x9F) return 0;
  if (first == 0xF0 && at(1) < 0x90) return 0;
  if (first == 0xF4 && at(1) > 0x8F) return 0;
  return length;
}

}  // namespace

std::string_view FileKindName(FileKind kind) {
  for (const KindName& entry : kKindNames) {
    if (entry.kind == kind) return entry.name;
  }
  return "unknown";
}

std::optional<FileKind> FileKindByName(std::string_view name) {
  for (const KindName& entry : kKindNames) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

std::optional<FileKind> ClassifyDatabaseFile(std::string_view file_name) {
  if (file_name.starts_with('.') || file_name.starts_with("#sql")) return std::nullopt;
  if (file_name == "db.opt") return FileKind::kDefinition;
  const size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view extension = file_name.substr(dot);
  for (const ExtensionKind& entry : kDatabaseExtensions) {
    if (entry.extension == extension) return entry.kind;
  }
  return std::nullopt;
}

std::optional<FileKind> ClassifyRootFile(std::string_view file_name) {
  for (const ExtensionKind& entry : kRootNames) {
    if (entry.extension == file_name) return entry.kind;
  }
  if (IsUndoName(file_name)) return FileKind::kUndoTablespace;
  if (IsAriaLogName(file_name)) return FileKind::kAriaLog;
  for (const std::string_view prefix : kMetadataPrefixes) {
    if (file_name.starts_with(prefix)) return FileKind::kMetadata;
  }
  const size_t mroonga = file_name.find(".mrn");
  if (mroonga != std::string_view::npos && mroonga != 0) return FileKind::kMroonga;
  return std::nullopt;
}

bool IsRocksdbFileName(std::string_view name) {
  if (!name.starts_with(kRocksdbDirectory)) return false;
  name.remove_prefix(kRocksdbDirectory.size());
  return name.starts_with('/') && IsSafeNameComponent(name.substr(1));
}

bool IsDatabaseDirectoryName(std::string_view name) {
  return !name.empty() && name[0] != '.' && name[0] != '#' && name != "lost+found";
}

bool IsSafeNameComponent(std::string_view name) {
  if (name.empty() || name.size() > kComponentBytesMax || name == "." || name == "..") return false;
  for (size_t i = 0; i < name.size();) {
    const size_t length = Utf8SequenceLength(name.substr(i));
    if (length == 0) return false;
    if (length == 1) {
      const auto c = static_cast<unsigned char>(name[i]);
      if (c < 0x20 || c == 0x7F || c == '/') return false;
    }
    i += length;
  }
  return true;
}

}  // namespace hbk::datadir

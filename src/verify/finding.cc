#include "hbk/verify/finding.h"

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"

namespace hbk::verify {
namespace {

using datadir::FileKind;

bool IsOfTable(std::string_view base) {
  const auto kind = datadir::ClassifyDatabaseFile(base);
  return kind && base != "db.opt";
}

}  // namespace

std::string_view FindingKindName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kManifest: return "manifest";
    case FindingKind::kMetadata: return "metadata";
    case FindingKind::kMissingFile: return "missing-file";
    case FindingKind::kUnknownFile: return "unknown-file";
    case FindingKind::kSize: return "size";
    case FindingKind::kDigest: return "digest";
    case FindingKind::kUnreadable: return "unreadable";
    case FindingKind::kPage: return "page";
    case FindingKind::kTablespace: return "tablespace";
    case FindingKind::kDelta: return "delta";
    case FindingKind::kRedo: return "redo";
    case FindingKind::kAria: return "aria";
    case FindingKind::kChain: return "chain";
  }
  return "unknown";
}

std::string TableOf(std::string_view file) {
  const size_t slash = file.find('/');
  if (slash == std::string_view::npos || datadir::IsRocksdbFileName(file)) return "";
  const std::string_view database = file.substr(0, slash);
  std::string_view table = file.substr(slash + 1);
  if (!IsOfTable(table)) return "";
  table = table.substr(0, table.rfind('.'));
  // '#' stands for itself in no name of a table; partitions are "#P#", historically "#p#".
  table = table.substr(0, table.find('#'));
  return fmt::format("{}.{}", database, table);
}

std::string Describe(const Finding& finding) {
  std::string text = finding.backup_dir;
  if (!finding.file.empty()) text += ": " + finding.file;
  if (finding.page) {
    text += fmt::format(": page {}", *finding.page);
    if (finding.offset) text += fmt::format(" at offset {}", *finding.offset);
  } else if (finding.offset) {
    text += fmt::format(": offset {}", *finding.offset);
  }
  return text + ": " + finding.what;
}

}  // namespace hbk::verify

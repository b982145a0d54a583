#include "foreign_engines.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hbk/datadir/table_definition.h"

namespace hbk::backup {

namespace {

constexpr size_t kNamesShownMax = 20;
// The largest definition that a server writes has 4096 columns with comments of 1 KiB each.
constexpr uint64_t kDefinitionBytesMax = 64 << 20;
constexpr std::string_view kExtension = ".frm";

enum class Rows {
  kCopied,     // in files of the backup
  kElsewhere,  // on another machine, or in files that only the engine knows
  kNone,       // nothing that outlives the server, or nothing at all
  kOfRocksdb,
  kUnknown,
};

struct EngineRows {
  std::string_view engine;  // in capitals
  Rows rows;
};
constexpr EngineRows kEngines[] = {
    {"INNODB", Rows::kCopied},
    {"ARIA", Rows::kCopied},
    {"MYISAM", Rows::kCopied},
    {"MRG_MYISAM", Rows::kCopied},
    {"CSV", Rows::kCopied},
    {"ARCHIVE", Rows::kCopied},
    {"MROONGA", Rows::kCopied},
    {"PERFORMANCE_SCHEMA", Rows::kCopied},  // made anew at each start
    {"", Rows::kCopied},                    // partitions, of a server that had no other engines
    {"ROCKSDB", Rows::kOfRocksdb},
    {"MEMORY", Rows::kNone},
    {"HEAP", Rows::kNone},
    {"BLACKHOLE", Rows::kNone},
    {"SEQUENCE", Rows::kNone},
    {"OQGRAPH", Rows::kNone},  // a view of an ordinary table
    {"FEDERATED", Rows::kElsewhere},
    {"FEDERATEDX", Rows::kElsewhere},
    {"CONNECT", Rows::kElsewhere},
    {"SPIDER", Rows::kElsewhere},
    {"S3", Rows::kElsewhere},
    {"COLUMNSTORE", Rows::kElsewhere},
    {"SPHINX", Rows::kElsewhere},
};

Rows RowsOf(std::string_view engine) {
  std::string upper(engine);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const auto* const found =
      std::find_if(std::begin(kEngines), std::end(kEngines),
                   [&](const EngineRows& row) { return row.engine == upper; });
  return found == std::end(kEngines) ? Rows::kUnknown : found->rows;
}

std::string_view WhyMissing(Rows rows) {
  switch (rows) {
    case Rows::kElsewhere: return "their rows lie elsewhere";
    case Rows::kOfRocksdb: return "their rows were left out";
    default: return "hbk does not know this engine";
  }
}

// The first names as users write them, and how many there are beyond.
std::string ListNames(server::ServerSession& session, const std::vector<std::string>& tables) {
  std::vector<std::string> shown;
  for (const std::string& table : tables) {
    if (shown.size() == kNamesShownMax) break;
    const auto name = session.DecodeTableName(table);
    shown.push_back(name.ok() ? name->ToString() : table);
  }
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (tables.size() > shown.size())
    text += fmt::format(" and {} more", tables.size() - shown.size());
  return text;
}

}  // namespace

Status TellOfForeignEngines(io::FileSystem& fs, const std::string& target_dir,
                            server::ServerSession& session, bool has_rocksdb,
                            report::Reporter& reporter, BackupRecord& record) {
  std::map<std::string, std::vector<std::string>> tables_of;  // by engine
  for (const auto& entry : record.files) {
    const std::string& name = entry.first;
    if (!name.ends_with(kExtension)) continue;
    bool is_in_target = entry.second.content == manifest::FileContent::kWhole;
    auto bytes =
        io::ReadFile(fs, io::JoinPath(is_in_target ? target_dir : record.layout.datadir, name),
                     kDefinitionBytesMax);
    // The target is an archive.
    if (is_in_target && bytes.status().code() == StatusCode::kUnsupported) {
      is_in_target = false;
      bytes = io::ReadFile(fs, io::JoinPath(record.layout.datadir, name), kDefinitionBytesMax);
    }
    // Dropped since the server was released.
    if (!is_in_target && bytes.status().code() == StatusCode::kNotFound) continue;
    HBK_RETURN_IF_ERROR(bytes.status());
    const std::string table = name.substr(0, name.size() - kExtension.size());
    const auto definition = datadir::ParseTableDefinition(AsBytes(*bytes));
    if (!definition.ok()) {
      // The server cannot open such a table either.
      reporter.Info(fmt::format("{}: {}", name, definition.status().message()));
    } else if (!definition->is_view) {
      tables_of[definition->engine].push_back(table);
    }
  }
  for (const auto& [engine, tables] : tables_of) {
    const Rows rows = RowsOf(engine);
    if (rows == Rows::kCopied || (rows == Rows::kOfRocksdb && has_rocksdb)) continue;
    const std::string names = ListNames(session, tables);
    if (rows == Rows::kNone) {
      reporter.Info(fmt::format("tables of the engine {} have no rows to back up", engine),
                    {{"count", std::to_string(tables.size())}, {"tables", names}});
      continue;
    }
    record.warnings.push_back(fmt::format(
        "{} {} of the engine {}: only the definition is in the backup ({}): {}", tables.size(),
        tables.size() == 1 ? "table" : "tables", engine, WhyMissing(rows), names));
  }
  return OkStatus();
}

}  // namespace hbk::backup

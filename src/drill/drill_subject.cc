#include "drill_subject.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/datadir/scanner.h"
#include "hbk/datadir/table_definition.h"
#include "hbk/manifest/mariadb_backup_files.h"

namespace hbk::drill {
namespace {

constexpr uint64_t kDefinitionBytesMax = 64 << 20;
constexpr uint64_t kLinkBytesMax = 4096;
constexpr std::string_view kDefinitionExtension = ".frm";
constexpr std::string_view kLinkExtension = ".isl";
constexpr std::string_view kRocksdbDirectory = "#rocksdb";

DrillSubject FactsOfManifest(const manifest::BackupManifest& manifest) {
  DrillSubject facts;
  facts.uuid = manifest.backup_uuid;
  facts.end_time = manifest.end_time;
  facts.data_file_path = manifest.server.data_file_path;
  facts.server_version = manifest.server.version;
  facts.page_size = manifest.server.page_size;
  facts.undo_tablespaces = manifest.server.undo_tablespaces;
  facts.settings = manifest.server.settings;
  facts.table_checksums = manifest.table_checksums;
  return facts;
}

DrillSubject FactsOfMetadata(const manifest::MariadbBackupSet& set) {
  DrillSubject facts;
  facts.data_file_path = set.config.data_file_path;
  facts.server_version = set.server_version;
  facts.page_size = set.config.page_size;
  facts.undo_tablespaces = fmt::format("{}", set.config.undo_tablespaces);
  facts.settings = set.config.key_settings;
  return facts;
}

std::string Capitals(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// A definition that cannot be read is for the server to judge.
void NoteEngine(io::FileSystem& fs, const std::string& path, std::set<std::string>& engines) {
  const auto bytes = io::ReadFile(fs, path, kDefinitionBytesMax);
  if (!bytes.ok()) return;
  const auto definition = datadir::ParseTableDefinition(AsBytes(*bytes));
  if (definition.ok() && !definition->is_view && !definition->engine.empty())
    engines.insert(Capitals(definition->engine));
}

class CopyReader {
 public:
  explicit CopyReader(io::FileSystem& fs) : fs_(fs) {}

  Result<CopyFacts> Read(const std::string& data_dir) {
    DatabaseSize beside;
    HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(data_dir));
    for (const io::DirectoryEntry& entry : entries) {
      const std::string path = io::JoinPath(data_dir, entry.name);
      if (entry.type != io::FileType::kDirectory) {
        HBK_RETURN_IF_ERROR(AddFile(path, beside));
        continue;
      }
      DatabaseSize database{.name = entry.name};
      HBK_RETURN_IF_ERROR(AddDirectory(path, database));
      facts_.has_rocksdb_files |= entry.name == kRocksdbDirectory && database.file_count != 0;
      facts_.databases.push_back(std::move(database));
    }
    facts_.databases.push_back(std::move(beside));
    std::stable_sort(
        facts_.databases.begin(), facts_.databases.end(),
        [](const DatabaseSize& a, const DatabaseSize& b) { return a.bytes > b.bytes; });
    for (const DatabaseSize& database : facts_.databases)
      facts_.bytes += database.bytes;
    return std::move(facts_);
  }

 private:
  Status AddFile(const std::string& path, DatabaseSize& sum) {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(path, /*follow=*/false));
    sum.bytes += info.size;
    ++sum.file_count;
    if (path.ends_with(kDefinitionExtension)) NoteEngine(fs_, path, facts_.engines);
    return OkStatus();
  }

  Status AddDirectory(const std::string& dir, DatabaseSize& sum) {
    HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(dir));
    for (const io::DirectoryEntry& entry : entries) {
      const std::string path = io::JoinPath(dir, entry.name);
      HBK_RETURN_IF_ERROR(entry.type == io::FileType::kDirectory ? AddDirectory(path, sum)
                                                                 : AddFile(path, sum));
    }
    return OkStatus();
  }

  io::FileSystem& fs_;
  CopyFacts facts_;
};

// Links lie beside the tables of a database only.
Status FindLinks(io::FileSystem& fs, const std::string& data_dir, std::vector<std::string>& links) {
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(data_dir));
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.type != io::FileType::kDirectory) continue;
    const std::string dir = io::JoinPath(data_dir, entry.name);
    HBK_ASSIGN_OR_RETURN(const auto files, fs.List(dir));
    for (const io::DirectoryEntry& file : files)
      if (file.name.ends_with(kLinkExtension)) links.push_back(io::JoinPath(dir, file.name));
  }
  return OkStatus();
}

Status CheckLeadsNowhere(io::FileSystem& fs, const std::string& link) {
  HBK_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(fs, link, kLinkBytesMax));
  const auto place = datadir::ParseTablespaceLink(text, io::BaseName(link));
  HBK_RETURN_IF_ERROR(place.status().WithContext(link));
  HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, *place));
  if (!is_there) return OkStatus();
  return UnsupportedError(
             fmt::format("the backup has a table with DATA DIRECTORY, and {} exists on this "
                         "machine: a server of the drill could open it",
                         *place))
      .WithHint("drill this backup on a machine where no server has such tables");
}

}  // namespace

Result<DrillSubject> LoadBackupFacts(io::FileSystem& fs, const std::string& backup_dir,
                                     manifest::SealingKeyRing& keys) {
  const auto opened = manifest::OpenManifest(fs, backup_dir, keys);
  if (opened.ok()) return FactsOfManifest(opened->manifest);
  if (opened.status().code() != StatusCode::kNotFound) return opened.status();
  const auto set = manifest::LoadMariadbBackupSet(fs, backup_dir);
  if (set.ok()) return FactsOfMetadata(*set);
  if (set.status().code() != StatusCode::kNotFound) return set.status();
  return NotFoundError(
      fmt::format("{} is no backup: it has neither {} nor the files of "
                  "mariadb-backup",
                  backup_dir, manifest::kManifestFileName));
}

Result<uint64_t> StoredBytes(io::FileSystem& fs, const std::string& dir) {
  uint64_t bytes = 0;
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(dir));
  for (const io::DirectoryEntry& entry : entries) {
    const std::string path = io::JoinPath(dir, entry.name);
    if (entry.type == io::FileType::kDirectory) {
      HBK_ASSIGN_OR_RETURN(const uint64_t below, StoredBytes(fs, path));
      bytes += below;
      continue;
    }
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/false));
    bytes += info.size;
  }
  return bytes;
}

Result<CopyFacts> LookAtCopy(io::FileSystem& fs, const std::string& data_dir) {
  return CopyReader(fs).Read(data_dir);
}

Result<uint64_t> RemoveTablespaceLinks(io::FileSystem& fs, const std::string& data_dir) {
  std::vector<std::string> links;
  HBK_RETURN_IF_ERROR(FindLinks(fs, data_dir, links));
  for (const std::string& link : links)
    HBK_RETURN_IF_ERROR(CheckLeadsNowhere(fs, link));
  for (const std::string& link : links)
    HBK_RETURN_IF_ERROR(fs.Remove(link));
  return static_cast<uint64_t>(links.size());
}

}  // namespace hbk::drill

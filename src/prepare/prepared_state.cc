#include "prepared_state.h"

#include <chrono>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "hbk/base/version.h"
#include "hbk/datadir/file_kind.h"

#include "flush_lsn.h"
#include "parallel.h"
#include "stored_digest.h"

namespace hbk::prepare {
namespace {

using datadir::FileKind;
using manifest::ManifestFile;

bool IsTablespaceKind(std::string_view kind) {
  return kind == FileKindName(FileKind::kTablespace) ||
         kind == FileKindName(FileKind::kUndoTablespace) ||
         kind == FileKindName(FileKind::kSystemTablespace);
}

std::string NowRfc3339() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// Tables that are there now, by name.
Result<std::set<std::string>> ListTables(io::FileSystem& fs, const BackupSet& set) {
  std::set<std::string> names;
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& directory : root) {
    if (directory.type != io::FileType::kDirectory) continue;
    HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(set.Path(directory.name)));
    for (const io::DirectoryEntry& entry : entries)
      if (entry.name.ends_with(".ibd")) names.insert(io::JoinPath(directory.name, entry.name));
  }
  return names;
}

Status StoreBackupType(io::FileSystem& fs, const BackupSet& set, std::string_view type) {
  if (!set.metadata.has_value()) return OkStatus();
  const std::string path = set.Path(set.metadata->names.checkpoints);
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, false));
  manifest::Checkpoints checkpoints = set.metadata->checkpoints;
  checkpoints.backup_type = type;
  return io::WriteFileAtomically(fs, path, manifest::RenderCheckpoints(checkpoints), info.mode);
}

// Brings the list of files to what is there. Puts into `stale` those whose digests are not known.
Status UpdateFileList(io::FileSystem& fs, const BackupSet& set, const ManifestChange& change,
                      manifest::BackupManifest& manifest, std::vector<size_t>& stale) {
  HBK_ASSIGN_OR_RETURN(const std::set<std::string> tables, ListTables(fs, set));
  std::map<std::string, ManifestFile> files;
  for (ManifestFile& file : manifest.files) {
    const bool is_table = file.kind == FileKindName(FileKind::kTablespace);
    if (is_table && !tables.contains(file.name)) continue;
    files.emplace(file.name, std::move(file));
  }
  for (const std::string& name : tables) {
    const auto [file, is_new] = files.emplace(name, ManifestFile{});
    if (!is_new) continue;
    file->second.name = name;
    file->second.kind = FileKindName(FileKind::kTablespace);
    file->second.stage = "prepare";
  }
  manifest.files.clear();
  for (auto& [name, file] : files) {
    const auto info = fs.Stat(set.Path(name), false);
    // An intermediate definition that was removed.
    if (info.status().code() == StatusCode::kNotFound) continue;
    HBK_RETURN_IF_ERROR(info.status());
    if (file.digest.empty() || file.size != info->size || change.changed_files.contains(name) ||
        (change.all_tablespaces_changed && IsTablespaceKind(file.kind)) || name == kLogFileName ||
        file.kind == FileKindName(FileKind::kMetadata)) {
      stale.push_back(manifest.files.size());
    }
    manifest.files.push_back(std::move(file));
  }
  return OkStatus();
}

}  // namespace

std::string CreatorOfEmptyLog(std::string_view source_creator) {
  const size_t blank = source_creator.find(' ');
  const std::string_view version =
      blank == std::string_view::npos ? source_creator : source_creator.substr(blank + 1);
  // The field has room for 31 bytes.
  return fmt::format("Backup {}", version).substr(0, 31);
}

Result<std::unique_ptr<RedoReader>> OpenLog(io::FileSystem& fs, const BackupSet& set,
                                            size_t window_bytes, crypto::KeySource* keys) {
  const std::string path = set.Path(kLogFileName);
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, false));
  if (info.size != 0) return RedoReader::Open(fs, path, window_bytes, keys);
  HBK_ASSIGN_OR_RETURN(const innodb::Lsn end_lsn, ReadFlushLsn(fs, set));
  return RedoReader::OpenEmpty(fs, path, end_lsn);
}

Status ReplaceLog(io::FileSystem& fs, const BackupSet& set, innodb::Lsn end_lsn,
                  const redo::LogFileHeader& source) {
  const std::string path = set.Path(kLogFileName);
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, false));
  std::string log;
  if (source.container == redo::LogContainer::kBlocks) {
    HBK_RETURN_IF_ERROR(StoreFlushLsn(fs, set, end_lsn));
  } else {
    log = redo::RenderEmptyLog(end_lsn, CreatorOfEmptyLog(source.creator));
  }
  HBK_RETURN_IF_ERROR(io::WriteFileAtomically(fs, path, log, info.mode));
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(set.dir));
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.name.starts_with("ib_logfile") && entry.name != kLogFileName)
      HBK_RETURN_IF_ERROR(fs.Remove(set.Path(entry.name)));
  }
  return fs.SyncDirectory(set.dir);
}

Result<innodb::Lsn> CheckPreparedLog(io::FileSystem& fs, const BackupSet& set,
                                     crypto::KeySource* keys) {
  HBK_ASSIGN_OR_RETURN(const auto reader, OpenLog(fs, set, 0, keys));
  HBK_ASSIGN_OR_RETURN(const redo::Lsn end, FindFileCheckpoint(*reader));
  reader->Seek(end);
  redo::MiniTransaction mtr;
  HBK_ASSIGN_OR_RETURN(const bool has_more, reader->Next(mtr));
  const bool is_ours = set.manifest.has_value() && !set.is_prepared_elsewhere;
  const uint64_t expected = is_ours ? set.manifest->prepared_lsn : set.last_lsn;
  if (has_more || end < expected || (is_ours && end != expected)) {
    return CorruptionError(fmt::format("{} is said to be prepared to LSN {}, but its log {} LSN {}",
                                       set.dir, expected, has_more ? "goes on behind" : "ends at",
                                       end))
        .WithHint("was a server started on it?");
  }
  return end;
}

Status MarkUnfinished(io::FileSystem& fs, const BackupSet& set) {
  // In this order: a checkpoints file that says prepared, beside a manifest that does not, would
  // mean that mariadb-backup has prepared the backup.
  HBK_RETURN_IF_ERROR(StoreBackupType(fs, set, manifest::kUnfinishedBackupType));
  if (!set.manifest.has_value() || set.manifest->state != manifest::BackupState::kPrepared)
    return OkStatus();
  manifest::BackupManifest manifest = *set.manifest;
  manifest.state = manifest::BackupState::kUnprepared;
  return manifest::StoreManifest(fs, set.dir, manifest);
}

Status StoreCheckpoints(io::FileSystem& fs, const BackupSet& set) {
  return StoreBackupType(fs, set, "log-applied");
}

Status UpdateManifest(io::FileSystem& fs, const BackupSet& set, const ManifestChange& change,
                      report::Reporter& reporter) {
  if (!set.manifest.has_value()) return OkStatus();
  manifest::BackupManifest manifest = *set.manifest;
  std::vector<size_t> stale;
  HBK_RETURN_IF_ERROR(UpdateFileList(fs, set, change, manifest, stale));
  reporter.BeginPhase("digest", {{"files", fmt::format("{}", stale.size())}});
  std::vector<FileDigest> digests(stale.size());
  const auto digest = [&](uint32_t, size_t item) -> Status {
    const std::string path = set.Path(manifest.files[stale[item]].name);
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/false));
    const KnownChunks known = change.chunks != nullptr ? change.chunks->Of(info) : KnownChunks();
    HBK_ASSIGN_OR_RETURN(digests[item], DigestFile(fs, path, {}, known));
    return OkStatus();
  };
  HBK_RETURN_IF_ERROR(RunParallel(change.worker_count, stale.size(), digest));
  manifest::ChunkHashes hashes =
      change.chunks != nullptr ? change.chunks->hashes() : manifest::ChunkHashes();
  for (size_t i = 0; i < stale.size(); ++i) {
    ManifestFile& file = manifest.files[stale[i]];
    file.size = digests[i].size;
    file.digest = std::move(digests[i].digest);
    hashes.Add(std::move(digests[i].chunk_hashes));
  }
  hashes.KeepOnly(manifest.files);
  // Before the manifest: with the old one beside it, lists of new digests are of no file.
  HBK_RETURN_IF_ERROR(manifest::StoreChunkHashes(fs, set.dir, hashes));
  manifest.state = manifest::BackupState::kPrepared;
  manifest.prepared_by = kVersion;
  manifest.prepared_time = NowRfc3339();
  manifest.prepared_lsn = change.prepared_lsn;
  return manifest::StoreManifest(fs, set.dir, manifest);
}

}  // namespace hbk::prepare

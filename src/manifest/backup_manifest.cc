#include "hbk/manifest/backup_manifest.h"

#include <algorithm>
#include <bit>
#include <set>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/mariadb_backup_files.h"
#include "hbk/seal/sealed_file.h"

#include "manifest_rules.h"

namespace hbk::manifest {
namespace {

constexpr size_t kDigestDigits = 32;
constexpr uint32_t kPageSizeMin = 4096;
constexpr uint32_t kImageSizeMin = 1024;  // ROW_FORMAT=COMPRESSED
constexpr uint32_t kPageSizeMax = 65536;
constexpr uint32_t kManifestMode = 0600;  // as the other files of a backup

bool IsDigest(std::string_view text) {
  return text.size() == kDigestDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status CheckFile(const ManifestFile& file) {
  if (!IsSafeFileName(file.name)) {
    return CorruptionError(fmt::format("'{}' is no name of a file in a backup", file.name));
  }
  if (file.name == kManifestFileName || file.name == kSealedManifestFileName ||
      file.name == kIncompleteMarkerName) {
    return CorruptionError(fmt::format("'{}' cannot be listed", file.name));
  }
  if (!datadir::FileKindByName(file.kind)) {
    return CorruptionError(fmt::format("file '{}': unknown kind '{}'", file.name, file.kind));
  }
  const bool is_rocksdb = file.kind == datadir::FileKindName(datadir::FileKind::kRocksdb);
  const bool is_in_rocksdb = file.name.starts_with(std::string(datadir::kRocksdbDirectory) + "/");
  if (is_rocksdb != is_in_rocksdb) {
    return CorruptionError(
        fmt::format("file '{}' cannot be of the kind '{}'", file.name, file.kind));
  }
  if (!file.digest.empty() && !IsDigest(file.digest)) {
    return CorruptionError(fmt::format("file '{}': '{}' is no digest", file.name, file.digest));
  }
  return OkStatus();
}

// What a file may say of its content, in a backup that is an increment or is none.
Status CheckContent(const ManifestFile& file, bool is_increment) {
  if (file.space) {
    const uint32_t page_size = file.space->page_size;
    if (page_size < kImageSizeMin || page_size > kPageSizeMax || !std::has_single_bit(page_size)) {
      return CorruptionError(fmt::format("file '{}': page size {}", file.name, page_size));
    }
  }
  if (file.content == FileContent::kWhole) return OkStatus();
  if (!is_increment) {
    return CorruptionError(
        fmt::format("file '{}' is not in the backup itself, which is no increment", file.name));
  }
  if (file.content != FileContent::kDelta) return OkStatus();
  if (!file.space) {
    return CorruptionError(fmt::format("file '{}' has a delta and is no tablespace", file.name));
  }
  if ((file.delta_size == 0) != file.digest.empty()) {
    return CorruptionError(fmt::format("file '{}': a delta of {} bytes with the digest '{}'",
                                       file.name, file.delta_size, file.digest));
  }
  return OkStatus();
}

Status CheckBase(const BackupManifest& manifest) {
  if (!manifest.base) return OkStatus();
  const BaseBackup& base = *manifest.base;
  const bool is_known =
      base.origin == "hbk" || base.origin == "mariadb-backup" || base.origin == "lsn";
  if (!is_known || (base.origin == "hbk") == base.backup_uuid.empty()) {
    return CorruptionError(fmt::format("base '{}' of origin '{}'", base.backup_uuid, base.origin));
  }
  // The redo may begin before: then it repeats some of the base's.
  if (base.last_lsn > manifest.last_lsn) {
    return CorruptionError(fmt::format("redo up to LSN {}, where the base ends at {}",
                                       manifest.last_lsn, base.last_lsn));
  }
  return OkStatus();
}

Status CheckNumbers(const BackupManifest& manifest) {
  const uint32_t page_size = manifest.server.page_size;
  const bool is_power_of_two = (page_size & (page_size - 1)) == 0;
  if (page_size < kPageSizeMin || page_size > kPageSizeMax || !is_power_of_two) {
    return CorruptionError(fmt::format("page size {}", page_size));
  }
  if (manifest.start_checkpoint_lsn > manifest.last_lsn || manifest.to_lsn > manifest.last_lsn) {
    return CorruptionError(fmt::format("redo from LSN {} by checkpoint {} to {}",
                                       manifest.start_checkpoint_lsn, manifest.to_lsn,
                                       manifest.last_lsn));
  }
  if (!(manifest.redo_margin >= 0 && manifest.redo_margin <= 1)) {
    return CorruptionError(fmt::format("redo margin {}", manifest.redo_margin));
  }
  return OkStatus();
}

}  // namespace

bool IsSafeFileName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return datadir::IsSafeNameComponent(name);
  return datadir::IsSafeNameComponent(name.substr(0, slash)) &&
         datadir::IsSafeNameComponent(name.substr(slash + 1));
}

Status CheckManifest(const BackupManifest& manifest) {
  HBK_RETURN_IF_ERROR(CheckNumbers(manifest));
  HBK_RETURN_IF_ERROR(CheckBase(manifest));
  if (manifest.has_sealed_names && !manifest.is_sealed)
    return CorruptionError("names are sealed, and files are not");
  std::set<std::string_view> databases;
  for (const std::string& database : manifest.databases) {
    if (!datadir::IsSafeNameComponent(database) || !datadir::IsDatabaseDirectoryName(database)) {
      return CorruptionError(fmt::format("'{}' is no name of a database directory", database));
    }
    if (!databases.insert(database).second) {
      return CorruptionError(fmt::format("database '{}' is listed twice", database));
    }
  }
  std::set<std::string_view> names;
  for (const ManifestFile& file : manifest.files) {
    HBK_RETURN_IF_ERROR(CheckFile(file));
    HBK_RETURN_IF_ERROR(CheckContent(file, manifest.base.has_value()));
    if (!names.insert(file.name).second) {
      return CorruptionError(fmt::format("file '{}' is listed twice", file.name));
    }
  }
  for (const std::string_view database : databases) {
    if (names.contains(database)) {
      return CorruptionError(fmt::format("'{}' is both a file and a database", database));
    }
  }
  return OkStatus();
}

Result<BackupManifest> LoadManifest(io::FileSystem& fs, const std::string& backup_dir) {
  const std::string path = io::JoinPath(backup_dir, kManifestFileName);
  HBK_ASSIGN_OR_RETURN(const std::string text, ReadManifestText(fs, backup_dir));
  Result<BackupManifest> manifest = ParseManifest(text);
  if (!manifest.ok()) return manifest.status().WithContext(path);
  return manifest;
}

// Where both are, the plain one is newer: that of a backup that was decrypted.
Result<std::string> ReadManifestText(io::FileSystem& fs, const std::string& backup_dir) {
  auto text = io::ReadFile(fs, io::JoinPath(backup_dir, kManifestFileName), kManifestBytesMax);
  if (text.ok() || text.status().code() != StatusCode::kNotFound) return text;
  const std::string sealed = io::JoinPath(backup_dir, kSealedManifestFileName);
  HBK_ASSIGN_OR_RETURN(const bool is_sealed, io::Exists(fs, sealed));
  if (!is_sealed) return text;
  return Status(StatusCode::kMissingKey, sealed + " can only be read with a key of the backup")
      .WithHint(
          "hbk prepare and hbk decrypt take the key, and leave a manifest that is not sealed");
}

void BackupManifest::SetPlain() {
  compression = {};
  is_sealed = false;
  has_sealed_names = false;
  for (ManifestFile& file : files)
    file.seal_id.clear();
}

Status StoreManifest(io::FileSystem& fs, const std::string& backup_dir,
                     const BackupManifest& manifest, const seal::DataKey* data_key) {
  const std::string path = io::JoinPath(backup_dir, kManifestFileName);
  // A manifest that nobody can read again must not make a backup look complete.
  HBK_RETURN_IF_ERROR(CheckManifest(manifest).WithContext("writing " + path));
  // Whoever changes a sealed one must be able to seal it.
  HBK_CHECK(manifest.is_sealed == (data_key != nullptr));
  HBK_ASSIGN_OR_RETURN(const std::string text, RenderManifest(manifest, data_key));
  if (!manifest.has_sealed_names) return io::WriteFileAtomically(fs, path, text, kManifestMode);
  std::string sealed;
  HBK_ASSIGN_OR_RETURN(const auto writer,
                       seal::SealedWriter::Create(*data_key, [&sealed](ByteView bytes) {
                         sealed += AsText(bytes);
                         return OkStatus();
                       }));
  HBK_RETURN_IF_ERROR(writer->Append(AsBytes(text)));
  HBK_RETURN_IF_ERROR(writer->Finish().status());
  return io::WriteFileAtomically(fs, io::JoinPath(backup_dir, kSealedManifestFileName), sealed,
                                 kManifestMode);
}

Result<std::string> DigestOfStoredManifest(io::FileSystem& fs, const std::string& backup_dir) {
  // Where both manifests are, the plain one counts, as for whoever reads them.
  for (const std::string& name :
       {std::string(kManifestFileName), std::string(kSealedManifestFileName),
        MetadataNamesFor("10.11").checkpoints, MetadataNamesFor("11.8").checkpoints}) {
    const auto bytes = io::ReadFile(fs, io::JoinPath(backup_dir, name), kManifestBytesMax);
    if (bytes.ok()) return filter::DigestOf(AsBytes(*bytes));
    if (bytes.status().code() != StatusCode::kNotFound) return bytes.status();
  }
  return NotFoundError(fmt::format("{}: no manifest of a backup", backup_dir));
}

}  // namespace hbk::manifest

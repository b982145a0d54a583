#include "hbk/manifest/stored_backup.h"

#include <utility>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/delta/delta_file.h"
#include "hbk/seal/key_slots.h"
#include "hbk/seal/sealed_file.h"
#include "hbk/store/compressed_file_system.h"
#include "hbk/store/sealed_file_system.h"
#include "hbk/store/sealed_name_file_system.h"

#include "manifest_rules.h"

namespace hbk::manifest {
namespace {

constexpr std::string_view kOwnPrefix = "hbk_";

bool IsInRoot(std::string_view name) {
  return name.find('/') == std::string_view::npos;
}

// What there is of the file in the backup; empty: nothing.
std::string StoredNameOf(const ManifestFile& file) {
  if (file.content == FileContent::kWhole) return file.name;
  if (file.content == FileContent::kBase || file.delta_size == 0) return {};
  return file.name + std::string(delta::kDeltaSuffix);
}

Result<store::SealedFileSystem::FileIds> IdsOf(const BackupManifest& manifest) {
  store::SealedFileSystem::FileIds ids;
  for (const ManifestFile& file : manifest.files) {
    const std::string name = StoredNameOf(file);
    if (name.empty()) continue;
    HBK_ASSIGN_OR_RETURN(const seal::FileId id, seal::ParseFileId(file.seal_id));
    ids.emplace(NameBeneathCompression(name, manifest.compression), id);
  }
  return ids;
}

// Of a file that its seal and its content will show to be the manifest.
Result<seal::FileId> ReadFileId(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(path, {}));
  auto id = seal::ReadSealedFileId(*file);
  HBK_RETURN_IF_ERROR(id.status().WithContext(path));
  return id;
}

Result<std::string> ReadSealedText(io::FileSystem& fs, const std::string& path,
                                   const seal::DataKey& data_key, const seal::FileId& id) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {}));
  const auto read = [&]() -> Result<std::string> {
    HBK_ASSIGN_OR_RETURN(const auto opened, seal::OpenSealedFile(std::move(file), data_key, id));
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, opened->Stat());
    if (info.size > kManifestBytesMax) return CorruptionError("larger than any manifest is");
    std::vector<uint8_t> bytes(info.size);
    HBK_ASSIGN_OR_RETURN(const size_t got, opened->ReadAt(0, bytes));
    if (got != bytes.size()) return CorruptionError("it became shorter");
    return std::string(AsText(bytes));
  };
  auto text = read();
  HBK_RETURN_IF_ERROR(text.status().WithContext(path));
  return text;
}

}  // namespace

bool IsNeverCompressed(std::string_view name) {
  return IsInRoot(name) && datadir::ClassifyRootFile(name) == datadir::FileKind::kMetadata;
}

bool IsNeverSealed(std::string_view name) {
  return IsInRoot(name) && name.starts_with(kOwnPrefix);
}

std::string NameBeneathCompression(const std::string& stored_name,
                                   const codec::FrameChoice& compression) {
  if (IsNeverCompressed(stored_name)) return stored_name;
  return stored_name + std::string(codec::FrameSuffix(compression.method));
}

bool IsNeverRenamed(std::string_view name) {
  return IsNeverSealed(name);
}

Result<std::string> SealedNameOf(const seal::DataKey& data_key, std::string_view sealed_file) {
  HBK_ASSIGN_OR_RETURN(const std::string name, data_key.SealedName(sealed_file));
  return name + std::string(store::kSealedSuffix);
}

Result<seal::DataKey> SealingKeyRing::Open(const std::string& backup_dir) {
  auto slots = seal::LoadKeySlots(fs_, backup_dir);
  if (!slots.ok() && slots.status().code() == StatusCode::kNotFound) {
    return CorruptionError(
        fmt::format("{}: the manifest says that the backup is sealed, and {} is "
                    "missing",
                    backup_dir, seal::kKeySlotsFileName));
  }
  HBK_RETURN_IF_ERROR(slots.status());
  if (!keys_) {
    HBK_ASSIGN_OR_RETURN(keys_, seal::OpenSealingKeys(options_, fs_, stop_));
  }
  if (keys_->empty()) {
    return Status(StatusCode::kMissingKey, backup_dir + " is sealed, and no key is given")
        .WithHint("--encrypt-key-file, --encrypt-passphrase or another of the --encrypt-* options");
  }
  HBK_ASSIGN_OR_RETURN(seal::KeySlots::Opened opened, slots->Open(*keys_));
  return std::move(opened.data_key);
}

Result<OpenedManifest> OpenManifest(io::FileSystem& fs, const std::string& backup_dir,
                                    SealingKeyRing& keys) {
  std::string path = io::JoinPath(backup_dir, kManifestFileName);
  OpenedManifest opened;
  auto text = ReadManifestText(fs, backup_dir);
  if (!text.ok() && text.status().code() == StatusCode::kMissingKey) {
    path = io::JoinPath(backup_dir, kSealedManifestFileName);
    HBK_ASSIGN_OR_RETURN(opened.data_key, keys.Open(backup_dir));
    HBK_ASSIGN_OR_RETURN(opened.manifest_id, ReadFileId(fs, path));
    text = ReadSealedText(fs, path, *opened.data_key, *opened.manifest_id);
  }
  HBK_RETURN_IF_ERROR(text.status());
  auto manifest = ParseManifest(*text);
  HBK_RETURN_IF_ERROR(manifest.status().WithContext(path));
  opened.manifest = std::move(*manifest);
  if (opened.manifest.has_sealed_names != opened.manifest_id.has_value())
    return CorruptionError(path + ": what it says of the sealing does not fit its own name");
  if (!opened.manifest.is_sealed) return opened;
  if (!opened.data_key) {
    HBK_ASSIGN_OR_RETURN(opened.data_key, keys.Open(backup_dir));
  }
  HBK_RETURN_IF_ERROR(CheckManifestSeal(*text, *opened.data_key).WithContext(path));
  return opened;
}

Result<bool> StoredBackups::Add(const std::string& backup_dir, bool keeps_compression) {
  const auto opened = OpenManifest(fs_, backup_dir, keys_);
  if (!opened.ok() && opened.status().code() == StatusCode::kNotFound) return false;
  HBK_RETURN_IF_ERROR(opened.status());
  const BackupManifest& manifest = opened->manifest;
  if (manifest.is_sealed) HBK_RETURN_IF_ERROR(AddSealed(backup_dir, *opened));
  const bool is_compressed = manifest.compression.method != codec::FrameMethod::kNone;
  if (is_compressed && !keeps_compression) {
    layers_.push_back(std::make_unique<store::CompressedFileSystem>(
        fs(), backup_dir, manifest.compression, IsNeverCompressed));
  }
  return manifest.is_sealed || is_compressed;
}

Status StoredBackups::AddSealed(const std::string& backup_dir, const OpenedManifest& opened) {
  auto ids = IdsOf(opened.manifest);
  HBK_RETURN_IF_ERROR(ids.status().WithContext(io::JoinPath(backup_dir, kManifestFileName)));
  store::IsKept is_kept = IsNeverSealed;
  if (opened.manifest.has_sealed_names) {
    HBK_RETURN_IF_ERROR(AddSealedNames(backup_dir, opened, *ids));
    // The manifest is shown as if it were not sealed.
    ids->emplace(kManifestFileName, *opened.manifest_id);
    is_kept = [](std::string_view name) {
      return IsNeverSealed(name) && name != kManifestFileName;
    };
  }
  layers_.push_back(std::make_unique<store::SealedFileSystem>(fs(), backup_dir, *opened.data_key,
                                                              std::move(is_kept), std::move(*ids)));
  return OkStatus();
}

Status StoredBackups::AddSealedNames(const std::string& backup_dir, const OpenedManifest& opened,
                                     const store::SealedFileSystem::FileIds& ids) {
  const auto hide = [key = *opened.data_key](std::string_view name) {
    return SealedNameOf(key, name);
  };
  auto names =
      std::make_unique<store::SealedNameFileSystem>(fs(), backup_dir, hide, IsNeverRenamed);
  for (const auto& [name, id] : ids)
    HBK_RETURN_IF_ERROR(names->AddFile(name + std::string(store::kSealedSuffix)));
  for (const std::string& database : opened.manifest.databases)
    names->AddDirectory(database);
  layers_.push_back(std::move(names));
  return OkStatus();
}

}  // namespace hbk::manifest

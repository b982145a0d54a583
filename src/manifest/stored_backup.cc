#include "hbk/manifest/stored_backup.h"

#include <utility>

#include <fmt/format.h>

#include "hbk/datadir/file_kind.h"
#include "hbk/delta/delta_file.h"
#include "hbk/seal/key_slots.h"
#include "hbk/store/compressed_file_system.h"
#include "hbk/store/sealed_file_system.h"

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

Result<seal::DataKey> SealingKeyRing::Open(const std::string& backup_dir,
                                           std::string_view manifest_text) {
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
  HBK_RETURN_IF_ERROR(CheckManifestSeal(manifest_text, opened.data_key)
                          .WithContext(io::JoinPath(backup_dir, kManifestFileName)));
  return std::move(opened.data_key);
}

Result<bool> StoredBackups::Add(const std::string& backup_dir, bool keeps_compression) {
  const auto text = ReadManifestText(fs_, backup_dir);
  if (!text.ok() && text.status().code() == StatusCode::kNotFound) return false;
  HBK_RETURN_IF_ERROR(text.status());
  const auto manifest = ParseManifest(*text);
  HBK_RETURN_IF_ERROR(manifest.status().WithContext(io::JoinPath(backup_dir, kManifestFileName)));
  if (manifest->is_sealed) HBK_RETURN_IF_ERROR(AddSealed(backup_dir, *text, *manifest));
  const bool is_compressed = manifest->compression.method != codec::FrameMethod::kNone;
  if (is_compressed && !keeps_compression) {
    layers_.push_back(std::make_unique<store::CompressedFileSystem>(
        fs(), backup_dir, manifest->compression, IsNeverCompressed));
  }
  return manifest->is_sealed || is_compressed;
}

Status StoredBackups::AddSealed(const std::string& backup_dir, std::string_view text,
                                const BackupManifest& manifest) {
  HBK_ASSIGN_OR_RETURN(seal::DataKey data_key, keys_.Open(backup_dir, text));
  auto ids = IdsOf(manifest);
  HBK_RETURN_IF_ERROR(ids.status().WithContext(io::JoinPath(backup_dir, kManifestFileName)));
  layers_.push_back(std::make_unique<store::SealedFileSystem>(fs(), backup_dir, std::move(data_key),
                                                              IsNeverSealed, std::move(*ids)));
  return OkStatus();
}

}  // namespace hbk::manifest

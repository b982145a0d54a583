#include "target_store.h"

#include <utility>

#include <fmt/format.h>

#include "hbk/manifest/stored_backup.h"
#include "hbk/seal/key_slot_runner.h"
#include "hbk/seal/sealing_keys.h"
#include "hbk/store/compressed_file_system.h"
#include "hbk/store/sealed_name_file_system.h"

#include "target_files.h"

namespace hbk::backup {

Result<std::unique_ptr<TargetStore>> TargetStore::Make(const BackupOptions& options,
                                                       io::FileSystem& fs,
                                                       const std::stop_token& stop) {
  std::unique_ptr<TargetStore> store(new TargetStore(options, fs));
  if (options.is_sealed) {
    HBK_RETURN_IF_ERROR(store->MakeDataKey(stop));
    if (options.seals_names) store->AddSealedNames();
    auto sealed = std::make_unique<store::SealedFileSystem>(
        store->fs(), options.target_dir, *store->data_key_, manifest::IsNeverSealed);
    store->sealed_ = sealed.get();
    store->layers_.push_back(std::move(sealed));
  }
  // A sealed file is written from front to back: then it is also what brings chunks in order.
  if (options.is_sealed || options.compression.method != codec::FrameMethod::kNone) {
    store->layers_.push_back(std::make_unique<store::CompressedFileSystem>(
        store->fs(), options.target_dir, options.compression, manifest::IsNeverCompressed));
  }
  return store;
}

Status TargetStore::MakeDataKey(const std::stop_token& stop) {
  HBK_ASSIGN_OR_RETURN(const auto keys, seal::OpenSealingKeys(options_.sealing_keys, fs_, stop));
  if (keys.empty()) {
    return Status(StatusCode::kMissingKey, "--encrypt needs a key that opens the backup again")
        .WithHint("--encrypt-key-file, --encrypt-passphrase or another of the --encrypt-* options");
  }
  HBK_ASSIGN_OR_RETURN(data_key_, seal::DataKey::Generate());
  HBK_ASSIGN_OR_RETURN(slots_, seal::NewKeySlots(*data_key_, keys, seal::SlotTimeNow()));
  return OkStatus();
}

void TargetStore::AddSealedNames() {
  const auto hide = [key = *data_key_](std::string_view name) {
    return manifest::SealedNameOf(key, name);
  };
  layers_.push_back(std::make_unique<store::SealedNameFileSystem>(fs(), options_.target_dir, hide,
                                                                  manifest::IsNeverRenamed));
}

Status TargetStore::StoreKeySlots(const std::string& dir) {
  return slots_ ? seal::StoreKeySlots(fs_, dir, *slots_, *data_key_) : OkStatus();
}

Status TargetStore::Describe(manifest::BackupManifest& manifest) const {
  manifest.compression = options_.compression;
  manifest.is_sealed = sealed_ != nullptr;
  manifest.has_sealed_names = sealed_ != nullptr && options_.seals_names;
  if (sealed_ == nullptr) return OkStatus();
  const store::SealedFileSystem::FileIds ids = sealed_->ids();
  for (manifest::ManifestFile& file : manifest.files) {
    const std::string stored = StoredName(file);
    if (stored.empty()) continue;
    const auto id = ids.find(manifest::NameBeneathCompression(stored, manifest.compression));
    if (id == ids.end()) return FailedError(file.name + " was not sealed");
    file.seal_id = seal::FileIdText(id->second);
  }
  return OkStatus();
}

}  // namespace hbk::backup

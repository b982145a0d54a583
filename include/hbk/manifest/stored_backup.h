// How the files of a backup are got at when they lie there compressed or sealed.
//
// The manifest says how they lie there. Compressed, it and the other metadata lie there as they
// are, so that they can be read by people and scripts; of a sealed backup only the files of hbk
// itself do, and the manifest is checked with the data key before it is believed.
//
// Errors   Those of LoadManifest and of the key slots; a directory without a manifest has plain
//          files. kMissingKey: of a sealed backup. kCorruption: somebody has changed its manifest.
// Threads  The file systems: any.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/seal/data_key.h"
#include "hbk/seal/sealing_keys.h"
#include "hbk/store/sealed_file_system.h"

namespace hbk::manifest {

// False for the files that are compressed; `name` is relative to the backup.
bool IsNeverCompressed(std::string_view name);
// False for the files that are sealed; names as they are beneath the compression.
bool IsNeverSealed(std::string_view name);
// False for the files whose names are, too; as they are beneath the sealing.
bool IsNeverRenamed(std::string_view name);
// What a file is called whose name is sealed; the name is that of the sealed file.
Result<std::string> SealedNameOf(const seal::DataKey& data_key, std::string_view sealed_file);
// What of the file lies in a backup of this kind, without ".sealed".
std::string NameBeneathCompression(const std::string& stored_name,
                                   const codec::FrameChoice& compression);

// Sealing keys, which are asked for when the first sealed backup is met.
class SealingKeyRing {
 public:
  // Borrows them.
  SealingKeyRing(const seal::SealingKeyOptions& options, io::FileSystem& fs, std::stop_token stop)
      : options_(options), fs_(fs), stop_(std::move(stop)) {}

  // Of the backup in a directory.
  Result<seal::DataKey> Open(const std::string& backup_dir);

 private:
  const seal::SealingKeyOptions& options_;
  io::FileSystem& fs_;
  const std::stop_token stop_;
  std::optional<std::vector<seal::SealingKey>> keys_;
};

// A manifest that was believed.
struct OpenedManifest {
  BackupManifest manifest;
  std::optional<seal::DataKey> data_key = std::nullopt;    // of a sealed backup
  std::optional<seal::FileId> manifest_id = std::nullopt;  // of a manifest that is sealed itself
};
// Errors as those of LoadManifest and of the key ring; of a sealed backup the manifest is one that
// somebody with a key of it wrote.
Result<OpenedManifest> OpenManifest(io::FileSystem& fs, const std::string& backup_dir,
                                    SealingKeyRing& keys);

// Shows the files of some backups as plain ones, and everything else as it is.
class StoredBackups {
 public:
  // `keys` must outlive it.
  StoredBackups(io::FileSystem& fs, SealingKeyRing& keys) : fs_(fs), keys_(keys) {}

  // True if its files are stored otherwise than plain. `keeps_compression`: they are shown as they
  // are beneath it.
  Result<bool> Add(const std::string& backup_dir, bool keeps_compression = false);
  [[nodiscard]] io::FileSystem& fs() { return layers_.empty() ? fs_ : *layers_.back(); }

 private:
  Status AddSealed(const std::string& backup_dir, const OpenedManifest& opened);
  Status AddSealedNames(const std::string& backup_dir, const OpenedManifest& opened,
                        const store::SealedFileSystem::FileIds& ids);

  io::FileSystem& fs_;
  SealingKeyRing& keys_;
  std::vector<std::unique_ptr<io::FileSystem>> layers_;  // each above the one before
};

}  // namespace hbk::manifest

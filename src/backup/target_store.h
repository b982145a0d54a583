// The file system of the target: what a backup writes is compressed and sealed below it.
//
// Everything outside of the target goes straight through, so that one file system serves all.
//
// Errors   kMissingKey: sealing was asked for, and no key given, or one that is none.
// Threads  The file system: any. The rest: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/backup/backup_runner.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/seal/data_key.h"
#include "hbk/seal/key_slots.h"
#include "hbk/store/sealed_file_system.h"

namespace hbk::backup {

class TargetStore {
 public:
  // Nothing is written yet. Both must outlive it.
  static Result<std::unique_ptr<TargetStore>> Make(const BackupOptions& options, io::FileSystem& fs,
                                                   const std::stop_token& stop);

  [[nodiscard]] io::FileSystem& fs() { return layers_.empty() ? fs_ : *layers_.back(); }
  // What is there as it lies there: the other one shows only what belongs to a backup.
  [[nodiscard]] io::FileSystem& fs_below() { return fs_; }
  // Null: it is not sealed.
  [[nodiscard]] const seal::DataKey* data_key() const { return data_key_ ? &*data_key_ : nullptr; }

  // Of a sealed backup: who can open it. Durable.
  Status StoreKeySlots(const std::string& dir);
  // How files are stored, and of each sealed one which it is.
  Status Describe(manifest::BackupManifest& manifest) const;

 private:
  TargetStore(const BackupOptions& options, io::FileSystem& fs) : options_(options), fs_(fs) {}
  Status MakeDataKey(const std::stop_token& stop);
  void AddSealedNames();

  const BackupOptions& options_;
  io::FileSystem& fs_;
  std::optional<seal::DataKey> data_key_;
  std::optional<seal::KeySlots> slots_;
  const store::SealedFileSystem* sealed_ = nullptr;  // one of the layers
  std::vector<std::unique_ptr<io::FileSystem>> layers_;
};

}  // namespace hbk::backup

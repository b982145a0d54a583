#include "tests/support/compressed_backup.h"

#include "hbk/delta/delta_file.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/seal/key_slot_runner.h"
#include "hbk/store/compressed_file_system.h"
#include "hbk/store/sealed_file_system.h"
#include "hbk/store/sealed_name_file_system.h"

namespace hbk::testing {
namespace {

constexpr uint64_t kBytesMax = uint64_t{1} << 30;
constexpr codec::FrameChoice kZstd{codec::FrameMethod::kZstd, 3};

// What lies in the backup of a file; empty: nothing.
std::string NameThere(const manifest::ManifestFile& file) {
  if (file.content == manifest::FileContent::kBase) return {};
  if (file.content == manifest::FileContent::kWhole) return file.name;
  return file.delta_size == 0 ? "" : file.name + std::string(delta::kDeltaSuffix);
}

Status MoveInto(io::FileSystem& from, io::FileSystem& to, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const std::string bytes, io::ReadFile(from, path, kBytesMax));
  HBK_RETURN_IF_ERROR(io::WriteNewFile(to, path, bytes, 0600));
  HBK_RETURN_IF_ERROR(from.Remove(path));
  return from.SyncDirectory(io::DirName(path));
}

}  // namespace

Status CompressBackup(io::FileSystem& fs, const std::string& dir) {
  HBK_ASSIGN_OR_RETURN(auto manifest, manifest::LoadManifest(fs, dir));
  store::CompressedFileSystem stored(fs, dir, kZstd, manifest::IsNeverCompressed);
  for (const manifest::ManifestFile& file : manifest.files) {
    const std::string name = NameThere(file);
    if (name.empty() || manifest::IsNeverCompressed(name)) continue;
    HBK_RETURN_IF_ERROR(MoveInto(fs, stored, io::JoinPath(dir, name)));
  }
  manifest.compression = kZstd;
  return manifest::StoreManifest(fs, dir, manifest);
}

Status SealBackup(io::FileSystem& fs, const std::string& dir, const seal::SealingKey& key,
                  bool seals_names) {
  HBK_RETURN_IF_ERROR(CompressBackup(fs, dir));
  HBK_ASSIGN_OR_RETURN(auto manifest, manifest::LoadManifest(fs, dir));
  HBK_ASSIGN_OR_RETURN(const seal::DataKey data_key, seal::DataKey::Generate());
  HBK_ASSIGN_OR_RETURN(const seal::KeySlots slots,
                       seal::NewKeySlots(data_key, std::vector{key}, seal::SlotTimeNow()));
  HBK_RETURN_IF_ERROR(seal::StoreKeySlots(fs, dir, slots, data_key));
  store::SealedNameFileSystem renamed(
      fs, dir, [&](std::string_view name) { return manifest::SealedNameOf(data_key, name); },
      [&](std::string_view name) { return !seals_names || manifest::IsNeverRenamed(name); });
  store::SealedFileSystem sealed(renamed, dir, data_key, manifest::IsNeverSealed);
  for (manifest::ManifestFile& file : manifest.files) {
    const std::string name = NameThere(file);
    if (name.empty()) continue;
    const std::string there = manifest::NameBeneathCompression(name, manifest.compression);
    HBK_RETURN_IF_ERROR(MoveInto(fs, sealed, io::JoinPath(dir, there)));
    file.seal_id = seal::FileIdText(sealed.ids().at(there));
  }
  manifest.is_sealed = true;
  manifest.has_sealed_names = seals_names;
  if (seals_names) {
    HBK_RETURN_IF_ERROR(fs.Remove(io::JoinPath(dir, manifest::kManifestFileName)));
    HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(dir));
    for (const io::DirectoryEntry& entry : entries)
      if (entry.type == io::FileType::kDirectory)
        HBK_RETURN_IF_ERROR(fs.RemoveDirectory(io::JoinPath(dir, entry.name)));
  }
  return manifest::StoreManifest(fs, dir, manifest, &data_key);
}

}  // namespace hbk::testing

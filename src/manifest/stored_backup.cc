#include "hbk/manifest/stored_backup.h"

#include "hbk/datadir/file_kind.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/store/stored_file_system.h"

namespace hbk::manifest {

bool IsKeptAsItIs(std::string_view name) {
  return name.find('/') == std::string_view::npos &&
         datadir::ClassifyRootFile(name) == datadir::FileKind::kMetadata;
}

Result<bool> StoredBackups::Add(const std::string& backup_dir) {
  const auto manifest = LoadManifest(fs_, backup_dir);
  if (!manifest.ok() && manifest.status().code() == StatusCode::kNotFound) return false;
  HBK_RETURN_IF_ERROR(manifest.status());
  const store::StoreForm form{.compression = manifest->compression};
  if (form.is_plain()) return false;
  layers_.push_back(
      std::make_unique<store::StoredFileSystem>(fs(), backup_dir, form, IsKeptAsItIs));
  return true;
}

}  // namespace hbk::manifest

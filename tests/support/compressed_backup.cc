#include "tests/support/compressed_backup.h"

#include "hbk/delta/delta_file.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/store/compressed_file_system.h"

namespace hbk::testing {
namespace {

constexpr uint64_t kBytesMax = uint64_t{1} << 30;
constexpr codec::FrameChoice kZstd{codec::FrameMethod::kZstd, 3};

}  // namespace

Status CompressBackup(io::FileSystem& fs, const std::string& dir) {
  HBK_ASSIGN_OR_RETURN(auto manifest, manifest::LoadManifest(fs, dir));
  store::CompressedFileSystem stored(fs, dir, kZstd, manifest::IsNeverCompressed);
  for (const manifest::ManifestFile& file : manifest.files) {
    if (manifest::IsNeverCompressed(file.name) || file.content == manifest::FileContent::kBase)
      continue;
    const bool is_delta = file.content == manifest::FileContent::kDelta;
    if (is_delta && file.delta_size == 0) continue;
    const std::string path =
        io::JoinPath(dir, file.name + (is_delta ? std::string(delta::kDeltaSuffix) : ""));
    HBK_ASSIGN_OR_RETURN(const std::string bytes, io::ReadFile(fs, path, kBytesMax));
    HBK_RETURN_IF_ERROR(io::WriteNewFile(stored, path, bytes, 0600));
    HBK_RETURN_IF_ERROR(fs.Remove(path));
  }
  manifest.compression = kZstd;
  return manifest::StoreManifest(fs, dir, manifest);
}

}  // namespace hbk::testing

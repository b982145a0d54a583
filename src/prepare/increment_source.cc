#include "increment_source.h"

#include <fmt/format.h>

#include "hbk/manifest/mariadb_backup_files.h"

#include "hbk_increment.h"
#include "mariadb_backup_increment.h"

namespace hbk::prepare {
namespace {

Status NoIncrement(const std::string& dir, std::string_view why) {
  return {StatusCode::kChainBroken, fmt::format("{} is no increment: {}", dir, why)};
}

}  // namespace

Result<std::unique_ptr<IncrementSource>> OpenIncrement(io::FileSystem& fs, const std::string& dir) {
  auto manifest = manifest::LoadManifest(fs, dir);
  if (manifest.ok()) {
    if (!manifest->merged.empty())
      return NoIncrement(dir, "it is a base that increments were applied to");
    if (!manifest->base.has_value()) return NoIncrement(dir, "it is a full backup");
    return std::unique_ptr<IncrementSource>(new HbkIncrement(fs, dir, std::move(manifest).value()));
  }
  if (manifest.status().code() != StatusCode::kNotFound) return manifest.status();
  HBK_ASSIGN_OR_RETURN(const bool is_incomplete,
                       io::Exists(fs, io::JoinPath(dir, manifest::kIncompleteMarkerName)));
  if (is_incomplete)
    return NoIncrement(dir, "it was never finished").WithHint("make the increment again");
  const auto metadata = manifest::LoadMariadbBackupSet(fs, dir);
  if (metadata.status().code() == StatusCode::kNotFound)
    return NoIncrement(dir, "it is no backup at all");
  HBK_RETURN_IF_ERROR(metadata.status());
  if (metadata->checkpoints.backup_type != "incremental")
    return NoIncrement(dir, "it is a full backup");
  return MariadbBackupIncrement::Open(fs, dir, *metadata);
}

}  // namespace hbk::prepare

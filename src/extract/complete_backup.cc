#include "complete_backup.h"

#include <algorithm>
#include <array>

#include "hbk/manifest/backup_manifest.h"

namespace hbk::extract {
namespace {

constexpr std::string_view kSettingsName = "backup-my.cnf";
// Up to 11.0, and from 11.1 on.
constexpr std::array<std::string_view, 2> kPrefixes = {"xtrabackup_", "mariadb_backup_"};

// What compression or encryption of files has put behind the name counts as nothing.
bool Has(const std::map<std::string, uint64_t>& files, std::string_view name) {
  const auto found = files.lower_bound(std::string(name));
  if (found == files.end()) return false;
  const std::string_view path = found->first;
  return path == name || (path.starts_with(name) && path[name.size()] == '.');
}

}  // namespace

NameTurn TurnOf(std::string_view path) {
  if (path.find('/') != std::string_view::npos) return NameTurn::kContent;
  if (path.starts_with(manifest::kManifestFileName)) return NameTurn::kManifest;
  const bool is_metadata = path.starts_with(kSettingsName) ||
                           std::ranges::any_of(kPrefixes, [path](std::string_view prefix) {
                             return path.starts_with(prefix);
                           });
  return is_metadata ? NameTurn::kMetadata : NameTurn::kContent;
}

Status CheckComplete(const std::map<std::string, uint64_t>& files) {
  if (Has(files, manifest::kManifestFileName)) return OkStatus();
  const bool has_settings = Has(files, kSettingsName);
  for (const std::string_view prefix : kPrefixes) {
    const bool has_info = Has(files, std::string(prefix) + "info");
    const bool has_checkpoints = Has(files, std::string(prefix) + "checkpoints");
    if (has_settings && has_info && has_checkpoints) return OkStatus();
  }
  return CorruptionError(
             "the stream is cut off between two files, or is no backup: what is written last is "
             "not there")
      .WithHint(
          "that is hbk_manifest.json of hbk; xtrabackup_info or mariadb_backup_info, "
          "*_checkpoints and backup-my.cnf of mariadb-backup. Look how the backup ended");
}

}  // namespace hbk::extract

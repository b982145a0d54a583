#include "hbk/manifest/lost_manifest.h"

#include <fmt/format.h>

#include "hbk/manifest/chunk_hashes.h"
#include "hbk/seal/key_slots.h"

namespace hbk::manifest {
namespace {

constexpr uint64_t kInfoBytesMax = 64ULL << 20;

}  // namespace

Result<bool> HasLostManifest(io::FileSystem& fs, const std::string& dir,
                             const MariadbBackupSet* metadata) {
  HBK_ASSIGN_OR_RETURN(const bool has_manifest,
                       io::Exists(fs, io::JoinPath(dir, kManifestFileName)));
  if (has_manifest) return false;
  for (const std::string_view name : {kChunkHashesName, seal::kKeySlotsFileName}) {
    HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, io::JoinPath(dir, name)));
    if (is_there) return true;
  }
  if (metadata == nullptr) return false;
  const auto text = io::ReadFile(fs, io::JoinPath(dir, metadata->names.info), kInfoBytesMax);
  if (!text.ok()) return false;
  const auto info = ParseBackupInfo(*text);
  if (!info.ok()) return false;
  const auto tool = info->find("tool_name");
  return tool != info->end() && tool->second == "hbk";
}

Status LostManifest(const std::string& dir) {
  return CorruptionError(fmt::format("{}: it is missing, and hbk has made the backup",
                                     io::JoinPath(dir, kManifestFileName)))
      .WithHint("put it back from another copy of this backup; without it nothing can be checked");
}

Status CheckPreparedElsewhere(io::FileSystem& fs, const std::string& dir,
                              const BackupManifest& manifest) {
  const auto chunks = LoadChunkHashes(fs, dir);
  // One that is damaged or missing tells nothing.
  const StatusCode code = chunks.status().code();
  if (code == StatusCode::kNotFound || code == StatusCode::kCorruption ||
      code == StatusCode::kUnsupported)
    return OkStatus();
  HBK_RETURN_IF_ERROR(chunks.status());
  if (chunks->AreOf(manifest.files)) return OkStatus();
  return CorruptionError(fmt::format("{}: it is not of this backup: it says that the backup is not "
                                     "prepared, but hbk has prepared it",
                                     io::JoinPath(dir, kManifestFileName)))
      .WithHint("put it back from another copy of this backup; without it nothing can be checked");
}

}  // namespace hbk::manifest

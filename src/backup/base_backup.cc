#include "base_backup.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hbk/manifest/mariadb_backup_files.h"

namespace hbk::backup {

namespace {

using manifest::BackupManifest;
using server::ServerFacts;

constexpr uint64_t kMetadataBytesMax = 1 << 20;
constexpr uint64_t kBootIdBytesMax = 256;
constexpr std::string_view kFullHint = "take a full backup";
constexpr std::string_view kDirHint =
    "--incremental-basedir is a backup, or a directory that has its hbk_manifest.json";

Status Broken(std::string message, std::string_view hint = kFullHint) {
  return Status(StatusCode::kChainBroken, std::move(message)).WithHint(hint);
}

// Nothing if there is no such file.
Result<std::optional<std::string>> ReadIfThere(io::FileSystem& fs, const std::string& dir,
                                               std::string_view name) {
  auto text = io::ReadFile(fs, io::JoinPath(dir, name), kMetadataBytesMax);
  if (text.ok()) return std::optional<std::string>(std::move(*text));
  if (text.status().code() == StatusCode::kNotFound) return std::optional<std::string>();
  return text.status();
}

LoadedBase OfManifest(const std::string& dir, BackupManifest manifest) {
  LoadedBase base;
  base.label = "the base " + dir;
  base.server_version = manifest.server.version;
  base.page_size = manifest.server.page_size;
  base.to_lsn = manifest.to_lsn;
  base.increment = std::make_unique<IncrementBase>(std::move(manifest));
  return base;
}

Status ReadServerVersion(io::FileSystem& fs, const std::string& dir, std::string_view info_name,
                         std::string& version) {
  HBK_ASSIGN_OR_RETURN(const auto text, ReadIfThere(fs, dir, info_name));
  if (!text) return OkStatus();
  auto values = manifest::ParseBackupInfo(*text);
  if (!values.ok()) return values.status().WithContext(io::JoinPath(dir, info_name));
  version = (*values)["server_version"];
  return OkStatus();
}

// Of a directory of mariadb-backup, or of what its --extra-lsndir keeps. Nothing: it is none.
Result<std::optional<LoadedBase>> LoadForeign(io::FileSystem& fs, const std::string& dir) {
  for (const std::string_view version : {"10.5", "11.1"}) {
    const manifest::MetadataNames names = manifest::MetadataNamesFor(version);
    HBK_ASSIGN_OR_RETURN(const auto text, ReadIfThere(fs, dir, names.checkpoints));
    if (!text) continue;
    const auto checkpoints = manifest::ParseCheckpoints(*text);
    if (!checkpoints.ok())
      return checkpoints.status().WithContext(io::JoinPath(dir, names.checkpoints));
    LoadedBase base;
    base.label = "the base " + dir;
    base.to_lsn = checkpoints->to_lsn;
    const Lsn end = checkpoints->last_lsn != 0 ? checkpoints->last_lsn : checkpoints->to_lsn;
    base.increment =
        std::make_unique<IncrementBase>(manifest::BaseBackup{"", "mariadb-backup", end});
    HBK_RETURN_IF_ERROR(ReadServerVersion(fs, dir, names.info, base.server_version));
    HBK_ASSIGN_OR_RETURN(const auto config, ReadIfThere(fs, dir, "backup-my.cnf"));
    if (config) {
      const auto parsed = manifest::ParseBackupConfig(*config);
      if (!parsed.ok()) return parsed.status().WithContext(io::JoinPath(dir, "backup-my.cnf"));
      base.page_size = parsed->page_size;
    }
    return std::optional<LoadedBase>(std::move(base));
  }
  return std::optional<LoadedBase>();
}

// "10.11" of "10.11.19-MariaDB".
std::string_view SeriesOf(std::string_view version) {
  const size_t dot = version.find('.');
  return dot == std::string_view::npos ? version : version.substr(0, version.find('.', dot + 1));
}

// A restored server has another file.
Status CheckSystemFile(io::FileSystem& fs, const LoadedBase& base, const datadir::Layout& layout) {
  const datadir::SystemFile& first = layout.system_files.front();
  const std::string path = layout.SystemFilePath(first);
  const std::string name(io::BaseName(first.path));
  for (const manifest::ManifestFile& file : base.increment->manifest()->files) {
    if (file.name != name) continue;
    if (!file.source) return OkStatus();  // Of an hbk that did not note it.
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/true));
    const bool has_births = file.source->birth_ns != 0 && info.birth_ns != 0;
    if (file.source->inode == info.inode &&
        (!has_births || file.source->birth_ns == info.birth_ns)) {
      return OkStatus();
    }
    return Broken(
        fmt::format("{} is not the file that {} has copied: the server was restored or "
                    "moved since, and its history may be another one",
                    path, base.label));
  }
  return Broken(fmt::format("{} has no system tablespace file {}", base.label, name));
}

Status CheckServer(const LoadedBase& base, const ServerFacts& facts) {
  if (base.increment->manifest()) {
    const std::string& uid = base.increment->manifest()->server.uid;
    // Not known of what prepare has made of increments of mariadb-backup.
    if (!uid.empty() && uid != facts.Variable("server_uid")) {
      return Broken(
          fmt::format("{} is of another server (its server_uid is {}, that of this one is "
                      "{})",
                      base.label, uid, facts.Variable("server_uid")),
          "is this the right base, and the right server? else take a full backup (the id is made "
          "of port and network address, and is another one when these change)");
    }
  }
  const uint64_t page_size = facts.Number("innodb_page_size", 0);
  if (base.page_size != 0 && base.page_size != page_size) {
    return Broken(fmt::format("{} has an innodb_page_size of {}, the server one of {}", base.label,
                              base.page_size, page_size));
  }
  if (!base.server_version.empty() &&
      SeriesOf(base.server_version) != SeriesOf(facts.version_text)) {
    return Broken(
        fmt::format("{} is of a server {}, and this one is {}: redo of two series cannot "
                    "be laid together",
                    base.label, base.server_version, facts.version_text));
  }
  return OkStatus();
}

}  // namespace

Result<LoadedBase> LoadBase(io::FileSystem& fs, const std::string& dir,
                            manifest::SealingKeyRing& keys) {
  auto opened = manifest::OpenManifest(fs, dir, keys);
  if (opened.ok()) return OfManifest(dir, std::move(opened->manifest));
  if (opened.status().code() != StatusCode::kNotFound) return opened.status();
  const auto info = fs.Stat(dir, /*follow=*/true);
  if (!info.ok() && info.status().code() == StatusCode::kNotFound)
    return Broken(fmt::format("the base {} does not exist", dir), kDirHint);
  HBK_RETURN_IF_ERROR(info.status());
  HBK_ASSIGN_OR_RETURN(const bool is_incomplete,
                       io::Exists(fs, io::JoinPath(dir, manifest::kIncompleteMarkerName)));
  if (is_incomplete) {
    return Broken(
        fmt::format("the base {} is incomplete: its backup failed, or is running still", dir),
        "name a backup that is complete, or take a full one");
  }
  HBK_ASSIGN_OR_RETURN(auto foreign, LoadForeign(fs, dir));
  if (foreign) return std::move(*foreign);
  return Broken(fmt::format("the base {} is no backup: it has neither {} nor the files of "
                            "mariadb-backup",
                            dir, manifest::kManifestFileName),
                kDirHint);
}

LoadedBase BaseOfLsn(Lsn lsn, std::string label) {
  LoadedBase base;
  base.label = std::move(label);
  base.increment = std::make_unique<IncrementBase>(manifest::BaseBackup{"", "lsn", lsn});
  return base;
}

Status CheckBase(io::FileSystem& fs, const LoadedBase& base, const ServerFacts& facts,
                 const datadir::Layout& layout, const server::LsnTriple& now) {
  HBK_RETURN_IF_ERROR(CheckServer(base, facts));
  const Lsn end = base.increment->last_lsn();
  if (now.current < end) {
    return Broken(
        fmt::format("{} ends at LSN {}, and the server is at LSN {} only: it was restored "
                    "from an older backup, or made anew",
                    base.label, end, now.current));
  }
  if (now.last_checkpoint < base.to_lsn) {
    return Broken(
        fmt::format("the newest checkpoint of {} is at LSN {}, that of the server at LSN "
                    "{}, before it: the server has another history",
                    base.label, base.to_lsn, now.last_checkpoint));
  }
  return base.increment->manifest() ? CheckSystemFile(fs, base, layout) : OkStatus();
}

std::string ReadBootId(io::FileSystem& fs) {
  const auto text = io::ReadFile(fs, "/proc/sys/kernel/random/boot_id", kBootIdBytesMax);
  return text.ok() ? text->substr(0, text->find('\n')) : "";
}

}  // namespace hbk::backup

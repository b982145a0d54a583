#include "backup_facts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/datadir/layout.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_image.h"
#include "hbk/manifest/lost_manifest.h"

namespace hbk::verify {
namespace {

constexpr std::string_view kDefaultDataFilePath = "ibdata1:12M:autoextend";
constexpr uint64_t kSmallFileBytesMax = 64ULL << 20;
constexpr std::string_view kPrepareLockName = "hbk_prepare.lock";
constexpr std::string_view kLayingStateName = "hbk_prepare.increments";

// A key of the backup is there: a file that wants another one was put there from elsewhere.
bool IsDamage(const Status& status) {
  return status.code() == StatusCode::kCorruption || status.code() == StatusCode::kUsage ||
         status.code() == StatusCode::kMissingKey;
}

// Of a finding, or the status if it is no damage.
Status Note(const Status& status, FindingKind kind, const std::string& dir, const std::string& file,
            CheckContext& context) {
  if (!IsDamage(status)) return status;
  context.findings.Add({.kind = kind, .backup_dir = dir, .file = file, .what = status.message()});
  return OkStatus();
}

Status CheckAtRest(const std::string& dir, io::FileSystem& fs) {
  for (const std::string_view name : {kLayingStateName, kPrepareLockName}) {
    HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, io::JoinPath(dir, name)));
    if (!is_there) continue;
    return Status(StatusCode::kTargetInUse,
                  fmt::format("{}: there is {}: a prepare is at work, or was killed", dir, name))
        .WithHint("a backup that is being changed cannot be verified: run that prepare to its end");
  }
  return OkStatus();
}

class FactsReader {
 public:
  FactsReader(const std::string& dir, CheckContext& context) : context_(context) {
    facts_.dir = dir;
  }

  Result<std::optional<BackupFacts>> Read() {
    HBK_RETURN_IF_ERROR(CheckDirectory());
    HBK_RETURN_IF_ERROR(CheckAtRest(facts_.dir, context_.fs));
    HBK_RETURN_IF_ERROR(ReadManifest());
    if (!is_damaged_) HBK_RETURN_IF_ERROR(ReadMetadata());
    if (!is_damaged_) HBK_RETURN_IF_ERROR(ReadDataFilePath());
    if (is_damaged_) return std::optional<BackupFacts>();
    HBK_RETURN_IF_ERROR(ReadDamagedPages());
    HBK_RETURN_IF_ERROR(ReadChunks());
    return std::optional<BackupFacts>(std::move(facts_));
  }

 private:
  Status NoBackup(std::string_view why) {
    return NotFoundError(fmt::format("{} is no backup: {}", facts_.dir, why));
  }

  Status NoteDamage(const Status& status, FindingKind kind, const std::string& file) {
    is_damaged_ = true;
    return Note(status, kind, facts_.dir, file, context_);
  }

  Status CheckDirectory() {
    const auto info = context_.fs.Stat(facts_.dir, /*follow=*/true);
    if (info.status().code() == StatusCode::kNotFound) return NoBackup("it does not exist");
    HBK_RETURN_IF_ERROR(info.status());
    return info->type == io::FileType::kDirectory ? OkStatus() : NoBackup("it is no directory");
  }

  Status ReadManifest() {
    const auto text = manifest::ReadManifestText(context_.fs, facts_.dir);
    if (text.status().code() == StatusCode::kNotFound) return CheckFinished();
    if (!text.ok())
      return NoteDamage(text.status(), FindingKind::kManifest,
                        std::string(manifest::kManifestFileName));
    auto manifest = manifest::ParseManifest(*text);
    if (!manifest.ok())
      return NoteDamage(manifest.status(), FindingKind::kManifest,
                        std::string(manifest::kManifestFileName));
    facts_.is_increment = manifest->base.has_value();
    facts_.is_prepared = manifest->state == manifest::BackupState::kPrepared;
    facts_.lsn_max = facts_.is_prepared ? manifest->prepared_lsn : manifest->last_lsn;
    facts_.page_size = manifest->server.page_size;
    facts_.settings = manifest->server.settings;
    facts_.manifest = std::move(manifest).value();
    return OkStatus();
  }

  Status CheckFinished() {
    HBK_ASSIGN_OR_RETURN(const bool is_incomplete,
                         io::Exists(context_.fs, facts_.Path(manifest::kIncompleteMarkerName)));
    return is_incomplete ? NoBackup("it was never finished, or its files were moved back")
                         : OkStatus();
  }

  Status ReadMetadata() {
    auto metadata = manifest::LoadMariadbBackupSet(context_.fs, facts_.dir);
    const bool is_missing = metadata.status().code() == StatusCode::kNotFound;
    if (!metadata.ok() && !is_missing) {
      // With a manifest the digests will tell which file it is.
      const StatusCode code = metadata.status().code();
      if (facts_.manifest && (IsDamage(metadata.status()) || code == StatusCode::kFailed))
        return OkStatus();
      return NoteDamage(metadata.status(), FindingKind::kMetadata, "");
    }
    if (!facts_.manifest) {
      HBK_ASSIGN_OR_RETURN(
          const bool is_ours,
          manifest::HasLostManifest(context_.fs, facts_.dir, is_missing ? nullptr : &*metadata));
      if (is_ours) {
        return NoteDamage(CorruptionError("it is missing, and hbk has made the backup"),
                          FindingKind::kManifest, std::string(manifest::kManifestFileName));
      }
      if (is_missing)
        return NoBackup("it has neither hbk_manifest.json nor the files of mariadb-backup");
    }
    if (is_missing) return OkStatus();
    facts_.metadata = std::move(metadata).value();
    return TakeCheckpoints(facts_.metadata->checkpoints);
  }

  Status TakeCheckpoints(const manifest::Checkpoints& checkpoints) {
    const bool is_applied =
        checkpoints.backup_type == "log-applied" || checkpoints.backup_type == "full-prepared";
    if (facts_.manifest && (facts_.is_prepared || !is_applied)) return OkStatus();
    if (facts_.manifest) {
      const Status whose =
          manifest::CheckPreparedElsewhere(context_.fs, facts_.dir, *facts_.manifest);
      if (!whose.ok())
        return NoteDamage(whose, FindingKind::kManifest, std::string(manifest::kManifestFileName));
    }
    // The manifest speaks of files as they were before.
    facts_.is_prepared_elsewhere = facts_.manifest.has_value();
    facts_.manifest.reset();
    facts_.is_increment = checkpoints.backup_type == "incremental";
    facts_.is_prepared = is_applied;
    facts_.lsn_max = std::max(checkpoints.last_lsn, checkpoints.to_lsn);
    facts_.settings = facts_.metadata->config.key_settings;
    facts_.page_size = facts_.metadata->config.page_size;
    return OkStatus();
  }

  Status ReadDataFilePath() {
    std::string spec = facts_.manifest   ? facts_.manifest->server.data_file_path
                       : facts_.metadata ? facts_.metadata->config.data_file_path
                                         : std::string();
    if (spec.empty()) spec = kDefaultDataFilePath;
    const auto files = datadir::ParseDataFilePath(spec);
    if (!files.ok()) return NoteDamage(files.status(), FindingKind::kMetadata, "");
    for (const datadir::SystemFile& file : *files)
      facts_.system_files.emplace_back(io::BaseName(file.path));
    return OkStatus();
  }

  Status ReadDamagedPages() {
    const std::string name(manifest::kDamagedPagesName);
    const auto text = io::ReadFile(context_.fs, facts_.Path(name), kSmallFileBytesMax);
    if (text.status().code() == StatusCode::kNotFound) return OkStatus();
    if (!text.ok()) return Note(text.status(), FindingKind::kMetadata, facts_.dir, name, context_);
    auto list = manifest::ParseDamagedPageList(*text);
    if (!list.ok()) return Note(list.status(), FindingKind::kMetadata, facts_.dir, name, context_);
    facts_.damaged = std::move(list).value();
    return OkStatus();
  }

  Status ReadChunks() {
    if (!facts_.manifest) return OkStatus();
    auto chunks = manifest::LoadChunkHashes(context_.fs, facts_.dir);
    if (chunks.ok()) {
      facts_.chunks = std::move(chunks).value();
      return OkStatus();
    }
    const StatusCode code = chunks.status().code();
    if (code == StatusCode::kNotFound || code == StatusCode::kUnsupported) return OkStatus();
    return Note(chunks.status(), FindingKind::kMetadata, facts_.dir,
                std::string(manifest::kChunkHashesName), context_);
  }

  CheckContext& context_;
  BackupFacts facts_;
  bool is_damaged_ = false;
};

}  // namespace

Result<std::optional<BackupFacts>> ReadBackupFacts(const std::string& dir, CheckContext& context) {
  return FactsReader(dir, context).Read();
}

Status ReadSystemSpace(BackupFacts& facts, CheckContext& context) {
  SystemSpace& system = facts.system;
  for (const std::string& name : facts.system_files) {
    const auto info = context.fs.Stat(facts.Path(name), /*follow=*/false);
    // What is missing or cannot be read is found where files are looked at one by one.
    if (!info.ok()) return OkStatus();
    system.first_pages.emplace(name, static_cast<innodb::PageNo>(system.page_count));
    system.page_count += info->size / facts.page_size;
  }
  const auto file = context.fs.Open(facts.Path(facts.system_files.front()), {});
  if (!file.ok()) return OkStatus();
  AlignedBuffer buffer(innodb::kPageSizeMax);
  const auto got = (*file)->ReadAt(0, buffer.view());
  if (!got.ok()) return OkStatus();
  const auto first = innodb::ClassifyFirstPage(
      ByteView(buffer.view()).first(*got), system.page_count * facts.page_size, facts.page_size);
  if (first.kind != innodb::FirstPageKind::kValid) return OkStatus();
  system.header = first.header;
  const MutableByteView page = buffer.view().first(facts.page_size);
  const uint64_t offset = uint64_t{innodb::kTrxSysPageNo} * facts.page_size;
  const auto page_got = (*file)->ReadAt(offset, page);
  if (!page_got.ok() || *page_got != page.size()) return OkStatus();
  const innodb::PageId id{.space = innodb::kSystemSpaceId, .page = innodb::kTrxSysPageNo};
  if (innodb::CheckImage(page, first.header.flags, id) == innodb::PageVerdict::kGood)
    system.doublewrite = innodb::ParseDoublewriteBuffer(page);
  return OkStatus();
}

}  // namespace hbk::verify

#include "hbk/info/backup_description.h"

#include <utility>

#include <fmt/format.h>

#include "hbk/codec/frame_codec.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/delta/delta_file.h"
#include "hbk/info/stored_files.h"
#include "hbk/seal/key_slots.h"
#include "hbk/store/sealed_file_system.h"

#include "foreign_description.h"
#include "time_span.h"

namespace hbk::info {
namespace {

using manifest::BackupManifest;
using manifest::FileContent;
using manifest::ManifestFile;

constexpr uint64_t kMarkerBytesMax = 64 << 10;
// What prepare has while it works, and leaves behind when it is killed.
constexpr std::string_view kLayingStateName = "hbk_prepare.increments";
constexpr std::string_view kJournalPrefix = "hbk_prepare.journal.";

bool HasPrefix(const std::set<std::string>& names, std::string_view prefix) {
  const auto first = names.lower_bound(std::string(prefix));
  return first != names.end() && first->starts_with(prefix);
}

bool IsPrepareInterrupted(const StoredFiles& files) {
  return files.names.contains(std::string(kLayingStateName)) ||
         HasPrefix(files.names, kJournalPrefix);
}

// What of the file lies in the backup, beneath compression and sealing; empty: nothing.
std::string StoredName(const ManifestFile& file) {
  if (file.content == FileContent::kWhole) return file.name;
  if (file.content == FileContent::kBase || file.delta_size == 0) return {};
  return file.name + std::string(delta::kDeltaSuffix);
}

// Under any of the names that it may have: hbk decompress and hbk decrypt change one file after the
// other, and may have been killed.
bool IsThere(const StoredFiles& files, const std::string& name, const BackupManifest& manifest) {
  const std::string sealed(store::kSealedSuffix);
  for (const std::string& each :
       {name, manifest::NameBeneathCompression(name, manifest.compression)}) {
    if (files.names.contains(each) || files.names.contains(each + sealed)) return true;
  }
  return false;
}

// Sealed names say nothing of the files.
void CheckFiles(const StoredFiles& files, const BackupManifest& manifest,
                BackupDescription& description) {
  if (manifest.has_sealed_names) return;
  uint64_t data_count = 0;
  uint64_t missing_count = 0;
  std::string first_missing;
  for (const ManifestFile& file : manifest.files) {
    const std::string name = StoredName(file);
    const bool is_data = file.kind != datadir::FileKindName(datadir::FileKind::kMetadata);
    if (name.empty() || !is_data) continue;
    ++data_count;
    if (IsThere(files, name, manifest)) continue;
    if (missing_count++ == 0) first_missing = name;
  }
  if (missing_count == 0) return;
  if (missing_count == data_count) {
    description.state = DirectoryState::kMetadataOnly;
    return;
  }
  description.status =
      CorruptionError(fmt::format("{}: {} of {} files are missing, as {}", description.directory,
                                  missing_count, data_count, first_missing))
          .WithHint("this backup cannot be restored: take another one");
}

void TakeManifest(BackupManifest manifest, const StoredFiles& files,
                  BackupDescription& description) {
  BackupDescription& out = description;
  out.state = manifest.state == manifest::BackupState::kPrepared ? DirectoryState::kPrepared
                                                                 : DirectoryState::kUnprepared;
  if (IsPrepareInterrupted(files)) out.state = DirectoryState::kPrepareInterrupted;
  CheckFiles(files, manifest, out);
  out.file_count = manifest.files.size();
  out.logical_bytes = 0;
  for (const ManifestFile& file : manifest.files)
    *out.logical_bytes += file.size;
  if (manifest.compression.method != codec::FrameMethod::kNone)
    out.compression = codec::FormatFrameChoice(manifest.compression);
  out.is_sealed = manifest.is_sealed;
  out.has_sealed_names = manifest.has_sealed_names;
  out.tool_version = std::move(manifest.hbk_version);
  out.prepared_by = std::move(manifest.prepared_by);
  out.prepared_time = std::move(manifest.prepared_time);
  out.backup_uuid = std::move(manifest.backup_uuid);
  out.base = std::move(manifest.base);
  out.merged = std::move(manifest.merged);
  out.start_time = std::move(manifest.start_time);
  out.end_time = std::move(manifest.end_time);
  out.duration_s = SecondsBetween(out.start_time, out.end_time);
  out.start_checkpoint_lsn = manifest.start_checkpoint_lsn;
  out.to_lsn = manifest.to_lsn;
  out.last_lsn = manifest.last_lsn;
  out.server = std::move(manifest.server);
  out.binlog = std::move(manifest.binlog);
  out.replica = std::move(manifest.replica);
  out.galera = std::move(manifest.galera);
  out.stages = std::move(manifest.stages);
  out.redo_bytes = manifest.redo_bytes;
  out.redo_margin_bytes = manifest.redo_margin_bytes;
  out.redo_margin = manifest.redo_margin;
  out.encryption_keys = std::move(manifest.encryption_keys);
  out.warnings = std::move(manifest.warnings);
}

void DescribeHbk(io::FileSystem& fs, const StoredFiles& files, manifest::SealingKeyRing& keys,
                 bool has_keys, BackupDescription& description) {
  description.tool = BackupTool::kHbk;
  auto opened = manifest::OpenManifest(fs, description.directory, keys);
  if (opened.ok()) {
    if (opened->data_key) description.seal_check = SealCheck::kGenuine;
    TakeManifest(std::move(opened->manifest), files, description);
    return;
  }
  description.status = opened.status();
  description.state = DirectoryState::kUnreadable;
  if (opened.status().code() != StatusCode::kMissingKey) return;
  description.state = DirectoryState::kClosed;
  description.is_sealed = true;
  description.seal_check = SealCheck::kNotChecked;
  if (has_keys) return;
  // Without a key there may still be a manifest that everybody can read, and nobody can vouch for.
  auto manifest = manifest::LoadManifest(fs, description.directory);
  if (manifest.ok()) {
    description.status = OkStatus();
    TakeManifest(std::move(*manifest), files, description);
  } else {
    description.has_sealed_names = true;
  }
}

void CountKeySlots(io::FileSystem& fs, BackupDescription& description) {
  const auto slots = seal::LoadKeySlots(fs, description.directory);
  if (slots.ok()) description.key_slot_count = slots->slots().size();
}

// Without its reason the marker says enough.
Status IncompleteError(io::FileSystem& fs, const std::string& dir, const std::string& marker) {
  const auto text = io::ReadFile(fs, marker, kMarkerBytesMax);
  std::string reason = text.ok() ? *text : "";
  while (!reason.empty() && reason.back() == '\n')
    reason.pop_back();
  return FailedError(fmt::format("{} is not complete, as {} says{}{}", dir,
                                 manifest::kIncompleteMarkerName, reason.empty() ? "" : ": ",
                                 reason))
      .WithHint("unless hbk is at work there, remove the directory");
}

// The digest of the manifest that the record is about; empty: of none.
std::string SubjectOf(const manifest::VerifyRecord& record) {
  return record.subjects.empty() ? std::string() : record.subjects.front();
}
std::string SubjectOf(const manifest::DrilledRecord& record) {
  return record.manifest_digest;
}

template <typename Record, typename Load>
TrustFinding<Record> FindRecord(const Result<std::string>& digest, Load load) {
  TrustFinding<Record> finding;
  auto record = load();
  if (record.ok()) {
    finding.is_of_this = digest.ok() && SubjectOf(*record) == *digest;
    finding.record = std::move(*record);
  } else if (record.status().code() != StatusCode::kNotFound) {
    finding.problem = record.status().message();
  }
  return finding;
}

void FindRecords(io::FileSystem& fs, BackupDescription& description) {
  const std::string& dir = description.directory;
  const auto digest = manifest::DigestOfStoredManifest(fs, dir);
  description.verified = FindRecord<manifest::VerifyRecord>(
      digest, [&fs, &dir] { return manifest::LoadVerifyRecord(fs, dir); });
  description.drilled = FindRecord<manifest::DrilledRecord>(
      digest, [&fs, &dir] { return manifest::LoadDrilledRecord(fs, dir); });
}

Status CheckDirectory(io::FileSystem& fs, const std::string& dir) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(dir, /*follow=*/true));
  if (info.type == io::FileType::kDirectory) return OkStatus();
  return NotFoundError(dir + " is no directory")
      .WithHint("an archive is unpacked by hbk extract --directory=DIR");
}

}  // namespace

std::string_view DirectoryStateName(DirectoryState state) {
  switch (state) {
    case DirectoryState::kNoBackup: return "no backup";
    case DirectoryState::kIncomplete: return "incomplete";
    case DirectoryState::kClosed: return "closed";
    case DirectoryState::kUnreadable: return "unreadable";
    case DirectoryState::kMetadataOnly: return "metadata only";
    case DirectoryState::kUnprepared: return "unprepared";
    case DirectoryState::kPrepareInterrupted: return "prepare interrupted";
    case DirectoryState::kPrepared: return "prepared";
  }
  return "";
}

BackupDescription DescribeBackup(io::FileSystem& fs, const std::string& dir,
                                 manifest::SealingKeyRing& keys, bool has_keys) {
  BackupDescription description;
  description.directory = dir;
  description.status = CheckDirectory(fs, dir);
  if (!description.status.ok()) return description;
  auto files = ListStoredFiles(fs, dir);
  if (!files.ok()) {
    description.state = DirectoryState::kUnreadable;
    description.status = files.status();
    return description;
  }
  description.stored_file_count = files->names.size();
  description.stored_bytes = files->bytes;
  description.disk_bytes = files->disk_bytes;
  const bool is_incomplete = files->names.contains(std::string(manifest::kIncompleteMarkerName));
  const bool is_ours = files->names.contains(std::string(manifest::kManifestFileName)) ||
                       files->names.contains(std::string(manifest::kSealedManifestFileName));
  if (is_ours) {
    DescribeHbk(fs, *files, keys, has_keys, description);
    if (description.is_sealed) CountKeySlots(fs, description);
  } else if (!is_incomplete && !DescribeForeign(fs, *files, description)) {
    description.status =
        NotFoundError(fmt::format("{} is no backup: there is no {}, nor what mariadb-backup leaves",
                                  dir, manifest::kManifestFileName));
    return description;
  }
  if (is_incomplete) {
    description.state = DirectoryState::kIncomplete;
    description.status =
        IncompleteError(fs, dir, io::JoinPath(dir, manifest::kIncompleteMarkerName));
  }
  FindRecords(fs, description);
  return description;
}

}  // namespace hbk::info

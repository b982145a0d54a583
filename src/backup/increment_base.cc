#include "increment_base.h"

#include <charconv>
#include <utility>

#include "hbk/base/bytes.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"

namespace hbk::backup {

namespace {

using datadir::FileKind;
using manifest::ManifestFile;

bool IsTablespace(FileKind kind) {
  return kind == FileKind::kTablespace || kind == FileKind::kUndoTablespace ||
         kind == FileKind::kSystemTablespace;
}

io::FileIdentity IdentityOf(const manifest::SourceFile& source) {
  return {source.device, source.inode,    source.birth_ns,
          source.size,   source.mtime_ns, source.ctime_ns};
}

manifest::BaseBackup DescribeBase(const manifest::BackupManifest& manifest) {
  return {manifest.backup_uuid, "hbk", manifest.last_lsn};
}

// Devices are not compared: their numbers change when the machine is started again.
enum class SameFile { kYes, kNo, kUnknown };
SameFile CompareFiles(const std::optional<manifest::SourceFile>& known,
                      const io::FileIdentity& file) {
  if (!known) return SameFile::kUnknown;
  if (known->inode != file.inode) return SameFile::kNo;
  if (known->birth_ns == 0 || file.birth_ns == 0) return SameFile::kUnknown;
  return known->birth_ns == file.birth_ns ? SameFile::kYes : SameFile::kNo;
}

// True if the pages of one can be pages of the other: flags that change in place tell of
// compression only.
bool HaveSamePages(const manifest::SpaceFacts& known, const innodb::TablespaceFlags& flags) {
  const auto known_flags = innodb::TablespaceFlags::Decode(known.flags);
  return known.page_size == flags.physical_size() && known_flags.ok() &&
         known_flags->is_full_crc32() == flags.is_full_crc32();
}

}  // namespace

IncrementBase::IncrementBase(manifest::BaseBackup base) : base_(std::move(base)) {}

IncrementBase::IncrementBase(manifest::BackupManifest manifest)
    : base_(DescribeBase(manifest)), manifest_(std::move(manifest)) {
  for (const ManifestFile& file : manifest_->files) {
    const FileKind kind = datadir::FileKindByName(file.kind).value_or(FileKind::kMetadata);
    if (!IsTablespace(kind)) {
      files_.emplace(file.name, &file);
      continue;
    }
    if (file.space && file.source && file.source->birth_ns != 0)
      copied_.emplace(file.source->inode, file.source->birth_ns);
    if (!file.space) {
      has_unknown_spaces_ = true;
    } else if (kind == FileKind::kSystemTablespace) {
      has_facts_ = true;
      system_files_.emplace(file.name, &file);
    } else {
      spaces_.emplace(file.space->space_id, &file);
      if (kind == FileKind::kTablespace) tables_.emplace(file.space->space_id, file.name);
    }
  }
}

bool IncrementBase::HasFirstPageOf(const io::FileIdentity& file) const {
  return copied_.count({file.inode, file.birth_ns}) != 0;
}

const ManifestFile* IncrementBase::FindSpace(const SpaceFile& file) const {
  if (file.space_id == innodb::kSystemSpaceId) {
    const auto found = system_files_.find(file.name);
    return found == system_files_.end() ? nullptr : found->second;
  }
  const auto found = spaces_.find(file.space_id);
  return found == spaces_.end() ? nullptr : found->second;
}

PageChoice IncrementBase::ChoosePages(const SpaceFile& file) const {
  PageChoice choice{.above_lsn = base_.last_lsn};
  if (!has_facts_) {
    choice.takes_lsn_zero = true;
    return choice;
  }
  const ManifestFile* known = FindSpace(file);
  const SameFile same =
      known != nullptr ? CompareFiles(known->source, file.identity) : SameFile::kNo;
  choice.replaces_base = same == SameFile::kNo || !HaveSamePages(*known->space, file.flags);
  choice.takes_lsn_zero = same == SameFile::kUnknown;
  return choice;
}

// A machine that was started again may have lost what the base saw in its cache.
bool IncrementBase::MaySkipPages() const {
  return !policy_.reads_all && manifest_ && !policy_.boot_id.empty() &&
         manifest_->boot_id == policy_.boot_id;
}

bool IncrementBase::MayTrustTimes() const {
  return policy_.trusts_times && MaySkipPages();
}

bool IncrementBase::IsInSample(const ManifestFile& known) const {
  if (known.source->skip_count >= kSkipCountMax) return true;
  const std::string digest = filter::DigestOf(AsBytes(known.name + policy_.backup_uuid));
  uint32_t number = 0;
  std::from_chars(digest.data(), digest.data() + 8, number, 16);
  return number % kSampleRate == 0;
}

ReadChoice IncrementBase::ChooseReading(const ManifestFile& known, const io::FileIdentity& identity,
                                        bool keeps_times) const {
  const bool is_believed = MayTrustTimes() && keeps_times && known.source &&
                           known.source->is_at_rest && known.source->birth_ns != 0 &&
                           IdentityOf(*known.source) == identity;
  if (!is_believed) return ReadChoice::kRead;
  return IsInSample(known) ? ReadChoice::kSample : ReadChoice::kSkip;
}

ReadChoice IncrementBase::ChooseReading(const SpaceFile& file, Lsn first_page_lsn,
                                        bool keeps_times) const {
  const ManifestFile* known = FindSpace(file);
  const bool is_same_space = known != nullptr && known->space->flags == file.flags.raw() &&
                             known->space->page_size == file.flags.physical_size();
  if (!is_same_space) return ReadChoice::kRead;
  const ReadChoice by_times = first_page_lsn <= base_.last_lsn
                                  ? ChooseReading(*known, file.identity, keeps_times)
                                  : ReadChoice::kRead;
  // What the redo says of the file counts more than its times.
  const bool is_unwritten = by_times == ReadChoice::kSkip && !IsInRedo(file.space_id);
  if (is_unwritten || by_times == ReadChoice::kSample) return by_times;
  return IsNamed(*known, file, first_page_lsn, keeps_times) ? ReadChoice::kNamed
                                                            : ReadChoice::kRead;
}

bool IncrementBase::IsInRedo(SpaceId space) const {
  return changed_.has_value() &&
         (changed_->Of(space) != nullptr || changed_->remade.count(space) != 0);
}

// All that was written to the file since the base went through the redo log. An import does not,
// but makes another file; one that somebody has put in its place by a hard link is told by the LSN
// of its first page, or by the discarding before.
bool IncrementBase::IsNamed(const ManifestFile& known, const SpaceFile& file, Lsn first_page_lsn,
                            bool keeps_times) const {
  return changed_.has_value() && MaySkipPages() && keeps_times && first_page_lsn != 0 &&
         CompareFiles(known.source, file.identity) == SameFile::kYes &&
         known.size <= file.identity.size && changed_->remade.count(file.space_id) == 0;
}

std::vector<PageNo> IncrementBase::NamedPagesOf(const SpaceFile& file) const {
  const std::vector<PageNo>* const pages = changed_ ? changed_->Of(file.space_id) : nullptr;
  return pages != nullptr ? *pages : std::vector<PageNo>();
}

uint32_t IncrementBase::SkipCountOf(const SpaceFile& file) const {
  const ManifestFile* known = FindSpace(file);
  return known != nullptr && known->source ? known->source->skip_count : 0;
}

const ManifestFile* IncrementBase::FindFile(std::string_view name) const {
  const auto found = files_.find(name);
  return found == files_.end() || found->second->digest.empty() ? nullptr : found->second;
}

manifest::SourceFile SourceOf(const io::FileIdentity& file, bool is_at_rest, uint32_t skip_count) {
  return {.device = file.device,
          .inode = file.inode,
          .birth_ns = file.birth_ns,
          .size = file.size,
          .mtime_ns = file.mtime_ns,
          .ctime_ns = file.ctime_ns,
          .is_at_rest = is_at_rest,
          .skip_count = skip_count};
}

}  // namespace hbk::backup

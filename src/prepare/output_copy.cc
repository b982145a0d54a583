#include "output_copy.h"

#include <algorithm>
#include <atomic>
#include <map>

#include <fmt/format.h>

#include "hbk/io/places.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/drill_record.h"
#include "hbk/manifest/verify_record.h"
#include "hbk/seal/key_slots.h"

#include "laying_state.h"
#include "parallel.h"
#include "plain_copy.h"
#include "prepare_lock.h"
#include "sparse_copy.h"
#include "stored_digest.h"

namespace hbk::prepare {
namespace {

constexpr uint32_t kDirectoryMode = 0700;
constexpr uint32_t kFileMode = 0600;
constexpr std::string_view kLostAndFound = "lost+found";  // of a file system of its own
constexpr std::string_view kMarkerText =
    "This backup is not complete: hbk prepare --output-dir is still at work, or was ended before "
    "it was done.\n";

Status CheckApart(io::FileSystem& fs, const OutputCopy::Places& places) {
  std::vector<std::string> dirs = places.increments;
  dirs.push_back(places.base);
  HBK_ASSIGN_OR_RETURN(const std::string above, io::FindAbove(fs, places.output, dirs));
  if (above.empty()) return OkStatus();
  return UsageError(fmt::format("--output-dir={} is, or lies inside, {}, which must stay as it is",
                                places.output, above))
      .WithHint("give a directory of its own");
}

Status CheckEmpty(io::FileSystem& fs, const std::string& dir) {
  const auto info = fs.Stat(dir, /*follow=*/true);
  if (info.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(info.status());
  if (info->type != io::FileType::kDirectory)
    return Status(StatusCode::kTargetInUse, dir + " is not a directory");
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(dir));
  std::string first;
  bool is_leftover = false;
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.name == kLostAndFound) continue;
    is_leftover |= entry.name == manifest::kIncompleteMarkerName;
    if (first.empty()) first = entry.name;
  }
  if (first.empty()) return OkStatus();
  const Status status(StatusCode::kTargetInUse,
                      fmt::format("{} is not empty: it holds {}", dir, first));
  if (is_leftover)
    return status.WithHint("it is what a run that was not finished has left: remove it");
  return status.WithHint("give a directory that is empty or does not exist");
}

Status ChangedByHalf(const std::string& base_dir) {
  return Status(StatusCode::kTargetInUse,
                base_dir + " is as a prepare has left it that was interrupted")
      .WithHint("finish that prepare first, without --output-dir");
}

bool IsSameFile(const OutputCopy::File& a, const OutputCopy::File& b) {
  return a.name == b.name && a.info.inode == b.info.inode && a.info.size == b.info.size &&
         a.info.mtime_ns == b.info.mtime_ns;
}

// The manifest comes last, the marker is our own, key slots are of a sealed backup, nobody has
// verified or drilled the copy, and what a prepare has left that was killed before it changed
// anything is of no use.
bool IsCopied(const std::string& name) {
  return name != manifest::kManifestFileName && name != manifest::kIncompleteMarkerName &&
         name != seal::kKeySlotsFileName && name != manifest::kVerifyRecordName &&
         name != manifest::kDrilledRecordName && !name.starts_with("hbk_prepare.");
}

// True if `to` shares the blocks of `from` now; it is there in any case.
Result<bool> Clone(io::FileSystem& fs, const std::string& from, const std::string& to) {
  HBK_ASSIGN_OR_RETURN(const auto source, fs.Open(from, {}));
  HBK_ASSIGN_OR_RETURN(const auto target,
                       fs.Open(to, {.write = true, .create = true, .mode = kFileMode}));
  HBK_ASSIGN_OR_RETURN(const bool is_cloned, target->CloneFrom(*source));
  HBK_RETURN_IF_ERROR(target->Close());
  return is_cloned;
}

std::map<std::string, const manifest::ManifestFile*> KnownFiles(const BackupSet& base) {
  std::map<std::string, const manifest::ManifestFile*> known;
  if (!base.manifest.has_value() || base.is_prepared_elsewhere) return known;
  for (const manifest::ManifestFile& file : base.manifest->files)
    known.emplace(file.name, &file);
  return known;
}

// False if something is left.
bool RemoveTree(io::FileSystem& fs, const std::string& dir, bool is_root) {
  const auto entries = fs.List(dir);
  if (!entries.ok()) return false;
  bool is_empty = true;
  for (const io::DirectoryEntry& entry : *entries) {
    if (is_root && (entry.name == manifest::kIncompleteMarkerName || entry.name == kLostAndFound))
      continue;
    const std::string path = io::JoinPath(dir, entry.name);
    const bool is_directory = entry.type == io::FileType::kDirectory;
    if (is_directory) is_empty &= RemoveTree(fs, path, /*is_root=*/false);
    is_empty &= (is_directory ? fs.RemoveDirectory(path) : fs.Remove(path)).ok();
  }
  return is_empty;
}

}  // namespace

Result<std::unique_ptr<OutputCopy>> OutputCopy::Open(io::FileSystem& fs, Places places) {
  HBK_RETURN_IF_ERROR(CheckApart(fs, places));
  HBK_RETURN_IF_ERROR(CheckEmpty(fs, places.output));
  std::unique_ptr<OutputCopy> copy(new OutputCopy(fs, std::move(places)));
  HBK_RETURN_IF_ERROR(copy->ListBase(""));
  HBK_RETURN_IF_ERROR(copy->CheckBaseAtRest());
  return copy;
}

// The manifest and the checkpoints file, without which it is no backup, go first, the marker last.
// NOLINTNEXTLINE(bugprone-exception-escape): only want of memory throws, and ends the process
OutputCopy::~OutputCopy() {
  if (is_made_) {
    (void)fs_.Remove(To(manifest::kManifestFileName)).ok();
    if (!checkpoints_.empty()) (void)fs_.Remove(To(checkpoints_)).ok();
    if (RemoveTree(fs_, places_.output, /*is_root=*/true))
      (void)fs_.Remove(To(manifest::kIncompleteMarkerName)).ok();
  }
  if (is_new_directory_) (void)fs_.RemoveDirectory(places_.output).ok();
}

std::string OutputCopy::From(std::string_view name) const {
  return io::JoinPath(places_.base, name);
}

std::string OutputCopy::To(std::string_view name) const {
  return io::JoinPath(places_.output, name);
}

Status OutputCopy::ListBase(const std::string& directory) {
  HBK_ASSIGN_OR_RETURN(const auto entries,
                       fs_.List(directory.empty() ? places_.base : From(directory)));
  for (const io::DirectoryEntry& entry : entries) {
    const std::string name = io::JoinPath(directory, entry.name);
    if (name == kLostAndFound) continue;
    if (entry.type == io::FileType::kDirectory) {
      directories_.push_back(name);
      HBK_RETURN_IF_ERROR(ListBase(name));
      continue;
    }
    if (entry.type != io::FileType::kRegular) {
      return CorruptionError(From(name) + " is no regular file")
          .WithHint("a backup has files and directories only: take it away");
    }
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(From(name), /*follow=*/false));
    files_.push_back({name, info});
  }
  return OkStatus();
}

Status OutputCopy::CheckBaseAtRest() const {
  HBK_ASSIGN_OR_RETURN(const bool is_laying, io::Exists(fs_, From(kLayingStateName)));
  if (is_laying) return ChangedByHalf(places_.base);
  const auto lock = fs_.Open(From(kLockFileName), {});
  if (lock.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(lock.status());
  HBK_ASSIGN_OR_RETURN(const bool is_free, (*lock)->TryLock());
  if (!is_free) return Status(StatusCode::kTargetInUse, "another prepare works on " + places_.base);
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, (*lock)->Stat());
  return info.size == 0 ? OkStatus() : ChangedByHalf(places_.base);
}

Status OutputCopy::Make(const BackupSet& base, uint64_t extra_bytes, uint32_t worker_count,
                        report::Reporter& reporter, const std::stop_token& stop) {
  if (base.metadata.has_value()) {
    if (base.metadata->checkpoints.backup_type == manifest::kUnfinishedBackupType)
      return ChangedByHalf(places_.base);
    checkpoints_ = base.metadata->names.checkpoints;
  }
  HBK_RETURN_IF_ERROR(MakeDirectories());
  HBK_RETURN_IF_ERROR(CheckSpace(base, extra_bytes));
  std::vector<const File*> order;
  uint64_t total_bytes = 0;
  for (const File& file : files_) {
    if (!IsCopied(file.name) || file.name == checkpoints_) continue;
    order.push_back(&file);
    total_bytes += file.info.allocated_bytes;
  }
  // The large ones first, so that no worker has to wait for the last one.
  std::stable_sort(order.begin(), order.end(), [](const File* a, const File* b) {
    return a->info.allocated_bytes > b->info.allocated_bytes;
  });
  reporter.BeginPhase("copy the base", {{"files", fmt::format("{}", order.size())},
                                        {"bytes", report::HumanBytes(total_bytes)},
                                        {"shares_blocks", is_sharing_ ? "yes" : "no"}});
  const auto known_files = KnownFiles(base);
  std::atomic<uint64_t> done_bytes{0};
  const auto copy = [&](uint32_t, size_t item) -> Status {
    const File& file = *order[item];
    if (stop.stop_requested()) return InterruptedError();
    const auto known = known_files.find(file.name);
    HBK_RETURN_IF_ERROR(
        CopyFile(file.name, known == known_files.end() ? nullptr : known->second, stop));
    reporter.Progress(done_bytes += file.info.allocated_bytes, total_bytes);
    return OkStatus();
  };
  HBK_RETURN_IF_ERROR(RunParallel(worker_count, order.size(), copy));
  HBK_RETURN_IF_ERROR(WriteCheckpoints(base));
  HBK_RETURN_IF_ERROR(SyncDirectories());
  return CheckBaseUnchanged();
}

Status OutputCopy::MakeDirectories() {
  const std::string there = io::ExistingAncestor(fs_, places_.output);
  HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, places_.output, kDirectoryMode));
  is_new_directory_ = there != places_.output;
  HBK_RETURN_IF_ERROR(
      io::WriteNewFile(fs_, To(manifest::kIncompleteMarkerName), kMarkerText, kFileMode));
  is_made_ = true;
  for (std::string dir = places_.output;; dir = io::DirName(dir)) {
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(dir));
    if (dir == there) break;
  }
  for (const std::string& directory : directories_)
    HBK_RETURN_IF_ERROR(fs_.MakeDirectory(To(directory), kDirectoryMode));
  return OkStatus();
}

// Whether blocks can be shared is seen from one file. If not, all of the base needs room.
Status OutputCopy::CheckSpace(const BackupSet& base, uint64_t extra_bytes) {
  const std::string& probe = base.system_files.front();
  HBK_ASSIGN_OR_RETURN(is_sharing_, Clone(fs_, From(probe), To(probe)));
  HBK_RETURN_IF_ERROR(fs_.Remove(To(probe)));
  uint64_t needed = extra_bytes;
  for (const File& file : files_)
    if (!is_sharing_) needed += file.info.allocated_bytes;
  HBK_ASSIGN_OR_RETURN(const uint64_t free_bytes, fs_.FreeBytes(places_.output));
  if (needed <= free_bytes) return OkStatus();
  return Status(StatusCode::kNoSpace,
                fmt::format("the prepared backup needs about {}, {} has {} free",
                            report::HumanBytes(needed), places_.output,
                            report::HumanBytes(free_bytes)))
      .WithHint("free space there, or choose another --output-dir");
}

Status OutputCopy::CopyFile(const std::string& name, const manifest::ManifestFile* known,
                            const std::stop_token& stop) const {
  bool is_cloned = false;
  if (is_sharing_) {
    HBK_ASSIGN_OR_RETURN(is_cloned, Clone(fs_, From(name), To(name)));
  }
  if (!is_cloned) {
    HBK_RETURN_IF_ERROR(CopySparse(fs_, From(name), To(name), UINT64_MAX, stop,
                                   known == nullptr ? kUsualHoleBytes : HoleBytesOf(*known)));
    HBK_RETURN_IF_ERROR(CheckDigest(name, known == nullptr ? "" : known->digest, stop));
  }
  HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(To(name), {.write = true}));
  HBK_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

Status OutputCopy::WriteCheckpoints(const BackupSet& base) const {
  if (checkpoints_.empty()) return OkStatus();
  manifest::Checkpoints unfinished = base.metadata->checkpoints;
  unfinished.backup_type = manifest::kUnfinishedBackupType;
  return io::WriteNewFile(fs_, To(checkpoints_), manifest::RenderCheckpoints(unfinished),
                          kFileMode);
}

Status OutputCopy::CheckDigest(const std::string& name, const std::string& digest,
                               const std::stop_token& stop) const {
  if (digest.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const FileDigest found, DigestFile(fs_, To(name), stop));
  if (found.digest == digest) return OkStatus();
  return CorruptionError(
      fmt::format("{}: its digest is {}, the manifest says {}: the file is damaged", From(name),
                  found.digest, digest));
}

Status OutputCopy::SyncDirectories() const {
  for (const std::string& directory : directories_)
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(To(directory)));
  return fs_.SyncDirectory(places_.output);
}

// A prepare, a server or somebody else who has begun meanwhile has made another base.
Status OutputCopy::CheckBaseUnchanged() const {
  OutputCopy now(fs_, places_);
  HBK_RETURN_IF_ERROR(now.ListBase(""));
  if (now.directories_ == directories_ &&
      std::equal(files_.begin(), files_.end(), now.files_.begin(), now.files_.end(), IsSameFile)) {
    return OkStatus();
  }
  return Status(StatusCode::kTargetInUse, places_.base + " was changed while it was copied")
      .WithHint("let nobody else work on it, and run this again");
}

Status OutputCopy::Finish() {
  is_made_ = is_new_directory_ = false;
  HBK_RETURN_IF_ERROR(fs_.Remove(To(manifest::kIncompleteMarkerName)));
  return fs_.SyncDirectory(places_.output);
}

}  // namespace hbk::prepare

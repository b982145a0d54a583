#include "hbk/prepare/unpack_runner.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/delta/delta_file.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/seal/key_slots.h"
#include "hbk/store/sealed_file_system.h"

#include "parallel.h"
#include "plain_copy.h"
#include "prepare_lock.h"

namespace hbk::prepare {
namespace {

using filter::TreeDigest;
using manifest::FileContent;

constexpr uint32_t kFileMode = 0600;
constexpr uint32_t kDirectoryMode = 0700;

// A file as it lies in the backup.
struct StoredFile {
  std::string name;    // plain
  std::string stored;  // path where it lies
  uint64_t size = 0;
  std::string digest;
  size_t hole_bytes = 0;
  io::FileInfo info;  // of the stored one
};

class UnpackRun {
 public:
  UnpackRun(const UnpackOptions& options, io::FileSystem& fs, report::Reporter& reporter,
            std::stop_token stop)
      : options_(options),
        fs_(fs),
        keys_(options.sealing_keys, fs, stop),
        backups_(fs, keys_),
        reporter_(reporter),
        stop_(std::move(stop)) {}

  Result<UnpackSummary> Run() {
    reporter_.BeginPhase("check");
    HBK_RETURN_IF_ERROR(LoadManifest());
    HBK_ASSIGN_OR_RETURN(const auto lock, PrepareLock::Take(fs_, options_.target_dir));
    if (lock->was_interrupted()) {
      return Status(StatusCode::kTargetInUse, options_.target_dir +
                                                  " is as a prepare has left it that was "
                                                  "interrupted")
          .WithHint("finish that prepare: it leaves plain files");
    }
    HBK_RETURN_IF_ERROR(LoadManifest());
    const bool unseals_only = options_.depth == UnpackDepth::kUnsealed;
    const bool is_compressed = manifest_.compression.method != codec::FrameMethod::kNone;
    if (options_.depth == UnpackDepth::kDecompressed && manifest_.is_sealed) {
      return UsageError(options_.target_dir + " is sealed")
          .WithHint("hbk decrypt first; hbk prepare needs neither");
    }
    keeps_compression_ = unseals_only && is_compressed;
    if (!manifest_.is_sealed && (unseals_only || !is_compressed)) {
      HBK_RETURN_IF_ERROR(RemoveSpareKeySlots(fs_, options_.target_dir));
      summary_.was_plain_already = true;
      reporter_.Info("the files of the backup are plain already");
      return summary_;
    }
    HBK_RETURN_IF_ERROR(backups_.Add(options_.target_dir, keeps_compression_).status());
    HBK_RETURN_IF_ERROR(FindFiles());
    HBK_RETURN_IF_ERROR(CheckSpace());
    HBK_RETURN_IF_ERROR(MakeDirectories());
    HBK_RETURN_IF_ERROR(UnpackFiles());
    HBK_RETURN_IF_ERROR(SyncDirectories());
    return StoreState();
  }

 private:
  [[nodiscard]] std::string Plain(const std::string& name) const {
    return io::JoinPath(options_.target_dir, name);
  }
  // Where it lies now; the same as Plain() for what is plain already.
  [[nodiscard]] Result<std::string> FindStored(const std::string& name) const {
    const codec::FrameChoice compression =
        keeps_compression_ ? codec::FrameChoice() : manifest_.compression;
    std::string stored = manifest::NameBeneathCompression(name, compression);
    if (manifest_.is_sealed && !manifest::IsNeverSealed(stored)) stored += store::kSealedSuffix;
    if (manifest_.has_sealed_names) {
      HBK_ASSIGN_OR_RETURN(stored, manifest::SealedNameOf(*data_key_, stored));
    }
    return Plain(stored);
  }

  Status LoadManifest() {
    HBK_ASSIGN_OR_RETURN(auto opened, manifest::OpenManifest(fs_, options_.target_dir, keys_));
    manifest_ = std::move(opened.manifest);
    data_key_ = std::move(opened.data_key);
    return OkStatus();
  }

  // Where names are sealed there are no directories.
  Status MakeDirectories() {
    if (!manifest_.has_sealed_names) return OkStatus();
    std::set<std::string> directories;
    for (const std::string& database : manifest_.databases)
      directories.insert(Plain(database));
    for (const StoredFile& file : files_)
      directories.insert(io::DirName(Plain(file.name)));
    for (const std::string& directory : directories)
      HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, directory, kDirectoryMode));
    return fs_.SyncDirectory(options_.target_dir);
  }

  Result<UnpackSummary> StoreState() {
    const codec::FrameChoice compression = manifest_.compression;
    manifest_.SetPlain();
    if (keeps_compression_) manifest_.compression = compression;
    HBK_RETURN_IF_ERROR(manifest::StoreManifest(fs_, options_.target_dir, manifest_));
    HBK_RETURN_IF_ERROR(RemoveSpareKeySlots(fs_, options_.target_dir));
    return summary_;
  }

  Status FindFiles() {
    for (const manifest::ManifestFile& file : manifest_.files) {
      StoredFile found;
      found.name = file.name;
      found.size = file.size;
      found.digest = file.digest;
      found.hole_bytes = HoleBytesOf(file);
      if (file.content == FileContent::kBase) continue;
      if (file.content == FileContent::kDelta) {
        if (file.delta_size == 0) continue;
        found.name += delta::kDeltaSuffix;
        found.size = file.delta_size;
      }
      // A frame has its own checksum, and what is sealed is what was sealed.
      if (keeps_compression_) {
        found.name = manifest::NameBeneathCompression(found.name, manifest_.compression);
        found.digest.clear();
      }
      HBK_ASSIGN_OR_RETURN(found.stored, FindStored(found.name));
      if (found.stored == Plain(found.name)) continue;
      const auto info = fs_.Stat(found.stored, /*follow=*/false);
      // An earlier run has unpacked it.
      if (!info.ok() && info.status().code() == StatusCode::kNotFound) {
        HBK_ASSIGN_OR_RETURN(const bool is_plain, io::Exists(fs_, Plain(found.name)));
        if (!is_plain)
          return CorruptionError(found.stored + ": missing; the manifest lists " + found.name);
        continue;
      }
      HBK_RETURN_IF_ERROR(info.status());
      found.info = *info;
      if (keeps_compression_) {
        HBK_ASSIGN_OR_RETURN(const io::FileInfo plain,
                             backups_.fs().Stat(Plain(found.name), /*follow=*/false));
        found.size = plain.size;
      }
      ++summary_.file_count;
      summary_.bytes += found.size;
      summary_.stored_bytes += found.info.size;
      files_.push_back(std::move(found));
    }
    // The large ones first, so that no worker has to wait for the last one.
    std::ranges::stable_sort(files_, std::ranges::greater(), &StoredFile::size);
    return OkStatus();
  }

  // Each stored file goes when its plain one is there: at no time there is more than both of the
  // files that are in work.
  Status CheckSpace() {
    uint64_t needed = summary_.bytes - std::min(summary_.bytes, summary_.stored_bytes);
    for (size_t i = 0; i < std::min<size_t>(files_.size(), worker_count_); ++i)
      needed += files_[i].info.size;
    HBK_ASSIGN_OR_RETURN(const uint64_t free, fs_.FreeBytes(options_.target_dir));
    if (needed <= free) return OkStatus();
    return Status(StatusCode::kNoSpace,
                  fmt::format("the plain files need about {} more, {} has {} free",
                              report::HumanBytes(needed), options_.target_dir,
                              report::HumanBytes(free)))
        .WithHint("free space there, or prepare the backup with --output-dir elsewhere");
  }

  Status UnpackFiles() {
    reporter_.BeginPhase(manifest_.is_sealed ? "decrypt" : "decompress",
                         {{"files", fmt::format("{}", files_.size())},
                          {"bytes", report::HumanBytes(summary_.bytes)}});
    std::atomic<uint64_t> done_bytes{0};
    return RunParallel(worker_count_, files_.size(), [&](uint32_t, size_t item) -> Status {
      if (stop_.stop_requested()) return InterruptedError();
      HBK_RETURN_IF_ERROR(Unpack(files_[item]));
      reporter_.Progress(done_bytes += files_[item].size, summary_.bytes);
      return OkStatus();
    });
  }

  // Or stored files would come back after a power cut, and nobody would know them any more.
  Status SyncDirectories() {
    std::set<std::string> directories;
    for (const StoredFile& file : files_)
      directories.insert(io::DirName(Plain(file.name)));
    for (const std::string& directory : directories)
      HBK_RETURN_IF_ERROR(fs_.SyncDirectory(directory));
    return OkStatus();
  }

  Status Unpack(const StoredFile& file) {
    const Status written = WritePlain(file);
    if (!written.ok()) {
      (void)fs_.Remove(Plain(file.name)).ok();
      return written;
    }
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(io::DirName(Plain(file.name))));
    return fs_.Remove(file.stored);
  }

  Status WritePlain(const StoredFile& file) {
    // What a killed run has left of it.
    const Status removed = fs_.Remove(Plain(file.name));
    if (!removed.ok() && removed.code() != StatusCode::kNotFound) return removed;
    HBK_ASSIGN_OR_RETURN(const auto source, backups_.fs().Open(Plain(file.name), {.direct = true}));
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, source->Stat());
    if (info.size != file.size) {
      return CorruptionError(
          fmt::format("{}: {} bytes; the manifest says {}", file.stored, info.size, file.size));
    }
    HBK_ASSIGN_OR_RETURN(
        const auto target,
        fs_.Open(Plain(file.name), {.write = true, .create = true, .mode = kFileMode}));
    HBK_RETURN_IF_ERROR(target->Truncate(file.size));
    TreeDigest digest(file.size);
    AlignedBuffer buffer(TreeDigest::kChunkBytes);
    for (uint64_t index = 0; index < digest.chunk_count(); ++index) {
      if (stop_.stop_requested()) return InterruptedError();
      const uint64_t offset = index * TreeDigest::kChunkBytes;
      const auto size = std::min<uint64_t>(TreeDigest::kChunkBytes, file.size - offset);
      const MutableByteView chunk = buffer.view().first(size);
      HBK_ASSIGN_OR_RETURN(const size_t got, source->ReadAt(offset, chunk));
      if (got != size) return CorruptionError(file.stored + ": became shorter");
      digest.AddChunk(index, chunk);
      HBK_RETURN_IF_ERROR(target->WriteSparse(offset, chunk, file.hole_bytes).status());
    }
    const std::string found = digest.Finish();
    if (!file.digest.empty() && found != file.digest) {
      return CorruptionError(
          fmt::format("{}: its digest is {}, the manifest says {}: the file is damaged",
                      file.stored, found, file.digest));
    }
    HBK_RETURN_IF_ERROR(target->Sync());
    return target->Close();
  }

  const UnpackOptions& options_;
  io::FileSystem& fs_;
  manifest::SealingKeyRing keys_;
  manifest::StoredBackups backups_;
  report::Reporter& reporter_;
  const std::stop_token stop_;
  const uint32_t worker_count_ = options_.parallel != 0
                                     ? options_.parallel
                                     : std::max(1U, std::thread::hardware_concurrency());
  manifest::BackupManifest manifest_;
  std::optional<seal::DataKey> data_key_;  // of a sealed backup
  bool keeps_compression_ = false;
  std::vector<StoredFile> files_;  // that are left to be unpacked
  UnpackSummary summary_;
};

}  // namespace

Status RemoveSpareKeySlots(io::FileSystem& fs, const std::string& backup_dir) {
  const std::string path = io::JoinPath(backup_dir, seal::kKeySlotsFileName);
  HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, path));
  if (!is_there) return OkStatus();
  const auto manifest = manifest::LoadManifest(fs, backup_dir);
  const bool has_none = !manifest.ok() && (manifest.status().code() == StatusCode::kNotFound ||
                                           manifest.status().code() == StatusCode::kMissingKey);
  if (has_none) return OkStatus();
  HBK_RETURN_IF_ERROR(manifest.status());
  if (manifest->is_sealed) return OkStatus();
  const Status removed = fs.Remove(io::JoinPath(backup_dir, manifest::kSealedManifestFileName));
  if (!removed.ok() && removed.code() != StatusCode::kNotFound) return removed;
  HBK_RETURN_IF_ERROR(fs.Remove(path));
  return fs.SyncDirectory(backup_dir);
}

Result<UnpackSummary> RunUnpack(const UnpackOptions& options, io::FileSystem& fs,
                                report::Reporter& reporter, std::stop_token stop) {
  return UnpackRun(options, fs, reporter, std::move(stop)).Run();
}

}  // namespace hbk::prepare

#include "hbk/backup/file_copier.h"

#include <atomic>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hbk/filter/tree_digest.h"

#include "copy_pool.h"
#include "file_copy.h"
#include "page_reader.h"
#include "target_files.h"

namespace hbk::backup {
namespace {

constexpr uint32_t kDirectoryMode = 0700;
constexpr uint32_t kFileMode = 0600;
// So many files are synced with all else on their file system: each by itself would take longer.
constexpr size_t kWholeSyncFilesMin = 256;

// Calls `work` for every index below `count`, from several threads, until one fails. Its status.
Status ForEach(size_t count, uint32_t workers, const std::stop_token& stop,
               const std::function<Status(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> is_failed = false;
  Mutex mutex;
  Status first_error;
  const auto run = [&] {
    while (!is_failed) {
      const size_t index = next++;
      if (index >= count) return;
      const Status status = stop.stop_requested() ? InterruptedError() : work(index);
      if (status.ok()) continue;
      const MutexLock lock(mutex);
      if (!is_failed.exchange(true)) first_error = status;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min<size_t>(workers, count); ++i)
    threads.emplace_back(run);
  run();
  for (std::thread& thread : threads)
    thread.join();
  return first_error;
}

Status SyncFile(io::FileSystem& fs, const std::string& path) {
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(path, {}));
  HBK_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

std::set<std::string> DirectoriesOf(const std::vector<std::string>& names,
                                    const std::string& target_dir) {
  std::set<std::string> directories;
  for (const std::string& name : names)
    directories.insert(io::DirName(io::JoinPath(target_dir, name)));
  return directories;
}

Status MakeDirectoriesFor(io::FileSystem& fs, const std::vector<CopyJob>& jobs,
                          const std::string& target_dir) {
  std::vector<std::string> names;
  for (const CopyJob& job : jobs)
    names.push_back(job.name);
  for (const std::string& directory : DirectoriesOf(names, target_dir))
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs, directory, kDirectoryMode));
  return OkStatus();
}

}  // namespace

FileCopier::FileCopier(io::FileSystem& fs, report::Reporter& reporter, FileCopierOptions options)
    : fs_(fs), reporter_(reporter), options_(std::move(options)) {}

Result<std::vector<CopyResult>> FileCopier::Copy(std::vector<CopyJob> jobs, std::stop_token stop) {
  HBK_RETURN_IF_ERROR(BeginSync());
  HBK_RETURN_IF_ERROR(MakeDirectoriesFor(fs_, jobs, options_.target_dir));
  uint64_t total = 0;
  for (const CopyJob& job : jobs)
    total += job.size_hint;

  std::atomic<uint64_t> done = 0;
  CopyEnvironment environment{.fs = fs_,
                              .target_dir = options_.target_dir,
                              .page_size = options_.page_size,
                              .read_limiter = options_.read_limiter,
                              .byte_limiter = options_.byte_limiter,
                              .keep_damaged_pages = options_.keep_damaged_pages,
                              .base = options_.base,
                              .table_of = options_.table_of,
                              .sleep = SleepForReal,
                              .stop = stop,
                              .on_copied = [&](uint64_t bytes) {
                                const uint64_t now = done += bytes;
                                reporter_.Progress(now, std::max(total, now));
                              }};
  CopyPool pool(std::move(environment), std::move(jobs), CopyThreads::Of(options_.workers));
  return pool.Run();
}

Status FileCopier::BeginSync() {
  if (whole_sync_.has_value()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(whole_sync_, fs_.BeginWholeSync(options_.target_dir));
  return OkStatus();
}

Status FileCopier::SyncFiles(const std::vector<std::string>& names, const std::stop_token& stop) {
  const bool has_whole_sync = whole_sync_.has_value() && *whole_sync_ != nullptr;
  if (has_whole_sync && names.size() >= kWholeSyncFilesMin) return (*whole_sync_)->Sync();
  return ForEach(names.size(), options_.workers, stop, [&](size_t i) {
    return SyncFile(fs_, io::JoinPath(options_.target_dir, names[i]));
  });
}

Result<CopyResult> FileCopier::CopyOne(CopyJob job, std::stop_token stop) {
  HBK_RETURN_IF_ERROR(BeginSync());
  HBK_RETURN_IF_ERROR(MakeDirectoriesFor(fs_, {job}, options_.target_dir));
  const CopyEnvironment environment{.fs = fs_,
                                    .target_dir = options_.target_dir,
                                    .page_size = options_.page_size,
                                    .read_limiter = options_.read_limiter,
                                    .byte_limiter = options_.byte_limiter,
                                    .keep_damaged_pages = options_.keep_damaged_pages,
                                    .base = options_.base,
                                    .table_of = options_.table_of,
                                    .sleep = SleepForReal,
                                    .stop = std::move(stop)};
  CopyBuffers buffers;
  FileCopy copy(environment, std::move(job));
  HBK_RETURN_IF_ERROR(copy.Open(buffers));
  for (uint64_t i = 0; i < copy.range_count(); ++i)
    HBK_RETURN_IF_ERROR(copy.CopyRange(i, buffers));
  return copy.Close();
}

Result<CopyResult> FileCopier::WriteBytes(std::string_view name, ByteView bytes, bool replace,
                                          bool under_lock) {
  const std::string path = io::JoinPath(options_.target_dir, name);
  HBK_RETURN_IF_ERROR(BeginSync());
  HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, io::DirName(path), kDirectoryMode));
  HBK_ASSIGN_OR_RETURN(const bool exists, io::Exists(fs_, path));
  const bool is_overwritten = replace && exists;
  HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(path, {.write = true,
                                                        .create = !is_overwritten,
                                                        .truncate = is_overwritten,
                                                        .mode = kFileMode}));
  HBK_RETURN_IF_ERROR(file->WriteAt(0, bytes));
  if (!under_lock) HBK_RETURN_IF_ERROR(file->Sync());
  HBK_RETURN_IF_ERROR(file->Close());
  CopyResult result;
  result.name = std::string(name);
  result.size = bytes.size();
  result.written_bytes = bytes.size();
  result.digest = filter::DigestOf(bytes);
  return result;
}

Status FileCopier::SyncAll(const std::vector<std::string>& names,
                           const std::set<std::string>& synced, std::stop_token stop) {
  std::vector<std::string> unsynced;
  for (const std::string& name : names)
    if (synced.count(name) == 0) unsynced.push_back(name);
  HBK_RETURN_IF_ERROR(SyncFiles(unsynced, stop));
  std::set<std::string> directories = DirectoriesOf(names, options_.target_dir);
  directories.insert(options_.target_dir);
  for (const std::string& directory : directories)
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(directory));
  return OkStatus();
}

}  // namespace hbk::backup

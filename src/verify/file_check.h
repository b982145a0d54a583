// One file of a backup: its size, its digest, and what its content shows, from one reading.
//
// Threads  CheckPart: any number, each part once; Finish: when they have returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hbk/base/mutex.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"

#include "backup_facts.h"
#include "content_check.h"
#include "work_plan.h"

namespace hbk::verify {

// What is known of a file before it is opened.
struct FileJob {
  const BackupFacts* facts = nullptr;
  std::string name;  // as it lies there: a delta with its suffix
  datadir::FileKind kind = datadir::FileKind::kDefinition;
  const manifest::ManifestFile* listed = nullptr;  // null: there is no manifest
  uint64_t size = 0;                               // that it must have
  std::string digest;                              // empty: not known
  bool is_delta = false;
  bool is_log = false;  // whoever parses it reads it

  // The hashes of its chunks are known: each part can be judged.
  [[nodiscard]] ByteView KnownChunks() const { return facts->chunks.Find(size, digest); }
};

struct FileCheckOptions {
  bool is_direct = true;  // past the page cache
  bool is_fast = false;   // no look into the content
};

class FileCheck {
 public:
  FileCheck(const FileJob& job, const FileCheckOptions& options, CheckContext& context)
      : job_(job), options_(options), context_(context) {}

  // `buffer`: kReadBytes.
  Status CheckPart(const Part& part, MutableByteView buffer, CheckScratch& scratch)
      HBK_EXCLUDES(mutex_);
  // The file is read by `read`, from front to back in the file system that it is given, and its
  // digest made of that; of what it leaves out, too. `tell_progress` is called for each MiB.
  Status CheckWhole(const std::function<Status(io::FileSystem&)>& read,
                    const std::function<void()>& tell_progress) HBK_EXCLUDES(mutex_);
  // Of a file that nothing is read of: that it is there, its size, and its first page.
  Status LookAt() HBK_EXCLUDES(mutex_);
  // `is_whole`: CheckPart was called for all parts. Closes the file.
  Status Finish(bool is_whole, CheckScratch& scratch);

  static constexpr size_t kReadBytes = 4 << 20;

 private:
  Status FinishOpen(bool is_whole, CheckScratch& scratch);
  void Close();
  Status EnsureOpen() HBK_EXCLUDES(mutex_);
  // Once. After it, file_ is null if there is nothing to be read.
  Status Open() HBK_REQUIRES(mutex_);
  Status MakeContentCheck() HBK_REQUIRES(mutex_);
  Status ReadBlock(uint64_t offset, MutableByteView buffer, size_t size, bool& is_read);
  void AddDigest(uint64_t offset, ByteView bytes);
  Status Unreadable(const Status& status, std::optional<uint64_t> offset);
  void Add(FindingKind kind, std::string what, std::optional<uint64_t> offset = std::nullopt,
           std::string expected = "", std::string found = "");

  const FileJob& job_;
  const FileCheckOptions options_;
  CheckContext& context_;

  // Guards the opening only: a file that was opened is read by all. Held over the first reads of
  // the file, which everybody who wants it must wait for.
  Mutex mutex_;
  bool is_opened_ HBK_GUARDED_BY(mutex_) = false;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<ContentCheck> content_;
  std::unique_ptr<filter::TreeDigest> digest_;  // null: there is nothing to compare with
  ByteView known_;
  uint64_t size_ = 0;  // that it has
  std::atomic<bool> has_gap_ = false;
  std::atomic<bool> has_wrong_chunk_ = false;
};

}  // namespace hbk::verify

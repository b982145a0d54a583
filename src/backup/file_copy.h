// One file on its way into the backup: opened once, copied by ranges from several threads, closed
// once.
//
// A range is copied by chunks: each is read, and then checked and written, perhaps by another
// thread that has the time while the disk reads the next one.
//
// Threads  Open and Close from one thread each; the others from any number in between, each chunk
//          once, each thread with buffers of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/backup/file_copier.h"
#include "hbk/base/aligned_buffer.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/io/file_system.h"

#include "aria_page_reader.h"
#include "copy_target.h"
#include "increment_base.h"
#include "page_reader.h"

namespace hbk::backup {

// What all copies of a run have in common. Must outlive them.
struct CopyEnvironment {
  io::FileSystem& fs;
  std::string target_dir;
  uint32_t page_size = 0;
  io::RateLimiter* read_limiter = nullptr;
  io::RateLimiter* byte_limiter = nullptr;
  bool keep_damaged_pages = false;
  const IncrementBase* base = nullptr;  // of an increment
  std::function<std::string(const std::string& name)> table_of = {};
  Sleep sleep = SleepForReal;
  std::stop_token stop = {};
  // Called after each buffer, from any thread.
  std::function<void(uint64_t bytes)> on_copied = [](uint64_t) {
  };
};

// Of one thread.
struct CopyBuffers {
  AlignedBuffer chunk;  // grows as need be
  AlignedBuffer page{PageReader::kScratchBytes};
};

// A part of a file; at most kCopyBufferBytes.
struct CopyPiece {
  uint64_t offset = 0;
  size_t size = 0;
};

class DeltaTarget;

class FileCopy {
 public:
  // What one worker takes over at a time: large enough to read on in one place, small enough for
  // the last huge file to keep all workers busy.
  static constexpr uint64_t kRangeBytes = 16 << 20;
  static_assert(kRangeBytes % kCopyBufferBytes == 0);
  // Into an encoded file, where what comes early waits in memory.
  static constexpr uint64_t kEncodedRangeBytes = 2 << 20;
  static_assert(kEncodedRangeBytes % kCopyBufferBytes == 0);
  static_assert(kCopyBufferBytes == filter::TreeDigest::kChunkBytes);

  FileCopy(const CopyEnvironment& environment, CopyJob job);

  // Opens source and target. Afterwards there may be nothing to copy: range_count() is 0. Else the
  // first Read is of the first piece, and into `buffers.chunk`: what was read for the header is in
  // it already.
  Status Open(CopyBuffers& buffers);
  [[nodiscard]] uint64_t range_count() const;
  // In their order.
  [[nodiscard]] std::vector<CopyPiece> PiecesOf(uint64_t range) const;
  // How much of the piece the file has, with zeros behind; nothing if there is nothing to store.
  Result<std::optional<size_t>> Read(const CopyPiece& piece, AlignedBuffer& chunk);
  // What Read put into `chunk`, and said of it.
  Status Store(const CopyPiece& piece, size_t got, CopyBuffers& buffers);
  // Both, for all of a range.
  Status CopyRange(uint64_t index, CopyBuffers& buffers);
  // After all ranges. Not synced.
  Result<CopyResult> Close();

  [[nodiscard]] const CopyJob& job() const { return job_; }

 private:
  Status OpenSource(CopyBuffers& buffers);
  Status ReadHeader(CopyBuffers& buffers);
  Result<innodb::FirstPage> ReadFirstPiece(CopyBuffers& buffers);
  Status OpenTarget();
  Status LookAtBase(CopyBuffers& buffers);
  Status LookAtSpaceInBase(CopyBuffers& buffers);
  Status LookAtFileInBase(CopyBuffers& buffers);
  Result<bool> HasContentOf(const manifest::ManifestFile& known, CopyBuffers& buffers);
  Status WaitForTurn(uint64_t bytes);
  Result<size_t> ReadChunk(const CopyPiece& piece, AlignedBuffer& chunk);
  Result<std::optional<size_t>> NoteRead(const CopyPiece& piece, size_t got);
  size_t TakeFirstPiece(const CopyPiece& piece, AlignedBuffer& chunk);
  Result<size_t> ReadToEnd(const CopyPiece& piece, MutableByteView read);
  Result<std::optional<size_t>> ReadPiece(const CopyPiece& piece, AlignedBuffer& chunk);
  Status StorePiece(const CopyPiece& piece, size_t got, CopyBuffers& buffers);
  Status ReadAriaHead(CopyBuffers& buffers);
  [[nodiscard]] SpaceFile DescribeSpace() const;
  [[nodiscard]] Status FalseTimes() const;
  [[nodiscard]] Status FalseRedo(uint32_t page_no) const;
  void PlanPieces();
  Status HealChunk(uint64_t offset, MutableByteView pages, CopyBuffers& buffers,
                   std::vector<uint64_t>& damaged);
  Status NoteEnd(uint64_t offset);
  Status HandleFault(const PageFault& fault);
  Status HealAriaChunk(uint64_t offset, MutableByteView pages, CopyBuffers& buffers);
  Status HandleAriaFault(const AriaPageFault& fault);
  Status HandleDamage(uint32_t page_no, const std::string& text, std::string_view hint);
  Status RemoveTarget();
  Status NoteFindings(CopyResult& result);
  Result<std::vector<KeyUse>> NameKeys();
  [[nodiscard]] std::string DescribeSource() const;
  // Bytes of a page; 1 for plain files.
  [[nodiscard]] uint64_t page_bytes() const;
  [[nodiscard]] uint64_t range_bytes() const;
  void Abandon(CopyOutcome outcome) { outcome_ = outcome; }
  [[nodiscard]] bool is_abandoned() const { return outcome_ != CopyOutcome::kCopied; }

  const CopyEnvironment& environment_;
  const CopyJob job_;
  const std::string target_path_;

  std::unique_ptr<io::File> source_;
  std::unique_ptr<CopyTarget> target_;
  std::unique_ptr<PageReader> pages_;           // tablespaces
  std::unique_ptr<AriaPageReader> aria_pages_;  // Aria tables in use
  io::FileInfo before_;
  int64_t opened_ns_ = 0;  // in the time of files
  uint64_t size_ = 0;      // what is to be copied
  bool has_holes_ = false;
  // The buffer that the first piece is in, until it is taken, and how much of it the file has. Of
  // whoever reads that piece.
  const uint8_t* first_piece_ = nullptr;
  size_t first_piece_bytes_ = 0;
  // Of an increment.
  bool is_in_base_ = false;  // nothing is written
  ReadChoice reading_ = ReadChoice::kRead;
  uint32_t skip_count_ = 0;
  std::vector<PageNo> named_pages_;  // kNamed
  std::vector<CopyPiece> pieces_;    // kNamed: what is read
  DeltaTarget* delta_ = nullptr;     // what target_ is, if it is that
  std::string base_digest_;
  std::optional<uint32_t> key_id_;

  std::atomic<CopyOutcome> outcome_ = CopyOutcome::kCopied;
  std::atomic<uint64_t> end_;  // smaller than size_ once the file has become shorter
  std::atomic<uint64_t> retried_pages_ = 0;
  Mutex mutex_;
  std::vector<uint32_t> key_versions_ HBK_GUARDED_BY(mutex_);
  std::vector<DamagedPage> damaged_pages_ HBK_GUARDED_BY(mutex_);
  std::vector<uint8_t> head_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::backup

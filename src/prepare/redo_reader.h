// Reads ib_logfile0 mini-transaction by mini-transaction.
//
// The log of a backup runs straight to the end of its file; that of a crashed server goes round
// its ring. Both are presented unrolled.
//
// Format   docs/format/redo-log.md.
// Errors   kUnsupported: a format or encryption this build does not apply. kCorruption: a head
//          without a valid checkpoint, or a checkpoint whose FILE_CHECKPOINT is missing. The end
//          of the log is not an error: compare the LSN.
// Threads  One.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/redo/log_file.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::prepare {

class RedoReader {
 public:
  static Result<std::unique_ptr<RedoReader>> Open(io::FileSystem& fs, const std::string& path,
                                                  size_t window_bytes);

  [[nodiscard]] const redo::LogFileHeader& header() const { return header_; }
  [[nodiscard]] const redo::Checkpoint& checkpoint() const { return checkpoint_; }
  [[nodiscard]] uint64_t capacity() const { return geometry_.capacity(); }
  [[nodiscard]] const std::string& path() const { return file_->path(); }

  // Goes to where a mini-transaction starts.
  void Seek(redo::Lsn lsn);
  // Where the next mini-transaction starts.
  [[nodiscard]] redo::Lsn position() const { return window_lsn_ + begin_; }
  // False at the end of the log, with the reason in end_reason(). The views of `mtr` are good
  // until the next call.
  Result<bool> Next(redo::MiniTransaction& mtr);
  [[nodiscard]] std::string_view end_reason() const { return end_reason_; }

 private:
  RedoReader(std::unique_ptr<io::File> file, const redo::LogGeometry& geometry,
             size_t window_bytes);
  Status Fill();

  std::unique_ptr<io::File> file_;
  redo::LogFileHeader header_;
  redo::Checkpoint checkpoint_;
  redo::LogGeometry geometry_;
  AlignedBuffer window_;
  redo::Lsn window_lsn_ = 0;  // of window_[0]
  size_t begin_ = 0;          // what is not consumed yet: [begin_, end_)
  size_t end_ = 0;
  std::string_view end_reason_;
};

// The end LSN of the FILE_CHECKPOINT that makes the checkpoint valid: the log must reach it.
// Leaves the reader anywhere.
Result<redo::Lsn> FindFileCheckpoint(RedoReader& reader);

}  // namespace hbk::prepare

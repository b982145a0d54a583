// Reads ib_logfile0 mini-transaction by mini-transaction.
//
// The log of a backup runs straight to the end of its file; that of a crashed server goes round
// its ring. Both are presented unrolled, and decrypted.
//
// Format   docs/format/redo-log.md.
// Errors   kUnsupported: a format this build does not know. kMissingKey: an encrypted log, and no
//          key or another one. kCorruption: a head without a valid checkpoint, or a checkpoint
//          whose FILE_CHECKPOINT is missing. The end of the log is not an error: compare the LSN.
// Threads  One.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/status.h"
#include "hbk/crypto/key_source.h"
#include "hbk/io/file_system.h"
#include "hbk/redo/log_decoder.h"
#include "hbk/redo/log_file.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::prepare {

class RedoReader {
 public:
  // `keys` may be null, and must outlive the reader: see LogDecryptor.
  static Result<std::unique_ptr<RedoReader>> Open(io::FileSystem& fs, const std::string& path,
                                                  size_t window_bytes,
                                                  crypto::KeySource* keys = nullptr);
  // Of a file without bytes, which is what a finished prepare leaves of a log of 10.5 to 10.7: a
  // log that ends where it begins, at `end_lsn`.
  static Result<std::unique_ptr<RedoReader>> OpenEmpty(io::FileSystem& fs, const std::string& path,
                                                       redo::Lsn end_lsn);

  [[nodiscard]] const redo::LogFileHeader& header() const { return head_.header; }
  [[nodiscard]] const redo::Checkpoint& checkpoint() const { return head_.checkpoint; }
  [[nodiscard]] const std::string& path() const { return file_->path(); }

  // Goes to where a mini-transaction starts.
  void Seek(redo::Lsn lsn);
  // Where one starts at this LSN or soon behind it: see FindMiniTransaction. Nothing: none was
  // found, or it is no ring. Leaves the reader anywhere.
  Result<std::optional<redo::Lsn>> FindStartFrom(redo::Lsn lsn);
  // Where the next mini-transaction starts.
  [[nodiscard]] redo::Lsn position() const { return decoder_->position(); }
  // False at the end of the log, with the reason in end_reason(). The views of `mtr` are good
  // until the next call.
  Result<bool> Next(redo::MiniTransaction& mtr);
  [[nodiscard]] std::string_view end_reason() const { return end_reason_; }
  // The status for an mtr of this log whose content makes no sense (kCorruption): its checksum was
  // right, so in an encrypted log it is the key that is wrong. Other errors are what they are.
  [[nodiscard]] Status BadContent(const Status& status) const;

 private:
  RedoReader(std::unique_ptr<io::File> file, redo::LogHead head, const redo::LogGeometry& geometry,
             std::optional<redo::LogDecryptor> decryptor, size_t window_bytes);
  Status Fill();
  // Of the window, in front of what the decoder wants to see.
  [[nodiscard]] size_t BytesDone() const {
    return static_cast<size_t>(decoder_->window_lsn() - window_lsn_);
  }

  std::unique_ptr<io::File> file_;
  redo::LogHead head_;
  redo::LogGeometry geometry_;
  std::optional<redo::LogDecryptor> decryptor_;
  std::unique_ptr<redo::LogDecoder> decoder_;
  AlignedBuffer window_;
  redo::Lsn window_lsn_ = 0;  // of window_[0]; not behind what the decoder wants to see
  size_t end_ = 0;            // what was read: window_[0, end_)
  std::string_view end_reason_;
  bool is_empty_ = false;
};

// The end LSN of the FILE_CHECKPOINT that makes the checkpoint valid: the log must reach it. Where
// a checkpoint promises none (10.5 to 10.7, increments), its own LSN. Finds out that a key is
// wrong. Leaves the reader anywhere.
Result<redo::Lsn> FindFileCheckpoint(RedoReader& reader);

}  // namespace hbk::prepare

// Reads mini-transactions out of the bytes of a log, whatever its container and encryption.
//
// The caller reads the file and shows a window of it, unrolled; the decoder says from which LSN on
// it wants to see bytes. Pure: no file.
//
// Errors   kMissingKey: the log is encrypted with another key. Bytes that are no log are its end.
// Threads  One at a time.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/redo/log_decryptor.h"
#include "hbk/redo/log_file.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::redo {

class LogDecoder {
 public:
  // `decryptor` is there if the log is encrypted. The decoder is at the checkpoint.
  static std::unique_ptr<LogDecoder> Create(const LogHead& head, const LogGeometry& geometry,
                                            std::optional<LogDecryptor> decryptor);
  LogDecoder() = default;
  virtual ~LogDecoder() = default;
  LogDecoder(const LogDecoder&) = delete;
  LogDecoder& operator=(const LogDecoder&) = delete;

  // Goes to where a mini-transaction starts.
  virtual void Seek(Lsn lsn) = 0;
  // Where the next mini-transaction starts: the end of the log once that was met.
  [[nodiscard]] virtual Lsn position() const = 0;
  // Where the next window is to begin. Not behind position() after Seek; with each call of Next it
  // moves on over what was taken.
  [[nodiscard]] virtual Lsn window_lsn() const = 0;

  // `window` begins at window_lsn(). kNeedBytes: show more, from window_lsn() on; never answered
  // to a window of the ring's capacity or of kMiniTransactionBytesMax + 16. The body of the mtr is
  // plain; it points into the window or into the decoder, and is good until the next call. `mtr` is
  // set with kWhole only.
  virtual Result<MtrOutcome> Next(ByteView window, MiniTransaction& mtr) = 0;
  // After kEndOfLog: MtrFaultName(), or what is wrong with a block.
  [[nodiscard]] virtual std::string_view end_reason() const = 0;
};

}  // namespace hbk::redo

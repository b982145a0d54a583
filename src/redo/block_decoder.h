// The decoder of the log of MariaDB 10.5 to 10.7: takes payload out of blocks, and splits that.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hbk/redo/log_decoder.h"

namespace hbk::redo {

class BlockDecoder final : public LogDecoder {
 public:
  BlockDecoder(Lsn checkpoint_lsn, std::optional<LogDecryptor> decryptor)
      : decryptor_(std::move(decryptor)) {
    Seek(checkpoint_lsn);
  }

  void Seek(Lsn lsn) override;
  [[nodiscard]] Lsn position() const override { return lsn_; }
  [[nodiscard]] Lsn window_lsn() const override { return block_lsn_; }
  Result<MtrOutcome> Next(ByteView window, MiniTransaction& mtr) override;
  [[nodiscard]] std::string_view end_reason() const override { return end_reason_; }

 private:
  enum class Split : uint8_t { kMtr, kNeedPayload, kMalformed };
  Split SplitOff(MiniTransaction& mtr);
  Status TakeBlock(ByteView block);
  void Skip(size_t count);

  std::optional<LogDecryptor> decryptor_;
  Lsn lsn_ = 0;        // of payload_[at_]
  Lsn block_lsn_ = 0;  // of the block to take next
  size_t skip_ = 0;    // where the payload begins in it
  std::vector<uint8_t> payload_;
  size_t at_ = 0;                // what is not given out yet
  size_t measured_ = 0;          // start of the first record that was not measured yet
  std::string_view end_reason_;  // not empty: no block follows
};

}  // namespace hbk::redo

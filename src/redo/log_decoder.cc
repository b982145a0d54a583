#include "hbk/redo/log_decoder.h"

#include <utility>

#include "block_decoder.h"

namespace hbk::redo {
namespace {

// Of the log of 10.8 and later.
class RingDecoder final : public LogDecoder {
 public:
  RingDecoder(Lsn checkpoint_lsn, const LogGeometry& geometry,
              std::optional<LogDecryptor> decryptor)
      : geometry_(geometry), decryptor_(std::move(decryptor)), lsn_(checkpoint_lsn) {}

  void Seek(Lsn lsn) override { lsn_ = lsn; }
  [[nodiscard]] Lsn position() const override { return lsn_; }
  [[nodiscard]] Lsn window_lsn() const override { return lsn_; }

  [[nodiscard]] std::string_view end_reason() const override { return MtrFaultName(fault_); }

  Result<MtrOutcome> Next(ByteView window, MiniTransaction& mtr) override {
    const bool is_encrypted = decryptor_.has_value();
    if (window.size() > geometry_.capacity()) window = window.first(geometry_.capacity());
    const MtrExtent extent = MeasureMiniTransaction(window, lsn_, geometry_, is_encrypted);
    if (extent.outcome != MtrOutcome::kWhole) {
      fault_ = extent.fault;
      return extent.outcome;
    }
    const size_t body_bytes = extent.body_bytes;
    mtr.start_lsn = lsn_;
    lsn_ += body_bytes + MtrTrailerBytes(is_encrypted);
    mtr.end_lsn = lsn_;
    mtr.body = window.first(body_bytes);
    mtr.sequence_index = body_bytes;
    if (is_encrypted) {
      const ByteView nonce = window.subspan(body_bytes + 1, kLogNonceBytes);
      HBK_RETURN_IF_ERROR(decryptor_->DecryptBody(mtr.body, nonce, plain_));
      mtr.body = plain_;
    }
    return MtrOutcome::kWhole;
  }

 private:
  const LogGeometry geometry_;
  std::optional<LogDecryptor> decryptor_;
  Lsn lsn_;
  MtrFault fault_ = MtrFault::kNone;
  std::vector<uint8_t> plain_;
};

}  // namespace

std::unique_ptr<LogDecoder> LogDecoder::Create(const LogHead& head, const LogGeometry& geometry,
                                               std::optional<LogDecryptor> decryptor) {
  HBK_CHECK(decryptor.has_value() == head.header.is_encrypted);
  const Lsn lsn = head.checkpoint.checkpoint_lsn;
  if (head.header.container == LogContainer::kBlocks)
    return std::make_unique<BlockDecoder>(lsn, std::move(decryptor));
  return std::make_unique<RingDecoder>(lsn, geometry, std::move(decryptor));
}

}  // namespace hbk::redo

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

  Result<MtrParse> Next(ByteView window) override {
    const bool is_encrypted = decryptor_.has_value();
    if (window.size() > geometry_.capacity()) window = window.first(geometry_.capacity());
    MtrParse parse = ParseMiniTransaction(window, lsn_, geometry_, is_encrypted);
    if (parse.outcome != MtrOutcome::kWhole) return parse;
    lsn_ = parse.mtr.end_lsn;
    if (is_encrypted) {
      const ByteView nonce = window.subspan(parse.mtr.sequence_index + 1, kLogNonceBytes);
      HBK_RETURN_IF_ERROR(decryptor_->DecryptBody(parse.mtr.body, nonce, plain_));
      parse.mtr.body = plain_;
    }
    return parse;
  }

 private:
  const LogGeometry geometry_;
  std::optional<LogDecryptor> decryptor_;
  Lsn lsn_;
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

#include "log_copier.h"

#include <algorithm>
#include <array>
#include <optional>

#include "hbk/redo/log_block.h"
#include "hbk/redo/log_decoder.h"
#include "hbk/redo/mini_transaction.h"

#include "space_change_scan.h"

namespace hbk::backup {
namespace {

using redo::kLogBlockBytes;
using redo::LogBlockOf;
using redo::LogEncryption;

// Of the log of 10.8 and later: copies up to the first place where no whole mtr stands.
class MtrCopier final : public LogCopier {
 public:
  MtrCopier(const redo::LogHead& head, const redo::LogGeometry& geometry, RedoTarget& target)
      : LogCopier(head.checkpoint.checkpoint_lsn, target),
        encryption_(head.header.encryption),
        geometry_(geometry) {}

  [[nodiscard]] Lsn read_begin() const override { return copied_lsn_; }
  [[nodiscard]] Lsn ReadEnd(Lsn fence) const override { return fence; }
  void UseGeometry(const redo::LogGeometry& geometry) override { geometry_ = geometry; }
  Status Finish() override { return OkStatus(); }

  Status Take(MutableByteView bytes, Lsn) override {
    const bool is_encrypted = encryption_ != LogEncryption::kNone;
    size_t taken = 0;
    while (taken < bytes.size()) {
      const Lsn start_lsn = copied_lsn_ + taken;
      const redo::MtrExtent extent =
          redo::MeasureMiniTransaction(bytes.subspan(taken), start_lsn, geometry_, is_encrypted);
      if (extent.outcome != redo::MtrOutcome::kWhole) {
        end_reason_ = extent.outcome == redo::MtrOutcome::kEndOfLog
                          ? redo::MtrFaultName(extent.fault)
                          : std::string_view("a mini-transaction crosses the flushed LSN");
        break;
      }
      const size_t mtr_bytes = extent.body_bytes + redo::MtrTrailerBytes(is_encrypted);
      if (HasPlainFileRecords(encryption_)) {
        const redo::MiniTransaction mtr{.start_lsn = start_lsn,
                                        .end_lsn = start_lsn + mtr_bytes,
                                        .body = bytes.subspan(taken, extent.body_bytes),
                                        .sequence_index = extent.body_bytes};
        HBK_RETURN_IF_ERROR(ScanSpaceChanges(mtr, is_encrypted, changes_));
      }
      // The target is on its first lap throughout. The checksum does not cover this byte.
      bytes[taken + extent.body_bytes] = 1;
      taken += mtr_bytes;
    }
    if (taken > 0) HBK_RETURN_IF_ERROR(target_.Append(bytes.first(taken)));
    copied_lsn_ += taken;
    whole_lsn_ = copied_lsn_;
    return OkStatus();
  }

 private:
  const LogEncryption encryption_;
  redo::LogGeometry geometry_;
};

// Of the log of 10.5 to 10.7. A block counts if its number and checksum are right. It is full, and
// will not be written again, if the server has flushed beyond it; the one in which the fence lies
// is held back.
class BlockCopier final : public LogCopier {
 public:
  BlockCopier(const redo::LogHead& head, const redo::LogGeometry& geometry, RedoTarget& target)
      : LogCopier(head.checkpoint.checkpoint_lsn, target), appended_lsn_(LogBlockOf(copied_lsn_)) {
    if (!head.header.is_encrypted)
      decoder_ = redo::LogDecoder::Create(head, geometry, std::nullopt);
  }

  // A mini-transaction that is not whole yet may begin in a block that was copied.
  [[nodiscard]] Lsn read_begin() const override { return LogBlockOf(copied_lsn_); }
  [[nodiscard]] Lsn ReadEnd(Lsn fence) const override { return LogBlockOf(fence) + kLogBlockBytes; }
  void UseGeometry(const redo::LogGeometry&) override {}

  Status Finish() override {
    return last_block_lsn_ == appended_lsn_ ? target_.Append(last_block_) : OkStatus();
  }

  Status Take(MutableByteView bytes, Lsn fence) override {
    const Lsn begin = read_begin();
    const size_t size = CheckBlocks(bytes, begin);
    HBK_RETURN_IF_ERROR(AppendFull(bytes.first(size), begin, fence));
    if (decoder_) return Advance(bytes.first(size), begin, fence);
    // A fence in front of all payload of a block says nothing about that block.
    const Lsn payload_begin = begin + size + redo::kLogBlockHeaderBytes;
    copied_lsn_ = std::max(copied_lsn_, payload_begin < fence ? begin + size : fence);
    if (copied_lsn_ >= fence) whole_lsn_ = copied_lsn_;
    return OkStatus();
  }

 private:
  // Bytes of the blocks that stand in order.
  size_t CheckBlocks(ByteView bytes, Lsn begin) {
    size_t size = 0;
    while (bytes.size() - size >= kLogBlockBytes) {
      end_reason_ = redo::CheckLogBlock(bytes.subspan(size, kLogBlockBytes), begin + size);
      if (!end_reason_.empty()) break;
      size += kLogBlockBytes;
    }
    return size;
  }

  Status AppendFull(ByteView blocks, Lsn begin, Lsn fence) {
    const Lsn last = LogBlockOf(fence);
    const Lsn full_end = std::min(begin + blocks.size(), last);
    if (full_end > appended_lsn_) {
      HBK_RETURN_IF_ERROR(
          target_.Append(blocks.subspan(static_cast<size_t>(appended_lsn_ - begin),
                                        static_cast<size_t>(full_end - appended_lsn_))));
      appended_lsn_ = full_end;
    }
    if (appended_lsn_ != last || begin + blocks.size() <= last) return OkStatus();
    const ByteView block = blocks.subspan(static_cast<size_t>(last - begin), kLogBlockBytes);
    std::copy(block.begin(), block.end(), last_block_.begin());
    last_block_lsn_ = last;
    return OkStatus();
  }

  Status Advance(ByteView blocks, Lsn begin, Lsn fence) {
    decoder_->Seek(copied_lsn_);
    while (decoder_->position() < fence) {
      const auto done = static_cast<size_t>(decoder_->window_lsn() - begin);
      redo::MiniTransaction mtr;
      HBK_ASSIGN_OR_RETURN(const redo::MtrOutcome outcome,
                           decoder_->Next(blocks.subspan(done), mtr));
      if (outcome != redo::MtrOutcome::kWhole) {
        if (outcome == redo::MtrOutcome::kEndOfLog) end_reason_ = decoder_->end_reason();
        if (end_reason_.empty()) end_reason_ = "a mini-transaction is not whole";
        break;
      }
      HBK_RETURN_IF_ERROR(ScanSpaceChanges(mtr, false, changes_));
    }
    copied_lsn_ = whole_lsn_ = decoder_->position();
    return OkStatus();
  }

  std::unique_ptr<redo::LogDecoder> decoder_;  // of a plain log
  Lsn appended_lsn_;                           // of the first block that is not in the target
  std::array<uint8_t, kLogBlockBytes> last_block_{};
  Lsn last_block_lsn_ = 0;  // 0: none is held back
};

}  // namespace

std::unique_ptr<LogCopier> LogCopier::Create(const redo::LogHead& head,
                                             const redo::LogGeometry& geometry,
                                             RedoTarget& target) {
  if (head.header.container == redo::LogContainer::kBlocks)
    return std::make_unique<BlockCopier>(head, geometry, target);
  return std::make_unique<MtrCopier>(head, geometry, target);
}

}  // namespace hbk::backup

#include "block_decoder.h"

#include <algorithm>
#include <array>

#include "hbk/redo/log_block.h"

#include "record_layout.h"

namespace hbk::redo {
namespace {

// Payload that was given out is thrown away when there is so much of it.
constexpr size_t kPayloadKeptMax = 64 << 10;

}  // namespace

void BlockDecoder::Seek(Lsn lsn) {
  lsn_ = lsn;
  block_lsn_ = LogBlockOf(lsn);
  // The payload of a block begins behind its header, whatever somebody says.
  skip_ = std::max<size_t>(lsn - block_lsn_, kLogBlockHeaderBytes);
  payload_.clear();
  at_ = 0;
  measured_ = 0;
  end_reason_ = {};
}

Result<MtrOutcome> BlockDecoder::Next(ByteView window, MiniTransaction& mtr) {
  if (at_ > kPayloadKeptMax || at_ == payload_.size()) {
    payload_.erase(payload_.begin(), payload_.begin() + static_cast<ptrdiff_t>(at_));
    measured_ -= at_;
    at_ = 0;
  }
  for (;;) {
    const Split split = SplitOff(mtr);
    if (split == Split::kMtr) return MtrOutcome::kWhole;
    if (split == Split::kMalformed) {
      if (decryptor_) return decryptor_->WrongKey();
      end_reason_ = "length";
    }
    if (!end_reason_.empty()) return MtrOutcome::kEndOfLog;
    if (window.size() < kLogBlockBytes) return MtrOutcome::kNeedBytes;
    HBK_RETURN_IF_ERROR(TakeBlock(window.first(kLogBlockBytes)));
    window = window.subspan(kLogBlockBytes);
  }
}

// The next mtr that is whole in the payload, over empty ones.
BlockDecoder::Split BlockDecoder::SplitOff(MiniTransaction& mtr) {
  while (measured_ < payload_.size()) {
    const ByteView rest = ByteView(payload_).subspan(measured_);
    const size_t body_bytes = measured_ - at_;
    if (body_bytes >= kMiniTransactionBytesMax || rest[0] == 1) return Split::kMalformed;
    if (rest[0] == 0) {
      const Lsn start_lsn = lsn_;
      const ByteView body = ByteView(payload_).subspan(at_, body_bytes);
      Skip(body_bytes + 1);
      if (body.empty()) continue;  // such mtrs are written, and mean nothing
      mtr = {.start_lsn = start_lsn, .end_lsn = lsn_, .body = body, .sequence_index = body.size()};
      return Split::kMtr;
    }
    const RecordExtent extent = MeasureRecord(rest);
    if (extent.state == RecordExtent::kTruncated) return Split::kNeedPayload;
    if (extent.state == RecordExtent::kMalformed) return Split::kMalformed;
    measured_ += extent.total_bytes;
  }
  return Split::kNeedPayload;
}

void BlockDecoder::Skip(size_t count) {
  lsn_ = AdvanceLsn(lsn_, count, decryptor_.has_value());
  at_ += count;
  measured_ = at_;
}

Status BlockDecoder::TakeBlock(ByteView block) {
  end_reason_ = CheckLogBlock(block, block_lsn_);
  if (!end_reason_.empty()) return OkStatus();
  std::array<uint8_t, kLogBlockBytes> plain{};
  if (decryptor_) {
    HBK_RETURN_IF_ERROR(decryptor_->DecryptBlock(block, block_lsn_, plain));
    block = plain;
  }
  const size_t payload_end = LogBlockPayloadEnd(decryptor_.has_value());
  const size_t used = LogBlockBytesUsed(block);
  const bool is_full = used == kLogBlockBytes;
  if (used == 0 || (!is_full && used >= payload_end)) {
    if (decryptor_) return decryptor_->WrongKey();
    end_reason_ = "block length";
    return OkStatus();
  }
  const size_t end = is_full ? payload_end : used;
  if (skip_ < end)
    payload_.insert(payload_.end(), block.begin() + static_cast<ptrdiff_t>(skip_),
                    block.begin() + static_cast<ptrdiff_t>(end));
  if (!is_full) {
    end_reason_ = "block not full";
    return OkStatus();
  }
  block_lsn_ += kLogBlockBytes;
  skip_ = kLogBlockHeaderBytes;
  return OkStatus();
}

}  // namespace hbk::redo

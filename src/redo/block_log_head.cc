#include "block_log_head.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "hbk/base/crc32c.h"
#include "hbk/redo/log_block.h"

namespace hbk::redo {
namespace {

constexpr size_t kCheckpointNumber = 0;
constexpr size_t kCheckpointLsn = 8;
constexpr size_t kCheckpointFileOffset = 16;
constexpr size_t kCheckpointKeyVersion = 32;
constexpr size_t kCheckpointNonce = 36;
constexpr size_t kCheckpointMessage = 40;
constexpr size_t kCheckpointEndLsn = 496;
constexpr size_t kCheckpointChecksum = 508;

// These logs are encrypted with the first key, always.
constexpr uint32_t kLogKeyId = 1;

struct Numbered {
  uint64_t number = 0;
  BlockCheckpoint content;
};

std::optional<Numbered> Parse(ByteView block, bool is_encrypted) {
  if (LoadBe32(block, kCheckpointChecksum) != Crc32c(block.first(kCheckpointChecksum)))
    return std::nullopt;
  Numbered parsed{.number = LoadBe64(block, kCheckpointNumber), .content = {}};
  Checkpoint& checkpoint = parsed.content.checkpoint;
  checkpoint.checkpoint_lsn = LoadBe64(block, kCheckpointLsn);
  checkpoint.end_lsn = LoadBe64(block, kCheckpointEndLsn);
  checkpoint.offset = LoadBe64(block, kCheckpointFileOffset);
  const bool has_end = checkpoint.end_lsn != 0;
  if (!IsInPayload(checkpoint.checkpoint_lsn, is_encrypted) ||
      checkpoint.offset < kBlockLogHeadBytes ||
      checkpoint.offset % kLogBlockBytes != checkpoint.checkpoint_lsn % kLogBlockBytes ||
      checkpoint.offset - kBlockLogHeadBytes > checkpoint.checkpoint_lsn ||
      (has_end && (checkpoint.end_lsn < checkpoint.checkpoint_lsn ||
                   !IsInPayload(checkpoint.end_lsn, is_encrypted)))) {
    return std::nullopt;
  }
  if (!is_encrypted) return parsed;
  LogCrypt& crypt = parsed.content.crypt;
  crypt.key_id = kLogKeyId;
  crypt.key_version = LoadBe32(block, kCheckpointKeyVersion);
  crypt.nonce = LoadBe32(block, kCheckpointNonce);
  std::copy_n(block.begin() + kCheckpointMessage, crypt.message.size(), crypt.message.begin());
  return parsed;
}

}  // namespace

Result<BlockCheckpoint> NewestBlockCheckpoint(ByteView head, bool is_encrypted) {
  if (head.size() < kBlockLogHeadBytes)
    return CorruptionError(fmt::format("redo log file has only {} bytes", head.size()));
  const auto first = Parse(head.subspan(kBlockCheckpointOffset1, kLogBlockBytes), is_encrypted);
  const auto second = Parse(head.subspan(kBlockCheckpointOffset2, kLogBlockBytes), is_encrypted);
  if (!first && !second)
    return CorruptionError(fmt::format("redo log has no valid checkpoint block at offset {} nor {}",
                                       kBlockCheckpointOffset1, kBlockCheckpointOffset2));
  if (!first) return second->content;
  if (!second) return first->content;
  return second->number >= first->number ? second->content : first->content;
}

std::string RenderBlockCheckpoint(const Checkpoint& checkpoint, const LogCrypt& crypt) {
  const Lsn lsn = checkpoint.checkpoint_lsn;
  std::string block(kLogBlockBytes, '\0');
  const MutableByteView bytes(reinterpret_cast<uint8_t*>(block.data()), block.size());
  StoreBe64(bytes, kCheckpointLsn, lsn);
  StoreBe64(bytes, kCheckpointFileOffset, kBlockLogHeadBytes + lsn % kLogBlockBytes);
  StoreBe64(bytes, kCheckpointEndLsn, checkpoint.end_lsn);
  if (crypt.key_id != 0) {
    StoreBe32(bytes, kCheckpointKeyVersion, crypt.key_version);
    StoreBe32(bytes, kCheckpointNonce, crypt.nonce);
    std::copy(crypt.message.begin(), crypt.message.end(), block.begin() + kCheckpointMessage);
  }
  StoreBe32(bytes, kCheckpointChecksum, Crc32c(bytes.first(kCheckpointChecksum)));
  return block;
}

}  // namespace hbk::redo

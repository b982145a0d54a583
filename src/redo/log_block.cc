#include "hbk/redo/log_block.h"

#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"

namespace hbk::redo {
namespace {

constexpr size_t kBlockNumber = 0;
constexpr size_t kBlockDataLength = 4;
constexpr size_t kBlockChecksum = kLogBlockBytes - kLogBlockChecksumBytes;
constexpr uint32_t kFirstOfWriteBit = 0x80000000;

}  // namespace

std::string_view CheckLogBlock(ByteView block, Lsn block_lsn) {
  HBK_CHECK(block.size() == kLogBlockBytes && block_lsn % kLogBlockBytes == 0);
  if ((LoadBe32(block, kBlockNumber) & ~kFirstOfWriteBit) != LogBlockNumber(block_lsn))
    return "block number";
  if (LoadBe32(block, kBlockChecksum) != Crc32c(block.first(kBlockChecksum)))
    return "block checksum";
  return {};
}

size_t LogBlockBytesUsed(ByteView block) {
  const size_t used = LoadBe16(block, kBlockDataLength);
  // A block that has room for a checksum only is full, and says so with its whole size.
  const bool is_full = used == kLogBlockBytes;
  return is_full || (used >= kLogBlockHeaderBytes && used < kBlockChecksum) ? used : 0;
}

}  // namespace hbk::redo

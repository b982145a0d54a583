#include "hbk/aria/table_header.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace hbk::aria {

namespace {

// Offsets; docs/format/aria.md.
constexpr std::string_view kMagic("\xFE\xFE\x09", 3);
constexpr size_t kOptions = 4;
constexpr size_t kBasePosition = 12;
constexpr size_t kDataFileType = 22;
constexpr size_t kOpenCount = 24;
constexpr size_t kCreateRenameLsn = 28;
constexpr size_t kSkipRedoLsn = 42;
constexpr size_t kCreateTrid = 137;
constexpr size_t kStateBytes = kCreateTrid + 8;
// In the base part.
constexpr size_t kUuid = 0;
constexpr size_t kKeyStart = 16;
constexpr size_t kExtraOptions = 90;
constexpr size_t kBlockBytes = 100;
constexpr size_t kBornTransactional = 106;
constexpr size_t kBaseBytes = kBornTransactional + 1;

constexpr uint16_t kOptionPageChecksum = 0x0800;
constexpr uint16_t kExtraEncrypted = 0x0001;
constexpr uint8_t kTypeBlockRecord = 3;
constexpr uint32_t kBlockBytesMin = 1024;
constexpr uint32_t kBlockBytesMax = 32768;
// The header is a few blocks: keys and columns are limited.
constexpr uint64_t kHeaderBytesMax = 1 << 20;

template <size_t N>
std::array<uint8_t, N> BytesAt(ByteView head, size_t offset) {
  std::array<uint8_t, N> bytes{};
  const ByteView part = head.subspan(offset, N);
  std::copy(part.begin(), part.end(), bytes.begin());
  return bytes;
}

}  // namespace

Result<TableHeader> ParseTableHeader(ByteView head) {
  if (head.size() < kStateBytes || !AsText(head).starts_with(kMagic))
    return CorruptionError("it does not begin like an Aria table");
  const size_t base = LoadBe16(head, kBasePosition);
  if (base < kStateBytes || base + kBaseBytes > head.size())
    return CorruptionError(fmt::format("its base information cannot be at byte {}", base));
  TableHeader header;
  header.has_page_checksums = (LoadBe16(head, kOptions) & kOptionPageChecksum) != 0;
  header.has_page_rows = head[kDataFileType] == kTypeBlockRecord;
  header.open_count = LoadBe16(head, kOpenCount);
  header.is_transactional = head[base + kBornTransactional] != 0;
  header.is_encrypted = (LoadBe16(head, base + kExtraOptions) & kExtraEncrypted) != 0;
  header.block_bytes = LoadBe16(head, base + kBlockBytes);
  header.header_bytes = LoadBe64(head, base + kKeyStart);
  const uint32_t block = header.block_bytes;
  if (block < kBlockBytesMin || block > kBlockBytesMax || (block & (block - 1)) != 0)
    return CorruptionError(fmt::format("its pages cannot have {} bytes", block));
  if (header.header_bytes == 0 || header.header_bytes > kHeaderBytesMax ||
      header.header_bytes % block != 0) {
    return CorruptionError(fmt::format("its header cannot have {} bytes", header.header_bytes));
  }
  header.generation.instance_uuid = BytesAt<16>(head, base + kUuid);
  header.generation.create_rename_lsn = BytesAt<7>(head, kCreateRenameLsn);
  header.generation.skip_redo_lsn = BytesAt<7>(head, kSkipRedoLsn);
  header.generation.create_trid = LoadBe64(head, kCreateTrid);
  return header;
}

}  // namespace hbk::aria

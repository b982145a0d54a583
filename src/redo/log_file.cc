#include "hbk/redo/log_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/crc32c.h"
#include "hbk/redo/log_block.h"

#include "block_log_head.h"

namespace hbk::redo {
namespace {

// Header block.
constexpr size_t kHeaderBytes = 512;
constexpr size_t kHeaderFormat = 0;
constexpr size_t kHeaderReserved = 4;  // kBlocks: the subformat
constexpr size_t kHeaderFirstLsn = 8;
constexpr size_t kHeaderCreator = 16;
constexpr size_t kCreatorBytes = 32;
constexpr size_t kHeaderCryptKeyId = 48;
constexpr size_t kHeaderCryptKeyVersion = 52;
constexpr size_t kHeaderCryptMessage = 56;
constexpr size_t kHeaderChecksum = 508;

// Checkpoint block.
constexpr size_t kCheckpointBytes = 64;
constexpr size_t kCheckpointLsn = 0;
constexpr size_t kCheckpointEndLsn = 8;
constexpr size_t kCheckpointZeros = 16;
constexpr size_t kCheckpointChecksum = 60;

// The mtr that an empty log consists of: FILE_CHECKPOINT, sequence byte, checksum.
constexpr size_t kFileCheckpointBodyBytes = 3 + 8;
constexpr size_t kFileCheckpointMtrBytes = kFileCheckpointBodyBytes + 1 + 4;
static_assert(kLogHeadBytes + kFileCheckpointMtrBytes == kLogFileBytesMin);

// Format words, named after the first MariaDB that wrote them.
constexpr uint32_t kFormatTen8 = 0x50687973;   // "Phys"
constexpr uint32_t kFormatTen5 = 0x50485953;   // "PHYS"
constexpr uint32_t kFormatEnc11 = 0xF09F979D;  // a closed lock, in UTF-8
constexpr uint32_t kFormatTen3 = 103;
constexpr uint32_t kFormatTen4 = 104;
constexpr uint32_t kFormatBeforeTen2 = 0;
constexpr uint32_t kFormatTen2 = 1;
constexpr uint32_t kFormatMysql8First = 2;
constexpr uint32_t kFormatMysql8Last = 6;
constexpr uint32_t kFormatEncryptedBit = 0x80000000;

constexpr std::string_view kUpgradeHint =
    "use the mariadb-backup of that server's own version, or upgrade the server to 10.8 or later";

// The creator as text that is safe to print: it comes from a file.
std::string Creator(ByteView block) {
  std::string creator;
  for (const uint8_t byte : block.subspan(kHeaderCreator, kCreatorBytes)) {
    if (byte == 0) break;
    creator.push_back(byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '?');
  }
  return creator;
}

Status UnsupportedFormat(uint32_t format, const std::string& creator) {
  const auto refuse = [&](std::string_view what) {
    return UnsupportedError(fmt::format("redo log written by \"{}\" is in {} (format {:#010x})",
                                        creator, what, format));
  };
  switch (format & ~kFormatEncryptedBit) {
    case kFormatTen4: return refuse("the format of MariaDB 10.4").WithHint(kUpgradeHint);
    case kFormatTen3: return refuse("the format of MariaDB 10.3").WithHint(kUpgradeHint);
    case kFormatTen2:
      return refuse("the format of MariaDB 10.2 or MySQL 5.7").WithHint(kUpgradeHint);
    case kFormatBeforeTen2:
      return refuse("a format from before MariaDB 10.2").WithHint(kUpgradeHint);
    default: break;
  }
  if (format >= kFormatMysql8First && format <= kFormatMysql8Last)
    return refuse("a format of MySQL 8.0, which is not MariaDB");
  return refuse("a format that is not known").WithHint("a newer hbk may know it");
}

LogEncryption EncryptionOf(uint32_t format, ByteView block) {
  if (format == kFormatEnc11) return LogEncryption::kRecords;
  if (format == kFormatTen8) {
    // The older of the two encrypted formats shares its word with the plain one.
    return LoadBe32(block, kHeaderCryptKeyId) != 0 ? LogEncryption::kPayloads
                                                   : LogEncryption::kNone;
  }
  return (format & kFormatEncryptedBit) != 0 ? LogEncryption::kBlocks : LogEncryption::kNone;
}

uint32_t FormatOf(const LogFileHeader& header) {
  if (header.container == LogContainer::kBlocks)
    return kFormatTen5 | (header.is_encrypted ? kFormatEncryptedBit : 0);
  return header.encryption == LogEncryption::kRecords ? kFormatEnc11 : kFormatTen8;
}

// What only rings have: fields of the header, and where they must be right.
Status ParseRingHeader(ByteView block, LogFileHeader& header) {
  if (LoadBe32(block, kHeaderReserved) != 0)
    return CorruptionError(fmt::format("redo log header has {:#x} at offset {}, expected 0",
                                       LoadBe32(block, kHeaderReserved), kHeaderReserved));
  if (header.first_lsn < kLogStart)
    return CorruptionError(
        fmt::format("redo log header says that the log starts at LSN {}, the least is {}",
                    header.first_lsn, kLogStart));
  if (!header.is_encrypted) return OkStatus();
  header.crypt.key_id = LoadBe32(block, kHeaderCryptKeyId);
  header.crypt.key_version = LoadBe32(block, kHeaderCryptKeyVersion);
  std::copy_n(block.begin() + kHeaderCryptMessage, header.crypt.message.size(),
              header.crypt.message.begin());
  return OkStatus();
}

// The header block, sealed.
std::string RenderHeader(const LogFileHeader& header) {
  HBK_CHECK(header.creator.size() < kCreatorBytes);
  std::string text(kHeaderBytes, '\0');
  const MutableByteView block(reinterpret_cast<uint8_t*>(text.data()), text.size());
  StoreBe32(block, kHeaderFormat, FormatOf(header));
  StoreBe64(block, kHeaderFirstLsn, header.first_lsn);
  std::copy(header.creator.begin(), header.creator.end(), block.begin() + kHeaderCreator);
  if (header.container == LogContainer::kBlocks) {
    StoreBe32(block, kHeaderReserved, header.subformat);
  } else if (header.is_encrypted) {
    StoreBe32(block, kHeaderCryptKeyId, header.crypt.key_id);
    StoreBe32(block, kHeaderCryptKeyVersion, header.crypt.key_version);
    std::copy(header.crypt.message.begin(), header.crypt.message.end(),
              block.begin() + kHeaderCryptMessage);
  }
  StoreBe32(block, kHeaderChecksum, Crc32c(block.first(kHeaderChecksum)));
  return text;
}

std::string RenderCheckpoint(const Checkpoint& checkpoint) {
  std::string block(kCheckpointBytes, '\0');
  const MutableByteView bytes(reinterpret_cast<uint8_t*>(block.data()), block.size());
  StoreBe64(bytes, kCheckpointLsn, checkpoint.checkpoint_lsn);
  StoreBe64(bytes, kCheckpointEndLsn, checkpoint.end_lsn);
  StoreBe32(bytes, kCheckpointChecksum, Crc32c(bytes.first(kCheckpointChecksum)));
  return block;
}

}  // namespace

Result<LogFileHeader> ParseLogFileHeader(ByteView block) {
  if (block.size() < kHeaderBytes)
    return CorruptionError(
        fmt::format("redo log header has {} bytes instead of {}", block.size(), kHeaderBytes));
  block = block.first(kHeaderBytes);
  const uint32_t format = LoadBe32(block, kHeaderFormat);
  const std::string creator = Creator(block);
  if (format == kFormatBeforeTen2) {  // that format had no checksum here
    if (IsAllZero(block)) return CorruptionError("redo log header is all zero");
    return UnsupportedFormat(format, creator);
  }
  const uint32_t stored = LoadBe32(block, kHeaderChecksum);
  const uint32_t computed = Crc32c(block.first(kHeaderChecksum));
  if (stored != computed)
    return CorruptionError(
        fmt::format("redo log header checksum is {:08x}, computed {:08x}", stored, computed));
  const bool is_ring = format == kFormatTen8 || format == kFormatEnc11;
  if (!is_ring && (format & ~kFormatEncryptedBit) != kFormatTen5)
    return UnsupportedFormat(format, creator);

  LogFileHeader header;
  header.first_lsn = LoadBe64(block, kHeaderFirstLsn);
  header.creator = creator;
  header.container = is_ring ? LogContainer::kRing : LogContainer::kBlocks;
  header.encryption = EncryptionOf(format, block);
  header.is_encrypted = header.encryption != LogEncryption::kNone;
  if (is_ring) {
    HBK_RETURN_IF_ERROR(ParseRingHeader(block, header));
  } else {
    header.subformat = LoadBe32(block, kHeaderReserved);
  }
  return header;
}

std::optional<Checkpoint> ParseCheckpoint(ByteView block, Lsn first_lsn) {
  if (block.size() < kCheckpointBytes) return std::nullopt;
  block = block.first(kCheckpointBytes);
  if (LoadBe32(block, kCheckpointChecksum) != Crc32c(block.first(kCheckpointChecksum)))
    return std::nullopt;
  if (!IsAllZero(block.subspan(kCheckpointZeros, kCheckpointChecksum - kCheckpointZeros)))
    return std::nullopt;
  const Checkpoint checkpoint{.checkpoint_lsn = LoadBe64(block, kCheckpointLsn),
                              .end_lsn = LoadBe64(block, kCheckpointEndLsn)};
  // The log of an increment, which begins where its base ends.
  const bool has_no_end = checkpoint.end_lsn == 0 && checkpoint.checkpoint_lsn == first_lsn;
  if (checkpoint.checkpoint_lsn < first_lsn) return std::nullopt;
  if (checkpoint.end_lsn < checkpoint.checkpoint_lsn && !has_no_end) return std::nullopt;
  return checkpoint;
}

Result<Checkpoint> NewestCheckpoint(ByteView head, Lsn first_lsn) {
  if (head.size() >= kHeaderBytes) {
    const uint32_t format = LoadBe32(head, kHeaderFormat);
    if ((format & ~kFormatEncryptedBit) == kFormatTen5) {
      HBK_ASSIGN_OR_RETURN(const BlockCheckpoint newest,
                           NewestBlockCheckpoint(head, format != kFormatTen5));
      return newest.checkpoint;
    }
  }
  if (head.size() < kLogHeadBytes)
    return CorruptionError(fmt::format("redo log file has only {} bytes", head.size()));
  const auto first = ParseCheckpoint(head.subspan(kCheckpointOffset1, kCheckpointBytes), first_lsn);
  const auto second =
      ParseCheckpoint(head.subspan(kCheckpointOffset2, kCheckpointBytes), first_lsn);
  if (!first && !second)
    return CorruptionError(fmt::format("redo log has no valid checkpoint block at offset {} nor {}",
                                       kCheckpointOffset1, kCheckpointOffset2));
  if (!first) return *second;
  if (!second) return *first;
  return second->checkpoint_lsn >= first->checkpoint_lsn ? *second : *first;
}

Result<LogHead> ParseLogHead(ByteView head) {
  LogHead parsed;
  HBK_ASSIGN_OR_RETURN(parsed.header, ParseLogFileHeader(head));
  if (parsed.header.container == LogContainer::kBlocks) {
    HBK_ASSIGN_OR_RETURN(const BlockCheckpoint newest,
                         NewestBlockCheckpoint(head, parsed.header.is_encrypted));
    parsed.checkpoint = newest.checkpoint;
    parsed.header.crypt = newest.crypt;
    return parsed;
  }
  HBK_ASSIGN_OR_RETURN(parsed.checkpoint, NewestCheckpoint(head, parsed.header.first_lsn));
  return parsed;
}

LogGeometry::LogGeometry(Lsn first_lsn, uint64_t file_size)
    : LogGeometry(first_lsn, kLogStart, file_size - kLogStart) {
  HBK_CHECK(file_size >= kLogFileBytesMin);
}

Result<LogGeometry> LogGeometry::Of(const LogHead& head, uint64_t file_size) {
  const bool is_ring = head.header.container == LogContainer::kRing;
  const uint64_t size_min = is_ring ? kLogFileBytesMin : kBlockLogHeadBytes + kLogBlockBytes;
  if (file_size < size_min)
    return CorruptionError(fmt::format(
        "the redo log has {} bytes, less than the smallest log file: {}", file_size, size_min));
  if (is_ring) return LogGeometry(head.header.first_lsn, file_size);
  const Checkpoint& checkpoint = head.checkpoint;
  if (checkpoint.offset >= file_size)
    return CorruptionError(
        fmt::format("the redo log has {} bytes, its checkpoint says that LSN {} is at offset {}",
                    file_size, checkpoint.checkpoint_lsn, checkpoint.offset));
  const uint64_t capacity = file_size - kBlockLogHeadBytes;
  return LogGeometry(checkpoint.checkpoint_lsn - (checkpoint.offset - kBlockLogHeadBytes),
                     kBlockLogHeadBytes, capacity - capacity % kLogBlockBytes);
}

std::string RenderLogHead(Lsn first_lsn, const Checkpoint& checkpoint, std::string_view creator) {
  LogFileHeader header;
  header.first_lsn = first_lsn;
  header.creator = creator;
  std::string head = RenderHeader(header);
  head.resize(kLogHeadBytes);
  head.replace(kCheckpointOffset1, kCheckpointBytes, RenderCheckpoint(checkpoint));
  return head;
}

std::string RenderBackupLogHead(const LogHead& source, std::string_view creator) {
  LogFileHeader header = source.header;
  header.first_lsn = source.checkpoint.checkpoint_lsn;
  header.creator = creator;
  std::string head = RenderHeader(header);
  if (header.container == LogContainer::kBlocks) {
    head.resize(kBlockLogHeadBytes);
    head.replace(kBlockCheckpointOffset2, kLogBlockBytes,
                 RenderBlockCheckpoint(source.checkpoint, header.crypt));
    return head;
  }
  head.resize(kLogHeadBytes);
  head.replace(kCheckpointOffset1, kCheckpointBytes, RenderCheckpoint(source.checkpoint));
  return head;
}

std::string RenderEmptyLog(Lsn end_lsn, std::string_view creator) {
  HBK_CHECK(end_lsn >= kLogStart + kFileCheckpointMtrBytes);
  const Lsn checkpoint_lsn = end_lsn - kFileCheckpointMtrBytes;
  std::string log = RenderLogHead(
      checkpoint_lsn, {.checkpoint_lsn = checkpoint_lsn, .end_lsn = checkpoint_lsn}, creator);
  log.resize(kLogFileBytesMin);
  const MutableByteView mtr(reinterpret_cast<uint8_t*>(log.data()) + kLogStart,
                            kFileCheckpointMtrBytes);
  mtr[0] = 0xFA;  // FILE_CHECKPOINT, 10 bytes follow: space 0, page 0, LSN
  StoreBe64(mtr, 3, checkpoint_lsn);
  mtr[kFileCheckpointBodyBytes] = 1;  // sequence byte of the first lap
  StoreBe32(mtr, kFileCheckpointBodyBytes + 1, Crc32c(mtr.first(kFileCheckpointBodyBytes)));
  return log;
}

}  // namespace hbk::redo

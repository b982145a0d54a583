// The heads of log files, mini-transactions and their records, blocks, and what is encrypted.
//
// Input: 2 bytes that give the capacity of the ring, 1 byte of options, then the bytes of the log.
// Sequence bytes, block numbers and checksums are put right before the parser sees them, as mutated
// bytes would hardly ever get behind a checksum.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/crypto/key_source.h"
#include "hbk/redo/log_block.h"
#include "hbk/redo/log_decoder.h"
#include "hbk/redo/log_decryptor.h"
#include "hbk/redo/log_file.h"
#include "hbk/redo/mini_transaction.h"
#include "hbk/redo/mtr_search.h"

namespace hbk::redo {
namespace {

constexpr size_t kOptionBytes = 3;
constexpr Lsn kFirstLsn = 12288;

MutableByteView Mutable(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

// Exactly as long as the text, so that a read beyond its end is seen.
std::string Exact(std::string_view text) {
  std::string copy(text);
  copy.shrink_to_fit();
  return copy;
}

void ReadRecords(ByteView body) {
  RecordReader opaque(body, true);
  RedoRecord ignored;
  while (true) {
    const Result<bool> more = opaque.Next(ignored);
    if (!more.ok() || !*more) break;
  }
  RecordReader reader(body);
  RedoRecord record;
  size_t bytes = 0;
  while (true) {
    const Result<bool> is_there = reader.Next(record);
    if (!is_there.ok()) {
      HBK_CHECK(is_there.status().code() == StatusCode::kCorruption);
      return;
    }
    if (!*is_there) break;
    HBK_CHECK(record.raw.data() == body.data() + bytes);
    HBK_CHECK(record.payload.size() < record.raw.size());
    bytes += record.raw.size();
    if (record.kind == RecordKind::kExtended)
      HBK_CHECK(record.extended_kind() <= ExtendedKind::kTrimPages);
    if (record.kind == RecordKind::kFileRename)
      HBK_CHECK(record.path().size() + 1 + record.new_path().size() == record.payload.size());
    (void)record.checkpoint_lsn();
  }
  HBK_CHECK(bytes == body.size());
}

// Another reading of docs/format/redo-log.md, "Mini-transactions": the length of the body.
std::optional<size_t> MeasureBody(ByteView bytes) {
  size_t at = 0;
  while (at < bytes.size() && at < kMiniTransactionBytesMax) {
    if (bytes[at] <= 1) return at == 0 ? std::nullopt : std::optional(at);
    size_t length = bytes[at++] & 15U;
    if (length == 0) {
      if (at + 3 > bytes.size()) return std::nullopt;
      const uint32_t first = bytes[at];
      if (first < 0x80) {
        length = first;
      } else if (first < 0xC0) {
        length = 0x80 + ((first & 0x3F) << 8) + bytes[at + 1];
      } else if (first < 0xE0) {
        length = 0x4080 + ((first & 0x1F) << 16) + (uint32_t{bytes[at + 1]} << 8) + bytes[at + 2];
      } else {
        return std::nullopt;
      }
      if (length >= kMiniTransactionBytesMax) return std::nullopt;
      length += 15;
    }
    at += length;
  }
  return std::nullopt;
}

void ParseLog(ByteView input, const LogGeometry& geometry, bool is_encrypted) {
  const size_t trailer = is_encrypted ? 13 : 5;
  Lsn lsn = kFirstLsn;
  while (true) {
    const MtrParse as_given = ParseMiniTransaction(input, lsn, geometry, is_encrypted);
    const std::optional<size_t> body = MeasureBody(input);
    const size_t size = body ? *body + trailer : 0;
    if (!body || size > input.size() || size > geometry.capacity()) {
      HBK_CHECK(as_given.outcome != MtrOutcome::kWhole);
      HBK_CHECK(as_given.outcome != MtrOutcome::kNeedBytes || input.size() < geometry.capacity());
      return;
    }
    std::string mtr = Exact(AsText(input.first(size)));
    const MutableByteView bytes = Mutable(mtr);
    bytes[*body] = geometry.SequenceBit(lsn + *body);
    uint32_t checksum = Crc32c(bytes.first(*body));
    if (is_encrypted) checksum = Crc32cExtend(checksum, bytes.subspan(*body + 1, 8));
    StoreBe32(bytes, size - 4, checksum);
    const MtrParse whole = ParseMiniTransaction(bytes, lsn, geometry, is_encrypted);
    HBK_CHECK(whole.outcome == MtrOutcome::kWhole);
    HBK_CHECK(whole.mtr.end_lsn == lsn + size && whole.mtr.body.size() == *body);
    ReadRecords(whole.mtr.body);
    lsn += size;
    input = input.subspan(size);
  }
}

void FindStart(ByteView input, const LogGeometry& geometry, bool is_encrypted) {
  const auto offset = FindMiniTransaction(input, kFirstLsn, geometry, is_encrypted);
  if (!offset) return;
  HBK_CHECK(
      ParseMiniTransaction(input.subspan(*offset), kFirstLsn + *offset, geometry, is_encrypted)
          .outcome == MtrOutcome::kWhole);
}

void ParseHead(ByteView input) {
  (void)ParseLogFileHeader(input);
  if (input.size() < 512) return;
  std::string block = Exact(AsText(input.first(512)));
  StoreBe32(Mutable(block), 508, Crc32c(AsBytes(block).first(508)));
  const Result<LogFileHeader> header = ParseLogFileHeader(AsBytes(block));
  if (header.ok()) {
    HBK_CHECK(header->creator.size() <= 32);
    // In files of blocks it says nothing.
    HBK_CHECK(header->first_lsn >= kFirstLsn || header->container == LogContainer::kBlocks);
  }

  std::string checkpoint = Exact(AsText(input.first(64)));
  StoreBe32(Mutable(checkpoint), 60, Crc32c(AsBytes(checkpoint).first(60)));
  const auto parsed = ParseCheckpoint(AsBytes(checkpoint), kFirstLsn);
  if (!parsed) return;
  const std::string head = RenderLogHead(kFirstLsn, *parsed, "Backup");
  const Result<Checkpoint> again = NewestCheckpoint(AsBytes(head), kFirstLsn);
  HBK_CHECK(again.ok() && again->checkpoint_lsn == parsed->checkpoint_lsn);
}

class OneKey final : public crypto::KeySource {
 public:
  Result<Secret> GetKey(uint32_t, uint32_t) override { return Secret(std::string(16, 'k')); }
  Result<uint32_t> NewestVersion(uint32_t) override { return 1; }
  [[nodiscard]] crypto::CipherMode mode() const override { return crypto::CipherMode::kCbc; }
};

LogFileHeader EncryptedHeader(LogContainer container, LogEncryption encryption) {
  LogFileHeader header;
  header.is_encrypted = true;
  header.container = container;
  header.encryption = encryption;
  header.crypt.key_id = 1;
  header.crypt.key_version = 1;
  return header;
}

// Checkpoint blocks with a right checksum: what is taken for valid can be placed in a file.
void ParseBlockHead(ByteView input) {
  std::string head = Exact(AsText(input.first(std::min<size_t>(input.size(), kBlockLogHeadBytes))));
  head.resize(kBlockLogHeadBytes);
  StoreBe32(Mutable(head), 0, (input[0] & 1) != 0 ? 0xD0485953 : 0x50485953);
  for (const size_t offset : {0U, 512U, 1536U})
    StoreBe32(Mutable(head), offset + 508, Crc32c(AsBytes(head).subspan(offset, 508)));
  const Result<LogHead> parsed = ParseLogHead(AsBytes(head));
  if (!parsed.ok()) return;
  const Checkpoint& checkpoint = parsed->checkpoint;
  if (checkpoint.offset > (uint64_t{1} << 60)) return;
  const Result<LogGeometry> geometry = LogGeometry::Of(*parsed, checkpoint.offset + 512);
  HBK_CHECK(geometry.ok());
  HBK_CHECK(geometry->OffsetOf(checkpoint.checkpoint_lsn) == checkpoint.offset);
  const Result<LogHead> again = ParseLogHead(AsBytes(RenderBackupLogHead(*parsed, "Backup")));
  HBK_CHECK(again.ok() && again->checkpoint.checkpoint_lsn == checkpoint.checkpoint_lsn);
  HBK_CHECK(again->checkpoint.end_lsn == checkpoint.end_lsn);
  HBK_CHECK(again->header.crypt == parsed->header.crypt);
}

void DecodeBlocks(ByteView input, bool is_encrypted) {
  constexpr Lsn kLsn = 512 * 100;
  std::string blocks = Exact(AsText(input.first(input.size() / kLogBlockBytes * kLogBlockBytes)));
  for (size_t at = 0; at < blocks.size(); at += kLogBlockBytes) {
    const MutableByteView block = Mutable(blocks).subspan(at, kLogBlockBytes);
    StoreBe32(block, 0, LogBlockNumber(kLsn + at));
    StoreBe32(block, 508, Crc32c(block.first(508)));
  }
  OneKey keys;
  LogHead head;
  head.header.container = LogContainer::kBlocks;
  head.checkpoint.checkpoint_lsn = kLsn + kLogBlockHeaderBytes;
  std::optional<LogDecryptor> decryptor;
  if (is_encrypted) {
    head.header = EncryptedHeader(LogContainer::kBlocks, LogEncryption::kBlocks);
    auto created = LogDecryptor::Create(head.header, &keys);
    HBK_CHECK(created.ok());
    decryptor = std::move(*created);
  }
  const auto decoder =
      LogDecoder::Create(head, LogGeometry(kLsn, kLogFileBytesMin), std::move(decryptor));
  Lsn position = decoder->position();
  while (true) {
    const ByteView window = AsBytes(blocks).subspan(decoder->window_lsn() - kLsn);
    MiniTransaction mtr;
    const Result<MtrOutcome> outcome = decoder->Next(window, mtr);
    if (!outcome.ok()) {
      HBK_CHECK(is_encrypted && outcome.status().code() == StatusCode::kMissingKey);
      return;
    }
    HBK_CHECK(decoder->position() >= position);
    HBK_CHECK(decoder->position() % kLogBlockBytes >= kLogBlockHeaderBytes);
    if (*outcome != MtrOutcome::kWhole) return;
    HBK_CHECK(mtr.start_lsn >= position && !mtr.body.empty());
    position = decoder->position();
    HBK_CHECK(mtr.end_lsn == position);
    ReadRecords(mtr.body);
  }
}

void DecryptBody(ByteView input, LogEncryption encryption) {
  if (input.size() < kLogNonceBytes) return;
  OneKey keys;
  auto decryptor = LogDecryptor::Create(EncryptedHeader(LogContainer::kRing, encryption), &keys);
  HBK_CHECK(decryptor.ok());
  const std::string body = Exact(AsText(input.subspan(kLogNonceBytes)));
  std::vector<uint8_t> plain;
  HBK_CHECK(decryptor->DecryptBody(AsBytes(body), input.first(kLogNonceBytes), plain).ok());
  HBK_CHECK(plain.size() == body.size());
  ReadRecords(plain);
}

}  // namespace
}  // namespace hbk::redo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hbk;        // NOLINT(google-build-using-namespace)
  using namespace hbk::redo;  // NOLINT(google-build-using-namespace)
  if (size < kOptionBytes) return 0;
  const ByteView input(data, size);
  const uint64_t capacity = 16 + (uint64_t{LoadBe16(input, 0)} << (input[2] & 7));
  const bool is_encrypted = (input[2] & 8) != 0;
  const ByteView log = input.subspan(kOptionBytes);
  ParseHead(log);
  const LogGeometry geometry(kFirstLsn, kLogStart + capacity);
  ParseLog(log, geometry, is_encrypted);
  FindStart(log, geometry, is_encrypted);
  ReadRecords(log);
  if (log.empty()) return 0;
  ParseBlockHead(log);
  DecodeBlocks(log, is_encrypted);
  DecryptBody(log, is_encrypted ? LogEncryption::kRecords : LogEncryption::kPayloads);
  return 0;
}

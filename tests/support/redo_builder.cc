#include "tests/support/redo_builder.h"

#include <array>

#include <fmt/format.h>

#include "hbk/base/crc32c.h"
#include "hbk/redo/log_block.h"

namespace hbk::testing {
namespace {

using innodb::PageId;
using innodb::SpaceId;

constexpr uint8_t kSamePage = 0x80;
constexpr uint32_t kShortLengthMax = 15;
constexpr uint32_t kCursorAfterInit = 24;

std::string Be(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = bytes; i-- > 0;)
    out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  return out;
}

std::string EncodePageId(PageId page) {
  return EncodeVarint(page.space) + EncodeVarint(page.page);
}

uint32_t HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
  HBK_CHECK(c >= 'a' && c <= 'f');
  return static_cast<uint32_t>(c - 'a' + 10);
}

}  // namespace

std::string EncodeVarint(uint32_t value) {
  constexpr std::array<uint32_t, 5> kBase = {0, 0x80, 0x4080, 0x204080, 0x10204080};
  constexpr std::array<uint8_t, 5> kMark = {0, 0x80, 0xC0, 0xE0, 0xF0};
  size_t extra = 4;
  while (value < kBase[extra])
    --extra;
  std::string out = Be(value - kBase[extra], extra == 4 ? 5 : extra + 1);
  out[0] = static_cast<char>(static_cast<uint8_t>(out[0]) | kMark[extra]);
  return out;
}

std::string FromHex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ' && c != '\n') digits.push_back(c);
  }
  HBK_CHECK(digits.size() % 2 == 0);
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(HexDigit(digits[i]) << 4 | HexDigit(digits[i + 1])));
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes)
    out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

MtrBuilder& MtrBuilder::Record(uint8_t first, std::string_view content) {
  if (content.size() >= 1 && content.size() <= kShortLengthMax) {
    body_.push_back(static_cast<char>(first | content.size()));
  } else {
    body_.push_back(static_cast<char>(first));
    // The length counts its own bytes, hence the search for its size.
    HBK_CHECK(content.empty() || content.size() > kShortLengthMax);
    for (size_t bytes = 1; bytes <= 3; ++bytes) {
      const std::string length =
          EncodeVarint(static_cast<uint32_t>(content.size() + bytes - kShortLengthMax));
      if (length.size() != bytes) continue;
      body_ += length;
      break;
    }
  }
  body_ += content;
  return *this;
}

void MtrBuilder::PageRecord(uint8_t type, PageId page, bool may_be_same_page,
                            std::string_view payload) {
  if (have_page_ && page_ == page && may_be_same_page) {
    Record(type | kSamePage, payload);
    return;
  }
  Record(type, EncodePageId(page) + std::string(payload));
  have_page_ = true;
  page_ = page;
}

std::string MtrBuilder::OffsetField(PageId page, uint32_t offset, bool& may_be_same_page) const {
  may_be_same_page = have_page_ && page_ == page && offset >= cursor_;
  return EncodeVarint(may_be_same_page ? offset - cursor_ : offset);
}

MtrBuilder& MtrBuilder::FreePage(PageId page) {
  PageRecord(0x00, page, false, {});
  have_page_ = false;
  return *this;
}

MtrBuilder& MtrBuilder::InitPage(PageId page) {
  PageRecord(0x10, page, false, {});
  cursor_ = kCursorAfterInit;
  return *this;
}

MtrBuilder& MtrBuilder::Write(PageId page, uint32_t offset, std::string_view data) {
  bool may_be_same_page = false;
  const std::string field = OffsetField(page, offset, may_be_same_page);
  PageRecord(0x30, page, may_be_same_page, field + std::string(data));
  cursor_ = offset + static_cast<uint32_t>(data.size());
  return *this;
}

MtrBuilder& MtrBuilder::Memset(PageId page, uint32_t offset, uint32_t length,
                               std::string_view pattern) {
  bool may_be_same_page = false;
  const std::string field = OffsetField(page, offset, may_be_same_page);
  PageRecord(0x40, page, may_be_same_page, field + EncodeVarint(length) + std::string(pattern));
  cursor_ = offset + length;
  return *this;
}

MtrBuilder& MtrBuilder::Memmove(PageId page, uint32_t target, uint32_t source, uint32_t length) {
  HBK_CHECK(source != target);
  bool may_be_same_page = false;
  const std::string field = OffsetField(page, target, may_be_same_page);
  const uint32_t distance =
      source < target ? (target - source - 1) << 1 | 1 : (source - target - 1) << 1;
  PageRecord(0x50, page, may_be_same_page, field + EncodeVarint(length) + EncodeVarint(distance));
  cursor_ = target + length;
  return *this;
}

MtrBuilder& MtrBuilder::Extended(PageId page, redo::ExtendedKind kind, std::string_view data) {
  PageRecord(0x20, page, true, std::string(1, static_cast<char>(kind)) + std::string(data));
  cursor_ = kCursorAfterInit;
  return *this;
}

MtrBuilder& MtrBuilder::Option(PageId page, std::string_view data) {
  if (!have_page_ || page_ != page) cursor_ = 0;
  PageRecord(0x70, page, true, data);
  return *this;
}

MtrBuilder& MtrBuilder::TrimPages(SpaceId space, innodb::PageNo first_missing) {
  PageRecord(0x20, {space, first_missing}, false,
             std::string(1, static_cast<char>(redo::ExtendedKind::kTrimPages)));
  cursor_ = kCursorAfterInit;
  return *this;
}

MtrBuilder& MtrBuilder::FileCreate(SpaceId space, std::string_view path) {
  return Record(0x80, EncodePageId({space, 0}) + std::string(path));
}

MtrBuilder& MtrBuilder::FileDelete(SpaceId space, std::string_view path) {
  return Record(0x90, EncodePageId({space, 0}) + std::string(path));
}

MtrBuilder& MtrBuilder::FileModify(SpaceId space, std::string_view path) {
  return Record(0xB0, EncodePageId({space, 0}) + std::string(path));
}

MtrBuilder& MtrBuilder::FileRename(SpaceId space, std::string_view path,
                                   std::string_view new_path) {
  return Record(0xA0, EncodePageId({space, 0}) + std::string(path) + '\0' + std::string(new_path));
}

MtrBuilder& MtrBuilder::FileCheckpoint(redo::Lsn checkpoint_lsn) {
  return Record(0xF0, EncodePageId({0, 0}) + Be(checkpoint_lsn, 8));
}

std::string FrameMtr(std::string_view body, redo::Lsn start_lsn,
                     const redo::LogGeometry& geometry) {
  std::string mtr(body);
  mtr.push_back(static_cast<char>(geometry.SequenceBit(start_lsn + body.size())));
  return mtr + Be(Crc32c(AsBytes(body)), 4);
}

LogBuilder::LogBuilder(redo::Lsn first_lsn, uint64_t file_size, std::string_view creator)
    : geometry_(first_lsn, file_size),
      end_lsn_(first_lsn),
      creator_(creator),
      file_(file_size, '\0') {
  SetCheckpoint({.checkpoint_lsn = first_lsn, .end_lsn = first_lsn});
}

redo::Lsn LogBuilder::Append(std::string_view body) {
  const std::string mtr = FrameMtr(body, end_lsn_, geometry_);
  HBK_CHECK(mtr.size() <= geometry_.capacity());
  for (const char byte : mtr)
    file_[geometry_.OffsetOf(end_lsn_++)] = byte;
  return end_lsn_;
}

LogBuilder& LogBuilder::SetCheckpoint(redo::Checkpoint checkpoint) {
  file_.replace(0, redo::kLogHeadBytes,
                redo::RenderLogHead(geometry_.first_lsn(), checkpoint, creator_));
  return *this;
}

BlockLogBuilder::BlockLogBuilder(redo::Lsn first_lsn, uint64_t file_size, std::string_view creator)
    : first_lsn_(first_lsn), end_lsn_(first_lsn), file_size_(file_size) {
  head_.header.container = redo::LogContainer::kBlocks;
  head_.header.creator = creator;
  head_.header.subformat = 2;
  head_.checkpoint.checkpoint_lsn = first_lsn;
  stream_.resize(first_lsn % redo::kLogBlockBytes);
}

BlockLogBuilder& BlockLogBuilder::Encrypt(const redo::LogCrypt& crypt, crypto::CipherMode mode,
                                          const crypto::Block& data_key) {
  head_.header.is_encrypted = true;
  head_.header.encryption = redo::LogEncryption::kBlocks;
  head_.header.crypt = crypt;
  mode_ = mode;
  data_key_ = data_key;
  return *this;
}

BlockLogBuilder& BlockLogBuilder::SetEndLsn(redo::Lsn end_lsn) {
  head_.checkpoint.end_lsn = end_lsn;
  return *this;
}

redo::Lsn BlockLogBuilder::Append(std::string_view body) {
  const size_t payload_end = redo::LogBlockPayloadEnd(head_.header.is_encrypted);
  for (const char byte : std::string(body) + '\0') {
    stream_.push_back(byte);
    if (stream_.size() % redo::kLogBlockBytes != payload_end) continue;
    stream_.resize(stream_.size() + redo::kLogBlockBytes - payload_end +
                   redo::kLogBlockHeaderBytes);
  }
  end_lsn_ = redo::LogBlockOf(first_lsn_) + stream_.size();
  return end_lsn_;
}

std::string BlockLogBuilder::SealedBlock(redo::Lsn block_lsn) const {
  const auto begin = static_cast<size_t>(block_lsn - redo::LogBlockOf(first_lsn_));
  std::string block = stream_.substr(begin, redo::kLogBlockBytes);
  const bool is_full = block.size() == redo::kLogBlockBytes;
  const auto used = static_cast<uint16_t>(block.size());
  block.resize(redo::kLogBlockBytes);
  const MutableByteView bytes(reinterpret_cast<uint8_t*>(block.data()), block.size());
  StoreBe32(bytes, 0, redo::LogBlockNumber(block_lsn) | 0x80000000);
  StoreBe16(bytes, 4, is_full ? redo::kLogBlockBytes : used);
  if (head_.header.is_encrypted) {
    const redo::LogCrypt& crypt = head_.header.crypt;
    crypto::Block iv{};
    const MutableByteView iv_bytes(iv.data(), iv.size());
    StoreBe32(iv_bytes, 0, redo::LogBlockNumber(block_lsn));
    StoreBe32(iv_bytes, 4, crypt.nonce);
    StoreBe64(iv_bytes, 8, block_lsn);
    const MutableByteView secret = bytes.subspan(4, 500);
    HBK_CHECK(crypto::Encrypt(mode_, data_key_, iv, secret, secret).ok());
    StoreBe32(bytes, 504, crypt.key_version);
  }
  StoreBe32(bytes, 508, Crc32c(bytes.first(508)));
  return block;
}

std::string BlockLogBuilder::file() const {
  std::string file = redo::RenderBackupLogHead(head_, head_.header.creator);
  file.resize(file_size_);
  const uint64_t capacity = file_size_ - redo::kBlockLogHeadBytes;
  const redo::Lsn first = redo::LogBlockOf(first_lsn_);
  for (redo::Lsn lsn = first; lsn - first < stream_.size(); lsn += redo::kLogBlockBytes)
    file.replace(redo::kBlockLogHeadBytes + (lsn - first) % capacity, redo::kLogBlockBytes,
                 SealedBlock(lsn));
  return file;
}

}  // namespace hbk::testing

#include "hbk/redo/log_decryptor.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/redo/log_block.h"

#include "record_layout.h"
#include "varint.h"

namespace hbk::redo {
namespace {

constexpr size_t kBlockKeyVersion = 504;
// What is encrypted of a block.
constexpr size_t kBlockCipherBegin = 4;
constexpr size_t kBlockCipherEnd = kBlockKeyVersion;

MutableByteView BytesOf(crypto::Block& block) {
  return {block.data(), block.size()};
}

crypto::Block IvOfNonce(ByteView nonce) {
  crypto::Block iv{};
  std::copy(nonce.begin(), nonce.end(), iv.begin());
  return iv;
}

// Calls visit(record, head_bytes) for each record as far as the body can be split.
template <typename Visit>
Status ForEachRecord(MutableByteView body, Visit visit) {
  while (!body.empty() && body[0] > 1) {
    const RecordExtent extent = MeasureRecord(body);
    if (extent.state != RecordExtent::kKnown || extent.total_bytes > body.size()) break;
    HBK_RETURN_IF_ERROR(visit(body.first(extent.total_bytes), extent.head_bytes));
    body = body.subspan(extent.total_bytes);
  }
  return OkStatus();
}

}  // namespace

Result<LogDecryptor> LogDecryptor::Create(const LogFileHeader& header, crypto::KeySource* keys) {
  HBK_CHECK(header.is_encrypted);
  if (keys == nullptr) {
    return Status(StatusCode::kMissingKey,
                  fmt::format("the redo log is encrypted with key {} version {}, and there are no "
                              "encryption keys",
                              header.crypt.key_id, header.crypt.key_version));
  }
  LogDecryptor decryptor(header, *keys);
  HBK_ASSIGN_OR_RETURN(decryptor.key_, decryptor.KeyOfVersion(header.crypt.key_version));
  return decryptor;
}

Result<crypto::Block> LogDecryptor::KeyOfVersion(uint32_t version) {
  const auto server_key = keys_->GetKey(crypt_.key_id, version);
  if (!server_key.ok()) return server_key.status().WithContext("reading the key of the redo log");
  auto key = crypto::DeriveDataKey(*server_key, crypt_.message);
  if (!key.ok())
    return key.status().WithContext(
        fmt::format("key {} version {} of the redo log", crypt_.key_id, version));
  return key;
}

Status LogDecryptor::WrongKey() const {
  return Status(StatusCode::kMissingKey,
                fmt::format("key {} version {} is not the one that the redo log is encrypted with",
                            crypt_.key_id, crypt_.key_version))
      .WithHint("check the key file, its password, and whether it is CBC or CTR");
}

Status LogDecryptor::DecryptBody(ByteView body, ByteView nonce, std::vector<uint8_t>& plain) {
  HBK_CHECK(nonce.size() == kLogNonceBytes && encryption_ != LogEncryption::kBlocks);
  plain.assign(body.begin(), body.end());
  return encryption_ == LogEncryption::kRecords ? DecryptRecords(nonce, plain)
                                                : DecryptPayloads(nonce, plain);
}

// One stream over all bytes of all records, without those that tell types and lengths.
Status LogDecryptor::DecryptRecords(ByteView nonce, std::vector<uint8_t>& body) {
  crypto::Block iv = IvOfNonce(nonce);
  stream_.clear();
  bool is_first = true;
  const auto collect = [&](MutableByteView record, size_t head_bytes) {
    if (is_first) {
      const ByteView head = record.first(head_bytes);
      std::copy(head.begin(), head.end(), iv.begin() + kLogNonceBytes);
    }
    is_first = false;
    stream_.insert(stream_.end(), record.begin() + static_cast<ptrdiff_t>(head_bytes),
                   record.end());
    return OkStatus();
  };
  HBK_RETURN_IF_ERROR(ForEachRecord(body, collect));
  HBK_RETURN_IF_ERROR(crypto::Decrypt(mode_, key_, iv, stream_, stream_));
  auto from = stream_.cbegin();
  const auto distribute = [&](MutableByteView record, size_t head_bytes) {
    const MutableByteView content = record.subspan(head_bytes);
    std::copy_n(from, content.size(), content.begin());
    from += static_cast<ptrdiff_t>(content.size());
    return OkStatus();
  };
  return ForEachRecord(body, distribute);
}

// Each page record by itself, behind its page id. File records are plain.
Status LogDecryptor::DecryptPayloads(ByteView nonce, std::vector<uint8_t>& body) {
  crypto::Block iv = IvOfNonce(nonce);
  bool have_page = false;
  return ForEachRecord(body, [&](MutableByteView record, size_t head_bytes) -> Status {
    ByteView rest = ByteView(record).subspan(head_bytes);
    const bool is_same_page = (record[0] & kSamePageBit) != 0;
    if (is_same_page && !have_page) return OkStatus();
    if (!is_same_page) {
      uint32_t space = 0;
      uint32_t page = 0;
      if (!TakeVarint(rest, space) || !TakeVarint(rest, page)) return OkStatus();
      StoreBe32(BytesOf(iv), kLogNonceBytes, space);
      StoreBe32(BytesOf(iv), kLogNonceBytes + 4, page);
      have_page = true;
    }
    const MutableByteView payload = record.last(rest.size());
    if (payload.empty()) return OkStatus();
    return crypto::Decrypt(mode_, key_, iv, payload, payload);
  });
}

Status LogDecryptor::DecryptBlock(ByteView block, Lsn block_lsn, MutableByteView plain) {
  HBK_CHECK(block.size() == kLogBlockBytes && plain.size() == kLogBlockBytes);
  const uint32_t version = LoadBe32(block, kBlockKeyVersion);
  crypto::Block key = key_;
  if (version != crypt_.key_version) {
    const auto known = others_.find(version);
    if (known == others_.end()) {
      HBK_ASSIGN_OR_RETURN(key, KeyOfVersion(version));
      others_.emplace(version, key);
    } else {
      key = known->second;
    }
  }
  crypto::Block iv{};
  StoreBe32(BytesOf(iv), 0, LogBlockNumber(block_lsn));
  StoreBe32(BytesOf(iv), 4, crypt_.nonce);
  StoreBe64(BytesOf(iv), 8, block_lsn);
  std::copy(block.begin(), block.end(), plain.begin());
  constexpr size_t kCipherBytes = kBlockCipherEnd - kBlockCipherBegin;
  return crypto::Decrypt(mode_, key, iv, block.subspan(kBlockCipherBegin, kCipherBytes),
                         plain.subspan(kBlockCipherBegin, kCipherBytes));
}

}  // namespace hbk::redo

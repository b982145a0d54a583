#include "hbk/innodb/page_coder.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/crc32c.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "image_checksum.h"

namespace hbk::innodb {
namespace {

using codec::Algorithm;

// full_crc32: what stays clear in front, the checksum behind.
constexpr size_t kFullHeader = 26;
constexpr size_t kFullChecksum = 4;

// These do not know where their stream ends: the image says it.
bool NeedsExactEnd(Algorithm algorithm) {
  return algorithm == Algorithm::kLz4 || algorithm == Algorithm::kLzo ||
         algorithm == Algorithm::kSnappy;
}

bool IsCompressible(uint16_t type) {
  return type != kPageAllocated && type != kPageFspHeader && type != kPageXdes;
}

// The nonce of a page. Little-endian, as nothing else on a page.
crypto::Block NonceOf(PageId id, Lsn lsn) {
  crypto::Block nonce{};
  StoreLe32(nonce, 0, id.space);
  StoreLe32(nonce, 4, id.page);
  StoreLe32(nonce, 8, static_cast<uint32_t>(lsn));
  StoreLe32(nonce, 12, static_cast<uint32_t>(lsn >> 32));
  return nonce;
}

uint32_t ImageChecksum(ByteView image, const TablespaceFlags& flags) {
  return flags.is_zip() ? ZipChecksum(image) : OldChecksum(image);
}

void CopyTo(ByteView from, MutableByteView to) {
  std::copy(from.begin(), from.end(), to.begin());
}

// The compressed stream in a full_crc32 image of which `body` is all from the header to the
// checksum, decrypted.
ByteView FullPayload(ByteView body, Algorithm algorithm) {
  if (!NeedsExactEnd(algorithm)) return body;
  // The last byte says where the stream ends, modulo the unit of sizes; it and the checksum count.
  const size_t behind = 1 + kFullChecksum;
  const size_t size = kFullHeader + body.size() + kFullChecksum;
  const uint8_t low = body.back();
  const size_t end = low != 0 ? size - kFullCrc32SizeUnit + low : size;
  return body.first(end < kFullHeader + behind ? 0 : end - behind - kFullHeader);
}

}  // namespace

PageCoder::PageCoder(SpaceId space, const TablespaceFlags& flags,
                     const std::optional<CryptData>& crypt, crypto::KeySource* keys)
    : space_(space),
      flags_(flags),
      crypt_(crypt),
      keys_(keys),
      // zlib is the one that every server has.
      algorithm_(flags.compression_algorithm() != 0
                     ? static_cast<Algorithm>(flags.compression_algorithm())
                     : Algorithm::kZlib) {}

Result<PageCoding> PageCoder::Decode(ByteView image, PageId id, MutableByteView frame) {
  HBK_CHECK(id.space == space_ && frame.size() == flags_.physical_size());
  const PageVerdict verdict = CheckPage(image, flags_, id);
  if (verdict == PageVerdict::kZero) {
    std::fill(frame.begin(), frame.end(), uint8_t{0});
    return PageCoding{};
  }
  if (verdict != PageVerdict::kGood) {
    const PageCoding coding = CodingOf(image, flags_, crypt_.has_value(), id);
    return CorruptionError(fmt::format("{}{}", PageVerdictName(verdict),
                                       coding.key_version == 0 ? "" : " of the encrypted page"));
  }
  return flags_.is_full_crc32() ? DecodeFullCrc32(image, id, frame) : DecodeOld(image, id, frame);
}

Result<PageCoding> PageCoder::DecodeFullCrc32(ByteView image, PageId id, MutableByteView frame) {
  const PageCoding coding = CodingOf(image, flags_, crypt_.has_value(), id);
  const size_t size = FullCrc32Size(image);
  const bool is_compressed = size != image.size();
  if (is_compressed && coding.algorithm == Algorithm::kNone)
    return CorruptionError("a compressed page in a file that is not page_compressed");
  ByteView body = image.subspan(kFullHeader, size - kFullChecksum - kFullHeader);
  std::vector<uint8_t> decrypted;
  if (!is_compressed) CopyTo(image, frame);
  if (coding.key_version != 0) {
    if (is_compressed) decrypted.resize(body.size());
    const MutableByteView out =
        is_compressed ? MutableByteView(decrypted) : frame.subspan(kFullHeader, body.size());
    HBK_RETURN_IF_ERROR(Decrypt(image, id, coding.key_version, body, out));
    body = out;
  }
  if (is_compressed) {
    Status done = codec::Decompress(coding.algorithm, FullPayload(body, coding.algorithm), frame);
    if (!done.ok()) return BadContent(coding.key_version, std::move(done));
  }
  // What is clear in front also stands in the compressed stream; the LSN stands at both ends.
  const size_t tail = frame.size() - kFilTrailer;
  if (LoadBe64(frame, kFilLsn) != PageLsn(image) || PageNumber(frame) != id.page ||
      LoadBe32(frame, tail) != static_cast<uint32_t>(PageLsn(image))) {
    return BadContent(coding.key_version,
                      CorruptionError(std::string(PageVerdictName(PageVerdict::kLsnMismatch))));
  }
  Prove(coding.key_version);
  if (PageSpaceId(frame) != id.space)
    return CorruptionError(std::string(PageVerdictName(PageVerdict::kWrongSpaceId)));
  StoreBe32(frame, kFilChecksum, 0);
  return coding;
}

Result<PageCoding> PageCoder::DecodeOld(ByteView image, PageId id, MutableByteView frame) {
  PageCoding coding = CodingOf(image, flags_, crypt_.has_value(), id);
  if (coding.algorithm != Algorithm::kNone) {
    HBK_RETURN_IF_ERROR(DecodeOldCompressed(image, id, coding, frame));
    return coding;
  }
  CopyTo(image, frame);
  // Clear pages of old files may have something else where the key version is. Only in encrypted
  // ones a checksum of the image follows it.
  if (coding.key_version == 0 || LoadBe32(image, kOldImageChecksum) != ImageChecksum(image, flags_))
    return PageCoding{};
  const size_t size = image.size() - kFilTrailer - kFilData;
  HBK_RETURN_IF_ERROR(Decrypt(image, id, coding.key_version, image.subspan(kFilData, size),
                              frame.subspan(kFilData, size)));
  std::fill_n(frame.begin() + kFilKeyVersion, kFilSpaceId - kFilKeyVersion, uint8_t{0});
  const PageVerdict verdict = CheckPage(frame, flags_, id);
  if (verdict != PageVerdict::kGood) {
    return BadContent(coding.key_version,
                      CorruptionError(fmt::format("{} inside", PageVerdictName(verdict))));
  }
  Prove(coding.key_version);
  return coding;
}

Status PageCoder::DecodeOldCompressed(ByteView image, PageId id, const PageCoding& coding,
                                      MutableByteView frame) {
  const bool is_encrypted = LoadBe16(image, kFilType) == kPageCompressedEncrypted;
  // CheckPage has seen that there is one.
  ByteView payload = OldPayloadOf(image).value();
  std::vector<uint8_t> decrypted;
  if (is_encrypted) {
    decrypted.resize(payload.size());
    HBK_RETURN_IF_ERROR(Decrypt(image, id, coding.key_version, payload, decrypted));
    payload = decrypted;
  }
  Status done = codec::Decompress(coding.algorithm, payload, frame);
  if (done.code() == StatusCode::kUnsupported) return done;
  if (done.ok() && IsOldCompressedType(LoadBe16(frame, kFilType)))
    done = CorruptionError("a compressed page within a compressed page");
  if (done.ok()) {
    const PageVerdict verdict = CheckPage(frame, flags_, id);
    if (verdict != PageVerdict::kGood || PageLsn(frame) != PageLsn(image))
      done = CorruptionError(fmt::format("{} inside", PageVerdictName(verdict)));
  }
  if (!done.ok()) {
    // Such an image has no checksum of its own. What a good key makes nonsense of was damaged.
    if (!is_encrypted || IsProven(coding.key_version)) return done;
    return BadContent(coding.key_version, std::move(done));
  }
  if (is_encrypted) Prove(coding.key_version);
  return OkStatus();
}

Result<size_t> PageCoder::Encode(MutableByteView frame, PageId id, const PageCoding& was,
                                 MutableByteView image) {
  HBK_CHECK(id.space == space_ && frame.size() == flags_.physical_size() &&
            image.size() == frame.size());
  HBK_ASSIGN_OR_RETURN(const PageCoding coding, CodingToWrite(frame, id, was));
  if (coding.is_plain()) {
    SealPage(frame, flags_, id);
    CopyTo(frame, image);
    return image.size();
  }
  std::fill(image.begin(), image.end(), uint8_t{0});
  return flags_.is_full_crc32() ? EncodeFullCrc32(frame, id, coding, image)
                                : EncodeOld(frame, id, coding, image);
}

Result<size_t> PageCoder::EncodeFullCrc32(MutableByteView frame, PageId id,
                                          const PageCoding& coding, MutableByteView image) {
  StoreBe32(frame, kFilChecksum, 0);
  const size_t tail = frame.size() - kFilTrailer;
  StoreBe32(frame, tail, static_cast<uint32_t>(PageLsn(frame)));
  StoreBe32(frame, tail + 4, 0);
  CopyTo(frame.first(kFullHeader), image);
  // The image has to be shorter than the page, and is a multiple of the unit.
  const size_t behind = kFullChecksum + (NeedsExactEnd(coding.algorithm) ? 1 : 0);
  const size_t room = frame.size() - kFullCrc32SizeUnit - kFullHeader - behind;
  HBK_ASSIGN_OR_RETURN(const size_t payload,
                       Compress(coding.algorithm, frame, image.subspan(kFullHeader, room)));
  size_t size = image.size();
  if (payload != 0) {
    const size_t end = kFullHeader + payload + behind;
    size = (end + kFullCrc32SizeUnit - 1) / kFullCrc32SizeUnit * kFullCrc32SizeUnit;
    if (NeedsExactEnd(coding.algorithm))
      image[size - behind] = static_cast<uint8_t>(end % kFullCrc32SizeUnit);
    StoreBe16(image, kFilType,
              static_cast<uint16_t>(kFullCrc32Compressed | size / kFullCrc32SizeUnit));
  } else {
    CopyTo(frame, image);
  }
  if (coding.key_version != 0) {
    StoreBe32(image, kFilChecksum, coding.key_version);
    HBK_RETURN_IF_ERROR(Encrypt(image, id, coding.key_version,
                                image.subspan(kFullHeader, size - kFullChecksum - kFullHeader)));
  }
  StoreBe32(image, size - kFullChecksum, Crc32c(image.first(size - kFullChecksum)));
  return size;
}

Result<size_t> PageCoder::EncodeOld(MutableByteView frame, PageId id, const PageCoding& coding,
                                    MutableByteView image) {
  SealPage(frame, flags_, id);
  const bool is_encrypted = coding.key_version != 0;
  const uint16_t type = is_encrypted ? kPageCompressedEncrypted : kPageCompressed;
  const size_t start = OldPayloadOffset(type);
  HBK_ASSIGN_OR_RETURN(
      const size_t payload,
      Compress(coding.algorithm, frame, image.subspan(start, image.size() - kOldEncryptedPayload)));
  size_t size = image.size();
  MutableByteView secret = image.subspan(kFilData, size - kFilTrailer - kFilData);
  if (payload != 0) {
    size = start + payload;
    secret = image.subspan(start, payload);
    CopyTo(frame.first(kFilData), image);
    StoreBe32(image, kFilChecksum, kNoChecksum);
    StoreBe16(image, kFilType, type);
    StoreBe16(image, kOldPayloadSize, static_cast<uint16_t>(payload));
    const auto number = static_cast<uint8_t>(coding.algorithm);
    if (is_encrypted)
      StoreBe16(image, kOldEncryptedAlgorithm, number);
    else
      StoreBe64(image, kOldAlgorithm, number);
  } else {
    CopyTo(frame, image);
  }
  if (!is_encrypted) return size;
  HBK_RETURN_IF_ERROR(Encrypt(image, id, coding.key_version, secret));
  StoreBe32(image, kFilKeyVersion, coding.key_version);
  StoreBe32(image, kOldImageChecksum, ImageChecksum(image, flags_));
  return size;
}

bool PageCoder::IsEncryptedSpace() const {
  return crypt_.has_value() && crypt_->IsOn();
}

Result<PageCoding> PageCoder::CodingToWrite(ByteView frame, PageId id, const PageCoding& was) {
  PageCoding coding;
  if (IsNeverCoded(id)) return coding;
  const uint16_t type = LoadBe16(frame, kFilType);
  if (flags_.is_page_compressed() && IsCompressible(type)) {
    coding.algorithm = was.algorithm != Algorithm::kNone ? was.algorithm : algorithm_.load();
    if (!codec::IsAvailable(coding.algorithm)) coding.algorithm = Algorithm::kNone;
  }
  const bool is_clear_type = type == kPageFspHeader || type == kPageXdes ||
                             (type == kPageRtree && !flags_.is_full_crc32());
  if (!IsEncryptedSpace() || is_clear_type) return coding;
  if (was.key_version != 0) {
    // A rotation may have ended meanwhile.
    coding.key_version = std::max(was.key_version, crypt_->min_key_version);
  } else {
    HBK_ASSIGN_OR_RETURN(coding.key_version, NewPageVersion());
  }
  return coding;
}

// 0 if there is nothing to gain.
Result<size_t> PageCoder::Compress(Algorithm algorithm, ByteView frame, MutableByteView out) {
  if (algorithm == Algorithm::kNone) return size_t{0};
  HBK_ASSIGN_OR_RETURN(const size_t size, codec::Compress(algorithm, frame, out));
  // A codec may have begun to write before it saw that there is no room.
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(size), out.end(), uint8_t{0});
  return size;
}

Result<uint32_t> PageCoder::NewPageVersion() {
  if (!IsEncryptedSpace()) return 0U;
  {
    const MutexLock lock(mutex_);
    if (new_page_version_.has_value()) return *new_page_version_;
  }
  uint32_t version = crypt_->min_key_version;
  if (keys_ != nullptr) {
    const auto newest = keys_->NewestVersion(crypt_->key_id);
    if (newest.ok())
      version = std::max(version, *newest);
    else if (version == 0)
      return newest.status();
  }
  if (version == 0) {
    return Status(StatusCode::kMissingKey,
                  fmt::format("no version of key {} is known to encrypt with", crypt_->key_id));
  }
  const MutexLock lock(mutex_);
  new_page_version_ = version;
  return version;
}

Status PageCoder::Decrypt(ByteView image, PageId id, uint32_t version, ByteView in,
                          MutableByteView out) {
  HBK_ASSIGN_OR_RETURN(const crypto::Block key, DataKeyOf(version));
  return crypto::Decrypt(keys_->mode(), key, NonceOf(id, PageLsn(image)), in, out);
}

Status PageCoder::Encrypt(ByteView image, PageId id, uint32_t version, MutableByteView bytes) {
  HBK_ASSIGN_OR_RETURN(const crypto::Block key, DataKeyOf(version));
  return crypto::Encrypt(keys_->mode(), key, NonceOf(id, PageLsn(image)), bytes, bytes);
}

Result<crypto::Block> PageCoder::DataKeyOf(uint32_t version) {
  if (!crypt_.has_value())
    return CorruptionError("an encrypted page in a file without encryption metadata");
  {
    const MutexLock lock(mutex_);
    const auto known = data_keys_.find(version);
    if (known != data_keys_.end()) return known->second.key;
  }
  if (keys_ == nullptr) {
    return Status(StatusCode::kMissingKey,
                  fmt::format("key {} version {} is needed, and no keys were given", crypt_->key_id,
                              version));
  }
  // A source may have to be asked over the network: not under the lock.
  HBK_ASSIGN_OR_RETURN(const Secret key, keys_->GetKey(crypt_->key_id, version));
  HBK_ASSIGN_OR_RETURN(const crypto::Block data_key, crypto::DeriveDataKey(key, crypt_->iv));
  const MutexLock lock(mutex_);
  data_keys_.emplace(version, DataKey{data_key});
  return data_key;
}

bool PageCoder::IsProven(uint32_t version) const {
  const MutexLock lock(mutex_);
  const auto known = data_keys_.find(version);
  return known != data_keys_.end() && known->second.is_proven;
}

bool PageCoder::HasProvenKey() const {
  const MutexLock lock(mutex_);
  return std::any_of(data_keys_.begin(), data_keys_.end(),
                     [](const auto& entry) { return entry.second.is_proven; });
}

void PageCoder::Prove(uint32_t version) {
  if (version == 0) return;
  const MutexLock lock(mutex_);
  data_keys_[version].is_proven = true;
}

Status PageCoder::BadContent(uint32_t version, Status corruption) const {
  if (version == 0 || corruption.code() == StatusCode::kUnsupported) return corruption;
  return Status(StatusCode::kMissingKey,
                fmt::format("key {} version {} does not decrypt the page: the server had another "
                            "key, or another cipher mode than {}",
                            crypt_->key_id, version,
                            keys_->mode() == crypto::CipherMode::kCbc ? "aes_cbc" : "aes_ctr"));
}

}  // namespace hbk::innodb

#include "tests/support/live/page_decoder.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "hbk/base/crc32c.h"
#include "hbk/codec/page_codec.h"

namespace hbk::testing {
namespace {

using Bytes = std::vector<uint8_t>;
using Block = std::array<uint8_t, 16>;

constexpr size_t kTypeOffset = 24;
constexpr size_t kBody = 26;     // full_crc32: behind the part that is never changed
constexpr size_t kOldBody = 38;  // old format: behind the whole header
constexpr uint16_t kCompressedFlag = 0x8000;
constexpr uint16_t kOldCompressed = 34354;
constexpr uint16_t kOldCompressedEncrypted = 37401;
constexpr uint32_t kNoChecksum = 0xDEADBEEF;

// One call of OpenSSL over whole blocks, or over anything for CTR.
Status Cipher(const EVP_CIPHER* cipher, bool encrypts, ByteView key, const uint8_t* iv,
              const uint8_t* in, size_t length, uint8_t* out) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int written = 0;
  if (EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), iv, encrypts ? 1 : 0) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_CipherUpdate(context.get(), out, &written, in, static_cast<int>(length)) != 1 ||
      static_cast<size_t>(written) != length) {
    return FailedError("OpenSSL refused");
  }
  return OkStatus();
}

const EVP_CIPHER* EcbOf(size_t key_bytes) {
  return key_bytes == 32   ? EVP_aes_256_ecb()
         : key_bytes == 24 ? EVP_aes_192_ecb()
                           : EVP_aes_128_ecb();
}

uint32_t Crc(const Bytes& page, size_t begin, size_t end) {
  return Crc32c(ByteView(page).subspan(begin, end - begin));
}

}  // namespace

PageDecoder::PageDecoder(const innodb::TablespaceHeader& header, ByteView page0,
                         const PageKeys& keys)
    : flags_(header.flags), space_id_(header.space_id), keys_(keys) {
  if (!header.crypt.has_value() || header.crypt->type != 1) return;
  const uint32_t logical = flags_.logical_size();
  const uint32_t extent = logical < 16384 ? (1U << 20) / logical : 64;
  const size_t offset = 38 + 150 + (24 + extent / 4) * flags_.physical_size() / extent;
  constexpr size_t kIvOffset = 8;
  std::copy_n(page0.begin() + static_cast<long>(offset + kIvOffset), iv_.size(), iv_.begin());
  key_id_ = header.crypt->key_id;
  is_encrypted_ = true;
}

Result<Bytes> PageDecoder::Decode(ByteView stored) const {
  Bytes page(stored.begin(), stored.end());
  if (IsAllZero(page)) return page;
  return flags_.is_full_crc32() ? DecodeFull(std::move(page)) : DecodeOld(std::move(page));
}

Status PageDecoder::Decrypt(Bytes& page, uint32_t key_version, size_t begin, size_t length) const {
  const auto key = keys_.keys.find({key_id_, key_version});
  if (key == keys_.keys.end()) {
    return CorruptionError(fmt::format("no key {} version {}", key_id_, key_version));
  }
  Block page_key;
  HBK_RETURN_IF_ERROR(Cipher(EcbOf(key->second.size()), /*encrypts=*/true, key->second, nullptr,
                             iv_.data(), iv_.size(), page_key.data()));
  std::array<uint8_t, 16> nonce{};
  StoreLe32(nonce, 0, space_id_);
  StoreLe32(nonce, 4, LoadBe32(page, 4));
  StoreLe32(nonce, 8, LoadBe32(page, 20));
  StoreLe32(nonce, 12, LoadBe32(page, 16));
  Bytes plain(length);
  if (keys_.cipher == PageCipher::kCtr) {
    HBK_RETURN_IF_ERROR(Cipher(EVP_aes_128_ctr(), /*encrypts=*/false, page_key, nonce.data(),
                               page.data() + begin, length, plain.data()));
  } else {
    const size_t whole = length / 16 * 16;
    HBK_RETURN_IF_ERROR(Cipher(EVP_aes_128_cbc(), /*encrypts=*/false, page_key, nonce.data(),
                               page.data() + begin, whole, plain.data()));
    Block mask;
    HBK_RETURN_IF_ERROR(Cipher(EVP_aes_128_ecb(), /*encrypts=*/true, page_key, nullptr,
                               nonce.data(), nonce.size(), mask.data()));
    for (size_t i = whole; i < length; ++i) {
      plain[i] = static_cast<uint8_t>(page[begin + i] ^ mask.at(i - whole));
    }
  }
  std::ranges::copy(plain, page.begin() + static_cast<long>(begin));
  return OkStatus();
}

Result<Bytes> PageDecoder::DecodeFull(Bytes page) const {
  const uint16_t type = LoadBe16(page, kTypeOffset);
  const bool is_compressed = (type & kCompressedFlag) != 0;
  const size_t size =
      is_compressed ? static_cast<size_t>(type & ~kCompressedFlag) << 8 : page.size();
  if (size <= kBody + 4 || size > page.size()) {
    return CorruptionError(fmt::format("image of {} bytes", size));
  }
  if (LoadBe32(page, size - 4) != Crc(page, 0, size - 4)) {
    return CorruptionError("checksum of the stored image");
  }
  const uint32_t key_version = LoadBe32(page, 0);
  if (is_encrypted_ && key_version != 0) {
    HBK_RETURN_IF_ERROR(Decrypt(page, key_version, kBody, size - 4 - kBody));
  }
  if (is_compressed) {
    size_t end = size - 4;
    const auto algorithm = static_cast<codec::Algorithm>(flags_.compression_algorithm());
    if (algorithm == codec::Algorithm::kLz4 || algorithm == codec::Algorithm::kLzo ||
        algorithm == codec::Algorithm::kSnappy) {
      // The last byte says where the payload ends in the last 256 bytes.
      const uint8_t length = page[size - 5];
      end = length != 0 ? size - 256 + length - 5 : size - 5;
    }
    Bytes plain(page.size());
    HBK_RETURN_IF_ERROR(
        codec::Decompress(algorithm, ByteView(page).subspan(kBody, end - kBody), plain));
    if (!std::equal(plain.begin() + 4, plain.begin() + kTypeOffset, page.begin() + 4)) {
      return CorruptionError("the decompressed page is another one");
    }
    page = std::move(plain);
  }
  if (LoadBe32(page, page.size() - 8) != LoadBe32(page, 20)) {
    return CorruptionError("the LSN at the end of the decoded page is another one");
  }
  StoreBe32(page, 0, 0);
  StoreBe32(page, page.size() - 4, 0);
  return page;
}

bool PageDecoder::IsOldChecksumRight(const Bytes& page, uint32_t expected) const {
  const uint32_t crc = flags_.is_zip()
                           ? Crc(page, 4, 16) ^ Crc(page, 24, 26) ^ Crc(page, 34, page.size())
                           : Crc(page, 4, 26) ^ Crc(page, kOldBody, page.size() - 8);
  return crc == expected;
}

Result<Bytes> PageDecoder::DecodeOld(Bytes page) const {
  const uint16_t type = LoadBe16(page, kTypeOffset);
  const uint32_t key_version = LoadBe32(page, 26);
  const bool was_encrypted = is_encrypted_ && key_version != 0 && LoadBe32(page, 4) != 0;
  if (type == kOldCompressed || type == kOldCompressedEncrypted) {
    if (LoadBe32(page, 0) != kNoChecksum) return CorruptionError("checksum of a compressed page");
    const size_t payload = type == kOldCompressed ? 40 : 42;
    const size_t length = LoadBe16(page, 38);
    if (payload + length > page.size()) return CorruptionError("length of a compressed page");
    if (type == kOldCompressedEncrypted) {
      HBK_RETURN_IF_ERROR(Decrypt(page, key_version, payload, length));
    }
    const uint64_t algorithm = type == kOldCompressed ? LoadBe64(page, 26) : LoadBe16(page, 40);
    Bytes plain(page.size());
    HBK_RETURN_IF_ERROR(codec::Decompress(static_cast<codec::Algorithm>(algorithm),
                                          ByteView(page).subspan(payload, length), plain));
    page = std::move(plain);
  } else if (was_encrypted) {
    if (!IsOldChecksumRight(page, LoadBe32(page, 30))) {
      return CorruptionError("checksum of the encrypted page");
    }
    HBK_RETURN_IF_ERROR(Decrypt(page, key_version, kOldBody, page.size() - 8 - kOldBody));
  }
  if (was_encrypted) {
    StoreBe32(page, 26, 0);
    StoreBe32(page, 30, 0);
  }
  if (!IsOldChecksumRight(page, LoadBe32(page, 0))) {
    return CorruptionError("checksum of the decoded page");
  }
  StoreBe32(page, 0, 0);
  if (!flags_.is_zip()) StoreBe32(page, page.size() - 8, 0);
  return page;
}

}  // namespace hbk::testing

#include "hbk/crypto/cipher.h"

#include <algorithm>
#include <limits>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "cipher_context.h"

namespace hbk::crypto {
namespace {

enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };

Status LibraryError(const char* what) {
  return FailedError(std::string("OpenSSL refused: ") + what);
}

const EVP_CIPHER* EcbOfKeyBytes(size_t size) {
  switch (size) {
    case 16: return EVP_aes_128_ecb();
    case 24: return EVP_aes_192_ecb();
    case 32: return EVP_aes_256_ecb();
    default: return nullptr;
  }
}

// `in` is whole blocks for ECB and CBC.
Status Run(const EVP_CIPHER* cipher, const uint8_t* key, const uint8_t* iv, Direction direction,
           ByteView in, MutableByteView out) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr) return LibraryError("no memory for a cipher");
  HBK_CHECK(in.size() == out.size() && in.size() <= std::numeric_limits<int>::max());
  int written = 0;
  if (EVP_CipherInit_ex(context.get(), cipher, nullptr, key, iv, static_cast<int>(direction)) !=
          1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_CipherUpdate(context.get(), out.data(), &written, in.data(),
                       static_cast<int>(in.size())) != 1 ||
      static_cast<size_t>(written) != in.size()) {
    return LibraryError("AES");
  }
  return OkStatus();
}

Result<Block> EncryptBlock(ByteView key, const Block& block) {
  const EVP_CIPHER* const cipher = EcbOfKeyBytes(key.size());
  if (cipher == nullptr) {
    return FailedError("a key of " + std::to_string(key.size()) + " bytes; AES has 16, 24 and 32");
  }
  Block result{};
  HBK_RETURN_IF_ERROR(Run(cipher, key.data(), nullptr, Direction::kEncrypt, block, result));
  return result;
}

Status Crypt(CipherMode mode, Direction direction, const Block& key, const Block& iv, ByteView in,
             MutableByteView out) {
  HBK_CHECK(in.size() == out.size());
  if (mode == CipherMode::kCtr) {
    return Run(EVP_aes_128_ctr(), key.data(), iv.data(), direction, in, out);
  }
  const size_t whole = in.size() / kBlockBytes * kBlockBytes;
  if (whole != 0) {
    HBK_RETURN_IF_ERROR(Run(EVP_aes_128_cbc(), key.data(), iv.data(), direction, in.first(whole),
                            out.first(whole)));
  }
  if (whole == in.size()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const Block mask, EncryptBlock(key, iv));
  for (size_t i = whole; i < in.size(); ++i)
    out[i] = in[i] ^ mask[i - whole];
  return OkStatus();
}

}  // namespace

Result<Block> DeriveDataKey(const Secret& server_key, const Block& message) {
  return EncryptBlock(AsBytes(server_key.Reveal()), message);
}

Status Encrypt(CipherMode mode, const Block& key, const Block& iv, ByteView in,
               MutableByteView out) {
  return Crypt(mode, Direction::kEncrypt, key, iv, in, out);
}

Status Decrypt(CipherMode mode, const Block& key, const Block& iv, ByteView in,
               MutableByteView out) {
  return Crypt(mode, Direction::kDecrypt, key, iv, in, out);
}

}  // namespace hbk::crypto

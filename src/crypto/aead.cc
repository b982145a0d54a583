#include "hbk/crypto/aead.h"

#include <limits>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "hbk/base/check.h"

#include "cipher_context.h"

namespace hbk::crypto {
namespace {

Status LibraryError() {
  return FailedError("OpenSSL refused: AES-256-GCM");
}

int IntSize(size_t size) {
  HBK_CHECK(size <= static_cast<size_t>(std::numeric_limits<int>::max()));
  return static_cast<int>(size);
}

bool TakeAssociated(EVP_CIPHER_CTX* context, ByteView associated) {
  int size = 0;
  return associated.empty() || EVP_CipherUpdate(context, nullptr, &size, associated.data(),
                                                IntSize(associated.size())) == 1;
}

// The library wants a pointer for no bytes, too.
bool Crypt(EVP_CIPHER_CTX* context, ByteView in, MutableByteView out) {
  int size = 0;
  return in.empty() ||
         (EVP_CipherUpdate(context, out.data(), &size, in.data(), IntSize(in.size())) == 1 &&
          static_cast<size_t>(size) == in.size());
}

}  // namespace

// A context keeps the expanded key as long as only the nonce is set anew.
struct Aead::Contexts {
  CipherContext seal{EVP_CIPHER_CTX_new()};
  CipherContext open{EVP_CIPHER_CTX_new()};
};

Result<std::unique_ptr<Aead>> Aead::Create(const Secret& key) {
  HBK_CHECK(key.Reveal().size() == kAeadKeyBytes);
  auto contexts = std::make_unique<Contexts>();
  const uint8_t* const bytes = AsBytes(key.Reveal()).data();
  if (contexts->seal == nullptr || contexts->open == nullptr ||
      EVP_EncryptInit_ex(contexts->seal.get(), EVP_aes_256_gcm(), nullptr, bytes, nullptr) != 1 ||
      EVP_DecryptInit_ex(contexts->open.get(), EVP_aes_256_gcm(), nullptr, bytes, nullptr) != 1) {
    return LibraryError();
  }
  return std::unique_ptr<Aead>(new Aead(std::move(contexts)));
}

Aead::Aead(std::unique_ptr<Contexts> contexts) : contexts_(std::move(contexts)) {}

Aead::~Aead() = default;

Status Aead::Seal(const Nonce& nonce, ByteView associated, ByteView plain, MutableByteView out) {
  HBK_CHECK(out.size() == plain.size() + kAeadTagBytes);
  EVP_CIPHER_CTX* const context = contexts_->seal.get();
  const MutableByteView tag = out.last(kAeadTagBytes);
  int size = 0;
  if (EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) != 1 ||
      !TakeAssociated(context, associated) || !Crypt(context, plain, out.first(plain.size())) ||
      EVP_EncryptFinal_ex(context, tag.data(), &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, IntSize(tag.size()), tag.data()) != 1) {
    return LibraryError();
  }
  return OkStatus();
}

Status Aead::Open(const Nonce& nonce, ByteView associated, ByteView sealed, MutableByteView out) {
  HBK_CHECK(sealed.size() == out.size() + kAeadTagBytes);
  EVP_CIPHER_CTX* const context = contexts_->open.get();
  std::array<uint8_t, kAeadTagBytes> tag{};
  const ByteView stored_tag = sealed.last(kAeadTagBytes);
  std::copy(stored_tag.begin(), stored_tag.end(), tag.begin());
  if (EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) != 1 ||
      !TakeAssociated(context, associated) || !Crypt(context, sealed.first(out.size()), out) ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) != 1) {
    OPENSSL_cleanse(out.data(), out.size());
    return LibraryError();
  }
  std::array<uint8_t, kAeadTagBytes> rest{};
  int size = 0;
  if (EVP_DecryptFinal_ex(context, rest.data(), &size) != 1) {
    // What was decrypted is whatever an attacker likes.
    OPENSSL_cleanse(out.data(), out.size());
    return CorruptionError("the bytes are not those that were sealed");
  }
  return OkStatus();
}

}  // namespace hbk::crypto

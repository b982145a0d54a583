#include "hbk/crypto/key_derivation.h"

#include <bit>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "hbk/base/check.h"

namespace hbk::crypto {
namespace {

constexpr uint64_t kScryptMemoryMax = 512ULL << 20;
constexpr uint32_t kScryptFactorMax = 1 << 10;  // of r and p; keeps products small
constexpr uint64_t kScryptWorkMax = 16 * (8ULL << 17);
// The library counts a little beside the memory of the algorithm itself.
constexpr uint64_t kScryptLibraryBytes = 16ULL << 20;

struct FreeKdf {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
};
struct FreeKdfContext {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

// Bytes of a key as they are made: wiped when they go, moved nowhere.
class KeyBytes {
 public:
  explicit KeyBytes(size_t size) : bytes_(size, '\0') {}
  ~KeyBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  KeyBytes(const KeyBytes&) = delete;
  KeyBytes& operator=(const KeyBytes&) = delete;

  uint8_t* data() { return reinterpret_cast<uint8_t*>(bytes_.data()); }
  [[nodiscard]] size_t size() const { return bytes_.size(); }
  [[nodiscard]] Secret ToSecret() const { return Secret(bytes_); }

 private:
  std::string bytes_;
};

OSSL_PARAM OctetParameter(const char* name, ByteView bytes) {
  // The library takes what it only reads as not constant.
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

Result<Secret> DeriveKey(const Secret& key, ByteView salt, std::string_view info, size_t bytes) {
  const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, FreeKdfContext> context(
      kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  KeyBytes derived(bytes);
  std::vector<OSSL_PARAM> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OctetParameter(OSSL_KDF_PARAM_KEY, AsBytes(key.Reveal())),
      OctetParameter(OSSL_KDF_PARAM_INFO, AsBytes(info)),
  };
  // The library refuses a salt of no bytes, and takes zeros if it gets none, which is the same.
  if (!salt.empty()) parameters.push_back(OctetParameter(OSSL_KDF_PARAM_SALT, salt));
  parameters.push_back(OSSL_PARAM_construct_end());
  if (context == nullptr ||
      EVP_KDF_derive(context.get(), derived.data(), derived.size(), parameters.data()) != 1) {
    return FailedError("OpenSSL refused: HKDF");
  }
  return derived.ToSecret();
}

Result<Mac> HmacSha256(const Secret& key, ByteView message) {
  const ByteView key_bytes = AsBytes(key.Reveal());
  HBK_CHECK(!key_bytes.empty() && key_bytes.size() <= std::numeric_limits<int>::max());
  Mac mac{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key_bytes.data(), static_cast<int>(key_bytes.size()), message.data(),
           message.size(), mac.data(), &size) == nullptr ||
      size != mac.size()) {
    return FailedError("OpenSSL refused: HMAC");
  }
  return mac;
}

bool IsEqual(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool IsPermitted(const ScryptCost& cost) {
  if (cost.n < 2 || !std::has_single_bit(cost.n) || cost.n > kScryptMemoryMax) return false;
  if (cost.r == 0 || cost.r > kScryptFactorMax || cost.p == 0 || cost.p > kScryptFactorMax) {
    return false;
  }
  // The algorithm itself limits n to less than 2^(16 r).
  if (cost.r == 1 && cost.n >= (1 << 16)) return false;
  return cost.memory_bytes() <= kScryptMemoryMax && cost.n * cost.r * cost.p <= kScryptWorkMax;
}

Result<Secret> DeriveFromPassphrase(const Secret& passphrase, ByteView salt, const ScryptCost& cost,
                                    size_t bytes) {
  HBK_CHECK(IsPermitted(cost));
  const std::string& text = passphrase.Reveal();
  KeyBytes derived(bytes);
  if (EVP_PBE_scrypt(text.data(), text.size(), salt.data(), salt.size(), cost.n, cost.r, cost.p,
                     kScryptMemoryMax + kScryptLibraryBytes, derived.data(), derived.size()) != 1) {
    return FailedError("OpenSSL refused: scrypt, or there is no memory for it");
  }
  return derived.ToSecret();
}

Status FillRandom(MutableByteView out) {
  if (out.size() > std::numeric_limits<int>::max() ||
      RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    return FailedError("the system has no random bytes");
  }
  return OkStatus();
}

Result<Secret> RandomKey(size_t bytes) {
  KeyBytes key(bytes);
  if (bytes > std::numeric_limits<int>::max() ||
      RAND_priv_bytes(key.data(), static_cast<int>(key.size())) != 1) {
    return FailedError("the system has no random bytes");
  }
  return key.ToSecret();
}

}  // namespace hbk::crypto

#include "hbk/crypto/password_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "cipher_context.h"

namespace hbk::crypto {
namespace {

constexpr std::string_view kMagic = "Salted__";
constexpr size_t kSaltBytes = 8;
constexpr size_t kHeaderBytes = 8 + kSaltBytes;
constexpr size_t kCipherBlockBytes = 16;
constexpr size_t kKeyBytes = 32;
constexpr size_t kIvBytes = 16;

constexpr std::array<std::pair<std::string_view, PasswordDigest>, 5> kDigestNames = {{
    {"sha1", PasswordDigest::kSha1},
    {"sha224", PasswordDigest::kSha224},
    {"sha256", PasswordDigest::kSha256},
    {"sha384", PasswordDigest::kSha384},
    {"sha512", PasswordDigest::kSha512},
}};

const EVP_MD* DigestOf(PasswordDigest digest) {
  switch (digest) {
    case PasswordDigest::kSha1: return EVP_sha1();
    case PasswordDigest::kSha224: return EVP_sha224();
    case PasswordDigest::kSha256: return EVP_sha256();
    case PasswordDigest::kSha384: return EVP_sha384();
    case PasswordDigest::kSha512: return EVP_sha512();
  }
  return nullptr;
}

// Key and IV; wiped when it goes.
struct KeyMaterial {
  std::array<uint8_t, kKeyBytes + kIvBytes> bytes{};
  KeyMaterial() = default;
  ~KeyMaterial() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  KeyMaterial(const KeyMaterial&) = delete;
  KeyMaterial& operator=(const KeyMaterial&) = delete;

  [[nodiscard]] const uint8_t* key() const { return bytes.data(); }
  [[nodiscard]] const uint8_t* iv() const { return bytes.data() + kKeyBytes; }
};

Status Derive(const std::string& password, ByteView salt, const PasswordFileOptions& options,
              KeyMaterial& material) {
  const EVP_MD* const digest = DigestOf(options.digest);
  constexpr auto kIntMax = static_cast<size_t>(std::numeric_limits<int>::max());
  if (password.size() > kIntMax || options.pbkdf2_iterations > kIntMax) {
    return FailedError("a password or a count of iterations that is too large");
  }
  const int size = static_cast<int>(password.size());
  int is_ok = 0;
  if (options.pbkdf2_iterations != 0) {
    is_ok = PKCS5_PBKDF2_HMAC(password.data(), size, salt.data(), static_cast<int>(salt.size()),
                              static_cast<int>(options.pbkdf2_iterations), digest,
                              static_cast<int>(material.bytes.size()), material.bytes.data());
  } else {
    is_ok = EVP_BytesToKey(EVP_aes_256_cbc(), digest, salt.data(), AsBytes(password).data(), size,
                           /*count=*/1, material.bytes.data(), material.bytes.data() + kKeyBytes);
  }
  return is_ok > 0 ? OkStatus() : FailedError("OpenSSL refused to derive a key from a password");
}

}  // namespace

std::optional<PasswordDigest> PasswordDigestByName(std::string_view name) {
  for (const auto& [known, digest] : kDigestNames) {
    if (known == name) return digest;
  }
  return std::nullopt;
}

bool IsPasswordFile(ByteView file) {
  return AsText(file).starts_with(kMagic);
}

Result<Secret> DecryptPasswordFile(ByteView file, const Secret& password,
                                   const PasswordFileOptions& options) {
  if (!IsPasswordFile(file)) return CorruptionError("not encrypted by 'openssl enc'");
  if (file.size() < kHeaderBytes + kCipherBlockBytes ||
      (file.size() - kHeaderBytes) % kCipherBlockBytes != 0 ||
      file.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return CorruptionError("not whole blocks: the file is cut off or damaged");
  }
  KeyMaterial material;
  HBK_RETURN_IF_ERROR(
      Derive(password.Reveal(), file.subspan(kMagic.size(), kSaltBytes), options, material));

  const CipherContext context(EVP_CIPHER_CTX_new());
  const ByteView body = file.subspan(kHeaderBytes);
  std::string plain(body.size(), '\0');
  auto* const out = reinterpret_cast<uint8_t*>(plain.data());
  int written = 0;
  int rest = 0;
  if (context == nullptr ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, material.key(),
                         material.iv()) != 1 ||
      EVP_DecryptUpdate(context.get(), out, &written, body.data(), static_cast<int>(body.size())) !=
          1) {
    return FailedError("OpenSSL refused: AES-256-CBC");
  }
  const bool fits = EVP_DecryptFinal_ex(context.get(), out + written, &rest) == 1;
  Secret whole(std::move(plain));  // wiped, whatever comes
  if (!fits) return Status(StatusCode::kMissingKey, "the secret does not fit");
  return Secret(whole.Reveal().substr(0, static_cast<size_t>(written + rest)));
}

}  // namespace hbk::crypto

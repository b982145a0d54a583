// Files encrypted with a password, as `openssl enc -aes-256-cbc` writes them.
//
// Format   "Salted__", 8 bytes of salt, then AES-256-CBC with PKCS#7 padding. Key (32 bytes) and
//          IV (16) come from password and salt: one round of EVP_BytesToKey with the digest, or
//          PBKDF2-HMAC of it where iterations are given.
// Source   Verified with OpenSSL 3.0's command and with key files that MariaDB 10.11 took.
// Errors   kCorruption: not such a file. kMissingKey: another password, digest or count of
//          iterations than it was written with; one wrong password in 256 is not noticed.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::crypto {

enum class PasswordDigest : uint8_t { kSha1, kSha224, kSha256, kSha384, kSha512 };
// "sha1", "sha224", ...
std::optional<PasswordDigest> PasswordDigestByName(std::string_view name);

struct PasswordFileOptions {
  PasswordDigest digest = PasswordDigest::kSha1;
  uint32_t pbkdf2_iterations = 0;  // 0: EVP_BytesToKey
};

// Whether it begins as such files do.
bool IsPasswordFile(ByteView file);

// What was encrypted.
Result<Secret> DecryptPasswordFile(ByteView file, const Secret& password,
                                   const PasswordFileOptions& options);

}  // namespace hbk::crypto

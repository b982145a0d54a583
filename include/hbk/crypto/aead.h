// Authenticated encryption: AES-256-GCM.
//
// Format   The tag of 16 bytes stands behind the encrypted bytes, which are as many as the plain
// ones. Memory   An object holds an expanded key: what is encrypted in many pieces is so at the
// speed of the
//          processor's own instructions, some GB a second.
// Errors   kCorruption: the bytes, their tag, the nonce or the associated data are not those that
//          were sealed, or the key is another one; which of them, nobody can tell. kFailed: the
//          library refused.
// Threads  One at a time for an object; make one for each.
// Source   NIST SP 800-38D.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "hbk/base/bytes.h"
#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::crypto {

constexpr size_t kAeadKeyBytes = 32;
constexpr size_t kAeadNonceBytes = 12;
constexpr size_t kAeadTagBytes = 16;
using Nonce = std::array<uint8_t, kAeadNonceBytes>;

class Aead {
 public:
  // `key` has kAeadKeyBytes (checked).
  static Result<std::unique_ptr<Aead>> Create(const Secret& key);
  ~Aead();
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  // `out` has kAeadTagBytes more than `plain` (checked); they do not overlap. No nonce may be used
  // twice with one key: that would give away the bytes and the means to forge.
  Status Seal(const Nonce& nonce, ByteView associated, ByteView plain, MutableByteView out);
  // `out` has kAeadTagBytes less than `sealed` (checked); they do not overlap. Unless it is ok,
  // `out` is zeros.
  Status Open(const Nonce& nonce, ByteView associated, ByteView sealed, MutableByteView out);

 private:
  struct Contexts;
  explicit Aead(std::unique_ptr<Contexts> contexts);

  const std::unique_ptr<Contexts> contexts_;
};

}  // namespace hbk::crypto

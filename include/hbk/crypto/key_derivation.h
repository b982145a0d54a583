// Keys from keys and from passphrases, authentication codes, random bytes.
//
// Errors   kFailed: the library refused, or the system has no random bytes.
// Threads  Pure functions.
// Source   HKDF: RFC 5869. HMAC: RFC 2104. scrypt: RFC 7914.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::crypto {

constexpr size_t kMacBytes = 32;
using Mac = std::array<uint8_t, kMacBytes>;

// HKDF-SHA256: a key of its own for the use that `info` names; another salt or another use gives
// one that says nothing of the first. `key` must be hard to guess: it is no way for passphrases.
Result<Secret> DeriveKey(const Secret& key, ByteView salt, std::string_view info, size_t bytes);

Result<Mac> HmacSha256(const Secret& key, ByteView message);

// Takes the same time wherever they differ. Of two sizes: false.
bool IsEqual(ByteView a, ByteView b);

// What guessing costs: memory is 128 * n * r bytes, time as n * r * p.
struct ScryptCost {
  uint64_t n = 1 << 17;  // a power of two
  uint32_t r = 8;
  uint32_t p = 1;

  [[nodiscard]] uint64_t memory_bytes() const { return 128 * n * r; }
};
// Permitted: at most 512 MiB of memory, and 16 times the work of the default. What a file says must
// not take all of a machine.
bool IsPermitted(const ScryptCost& cost);
// A slow key of a passphrase. `cost` is permitted (checked).
Result<Secret> DeriveFromPassphrase(const Secret& passphrase, ByteView salt, const ScryptCost& cost,
                                    size_t bytes);

// Fit for keys.
Status FillRandom(MutableByteView out);
Result<Secret> RandomKey(size_t bytes);

}  // namespace hbk::crypto

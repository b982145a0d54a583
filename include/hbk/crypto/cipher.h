// The ciphers of InnoDB's encryption at rest: pages and redo log.
//
// A key of the server (16, 24 or 32 bytes) never touches data: it encrypts one block, the IV of a
// tablespace or the message of a log, and that is the AES-128 key of the data.
//
// Format   docs/format/encryption.md. CBC has no padding: what is left behind the last whole block
//          is XORed with the encrypted initial IV. CTR counts up all 128 bits, big-endian.
// Errors   kFailed: the library refused (a key of another length). Lengths are not limited.
// Threads  Pure functions.
// Source   Verified on files of MariaDB 10.11, both modes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hbk/base/bytes.h"
#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::crypto {

constexpr size_t kBlockBytes = 16;
using Block = std::array<uint8_t, kBlockBytes>;

// file_key_management_encryption_algorithm: aes_cbc (also of all other key plugins) or aes_ctr.
enum class CipherMode : uint8_t { kCbc, kCtr };

// The data key: `message` encrypted with the server's key, of 16, 24 or 32 bytes.
Result<Block> DeriveDataKey(const Secret& server_key, const Block& message);

// `out` has the size of `in`, and may be the same bytes; otherwise they must not overlap.
Status Encrypt(CipherMode mode, const Block& key, const Block& iv, ByteView in,
               MutableByteView out);
Status Decrypt(CipherMode mode, const Block& key, const Block& iv, ByteView in,
               MutableByteView out);

}  // namespace hbk::crypto

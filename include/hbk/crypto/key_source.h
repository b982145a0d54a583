// Where encryption keys come from, as those who need one see it. The sources are in module keys.
//
// Errors   kMissingKey: there is no such key; the message names id and version. Others: the source
//          could not be asked.
// Threads  Any number at a time: implementations lock what they share.
#pragma once

#include <cstdint>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/crypto/cipher.h"

namespace hbk::crypto {

class KeySource {
 public:
  KeySource() = default;
  virtual ~KeySource() = default;
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  // 16, 24 or 32 bytes. Asked again, it answers from memory.
  virtual Result<Secret> GetKey(uint32_t id, uint32_t version) = 0;
  // The version that a server would encrypt new pages with.
  virtual Result<uint32_t> NewestVersion(uint32_t id) = 0;
  [[nodiscard]] virtual CipherMode mode() const = 0;
};

}  // namespace hbk::crypto

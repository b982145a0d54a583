// How a server of a test stores its data: page size, checksum, encryption, and which server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/kind_schema.h"
#include "tests/support/live/page_decoder.h"
#include "tests/support/live/server_tree.h"

namespace hbk::testing {

struct InstanceFormat {
  ServerTree tree = {};
  uint32_t page_kib = 16;
  std::string checksum = "full_crc32";
  // Not kNone: everything that does not say otherwise is encrypted, the redo log too.
  PageCipher cipher = PageCipher::kNone;

  [[nodiscard]] KindOptions kinds() const {
    return {.page_kib = page_kib,
            .is_full_crc32 = checksum == "full_crc32",
            .is_encrypted = cipher != PageCipher::kNone,
            .algorithms = {}};
  }
  // "10.11, 16k, full_crc32, aes_cbc".
  [[nodiscard]] std::string Describe() const;
};

// What a data directory is made with and keeps.
std::vector<std::string> InstallOptions(const InstanceFormat& format);

// What every start of a server on it needs: the plugins of codecs and keys, and encryption. With a
// cipher, the key file is made in `key_dir`; with CTR it is itself encrypted, with the secret in a
// file beside it.
Result<std::vector<std::string>> ServerOptions(const InstanceFormat& format,
                                               const std::string& key_dir);

// The keys in that file: ids 1, 2 and 3, of 32, 24 and 16 bytes.
PageKeys KeysOf(const InstanceFormat& format);

}  // namespace hbk::testing

// Page 0 of a tablespace, read and judged.
//
// Format   docs/format/innodb-pages.md, "Page 0".
// Errors   See ClassifyFirstPage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/crypto/cipher.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

// Encryption metadata of a tablespace. Keys are never in it.
struct CryptData {
  uint8_t type = 0;    // 0 not encrypted, 1 encrypted
  crypto::Block iv{};  // random, of the tablespace; stays when keys change
  uint32_t min_key_version = 0;
  uint32_t key_id = 0;
  uint8_t option = 0;  // 0 DEFAULT, 1 ON, 2 OFF

  // Whether a server encrypts what it writes.
  [[nodiscard]] bool IsOn() const { return type != 0 && option != 2; }
  // ENCRYPTED=NO: to change that is to make another file.
  [[nodiscard]] bool IsNever() const { return type == 0 && option == 2; }
};

struct TablespaceHeader {
  SpaceId space_id = 0;
  uint32_t size_pages = 0;  // FSP_SIZE
  uint32_t free_limit = 0;
  TablespaceFlags flags;
  std::optional<CryptData> crypt;
};

enum class FirstPageKind {
  kValid,     // header is set
  kDeferred,  // empty, all zero: created, but page 0 has not been written yet. Normal on a live
              // server.
  kDamaged,   // reason is set. May also be a torn read: read again.
};

struct FirstPage {
  FirstPageKind kind = FirstPageKind::kDeferred;
  TablespaceHeader header;
  std::string reason;
};

// `head` is the start of the file: min(file size, 65536) bytes. `logical_page_size` is
// innodb_page_size of the instance, 0 if it is not known.
FirstPage ClassifyFirstPage(ByteView head, uint64_t file_size, uint32_t logical_page_size);

}  // namespace hbk::innodb

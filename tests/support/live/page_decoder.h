// Stored pages of encrypted and page_compressed tables as plain ones, for comparing two sets.
//
// Written apart from the page coder under test: only the decompression libraries are reached
// through the same module. The checksum of the stored image is checked on the way.
//
// Format   docs/format/innodb-pages.md, docs/format/encryption.md.
// Errors   kCorruption: not such a page, or another key.
// Threads  One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/tablespace_header.h"

namespace hbk::testing {

enum class PageCipher { kNone, kCbc, kCtr };

// What decrypts the pages of an instance; empty for one without encryption.
struct PageKeys {
  PageCipher cipher = PageCipher::kNone;
  // Key id and version -> 16, 24 or 32 bytes.
  std::map<std::pair<uint32_t, uint32_t>, std::vector<uint8_t>> keys;
};

class PageDecoder {
 public:
  // `page0` is the first page of the file that `header` was read from.
  PageDecoder(const innodb::TablespaceHeader& header, ByteView page0, const PageKeys& keys);

  // The page with its checksums, key version and crypt checksum zeroed. What is free may be
  // anything: ask for the pages that are not.
  Result<std::vector<uint8_t>> Decode(ByteView stored) const;

 private:
  using Bytes = std::vector<uint8_t>;
  using Block = std::array<uint8_t, 16>;

  Result<Bytes> DecodeFull(Bytes page) const;
  Result<Bytes> DecodeOld(Bytes page) const;
  Status Decrypt(Bytes& page, uint32_t key_version, size_t begin, size_t length) const;
  [[nodiscard]] bool IsOldChecksumRight(const Bytes& page, uint32_t expected) const;

  innodb::TablespaceFlags flags_;
  uint32_t space_id_;
  const PageKeys& keys_;
  uint32_t key_id_ = 0;
  bool is_encrypted_ = false;
  Block iv_{};
};

}  // namespace hbk::testing

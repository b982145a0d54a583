// Turns what is encrypted of a redo log into plain records.
//
// Framing and checksums are plain in every format, so a log can be split, copied and checked
// without this, and without a key.
//
// Format   docs/format/redo-log.md, "Encryption".
// Errors   kMissingKey: no key, or content that shows that it is another one; id and version are in
//          the message.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/crypto/cipher.h"
#include "hbk/crypto/key_source.h"
#include "hbk/redo/log_file.h"

namespace hbk::redo {

constexpr size_t kLogNonceBytes = 8;  // of each mini-transaction in an encrypted ring

class LogDecryptor {
 public:
  // Of an encrypted log; asks for its key. `keys` may be null: then there is none. It must outlive
  // the decryptor.
  static Result<LogDecryptor> Create(const LogFileHeader& header, crypto::KeySource* keys);

  // The body of an mtr of a ring. What is no record at all is left for RecordReader to refuse.
  Status DecryptBody(ByteView body, ByteView nonce, std::vector<uint8_t>& plain);

  // A block that was checked. `plain` has its size; header and payload are plain then, the rest
  // means nothing.
  Status DecryptBlock(ByteView block, Lsn block_lsn, MutableByteView plain);

  // For content that no server writes although its checksum is right.
  [[nodiscard]] Status WrongKey() const;

 private:
  LogDecryptor(const LogFileHeader& header, crypto::KeySource& keys)
      : encryption_(header.encryption), crypt_(header.crypt), keys_(&keys), mode_(keys.mode()) {}

  Result<crypto::Block> KeyOfVersion(uint32_t version);
  Status DecryptRecords(ByteView nonce, std::vector<uint8_t>& body);
  Status DecryptPayloads(ByteView nonce, std::vector<uint8_t>& body);

  LogEncryption encryption_;
  LogCrypt crypt_;
  crypto::KeySource* keys_;
  crypto::CipherMode mode_;
  crypto::Block key_{};                       // of crypt_.key_version
  std::map<uint32_t, crypto::Block> others_;  // of versions that blocks name
  std::vector<uint8_t> stream_;               // what is one stream of the cipher
};

}  // namespace hbk::redo

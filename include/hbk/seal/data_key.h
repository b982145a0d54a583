// The data key of a sealed backup, and what is derived from it.
//
// Each backup has a data key of its own, random, that never leaves memory but wrapped in key slots
// (key_slots.h). It encrypts nothing itself: each use has a key derived from it.
//
// Format   docs/format/sealed-files.md, "Keys".
// Errors   kFailed: OpenSSL refused, or the system has no random bytes.
// Threads  Values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/crypto/key_derivation.h"

namespace hbk::seal {

// Names a sealed file; random, so that no two files have the same.
constexpr size_t kFileIdBytes = 16;
using FileId = std::array<uint8_t, kFileIdBytes>;
Result<FileId> NewFileId();
// 32 hex digits, lower case, as manifests have it.
std::string FileIdText(const FileId& id);
// kCorruption: not such a text.
Result<FileId> ParseFileId(std::string_view text);

// Tells whether a file was sealed with this data key; says nothing of the key itself.
constexpr size_t kKeyCheckBytes = 16;
using KeyCheck = std::array<uint8_t, kKeyCheckBytes>;

class DataKey {
 public:
  static constexpr size_t kBytes = 32;

  // A new one.
  static Result<DataKey> Generate();
  // `bytes` are kBytes (checked).
  static Result<DataKey> FromBytes(Secret bytes);

  [[nodiscard]] const Secret& bytes() const { return bytes_; }
  [[nodiscard]] const KeyCheck& key_check() const { return key_check_; }

  // Encrypts the segments of the one file.
  [[nodiscard]] Result<Secret> FileKey(const FileId& id) const;
  // What only somebody with the data key can have written: the manifest, and the key slots.
  [[nodiscard]] Result<crypto::Mac> ManifestMac(ByteView manifest) const;
  [[nodiscard]] Result<crypto::Mac> KeySlotsMac(ByteView slots) const;
  // What a file is called in a backup whose names are sealed: 32 hex digits.
  [[nodiscard]] Result<std::string> SealedName(std::string_view name) const;

 private:
  explicit DataKey(Secret bytes) : bytes_(std::move(bytes)) {}

  Secret bytes_;
  KeyCheck key_check_{};
};

// 64 hex digits, lower case.
std::string MacText(const crypto::Mac& mac);
// Whether `text` is the code, in constant time.
bool IsMacText(const crypto::Mac& mac, std::string_view text);

}  // namespace hbk::seal

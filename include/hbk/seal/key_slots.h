// Key slots: the data key of a sealed backup, wrapped once for each key that may open it.
//
// Whoever has one of the sealing keys, a key or a passphrase, gets the data key. Slots are added
// and removed without touching the sealed files. A code of all slots, made with a key derived from
// the data key, tells whoever opens one of them that the others were changed or removed by somebody
// who could not.
//
// Format   hbk_keys.json: docs/format/key-slots.md.
// Memory   Opening a slot with a passphrase takes what its scrypt says, at most 512 MiB.
// Errors   kCorruption: no such file, damaged or changed. kMissingKey: none of the keys fits.
//          kUnsupported: a later version. kUsage: a label, or a slot, that cannot be.
// Threads  One at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/crypto/aead.h"
#include "hbk/crypto/key_derivation.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/data_key.h"

namespace hbk::seal {

constexpr std::string_view kKeySlotsFileName = "hbk_keys.json";
constexpr uint64_t kKeySlotsBytesMax = 64 * 1024;
constexpr size_t kKeySlotsMax = 64;

enum class SealingKeyKind : uint8_t { kKey, kPassphrase };
std::string_view SealingKeyKindName(SealingKeyKind kind);  // "key", "passphrase"

// What somebody gave to open backups with.
struct SealingKey {
  static constexpr size_t kKeyBytes = 32;  // of kKey

  SealingKeyKind kind = SealingKeyKind::kKey;
  Secret secret;
  std::string origin;  // for messages: "the key file /etc/backup.key"
  std::string label;   // of a slot for it, where nobody names another: "key file backup.key"
};

struct KeySlot {
  uint32_t id = 0;  // from 1
  std::string label;
  SealingKeyKind kind = SealingKeyKind::kKey;
  std::string created;             // UTC: "2026-01-31T20:03:11Z"
  std::array<uint8_t, 32> salt{};  // of this slot only
  crypto::ScryptCost scrypt;       // of a passphrase
  std::array<uint8_t, DataKey::kBytes + crypto::kAeadTagBytes> wrapped{};  // the data key
};

struct NewSlot {
  std::string label;  // at most 100 bytes of UTF-8, without control characters, '"' and '\'
  std::string created;
  crypto::ScryptCost scrypt;
};

class KeySlots {
 public:
  // Of a new backup: none yet.
  explicit KeySlots(const DataKey& data_key) : key_check_(data_key.key_check()) {}

  static Result<KeySlots> Parse(std::string_view text);
  // There is a slot (checked).
  [[nodiscard]] Result<std::string> Render(const DataKey& data_key) const;

  [[nodiscard]] const std::vector<KeySlot>& slots() const { return slots_; }

  struct Opened {
    DataKey data_key;
    uint32_t slot_id = 0;
    size_t key_index = 0;  // in what was given
  };
  // The first of `keys` that fits a slot; keys before passphrases, which take their time. Only for
  // what Parse() gave: its code is checked.
  [[nodiscard]] Result<Opened> Open(std::span<const SealingKey> keys) const;

  // `data_key` is that of the other slots (checked). The id of the new one.
  Result<uint32_t> Add(const DataKey& data_key, const SealingKey& key, const NewSlot& slot);
  // kUsage: there is none, or no other one. Whoever had the data key or an older copy of the file
  // can still read the backup.
  Status Remove(uint32_t id);

 private:
  explicit KeySlots(const KeyCheck& key_check) : key_check_(key_check) {}
  [[nodiscard]] Status Check(const DataKey& data_key) const;
  // All that the code is about.
  [[nodiscard]] std::string RenderSlots() const;

  KeyCheck key_check_;
  std::vector<KeySlot> slots_;
  std::string mac_;  // of Parse(): the code in the text
};

Status CheckSlotLabel(std::string_view label);

// Of a new backup: a slot for each key, labelled as the key is. There is a key (checked). Writes
// nothing yet.
Result<KeySlots> NewKeySlots(const DataKey& data_key, std::span<const SealingKey> keys,
                             const std::string& created);

// Of the backup there, as LoadKeySlots() and KeySlots::Open() give it.
Result<DataKey> OpenDataKey(io::FileSystem& fs, const std::string& backup_dir,
                            std::span<const SealingKey> keys);

// kNotFound: the backup is not sealed, or there is none.
Result<KeySlots> LoadKeySlots(io::FileSystem& fs, const std::string& backup_dir);
// Old or new, never less.
Status StoreKeySlots(io::FileSystem& fs, const std::string& backup_dir, const KeySlots& slots,
                     const DataKey& data_key);

}  // namespace hbk::seal

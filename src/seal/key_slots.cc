// What slots do. The text of the file is in key_slots_json.cc.
#include "hbk/seal/key_slots.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/check.h"

#include "key_slots_json.h"

namespace hbk::seal {
namespace {

constexpr uint32_t kFileMode = 0600;
constexpr std::string_view kKeyUse = "hbk key slot 1";
constexpr std::string_view kAssociatedPrefix = "hbk key slot 1\n";
// A wrapping key seals one text ever, as its salt is new with each slot.
constexpr crypto::Nonce kOnlyNonce{};

Result<std::unique_ptr<crypto::Aead>> WrappingCipher(const SealingKey& key, const KeySlot& slot) {
  Result<Secret> wrapping_key =
      slot.kind == SealingKeyKind::kKey
          ? crypto::DeriveKey(key.secret, slot.salt, kKeyUse, crypto::kAeadKeyBytes)
          : crypto::DeriveFromPassphrase(key.secret, slot.salt, slot.scrypt, crypto::kAeadKeyBytes);
  HBK_RETURN_IF_ERROR(wrapping_key.status());
  return crypto::Aead::Create(*wrapping_key);
}

// All of the slot but what is wrapped: nobody gives it another label or cost.
std::string AssociatedText(const KeySlot& slot) {
  return std::string(kAssociatedPrefix) + RenderSlot(slot, /*has_wrapped=*/false);
}

// kMissingKey: the key is not that of the slot.
Result<DataKey> Unwrap(const SealingKey& key, const KeySlot& slot) {
  HBK_ASSIGN_OR_RETURN(const std::unique_ptr<crypto::Aead> aead, WrappingCipher(key, slot));
  std::string bytes(DataKey::kBytes, '\0');
  const Status opened = aead->Open(kOnlyNonce, AsBytes(AssociatedText(slot)), slot.wrapped,
                                   {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  Secret data_key(std::move(bytes));  // wiped, whatever comes
  if (opened.code() == StatusCode::kCorruption) {
    return Status(StatusCode::kMissingKey, "the key does not fit");
  }
  HBK_RETURN_IF_ERROR(opened);
  return DataKey::FromBytes(std::move(data_key));
}

std::string Origins(std::span<const SealingKey> keys) {
  std::string text;
  for (const SealingKey& key : keys)
    text += (text.empty() ? "" : ", ") + key.origin;
  return text;
}

}  // namespace

std::string_view SealingKeyKindName(SealingKeyKind kind) {
  return kind == SealingKeyKind::kKey ? "key" : "passphrase";
}

Result<KeySlots::Opened> KeySlots::Open(std::span<const SealingKey> keys) const {
  for (const SealingKeyKind kind : {SealingKeyKind::kKey, SealingKeyKind::kPassphrase}) {
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].kind != kind) continue;
      for (const KeySlot& slot : slots_) {
        if (slot.kind != kind) continue;
        Result<DataKey> data_key = Unwrap(keys[i], slot);
        if (data_key.status().code() == StatusCode::kMissingKey) continue;
        HBK_RETURN_IF_ERROR(data_key.status());
        HBK_RETURN_IF_ERROR(Check(*data_key));
        return Opened{std::move(*data_key), slot.id, i};
      }
    }
  }
  if (keys.empty()) {
    return Status(StatusCode::kMissingKey, "the backup is sealed, and no key is given")
        .WithHint(
            "give one that opens it: --encrypt-key-file=FILE, --encrypt-passphrase, "
            "--encrypt-passphrase-file=FILE, --encrypt-key-command=COMMAND or HBK_ENCRYPT_KEY");
  }
  return Status(StatusCode::kMissingKey,
                fmt::format("{} opens none of the {} key slots of the backup", Origins(keys),
                            slots_.size()))
      .WithHint("hbk key list --target-dir=DIR shows what the slots are for");
}

Status KeySlots::Check(const DataKey& data_key) const {
  if (!crypto::IsEqual(data_key.key_check(), key_check_)) {
    return CorruptionError("a slot holds the data key of another backup");
  }
  HBK_ASSIGN_OR_RETURN(const crypto::Mac mac, data_key.KeySlotsMac(AsBytes(RenderSlots())));
  if (IsMacText(mac, mac_)) return OkStatus();
  return CorruptionError("slots were changed, added or removed by somebody without a key");
}

Result<uint32_t> KeySlots::Add(const DataKey& data_key, const SealingKey& key,
                               const NewSlot& new_slot) {
  HBK_CHECK(crypto::IsEqual(data_key.key_check(), key_check_));
  HBK_RETURN_IF_ERROR(CheckSlotLabel(new_slot.label));
  if (slots_.size() >= kKeySlotsMax) {
    return UsageError(
        fmt::format("the backup has {} key slots, and can have no more", slots_.size()));
  }
  KeySlot slot;
  slot.id = slots_.empty() ? 1 : std::ranges::max(slots_, {}, &KeySlot::id).id + 1;
  slot.label = new_slot.label;
  slot.kind = key.kind;
  slot.created = new_slot.created;
  if (slot.kind == SealingKeyKind::kPassphrase) slot.scrypt = new_slot.scrypt;
  HBK_RETURN_IF_ERROR(crypto::FillRandom(slot.salt));
  HBK_ASSIGN_OR_RETURN(const std::unique_ptr<crypto::Aead> aead, WrappingCipher(key, slot));
  HBK_RETURN_IF_ERROR(aead->Seal(kOnlyNonce, AsBytes(AssociatedText(slot)),
                                 AsBytes(data_key.bytes().Reveal()), slot.wrapped));
  slots_.push_back(slot);
  return slot.id;
}

Status KeySlots::Remove(uint32_t id) {
  const auto found = std::ranges::find(slots_, id, &KeySlot::id);
  if (found == slots_.end()) {
    return UsageError(fmt::format("there is no key slot {}", id))
        .WithHint("hbk key list --target-dir=DIR shows those that there are");
  }
  if (slots_.size() == 1) {
    return UsageError(fmt::format("key slot {} is the only one: nobody could read the backup", id))
        .WithHint("add another key first; to destroy the backup, remove its directory");
  }
  slots_.erase(found);
  return OkStatus();
}

Result<KeySlots> NewKeySlots(const DataKey& data_key, std::span<const SealingKey> keys,
                             const std::string& created) {
  HBK_CHECK(!keys.empty());
  KeySlots slots(data_key);
  for (const SealingKey& key : keys)
    HBK_RETURN_IF_ERROR(slots.Add(data_key, key, {key.label, created, {}}).status());
  return slots;
}

Result<DataKey> OpenDataKey(io::FileSystem& fs, const std::string& backup_dir,
                            std::span<const SealingKey> keys) {
  HBK_ASSIGN_OR_RETURN(const KeySlots slots, LoadKeySlots(fs, backup_dir));
  Result<KeySlots::Opened> opened = slots.Open(keys);
  if (!opened.ok()) {
    return opened.status().WithContext(io::JoinPath(backup_dir, kKeySlotsFileName));
  }
  return std::move(opened->data_key);
}

Result<KeySlots> LoadKeySlots(io::FileSystem& fs, const std::string& backup_dir) {
  const std::string path = io::JoinPath(backup_dir, kKeySlotsFileName);
  HBK_ASSIGN_OR_RETURN(const std::string text, io::ReadFile(fs, path, kKeySlotsBytesMax));
  Result<KeySlots> slots = KeySlots::Parse(text);
  if (!slots.ok()) return slots.status().WithContext(path);
  return slots;
}

Status StoreKeySlots(io::FileSystem& fs, const std::string& backup_dir, const KeySlots& slots,
                     const DataKey& data_key) {
  HBK_ASSIGN_OR_RETURN(const std::string text, slots.Render(data_key));
  return io::WriteFileAtomically(fs, io::JoinPath(backup_dir, kKeySlotsFileName), text, kFileMode);
}

}  // namespace hbk::seal

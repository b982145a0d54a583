// The text of key slots, and back.
#include "key_slots_json.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"

#include "hex.h"

namespace hbk::seal {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kFormatVersion = 1;
constexpr std::string_view kCipher = "aes-256-gcm";
constexpr size_t kLabelBytesMax = 100;
constexpr std::string_view kTimePattern = "dddd-dd-ddTdd:dd:ddZ";

Status Bad(std::string_view member, std::string_view why) {
  return CorruptionError(fmt::format("member '{}' {}", member, why));
}

bool IsTime(std::string_view text) {
  return std::ranges::equal(text, kTimePattern, [](char c, char pattern) {
    return pattern == 'd' ? c >= '0' && c <= '9' : c == pattern;
  });
}

std::string MacLine(std::string_view mac) {
  return fmt::format("  \"mac\": \"{}\",\n", mac);
}

std::string CrcLine(std::string_view text_before) {
  return fmt::format("  \"crc32c\": \"{:08x}\"\n}}\n", Crc32c(AsBytes(text_before)));
}

// Members of one object; the first error is kept. What is there beside them is found by the
// comparison with the text that would have been written.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string_view what) : json_(json) {
    if (!json.is_object()) Fail(what, "is no object");
  }

  void Text(const char* name, std::string& out) {
    const Json* member = Find(name);
    if (member == nullptr) return;
    if (!member->is_string()) return Fail(name, "is no string");
    out = member->get<std::string>();
  }

  template <typename Integer>
  void Number(const char* name, Integer& out) {
    const Json* member = Find(name);
    if (member == nullptr) return;
    if (!member->is_number_unsigned()) return Fail(name, "is no whole number");
    const auto value = member->get<uint64_t>();
    if (value > std::numeric_limits<Integer>::max()) return Fail(name, "is too large");
    out = static_cast<Integer>(value);
  }

  void Bytes(const char* name, MutableByteView out) {
    std::string text;
    Text(name, text);
    if (status_.ok() && !FromHex(text, out)) {
      Fail(name, fmt::format("is no {} hex digits", 2 * out.size()));
    }
  }

  const Json* Find(const char* name) {
    if (!status_.ok()) return nullptr;
    const auto it = json_.find(name);
    if (it != json_.end()) return &*it;
    Fail(name, "is missing");
    return nullptr;
  }

  void Fail(std::string_view name, std::string_view why) {
    if (status_.ok()) status_ = Bad(name, why);
  }

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  const Json& json_;
  Status status_;
};

Result<KeySlot> ParseSlot(const Json& json) {
  KeySlot slot;
  ObjectReader reader(json, "slot");
  std::string kind;
  reader.Number("id", slot.id);
  reader.Text("label", slot.label);
  reader.Text("kind", kind);
  reader.Text("created", slot.created);
  reader.Bytes("salt", slot.salt);
  if (kind == SealingKeyKindName(SealingKeyKind::kPassphrase)) {
    slot.kind = SealingKeyKind::kPassphrase;
    reader.Number("scrypt_n", slot.scrypt.n);
    reader.Number("scrypt_r", slot.scrypt.r);
    reader.Number("scrypt_p", slot.scrypt.p);
  } else if (kind != SealingKeyKindName(SealingKeyKind::kKey)) {
    reader.Fail("kind", fmt::format("is '{}'", kind));
  }
  reader.Bytes("wrapped", slot.wrapped);
  HBK_RETURN_IF_ERROR(reader.status());
  if (slot.id == 0) return Bad("id", "is 0");
  if (!CheckSlotLabel(slot.label).ok()) return Bad("label", "is none");
  if (!IsTime(slot.created)) return Bad("created", "is no time");
  if (!crypto::IsPermitted(slot.scrypt)) {
    return CorruptionError(
        fmt::format("scrypt with n {}, r {}, p {}: such slots are not made, and would take too "
                    "much memory or time",
                    slot.scrypt.n, slot.scrypt.r, slot.scrypt.p));
  }
  return slot;
}

Status ParseSlots(const Json& array, std::vector<KeySlot>& slots) {
  if (!array.is_array()) return Bad("slots", "is no array");
  if (array.empty() || array.size() > kKeySlotsMax) {
    return Bad("slots", fmt::format("has {} elements", array.size()));
  }
  std::set<uint32_t> ids;
  for (const Json& element : array) {
    Result<KeySlot> slot = ParseSlot(element);
    if (!slot.ok()) return slot.status().WithContext(fmt::format("slot {}", slots.size() + 1));
    if (!ids.insert(slot->id).second) return Bad("slots", fmt::format("has {} twice", slot->id));
    slots.push_back(std::move(*slot));
  }
  return OkStatus();
}

}  // namespace

Status CheckSlotLabel(std::string_view label) {
  const auto is_forbidden = [](char c) {
    return (c >= 0 && c < ' ') || c == 0x7F || c == '"' || c == '\\';
  };
  if (label.empty() || label.size() > kLabelBytesMax) {
    return UsageError(fmt::format("a label has 1 to {} bytes", kLabelBytesMax));
  }
  // The parser knows what UTF-8 is.
  if (std::ranges::any_of(label, is_forbidden) || !Json::accept(fmt::format("\"{}\"", label))) {
    return UsageError("a label is UTF-8 without control characters, quotes and backslashes");
  }
  // U+0080 to U+009F control some terminals.
  for (size_t i = 0; i + 1 < label.size(); ++i) {
    if (label[i] == '\xC2' && static_cast<uint8_t>(label[i + 1]) < 0xA0) {
      return UsageError("a label has no control characters");
    }
  }
  return OkStatus();
}

std::string RenderSlot(const KeySlot& slot, bool has_wrapped) {
  Json json;
  json["id"] = slot.id;
  json["label"] = slot.label;
  json["kind"] = SealingKeyKindName(slot.kind);
  json["created"] = slot.created;
  json["salt"] = ToHex(slot.salt);
  if (slot.kind == SealingKeyKind::kPassphrase) {
    json["scrypt_n"] = slot.scrypt.n;
    json["scrypt_r"] = slot.scrypt.r;
    json["scrypt_p"] = slot.scrypt.p;
  }
  if (has_wrapped) json["wrapped"] = ToHex(slot.wrapped);
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string KeySlots::RenderSlots() const {
  std::string text = fmt::format(
      "{{\n  \"format_version\": {},\n  \"cipher\": \"{}\",\n  \"key_check\": \"{}\",\n"
      "  \"slots\": [",
      kFormatVersion, kCipher, ToHex(key_check_));
  for (size_t i = 0; i < slots_.size(); ++i)
    text += fmt::format("{}\n    {}", i == 0 ? "" : ",", RenderSlot(slots_[i], true));
  return text + "\n  ],\n";
}

Result<std::string> KeySlots::Render(const DataKey& data_key) const {
  HBK_CHECK(!slots_.empty() && crypto::IsEqual(data_key.key_check(), key_check_));
  std::string text = RenderSlots();
  HBK_ASSIGN_OR_RETURN(const crypto::Mac mac, data_key.KeySlotsMac(AsBytes(text)));
  text += MacLine(MacText(mac));
  return text + CrcLine(text);
}

Result<KeySlots> KeySlots::Parse(std::string_view text) {
  if (text.size() > kKeySlotsBytesMax) return CorruptionError("larger than any such file is");
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return CorruptionError("no JSON: damaged or cut off");
  ObjectReader reader(json, "document");
  uint64_t version = 0;
  reader.Number("format_version", version);
  HBK_RETURN_IF_ERROR(reader.status());
  // Bytes first: a damaged version is no other version.
  const size_t crc_size = CrcLine("").size();
  if (text.size() < crc_size ||
      CrcLine(text.substr(0, text.size() - crc_size)) != text.substr(text.size() - crc_size)) {
    return CorruptionError("damaged: its checksum does not fit");
  }
  if (version != kFormatVersion) {
    return UnsupportedError(
               fmt::format("format version {}; this hbk knows {}", version, kFormatVersion))
        .WithHint("use the hbk version that made the backup, or a newer one");
  }
  std::string cipher;
  KeyCheck key_check{};
  crypto::Mac mac{};
  reader.Text("cipher", cipher);
  reader.Bytes("key_check", key_check);
  reader.Bytes("mac", mac);
  const Json* array = reader.Find("slots");
  HBK_RETURN_IF_ERROR(reader.status());
  if (cipher != kCipher) return UnsupportedError(fmt::format("cipher '{}'", cipher));
  KeySlots slots(key_check);
  HBK_RETURN_IF_ERROR(ParseSlots(*array, slots.slots_));
  slots.mac_ = MacText(mac);
  // Nothing else, nothing twice, nothing in another form: the code is about these bytes.
  std::string canonical = slots.RenderSlots() + MacLine(slots.mac_);
  canonical += CrcLine(canonical);
  if (canonical != text) return CorruptionError("it is not as hbk writes it");
  return slots;
}

}  // namespace hbk::seal

// Key slots and keys: any bytes are slots in the one form that they have, or are refused; a key has
// 32 bytes, or is refused without being shown.
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/seal/key_slots.h"
#include "hbk/seal/sealing_keys.h"

namespace {

using hbk::StatusCode;

void CheckSlots(std::string_view text) {
  const auto slots = hbk::seal::KeySlots::Parse(text);
  if (!slots.ok()) {
    const StatusCode code = slots.status().code();
    HBK_CHECK(code == StatusCode::kCorruption || code == StatusCode::kUnsupported);
    return;
  }
  HBK_CHECK(!slots->slots().empty() && slots->slots().size() <= hbk::seal::kKeySlotsMax);
  for (const hbk::seal::KeySlot& slot : slots->slots()) {
    HBK_CHECK(slot.id != 0 && hbk::crypto::IsPermitted(slot.scrypt));
    HBK_CHECK(hbk::seal::CheckSlotLabel(slot.label).ok());
  }
  // Not a passphrase: scrypt would take all the time.
  const hbk::seal::SealingKey key{hbk::seal::SealingKeyKind::kKey,
                                  hbk::Secret(std::string(32, 'k')), "key", ""};
  const auto opened = slots->Open({&key, 1});
  if (opened.ok()) {
    HBK_CHECK(slots->Render(opened->data_key).value() == text);
    return;
  }
  const StatusCode code = opened.status().code();
  HBK_CHECK(code == StatusCode::kMissingKey || code == StatusCode::kCorruption);
}

void CheckKey(std::string_view text) {
  const auto key = hbk::seal::ParseSealingKey(text);
  if (key.ok()) {
    HBK_CHECK(key->Reveal().size() == hbk::seal::SealingKey::kKeyBytes);
  } else {
    HBK_CHECK(key.status().code() == StatusCode::kMissingKey);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(hbk::AsText({data, size}));
  CheckSlots(text);
  CheckKey(text);
  // With the checksum made right, so that what is behind it is reached.
  constexpr std::string_view kCrcMember = "  \"crc32c\": \"";
  const size_t crc = text.rfind(kCrcMember);
  if (crc == std::string::npos || text.size() < crc + kCrcMember.size() + 8) return 0;
  text.replace(crc + kCrcMember.size(), 8,
               fmt::format("{:08x}", hbk::Crc32c(hbk::AsBytes(text).first(crc))));
  CheckSlots(text);
  return 0;
}

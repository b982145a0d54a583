#include "hbk/seal/data_key.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/check.h"

#include "hex.h"

namespace hbk::seal {
namespace {

constexpr std::string_view kFileKeyUse = "hbk sealed file 1";
constexpr std::string_view kKeyCheckUse = "hbk key check 1";
constexpr std::string_view kManifestUse = "hbk manifest mac 1";
constexpr std::string_view kKeySlotsUse = "hbk key slots mac 1";
constexpr std::string_view kNameUse = "hbk file name 1";
constexpr size_t kSealedNameBytes = 16;

Result<crypto::Mac> MacOf(const Secret& data_key, std::string_view use, ByteView message) {
  HBK_ASSIGN_OR_RETURN(const Secret key, crypto::DeriveKey(data_key, {}, use, crypto::kMacBytes));
  return crypto::HmacSha256(key, message);
}

}  // namespace

Result<FileId> NewFileId() {
  FileId id{};
  HBK_RETURN_IF_ERROR(crypto::FillRandom(id));
  return id;
}

std::string FileIdText(const FileId& id) {
  return ToHex(id);
}

Result<FileId> ParseFileId(std::string_view text) {
  FileId id{};
  if (!FromHex(text, id))
    return CorruptionError(fmt::format("'{}' is no id of a sealed file", text));
  return id;
}

Result<DataKey> DataKey::Generate() {
  HBK_ASSIGN_OR_RETURN(Secret bytes, crypto::RandomKey(kBytes));
  return FromBytes(std::move(bytes));
}

Result<DataKey> DataKey::FromBytes(Secret bytes) {
  HBK_CHECK(bytes.Reveal().size() == kBytes);
  DataKey key(std::move(bytes));
  HBK_ASSIGN_OR_RETURN(const Secret check,
                       crypto::DeriveKey(key.bytes_, {}, kKeyCheckUse, kKeyCheckBytes));
  std::ranges::copy(AsBytes(check.Reveal()), key.key_check_.begin());
  return key;
}

Result<Secret> DataKey::FileKey(const FileId& id) const {
  return crypto::DeriveKey(bytes_, id, kFileKeyUse, kBytes);
}

Result<crypto::Mac> DataKey::ManifestMac(ByteView manifest) const {
  return MacOf(bytes_, kManifestUse, manifest);
}

Result<crypto::Mac> DataKey::KeySlotsMac(ByteView slots) const {
  return MacOf(bytes_, kKeySlotsUse, slots);
}

Result<std::string> DataKey::SealedName(std::string_view name) const {
  HBK_ASSIGN_OR_RETURN(const crypto::Mac mac, MacOf(bytes_, kNameUse, AsBytes(name)));
  return ToHex(ByteView(mac).first(kSealedNameBytes));
}

std::string MacText(const crypto::Mac& mac) {
  return ToHex(mac);
}

bool IsMacText(const crypto::Mac& mac, std::string_view text) {
  return crypto::IsEqual(AsBytes(MacText(mac)), AsBytes(text));
}

}  // namespace hbk::seal

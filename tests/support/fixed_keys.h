// A key source with keys that a test gives it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "hbk/crypto/key_source.h"

namespace hbk::testing {

class FixedKeys final : public crypto::KeySource {
 public:
  explicit FixedKeys(crypto::CipherMode mode = crypto::CipherMode::kCbc) : mode_(mode) {}

  // A key of 16 bytes that no other id and version has.
  FixedKeys& Add(uint32_t id, uint32_t version) {
    std::string key(crypto::kBlockBytes, static_cast<char>('A' + id));
    key[0] = static_cast<char>(version);
    return Add(id, version, key);
  }
  FixedKeys& Add(uint32_t id, uint32_t version, std::string key) {
    keys_.insert_or_assign({id, version}, std::move(key));
    return *this;
  }

  Result<Secret> GetKey(uint32_t id, uint32_t version) override {
    ++asked_[{id, version}];
    const auto key = keys_.find({id, version});
    if (key != keys_.end()) return Secret(key->second);
    return Status(StatusCode::kMissingKey,
                  "there is no key " + std::to_string(id) + " version " + std::to_string(version));
  }
  Result<uint32_t> NewestVersion(uint32_t id) override {
    const auto after = keys_.upper_bound({id, UINT32_MAX});
    if (after != keys_.begin() && std::prev(after)->first.first == id)
      return std::prev(after)->first.second;
    return Status(StatusCode::kMissingKey, "there is no key " + std::to_string(id));
  }
  [[nodiscard]] crypto::CipherMode mode() const override { return mode_; }

  // How often each key was wanted. Not for tests with threads.
  [[nodiscard]] const std::map<std::pair<uint32_t, uint32_t>, int>& asked() const { return asked_; }

 private:
  const crypto::CipherMode mode_;
  std::map<std::pair<uint32_t, uint32_t>, std::string> keys_;
  std::map<std::pair<uint32_t, uint32_t>, int> asked_;
};

}  // namespace hbk::testing

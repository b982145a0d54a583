// One place that keys are fetched from, and the cache in front of it.
//
// Threads  A fetcher is asked by any number of threads at a time, but by one at a time for the same
//          key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/crypto/key_source.h"

namespace hbk::keys {

struct VersionedKey {
  uint32_t version = 0;
  Secret key;
};

class KeyFetcher {
 public:
  KeyFetcher() = default;
  virtual ~KeyFetcher() = default;
  KeyFetcher(const KeyFetcher&) = delete;
  KeyFetcher& operator=(const KeyFetcher&) = delete;

  // Messages need not name the key: the cache does.
  virtual Result<Secret> Fetch(uint32_t id, uint32_t version) = 0;
  virtual Result<VersionedKey> FetchNewest(uint32_t id) = 0;
};

// Asks `fetcher` once for each key; what is missing stays missing.
std::unique_ptr<crypto::KeySource> CacheKeys(std::unique_ptr<KeyFetcher> fetcher,
                                             crypto::CipherMode mode);

}  // namespace hbk::keys

#include "key_fetcher.h"

#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/mutex.h"

namespace hbk::keys {
namespace {

// Answers by name; a name that is being asked for makes others wait, without a lock over the
// asking.
template <typename Name, typename Answer>
class AskOnce {
 public:
  template <typename Ask>
  Result<Answer> Get(const Name& name, Ask ask) HBK_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      while (true) {
        const auto [slot, is_new] = slots_.try_emplace(name);
        if (is_new) break;
        if (slot->second) return *slot->second;
        answered_.Wait(mutex_);
      }
    }
    Result<Answer> answer = ask();
    const MutexLock lock(mutex_);
    if (answer.ok() || answer.status().code() == StatusCode::kMissingKey) {
      slots_[name] = answer;
    } else {
      slots_.erase(name);  // the next one may have more luck
    }
    answered_.NotifyAll();
    return answer;
  }

  // An answer that came by itself.
  void Put(const Name& name, const Answer& answer) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    slots_.try_emplace(name, answer);
  }

 private:
  Mutex mutex_;
  CondVar answered_;
  // Empty: somebody is asking.
  std::map<Name, std::optional<Result<Answer>>> slots_ HBK_GUARDED_BY(mutex_);
};

class CachedKeySource final : public crypto::KeySource {
 public:
  CachedKeySource(std::unique_ptr<KeyFetcher> fetcher, crypto::CipherMode mode)
      : fetcher_(std::move(fetcher)), mode_(mode) {}

  Result<Secret> GetKey(uint32_t id, uint32_t version) override {
    return keys_.Get({id, version}, [&]() -> Result<Secret> {
      Result<Secret> key = fetcher_->Fetch(id, version);
      if (key.ok()) return key;
      return key.status().WithContext(fmt::format("encryption key {} version {}", id, version));
    });
  }

  Result<uint32_t> NewestVersion(uint32_t id) override {
    return newest_.Get(id, [&]() -> Result<uint32_t> {
      const Result<VersionedKey> key = fetcher_->FetchNewest(id);
      if (!key.ok()) {
        return key.status().WithContext(fmt::format("encryption key {}, newest version", id));
      }
      keys_.Put({id, key->version}, key->key);
      return key->version;
    });
  }

  [[nodiscard]] crypto::CipherMode mode() const override { return mode_; }

 private:
  const std::unique_ptr<KeyFetcher> fetcher_;
  const crypto::CipherMode mode_;
  AskOnce<std::pair<uint32_t, uint32_t>, Secret> keys_;
  AskOnce<uint32_t, uint32_t> newest_;
};

}  // namespace

std::unique_ptr<crypto::KeySource> CacheKeys(std::unique_ptr<KeyFetcher> fetcher,
                                             crypto::CipherMode mode) {
  return std::make_unique<CachedKeySource>(std::move(fetcher), mode);
}

}  // namespace hbk::keys

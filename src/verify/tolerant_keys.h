// Keys for a run that does without them where there are none: a backup is also verified on machines
// that its server's keys never reach.
//
// Whatever is wrong with the source is kMissingKey, and kept as text.
//
// Threads  As crypto::KeySource.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hbk/base/mutex.h"
#include "hbk/crypto/key_source.h"

namespace hbk::verify {

class TolerantKeys final : public crypto::KeySource {
 public:
  explicit TolerantKeys(std::unique_ptr<crypto::KeySource> source) : source_(std::move(source)) {}

  Result<Secret> GetKey(uint32_t id, uint32_t version) override;
  Result<uint32_t> NewestVersion(uint32_t id) override;
  [[nodiscard]] crypto::CipherMode mode() const override { return source_->mode(); }

  // The first thing that was wrong; empty if nothing was.
  [[nodiscard]] std::string problem() const HBK_EXCLUDES(mutex_);

 private:
  Status Soften(const Status& status) HBK_EXCLUDES(mutex_);

  const std::unique_ptr<crypto::KeySource> source_;
  mutable Mutex mutex_;
  std::string problem_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::verify

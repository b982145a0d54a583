#include "tolerant_keys.h"

namespace hbk::verify {

Status TolerantKeys::Soften(const Status& status) {
  if (status.ok() || status.code() == StatusCode::kInterrupted) return status;
  const MutexLock lock(mutex_);
  if (problem_.empty()) problem_ = status.message();
  return {StatusCode::kMissingKey, status.message()};
}

Result<Secret> TolerantKeys::GetKey(uint32_t id, uint32_t version) {
  auto key = source_->GetKey(id, version);
  if (key.ok()) return key;
  return Soften(key.status());
}

Result<uint32_t> TolerantKeys::NewestVersion(uint32_t id) {
  auto version = source_->NewestVersion(id);
  if (version.ok()) return version;
  return Soften(version.status());
}

std::string TolerantKeys::problem() const {
  const MutexLock lock(mutex_);
  return problem_;
}

}  // namespace hbk::verify

#include "hbk/base/status.h"

#include <cerrno>
#include <system_error>

namespace hbk {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "ok";
    case StatusCode::kFailed: return "failed";
    case StatusCode::kUsage: return "usage";
    case StatusCode::kNotFound: return "not-found";
    case StatusCode::kAlreadyExists: return "already-exists";
    case StatusCode::kMissingPrivilege: return "missing-privilege";
    case StatusCode::kNoSpace: return "no-space";
    case StatusCode::kCannotConnect: return "cannot-connect";
    case StatusCode::kConnectionLost: return "connection-lost";
    case StatusCode::kLockWaitTimeout: return "lock-wait-timeout";
    case StatusCode::kRedoOverrun: return "redo-overrun";
    case StatusCode::kUnsupported: return "unsupported";
    case StatusCode::kChainBroken: return "chain-broken";
    case StatusCode::kCorruption: return "corruption";
    case StatusCode::kTargetInUse: return "target-in-use";
    case StatusCode::kMissingKey: return "missing-key";
    case StatusCode::kDrillFailed: return "drill-failed";
    case StatusCode::kInterrupted: return "interrupted";
  }
  return "unknown";
}

Status Status::WithContext(std::string_view what) const {
  if (ok()) return *this;
  Status outer = *this;
  outer.message_ = std::string(what) + ": " + message_;
  return outer;
}

Status Status::WithHint(std::string_view hint) const {
  if (ok() || !hint_.empty()) return *this;
  Status advised = *this;
  advised.hint_ = hint;
  return advised;
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  std::string text(StatusCodeName(code_));
  text += ": " + message_;
  if (!hint_.empty()) text += " (hint: " + hint_ + ")";
  return text;
}

Status ErrnoStatus(int error_number, std::string_view what) {
  const std::string message =
      std::string(what) + ": " + std::generic_category().message(error_number);
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return {StatusCode::kNoSpace, message};
    case ENOENT: return {StatusCode::kNotFound, message};
    case EEXIST: return {StatusCode::kAlreadyExists, message};
    case EACCES:
    case EPERM: return {StatusCode::kMissingPrivilege, message};
    default: return {StatusCode::kFailed, message};
  }
}

}  // namespace hbk

// Status and Result<T>: how every function of hbk says that it failed.
//
// A StatusCode exists where somebody reacts to it: a caller that goes on differently, or the exit
// code of the program (src/cli/exit_code.cc). The message says what was being done, from outside
// in, lower case and without a full stop; advice to the user goes into the hint.
//
// Threads  A Status is a value; share it as you would share a std::string.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "hbk/base/check.h"

namespace hbk {

enum class StatusCode {
  kOk,
  kFailed,            // anything nobody reacts to in particular
  kUsage,             // the command line or an option file is wrong
  kNotFound,          // a file that may be missing is missing
  kAlreadyExists,     // a file that must not exist is there
  kMissingPrivilege,  // an SQL or file right is missing
  kNoSpace,           // target full, or too small for what is to come
  kCannotConnect,     // no server, or the login was refused
  kConnectionLost,    // the session ended while a backup was running
  kLockWaitTimeout,   // a BACKUP STAGE was not granted in time
  kRedoOverrun,       // the server overwrote redo before it was read
  kUnsupported,       // version, format or feature that this build cannot do
  kChainBroken,       // a parent backup is missing or does not fit
  kCorruption,        // bytes that no server wrote
  kTargetInUse,       // target not empty, or a server runs on it
  kMissingKey,        // an encryption key is missing or wrong
  kDrillFailed,       // a backup could not be shown to be restorable
  kInterrupted,       // SIGINT or SIGTERM
};

// Stable lower-case name, e.g. "no-space"; used in JSON output.
std::string_view StatusCodeName(StatusCode code);

class [[nodiscard("a Status that is not looked at hides a failure")]] Status {
 public:
  Status() = default;  // ok
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {
    HBK_CHECK(code != StatusCode::kOk);
  }

  [[nodiscard]] bool ok() const {
    return code_ == StatusCode::kOk;
  }
  [[nodiscard]] StatusCode code() const {
    return code_;
  }
  [[nodiscard]] const std::string& message() const {
    return message_;
  }
  [[nodiscard]] const std::string& hint() const {
    return hint_;
  }

  // Puts what was being done in front: "copying ./a/b.ibd: <message>". No effect on ok.
  [[nodiscard]] Status WithContext(std::string_view what) const;
  // Sets the advice, unless an inner layer, which knew more, has set one. No effect on ok.
  [[nodiscard]] Status WithHint(std::string_view hint) const;

  [[nodiscard]] std::string ToString()
      const;  // "corruption: message (hint: ...)", for tests and logs

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string hint_;
};

inline Status OkStatus() {
  return {};
}

// Status of a failed system call: "<what>: <strerror>", kNoSpace for ENOSPC and EDQUOT, kNotFound
// for ENOENT, kAlreadyExists for EEXIST, kMissingPrivilege for EACCES and EPERM, else kFailed.
Status ErrnoStatus(int error_number, std::string_view what);

inline Status FailedError(std::string message) {
  return {StatusCode::kFailed, std::move(message)};
}
inline Status UsageError(std::string message) {
  return {StatusCode::kUsage, std::move(message)};
}
inline Status CorruptionError(std::string message) {
  return {StatusCode::kCorruption, std::move(message)};
}
inline Status UnsupportedError(std::string message) {
  return {StatusCode::kUnsupported, std::move(message)};
}
inline Status NotFoundError(std::string message) {
  return {StatusCode::kNotFound, std::move(message)};
}
inline Status InterruptedError() {
  return {StatusCode::kInterrupted, "interrupted"};
}

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard("a Result that is not looked at hides a failure")]] Result {
 public:
  // Implicit on purpose: `return value;` and `return status;` both read well.
  Result(T value) : state_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    HBK_CHECK(!std::get<Status>(state_).ok());
  }

  [[nodiscard]] bool ok() const {
    return std::holds_alternative<T>(state_);
  }
  [[nodiscard]] Status status() const {
    return ok() ? Status() : std::get<Status>(state_);
  }

  [[nodiscard]] T& value()& {
    HBK_CHECK(ok());
    return std::get<T>(state_);
  }
  [[nodiscard]] const T& value() const& {
    HBK_CHECK(ok());
    return std::get<T>(state_);
  }
  [[nodiscard]] T&& value()&& {
    HBK_CHECK(ok());
    return std::move(std::get<T>(state_));
  }
  T& operator*()& {
    return value();
  }
  const T& operator*() const& {
    return value();
  }
  T* operator->() {
    return &value();
  }
  const T* operator->() const {
    return &value();
  }

 private:
  std::variant<T, Status> state_;
};

}  // namespace hbk

#define HBK_CONCAT_INNER(a, b) a##b
#define HBK_CONCAT(a, b) HBK_CONCAT_INNER(a, b)

// Leaves the function with the Status of `expression` unless it is ok.
#define HBK_RETURN_IF_ERROR(expression)                  \
  do {                                                   \
    ::hbk::Status hbk_status_or_ok = (expression);       \
    if (!hbk_status_or_ok.ok()) return hbk_status_or_ok; \
  } while (false)

// HBK_ASSIGN_OR_RETURN(auto x, F()): the value of F(), or leaves the function with its Status.
#define HBK_ASSIGN_OR_RETURN(target, expression) \
  HBK_ASSIGN_OR_RETURN_INNER(HBK_CONCAT(hbk_result_, __LINE__), target, expression)
#define HBK_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                  \
  if (!result.ok()) return result.status();                    \
  target = std::move(result).value()

// HBK_CHECK: our own assumptions, checked in release builds too.
//
// For what only a defect of hbk can break. Input from disk, server or user is never checked with
// it: that is a Status.
#pragma once

namespace hbk {

// Prints file, line and condition to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace hbk

#define HBK_CHECK(condition)                              \
  do {                                                    \
    if (!(condition)) [[unlikely]]                        \
      ::hbk::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

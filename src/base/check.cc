#include "hbk/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hbk {

void CheckFailed(const char* file, int line, const char* condition) {
  (void)std::fprintf(stderr, "hbk: internal error: %s:%d: check failed: %s\n", file, line,
                     condition);
  std::abort();
}

}  // namespace hbk

#include "urgency.h"

#include <cerrno>

#include <sys/resource.h>
#include <unistd.h>

namespace hbk::backup {

namespace {

constexpr int kUrgentNice = -10;

// To these calls the id of a thread is that of a process.
id_t ThisThread() {
  return static_cast<id_t>(gettid());
}

}  // namespace

Urgency::Urgency() {
  errno = 0;
  nice_before_ = getpriority(PRIO_PROCESS, ThisThread());
  if (errno != 0 || nice_before_ <= kUrgentNice) return;
  is_granted_ = setpriority(PRIO_PROCESS, ThisThread(), kUrgentNice) == 0;
}

Urgency::~Urgency() {
  if (is_granted_) (void)setpriority(PRIO_PROCESS, ThisThread(), nice_before_);
}

}  // namespace hbk::backup

// A clock of the wall that jumps: loaded into a program with LD_PRELOAD.
//
// HBK_CLOCK_JUMP=SECONDS  how far it jumps, forth or back
// HBK_CLOCK_EVERY=N       at each N-th time that it is read; then back to what it was, and so on
//
// Clocks that cannot be set stay as they are: whoever measures spans with them sees nothing.

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include <sys/time.h>

#include <dlfcn.h>
#include <time.h>  // NOLINT: these very functions are defined here

namespace {

int64_t NumberOf(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoll(text, nullptr, 10);
}

int64_t Offset() {
  static const int64_t jump = NumberOf("HBK_CLOCK_JUMP", 0);
  static const int64_t every = NumberOf("HBK_CLOCK_EVERY", 1);
  static std::atomic<int64_t> count = 0;
  return (++count / every) % 2 == 0 ? 0 : jump;
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t id, struct timespec* now) {
  static const auto next = Next<int (*)(clockid_t, struct timespec*)>("clock_gettime");
  const int result = next(id, now);
  if (result == 0 && id == CLOCK_REALTIME) now->tv_sec += Offset();
  return result;
}

int gettimeofday(struct timeval* now, void* zone) {
  static const auto next = Next<int (*)(struct timeval*, void*)>("gettimeofday");
  const int result = next(now, zone);
  if (result == 0) now->tv_sec += Offset();
  return result;
}

time_t time(time_t* out) {
  static const auto next = Next<time_t (*)(time_t*)>("time");
  const time_t now = next(nullptr) + Offset();
  if (out != nullptr) *out = now;
  return now;
}

}  // extern "C"

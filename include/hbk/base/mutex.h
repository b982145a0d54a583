// A mutex that clang's -Wthread-safety understands, and a condition variable for it.
//
// Every field that a mutex guards says so with HBK_GUARDED_BY; no lock is held over I/O or SQL.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HBK_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define HBK_THREAD_ANNOTATION(x)
#endif

#define HBK_CAPABILITY(x) HBK_THREAD_ANNOTATION(capability(x))
#define HBK_SCOPED_CAPABILITY HBK_THREAD_ANNOTATION(scoped_lockable)
#define HBK_GUARDED_BY(x) HBK_THREAD_ANNOTATION(guarded_by(x))
#define HBK_REQUIRES(...) HBK_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define HBK_ACQUIRE(...) HBK_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define HBK_RELEASE(...) HBK_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define HBK_EXCLUDES(...) HBK_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace hbk {

class HBK_CAPABILITY("mutex") Mutex {
 public:
  void lock() HBK_ACQUIRE() { mutex_.lock(); }
  void unlock() HBK_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class HBK_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HBK_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() HBK_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with a hbk::Mutex. The caller re-checks its condition in a loop, as always.
class CondVar {
 public:
  void Wait(Mutex& mutex) HBK_REQUIRES(mutex) { condition_.wait(mutex); }
  template <typename Duration>
  void WaitFor(Mutex& mutex, Duration duration) HBK_REQUIRES(mutex) {
    condition_.wait_for(mutex, duration);
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace hbk

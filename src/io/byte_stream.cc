#include "hbk/io/byte_stream.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace hbk::io {
namespace {

constexpr int kPollMilliseconds = 200;
constexpr size_t kTransferBytesMax = 1 << 20;
// As much as a user may have. With the 64 KiB of the kernel both ends would wait for each other all
// the time.
constexpr int kPipeBytes = 1 << 20;

bool IsPipe(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

bool IsFile(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

// Another description of the same pipe, which does not block: the flag of the one that was
// inherited would be everybody's who shares it. -1: that cannot be had.
int ReopenWithoutBlocking(int fd, int mode) {
  if (!IsPipe(fd)) return -1;
  return open(fmt::format("/proc/self/fd/{}", fd).c_str(), mode | O_NONBLOCK | O_CLOEXEC);
}

// Until the descriptor is ready, or there is an error on it, which the transfer will tell.
Status WaitUntilReady(int fd, int16_t events, const std::stop_token& stop) {
  while (true) {
    if (stop.stop_requested()) return InterruptedError();
    pollfd poller = {.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&poller, 1, kPollMilliseconds);
    if (ready > 0) return OkStatus();
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "waiting for a pipe");
  }
}

class FdSink final : public ByteSink {
 public:
  FdSink(int fd, std::string name, std::stop_token stop)
      : own_fd_(ReopenWithoutBlocking(fd, O_WRONLY)),
        fd_(own_fd_ >= 0 ? own_fd_ : fd),
        name_(std::move(name)),
        stop_(std::move(stop)) {
    // Where it may not be that much, less will do.
    if (IsPipe(fd_)) (void)fcntl(fd_, F_SETPIPE_SZ, kPipeBytes);
  }
  ~FdSink() override {
    if (own_fd_ >= 0) (void)close(own_fd_);
  }
  FdSink(const FdSink&) = delete;
  FdSink& operator=(const FdSink&) = delete;

  Status Write(ByteView bytes) override {
    while (!bytes.empty()) {
      HBK_RETURN_IF_ERROR(WaitUntilReady(fd_, POLLOUT, stop_));
      const ssize_t n = write(fd_, bytes.data(), std::min(bytes.size(), kTransferBytesMax));
      if (n > 0) {
        bytes = bytes.subspan(static_cast<size_t>(n));
      } else if (n == 0) {
        return FailedError(fmt::format("writing to {}: it takes nothing", name_));
      } else if (errno == EPIPE) {
        return FailedError(
            fmt::format("writing to {}: the program that reads it has ended", name_));
      } else if (errno != EINTR && errno != EAGAIN) {
        return ErrnoStatus(errno, "writing to " + name_);
      }
    }
    return OkStatus();
  }

  Status Finish() override {
    if (IsFile(fd_) && fsync(fd_) != 0) return ErrnoStatus(errno, "syncing " + name_);
    return OkStatus();
  }

 private:
  const int own_fd_;
  const int fd_;
  const std::string name_;
  const std::stop_token stop_;
};

class FdSource final : public ByteSource {
 public:
  FdSource(int fd, bool is_own, std::string name, std::stop_token stop)
      : fd_(fd), is_own_(is_own), name_(std::move(name)), stop_(std::move(stop)) {
    if (IsPipe(fd_)) (void)fcntl(fd_, F_SETPIPE_SZ, kPipeBytes);
    if (IsFile(fd_)) (void)posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~FdSource() override {
    if (is_own_) (void)close(fd_);
  }
  FdSource(const FdSource&) = delete;
  FdSource& operator=(const FdSource&) = delete;

  Result<size_t> Read(MutableByteView out) override {
    size_t done = 0;
    while (done < out.size()) {
      HBK_RETURN_IF_ERROR(WaitUntilReady(fd_, POLLIN, stop_));
      const ssize_t n =
          read(fd_, out.data() + done, std::min(out.size() - done, kTransferBytesMax));
      if (n == 0) break;
      if (n > 0) {
        done += static_cast<size_t>(n);
      } else if (errno != EINTR && errno != EAGAIN) {
        return ErrnoStatus(errno, "reading " + name_);
      }
    }
    return done;
  }

 private:
  const int fd_;
  const bool is_own_;
  const std::string name_;
  const std::stop_token stop_;
};

}  // namespace

std::unique_ptr<ByteSink> MakeFdSink(int fd, std::string name, std::stop_token stop) {
  return std::make_unique<FdSink>(fd, std::move(name), std::move(stop));
}

std::unique_ptr<ByteSource> MakeFdSource(int fd, std::string name, std::stop_token stop) {
  return std::make_unique<FdSource>(fd, /*is_own=*/false, std::move(name), std::move(stop));
}

Result<std::unique_ptr<ByteSink>> OpenStdout(std::stop_token stop) {
  if (isatty(STDOUT_FILENO) == 1) return UsageError("stdout is a terminal");
  return MakeFdSink(STDOUT_FILENO, "stdout", std::move(stop));
}

Result<std::unique_ptr<ByteSource>> OpenStdin(std::stop_token stop) {
  if (isatty(STDIN_FILENO) == 1) return UsageError("stdin is a terminal");
  return MakeFdSource(STDIN_FILENO, "stdin", std::move(stop));
}

Result<std::unique_ptr<ByteSource>> OpenSource(const std::string& path, std::stop_token stop) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return ErrnoStatus(errno, "opening " + path);
  return std::unique_ptr<ByteSource>(
      std::make_unique<FdSource>(fd, /*is_own=*/true, path, std::move(stop)));
}

}  // namespace hbk::io

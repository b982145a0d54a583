#include "hbk/io/log_appender.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scoped_fd.h"

namespace hbk::io {
namespace {

constexpr mode_t kLogMode = S_IRUSR | S_IWUSR;

// O_NONBLOCK: a FIFO without a reader is refused instead of waited for.
Result<ScopedFd> OpenAtEnd(const std::string& path) {
  ScopedFd file(open(
      path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kLogMode));
  if (file.get() < 0 && errno == ELOOP) return FailedError(path + ": a symlink is no log file");
  if (file.get() < 0) return ErrnoStatus(errno, path);
  struct stat info = {};
  if (fstat(file.get(), &info) != 0) return ErrnoStatus(errno, path);
  if (!S_ISREG(info.st_mode)) return FailedError(path + ": no regular file");
  return file;
}

class PosixLogAppender final : public LogAppender {
 public:
  PosixLogAppender(std::string path, ScopedFd file)
      : path_(std::move(path)), file_(std::move(file)) {}

  Status Append(std::string_view text) override {
    if (!HasItsName()) {
      auto anew = OpenAtEnd(path_);
      if (anew.ok()) file_ = std::move(*anew);
    }
    while (!text.empty()) {
      const ssize_t written = write(file_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return ErrnoStatus(errno, path_);
      text.remove_prefix(static_cast<size_t>(written));
    }
    return OkStatus();
  }

 private:
  [[nodiscard]] bool HasItsName() const {
    struct stat ours = {};
    struct stat named = {};
    if (fstat(file_.get(), &ours) != 0 || lstat(path_.c_str(), &named) != 0) return false;
    return ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
  }

  const std::string path_;
  ScopedFd file_;
};

}  // namespace

Result<std::unique_ptr<LogAppender>> OpenLogAppender(const std::string& path) {
  HBK_ASSIGN_OR_RETURN(ScopedFd file, OpenAtEnd(path));
  return std::unique_ptr<LogAppender>(std::make_unique<PosixLogAppender>(path, std::move(file)));
}

}  // namespace hbk::io

#include "posix_whole_sync.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string_view>

#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace hbk::io {
namespace {

// ext, xfs, btrfs and tmpfs have syncfs() sync what fsync() would of each file. Of others we do
// not know.
constexpr std::array<uint32_t, 4> kSyncsAll{0xEF53, 0x58465342, 0x9123683E, 0x01021994};

class PosixWholeSync final : public WholeSync {
 public:
  // Takes the descriptor over.
  PosixWholeSync(int fd, std::string path, WriteBehindQueue& queue)
      : fd_(fd), path_(std::move(path)), queue_(queue) {}
  ~PosixWholeSync() override { (void)close(fd_); }
  PosixWholeSync(const PosixWholeSync&) = delete;
  PosixWholeSync& operator=(const PosixWholeSync&) = delete;

  Status Sync() override {
    if (syncfs(fd_) != 0) return ErrnoStatus(errno, "syncing the file system of " + path_);
    queue_.Drain();
    return queue_.status();
  }

 private:
  const int fd_;
  const std::string path_;
  WriteBehindQueue& queue_;
};

// Since Linux 5.8 it fails if anything could not be written since the descriptor was opened;
// before, it was silent.
bool DoesTellOfErrors() {
  utsname name{};
  if (uname(&name) != 0) return false;
  const std::string_view release = name.release;
  const char* const end = release.data() + release.size();
  uint32_t major = 0;
  const auto parsed = std::from_chars(release.data(), end, major);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != '.') return false;
  uint32_t minor = 0;
  if (std::from_chars(parsed.ptr + 1, end, minor).ec != std::errc()) return false;
  return major > 5 || (major == 5 && minor >= 8);
}

}  // namespace

Result<std::unique_ptr<WholeSync>> BeginPosixWholeSync(const std::string& directory,
                                                       WriteBehindQueue& queue) {
  std::unique_ptr<WholeSync> none;
  if (!DoesTellOfErrors()) return none;
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "opening directory " + directory);
  auto sync = std::make_unique<PosixWholeSync>(fd, directory, queue);
  struct statfs kind {};
  if (fstatfs(fd, &kind) != 0)
    return ErrnoStatus(errno, "reading the kind of the file system at " + directory);
  for (const uint32_t known : kSyncsAll)
    if (known == static_cast<uint32_t>(kind.f_type))
      return std::unique_ptr<WholeSync>(std::move(sync));
  return none;
}

}  // namespace hbk::io

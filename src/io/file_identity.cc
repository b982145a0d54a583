#include "hbk/io/file_identity.h"

#include <algorithm>
#include <chrono>

namespace hbk::io {

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kFineGranularity = 100'000'000;  // ten ticks of the slowest kernel clock
constexpr int64_t kCoarseGranularity = 2 * kSecond + kFineGranularity;

}  // namespace

FileIdentity IdentityOf(const FileInfo& info) {
  return {info.device, info.inode, info.birth_ns, info.size, info.mtime_ns, info.ctime_ns};
}

bool IsSameInode(const FileIdentity& a, const FileIdentity& b) {
  return a.birth_ns == b.birth_ns && a.device == b.device && a.inode == b.inode;
}

bool IsRenamed(const FileIdentity& a, const FileIdentity& b) {
  return a.birth_ns != 0 && IsSameInode(a, b) && a.size == b.size && a.mtime_ns == b.mtime_ns;
}

int64_t TimeGranularity(const FileIdentity& file) {
  const bool has_whole_seconds = file.mtime_ns % kSecond == 0 || file.ctime_ns % kSecond == 0;
  return has_whole_seconds ? kCoarseGranularity : kFineGranularity;
}

bool IsAtRest(const FileIdentity& file, int64_t time_ns) {
  return std::max(file.mtime_ns, file.ctime_ns) + TimeGranularity(file) < time_ns;
}

int64_t FileClockNow() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace hbk::io

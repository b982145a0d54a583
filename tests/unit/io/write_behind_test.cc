#include "write_behind.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"

#include "posix_file.h"
#include "posix_whole_sync.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOk;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

class WriteBehindTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> MustCreate(bool write_behind) {
    auto file = PosixFileSystem().Open(
        path_, {.write = true, .create = true, .write_behind = write_behind});
    EXPECT_THAT(file, IsOk());
    return std::move(file).value();
  }

  // Bytes of the file that are in the page cache.
  [[nodiscard]] uint64_t CachedBytes() const {
    const ScopedFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    const auto size = static_cast<size_t>(lseek(fd.get(), 0, SEEK_END));
    void* const memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    EXPECT_NE(memory, MAP_FAILED);
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> resident((size + page - 1) / page);
    EXPECT_EQ(mincore(memory, size, resident.data()), 0);
    (void)munmap(memory, size);
    uint64_t bytes = 0;
    for (const unsigned char state : resident)
      bytes += (state & 1) != 0 ? page : 0;
    return bytes;
  }

  // tmpfs is the page cache; of others than these we do not know.
  [[nodiscard]] bool LeavesTheCache() const {
    struct statfs kind {};
    EXPECT_EQ(statfs(dir_.path().c_str(), &kind), 0);
    return kind.f_type == 0xEF53 || kind.f_type == 0x58465342;
  }

  const hbk::testing::TemporaryDirectory dir_;
  const std::string path_ = dir_.path() + "/file";
};

TEST_F(WriteBehindTest, WhatThreadsWroteIsThere) {
  const std::vector<uint8_t> letters{'a', 'b', 'c', 'd'};
  const uint64_t part = 9 * kMiB + 1000;
  const auto file = MustCreate(/*write_behind=*/true);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < letters.size(); ++t) {
      threads.emplace_back([&, t] {
        const std::vector<uint8_t> piece(100'000, letters[t]);
        for (uint64_t at = 0; at < part; at += piece.size()) {
          const auto size = std::min<uint64_t>(piece.size(), part - at);
          EXPECT_THAT(file->WriteAt(t * part + at, ByteView(piece).first(size)), IsOk());
        }
      });
    }
  }
  ASSERT_THAT(file->Sync(), IsOk());
  ASSERT_THAT(file->Close(), IsOk());

  const auto bytes = ReadFile(PosixFileSystem(), path_, 1 << 30);
  ASSERT_THAT(bytes, IsOk());
  ASSERT_EQ(bytes->size(), letters.size() * part);
  for (size_t t = 0; t < letters.size(); ++t)
    EXPECT_EQ(bytes->find_first_not_of(static_cast<char>(letters[t]), t * part),
              t + 1 < letters.size() ? (t + 1) * part : std::string::npos);
}

TEST_F(WriteBehindTest, WhatWasWrittenLeavesThePageCache) {
  if (!LeavesTheCache()) GTEST_SKIP() << "not on this file system";
  const std::vector<uint8_t> piece(kMiB, 'x');
  for (const bool write_behind : {false, true}) {
    const auto sync = PosixFileSystem().BeginWholeSync(dir_.path());
    ASSERT_THAT(sync, IsOk());
    if (*sync == nullptr) GTEST_SKIP() << "this kernel cannot sync all at once";
    const auto file = MustCreate(write_behind);
    for (uint64_t i = 0; i < 20; ++i)
      ASSERT_THAT(file->WriteAt(i * kMiB, piece), IsOk());
    ASSERT_THAT(file->WriteAt(20 * kMiB, ByteView(piece).first(100)), IsOk());
    ASSERT_THAT(file->Close(), IsOk());
    ASSERT_THAT((*sync)->Sync(), IsOk());

    EXPECT_EQ(CachedBytes(), write_behind ? 0 : 20 * kMiB + 4096);
    ASSERT_THAT(PosixFileSystem().Remove(path_), IsOk());
  }
}

TEST_F(WriteBehindTest, AFileStaysOpenUntilItIsOnTheDisk) {
  WriteBehindQueue queue;
  std::weak_ptr<WriteBehindQueue::OpenFile> seen;
  {
    auto file = std::make_shared<WriteBehindQueue::OpenFile>(
        open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), path_);
    ASSERT_EQ(ftruncate(file->fd.get(), 4096), 0);
    seen = file;
    queue.Start(std::move(file), 0, 4096);
  }
  EXPECT_FALSE(seen.expired());
  queue.Drain();
  EXPECT_TRUE(seen.expired());
  EXPECT_THAT(queue.status(), IsOk());
}

// Such a descriptor does not read or write: what is asked of it fails.
TEST_F(WriteBehindTest, AnErrorIsKeptAndEverySyncTellsOfIt) {
  ASSERT_THAT(WriteNewFile(PosixFileSystem(), path_, "bytes", 0600), IsOk());
  const ScopedFd fd(open(path_.c_str(), O_PATH | O_CLOEXEC));
  WriteBehindQueue queue;
  const auto other = OpenPosixFile(dir_.path() + "/other", {.write = true, .create = true}, queue);
  ASSERT_THAT(other, IsOk());
  {
    WriteBehind behind(fd.get(), path_, queue);
    behind.Wrote(0, 5);
    EXPECT_THAT((*other)->Sync(), IsOk());
    behind.Finish();
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT((*other)->Sync(),
                StatusIs(StatusCode::kFailed, HasSubstr("writing back " + path_)));
    EXPECT_THAT(queue.status(), StatusIs(StatusCode::kFailed, HasSubstr("writing back " + path_)));
    queue.Drain();
  }
  const auto whole = BeginPosixWholeSync(dir_.path(), queue);
  ASSERT_THAT(whole, IsOk());
  if (*whole != nullptr) {
    EXPECT_THAT((*whole)->Sync(), StatusIs(StatusCode::kFailed, HasSubstr("writing back")));
  }
}

TEST_F(WriteBehindTest, WithoutADescriptorTheKernelWritesWhenItWants) {
  WriteBehindQueue queue;
  WriteBehind behind(-1, path_, queue);
  behind.Wrote(0, 5 * kMiB);
  behind.Finish();
  EXPECT_THAT(queue.status(), IsOk());
}

}  // namespace
}  // namespace hbk::io

// What only real files have: direct I/O, holes, symlinks, locks. The rest of the FileSystem
// contract is in posix_file_system_test.cc.
#include "posix_file.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/io/file_system.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

class PosixFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> MustOpen(const std::string& path, const OpenOptions& options) {
    auto file = fs_.Open(path, options);
    EXPECT_THAT(file, IsOk());
    return file.ok() ? std::move(file).value() : nullptr;
  }

  void MakeFile(const std::string& path, size_t size) {
    ASSERT_THAT(WriteNewFile(fs_, path, std::string(size, 'x'), 0600), IsOk());
  }

  hbk::testing::TemporaryDirectory dir_;
  FileSystem& fs_ = PosixFileSystem();
  const std::string path_ = dir_.path() + "/file";
};

TEST_F(PosixFileTest, DirectReadOverAnOddEndGivesTheBytesThatThereAre) {
  for (const size_t size : {1UL, 511UL, 512UL, 4095UL, 4096UL, 4097UL, 10000UL, 12288UL}) {
    const std::string path = path_ + std::to_string(size);
    MakeFile(path, size);
    const auto file = MustOpen(path, {.direct = true});
    AlignedBuffer buffer(16384);

    EXPECT_THAT(file->ReadAt(0, buffer.view()), IsOkAndHolds(size));

    EXPECT_EQ(AsText(buffer.view()).substr(0, size), std::string(size, 'x'));
    EXPECT_THAT(file->Close(), IsOk());
  }
}

TEST_F(PosixFileTest, DirectReadAtTheEndAndBeyondGivesNothing) {
  MakeFile(path_, 5000);
  const auto file = MustOpen(path_, {.direct = true});
  AlignedBuffer buffer(4096);

  EXPECT_THAT(file->ReadAt(4096, buffer.view()), IsOkAndHolds(904U));
  EXPECT_THAT(file->ReadAt(8192, buffer.view()), IsOkAndHolds(0U));
}

TEST_F(PosixFileTest, UnalignedTransfersOnADirectFileWork) {
  const auto file = MustOpen(path_, {.write = true, .create = true, .direct = true});
  AlignedBuffer buffer(8192);
  std::ranges::fill(buffer.view(), uint8_t{'a'});
  ASSERT_THAT(file->WriteAt(0, buffer.view()), IsOk());

  ASSERT_THAT(file->WriteAt(8192, AsBytes("tail")), IsOk());
  ASSERT_THAT(file->WriteAt(1, AsBytes("b")), IsOk());

  std::array<uint8_t, 5> out{};
  EXPECT_THAT(file->ReadAt(8191, out), IsOkAndHolds(5U));
  EXPECT_EQ(AsText(out), "atail");
  ASSERT_THAT(file->ReadAt(0, buffer.view()), IsOkAndHolds(8192U));
  EXPECT_EQ(AsText(buffer.view()).substr(0, 3), "aba");
  EXPECT_THAT(file->Close(), IsOk());
}

TEST_F(PosixFileTest, AFileSystemWithoutDirectTransfersIsReadBuffered) {
  // /proc takes no O_DIRECT at all.
  const auto file = MustOpen("/proc/self/status", {.direct = true});
  AlignedBuffer buffer(4096);

  const auto n = file->ReadAt(0, buffer.view());

  ASSERT_THAT(n, IsOk());
  EXPECT_GT(*n, 0U);
  EXPECT_FALSE(file->is_direct());
}

TEST_F(PosixFileTest, SeekDataSkipsAHole) {
  const auto file = MustOpen(path_, {.write = true, .create = true});
  ASSERT_THAT(file->Truncate(4 << 20), IsOk());
  ASSERT_THAT(file->WriteAt(2 << 20, AsBytes("data")), IsOk());

  const auto data = file->SeekData(0);

  ASSERT_THAT(data, IsOk());
  // Whole blocks, or everything where the file system knows no holes.
  EXPECT_LE(*data, uint64_t{2 << 20});
  EXPECT_THAT(file->SeekData(2 << 20), IsOkAndHolds(uint64_t{2 << 20}));
  EXPECT_THAT(file->SeekData(4 << 20), IsOkAndHolds(uint64_t{4 << 20}));
  EXPECT_THAT(file->SeekData(5 << 20), IsOkAndHolds(uint64_t{4 << 20}));
}

TEST_F(PosixFileTest, OpenDoesNotWaitForAFifo) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);

  EXPECT_THAT(fs_.Open(path_, {}), StatusIs(StatusCode::kFailed, HasSubstr("not a regular file")));
}

TEST_F(PosixFileTest, SetOwnerAndModeAreSeenByStat) {
  const auto file = MustOpen(path_, {.write = true, .create = true});

  EXPECT_THAT(file->SetMode(0640), IsOk());
  EXPECT_THAT(file->SetOwner(getuid(), getgid()), IsOk());

  const auto info = fs_.Stat(path_, false);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->mode, 0640U);
  EXPECT_EQ(info->uid, getuid());
}

TEST_F(PosixFileTest, NobodyHoldsALockOnAnOrdinaryFile) {
  MakeFile(path_, 1);

  EXPECT_THAT(fs_.LockHolder(path_), IsOkAndHolds(0));
  EXPECT_THAT(fs_.LockHolder(path_ + "2"), StatusIs(StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(PosixFileTest, LockHolderIsThePidOfTheProcessWithTheWriteLock) {
  MakeFile(path_, 1);
  std::array<int, 2> ready{};
  std::array<int, 2> done{};
  ASSERT_EQ(pipe(ready.data()), 0);
  ASSERT_EQ(pipe(done.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    (void)close(done[1]);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    char byte = fcntl(fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
    if (write(ready[1], &byte, 1) == 1) (void)!read(done[0], &byte, 1);
    _exit(0);
  }
  (void)close(ready[1]);
  char byte = 'n';
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');

  EXPECT_THAT(fs_.LockHolder(path_), IsOkAndHolds(child));

  for (const int fd : {ready[0], done[0], done[1]})
    (void)close(fd);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_THAT(fs_.LockHolder(path_), IsOkAndHolds(0));
}

TEST_F(PosixFileTest, ALockWithoutAProcessHasAnUnknownHolder) {
  MakeFile(path_, 1);
  const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  ASSERT_EQ(fcntl(fd, F_OFD_SETLK, &lock), 0);

  EXPECT_THAT(fs_.LockHolder(path_), IsOkAndHolds(kUnknownLockHolder));

  (void)close(fd);
}

TEST_F(PosixFileTest, FreeBytesIsMoreThanNothing) {
  const auto free_bytes = fs_.FreeBytes(dir_.path());

  ASSERT_THAT(free_bytes, IsOk());
  EXPECT_GT(*free_bytes, 0U);
  EXPECT_THAT(fs_.FreeBytes(path_), StatusIs(StatusCode::kNotFound, HasSubstr("free space")));
}

TEST_F(PosixFileTest, AFileSystemOfTheKernelsOwnDataDoesNotKeepTimes) {
  EXPECT_THAT(fs_.KeepsFileTimes("/proc"), IsOkAndHolds(false));
  EXPECT_THAT(fs_.KeepsFileTimes(path_), StatusIs(StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(PosixFileTest, FullDeviceIsNoSpace) {
  // /dev/full is no regular file, so this takes it by descriptor.
  WriteBehindQueue queue;
  PosixFile file(open("/dev/full", O_RDWR | O_CLOEXEC), "/dev/full", {.write = true}, queue);

  EXPECT_THAT(
      file.WriteAt(0, AsBytes("x")),
      StatusIs(StatusCode::kNoSpace, HasSubstr("writing 1 bytes at offset 0 of /dev/full")));
}

}  // namespace
}  // namespace hbk::io

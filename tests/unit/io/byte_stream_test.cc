#include "hbk/io/byte_stream.h"

#include <csignal>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::StatusIs;
using hbk::testing::TemporaryDirectory;
using ::testing::_;
using ::testing::HasSubstr;

class Pipe {
 public:
  Pipe() { HBK_CHECK(pipe(fds_) == 0); }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int reader() const { return fds_[0]; }
  [[nodiscard]] int writer() const { return fds_[1]; }
  void CloseReader() { Close(fds_[0]); }
  void CloseWriter() { Close(fds_[1]); }

 private:
  static void Close(int& fd) {
    if (fd >= 0) (void)close(fd);
    fd = -1;
  }
  int fds_[2] = {-1, -1};
};

TEST(ByteStreamTest, BytesGoThroughAPipe) {
  Pipe pipe;
  std::string bytes(5'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 31 >> 3);
  std::jthread writer([&] {
    {
      const auto sink = MakeFdSink(pipe.writer(), "the pipe", {});
      EXPECT_THAT(sink->Write(AsBytes(bytes)), IsOk());
      EXPECT_THAT(sink->Finish(), IsOk());
    }
    pipe.CloseWriter();
  });
  const auto source = MakeFdSource(pipe.reader(), "the pipe", {});
  std::vector<uint8_t> out(bytes.size() + 1);
  EXPECT_THAT(source->Read(out), IsOkAndHolds(bytes.size()));
  EXPECT_TRUE(AsText(ByteView(out).first(bytes.size())) == bytes);
  EXPECT_THAT(source->Read(out), IsOkAndHolds(0U));
}

TEST(ByteStreamTest, ReaderThatHasGoneIsSaid) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  const auto sink = MakeFdSink(pipe.writer(), "stdout", {});
  pipe.CloseReader();
  EXPECT_THAT(
      sink->Write(AsBytes("x")),
      StatusIs(StatusCode::kFailed, "writing to stdout: the program that reads it has ended"));
}

TEST(ByteStreamTest, StopEndsWhatWaits) {
  Pipe pipe;
  std::stop_source stop;
  const auto sink = MakeFdSink(pipe.writer(), "stdout", stop.get_token());
  const std::string much(64 << 20, 'x');
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_THAT(sink->Write(AsBytes(much)), StatusIs(StatusCode::kInterrupted, _));
  Pipe empty;
  const auto source = MakeFdSource(empty.reader(), "stdin", stop.get_token());
  std::vector<uint8_t> out(1);
  EXPECT_THAT(source->Read(out), StatusIs(StatusCode::kInterrupted, _));
}

TEST(ByteStreamTest, FullDeviceIsNoSpace) {
  const int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no /dev/full";
  const auto sink = MakeFdSink(fd, "stdout", {});
  EXPECT_THAT(sink->Write(AsBytes("x")), StatusIs(StatusCode::kNoSpace, HasSubstr("stdout")));
  (void)close(fd);
}

TEST(ByteStreamTest, FilesAreSourcesToo) {
  const TemporaryDirectory dir;
  const std::string path = dir.path() + "/f";
  std::ofstream(path) << "hello";
  const auto source = OpenSource(path, {});
  ASSERT_THAT(source, IsOk());
  std::vector<uint8_t> out(3);
  EXPECT_THAT((*source)->Read(out), IsOkAndHolds(3U));
  EXPECT_THAT((*source)->Read(out), IsOkAndHolds(2U));
  EXPECT_THAT(OpenSource(dir.path() + "/none", {}),
              StatusIs(StatusCode::kNotFound, HasSubstr("none")));
  // A directory can be opened, but has no bytes.
  const auto directory = OpenSource(dir.path(), {});
  ASSERT_THAT(directory, IsOk());
  EXPECT_THAT((*directory)->Read(out), StatusIs(StatusCode::kFailed, HasSubstr("reading")));
}

}  // namespace
}  // namespace hbk::io

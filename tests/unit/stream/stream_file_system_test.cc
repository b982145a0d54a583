#include "hbk/stream/stream_file_system.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream_events.h"
#include "tests/support/byte_buffers.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::SinkTo;
using hbk::testing::StatusIs;
using hbk::testing::SunkBytes;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const io::OpenOptions kCreate{.write = true, .create = true};

class StreamFileSystemTest : public ::testing::Test {
 protected:
  void Put(const std::string& path, std::string_view bytes, io::OpenOptions options = kCreate) {
    auto file = fs_->Open(path, options);
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->WriteAt(0, AsBytes(bytes)), IsOk());
    ASSERT_THAT((*file)->Close(), IsOk());
  }
  std::vector<std::string> Events() {
    EXPECT_THAT(fs_->Finish(), IsOk());
    fs_.reset();
    ReadEvents read = ReadAllEvents(sunk_.bytes);
    EXPECT_THAT(read.status, IsOk());
    return read.events;
  }

  MemFileSystem below_;
  SunkBytes sunk_;
  std::unique_ptr<StreamFileSystem> fs_ = std::make_unique<StreamFileSystem>(
      below_, StreamFileSystem::Options{"/out", {"hbk_incomplete"}},
      MakeStreamWriter(StreamFormat::kHbk, SinkTo(sunk_)));
};

TEST_F(StreamFileSystemTest, PathsElsewhereGoBelow) {
  below_.PutFile("/output/f", "below");
  EXPECT_THAT(io::ReadFile(*fs_, "/output/f", 100), IsOkAndHolds("below"));
  ASSERT_THAT(fs_->MakeDirectory("/data", 0700), IsOk());
  Put("/data/x", "y");
  ASSERT_THAT(fs_->Rename("/data/x", "/data/z"), IsOk());
  EXPECT_EQ(below_.Contents("/data/z"), "y");
  EXPECT_THAT(fs_->Rename("/data/z", "/out/z"), StatusIs(StatusCode::kUnsupported, _));
  EXPECT_THAT(Events(), ElementsAre("end"));
}

TEST_F(StreamFileSystemTest, FilesAreInTheStreamAndAnswersComeFromMemory) {
  ASSERT_THAT(io::MakeDirectories(*fs_, "/out/db", 0700), IsOk());
  auto file = fs_->Open("/out/db/t", kCreate);
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->Truncate(10), IsOk());
  ASSERT_THAT((*file)->WriteAt(4, AsBytes("abc")), IsOk());
  ASSERT_THAT((*file)->PunchHole(0, 4), IsOk());
  ASSERT_THAT((*file)->Truncate(8), IsOk());
  EXPECT_THAT(fs_->Remove("/out/db/t"), StatusIs(StatusCode::kUnsupported, _));
  EXPECT_THAT(fs_->Finish(), StatusIs(StatusCode::kFailed, HasSubstr("not closed")));
  ASSERT_THAT((*file)->Close(), IsOk());

  const auto info = fs_->Stat("/out/db/t", false);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->size, 8U);
  EXPECT_THAT(io::Exists(*fs_, "/out/db/u"), IsOkAndHolds(false));
  EXPECT_THAT(fs_->Open("/out/db/t", kCreate), StatusIs(StatusCode::kAlreadyExists, _));
  EXPECT_THAT(fs_->Open("/out/dc/t", kCreate), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(fs_->Open("/out/db/u", {}), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(fs_->RemoveDirectory("/out/db"), StatusIs(StatusCode::kFailed, HasSubstr("empty")));
  const auto root = fs_->List("/out");
  ASSERT_THAT(root, IsOk());
  ASSERT_EQ(root->size(), 1U);
  EXPECT_EQ((*root)[0].name, "db");
  EXPECT_EQ((*root)[0].type, io::FileType::kDirectory);

  // Once more, to be synced.
  const auto again = fs_->Open("/out/db/t", {});
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT((*again)->Sync(), IsOk());
  std::vector<uint8_t> out(4);
  EXPECT_THAT((*again)->ReadAt(0, out), StatusIs(StatusCode::kUnsupported, HasSubstr("read back")));
  EXPECT_THAT((*again)->WriteAt(0, out), StatusIs(StatusCode::kUnsupported, _));
  EXPECT_THAT(fs_->Open("/out/db/t", {.write = true}), StatusIs(StatusCode::kUnsupported, _));
  EXPECT_THAT(Events(), ElementsAre("mkdir db", "open 1 db/t", "data 1 4 abc", "close 1 8", "end"));
}

TEST_F(StreamFileSystemTest, NamesChange) {
  ASSERT_THAT(fs_->MakeDirectory("/out/d", 0700), IsOk());
  Put("/out/a", "1");
  Put("/out/b", "2");
  ASSERT_THAT(fs_->Rename("/out/a", "/out/d/a"), IsOk());
  ASSERT_THAT(fs_->Rename("/out/b", "/out/d/a"), IsOk());
  ASSERT_THAT(fs_->Remove("/out/d/a"), IsOk());
  ASSERT_THAT(fs_->RemoveDirectory("/out/d"), IsOk());
  Put("/out/a", "3");
  Put("/out/a", "4", {.write = true, .truncate = true});
  EXPECT_THAT(Events(),
              ElementsAre("mkdir d", "open 1 a", "data 1 0 1", "close 1 1", "open 2 b",
                          "data 2 0 2", "close 2 1", "rename a d/a", "remove d/a", "rename b d/a",
                          "remove d/a", "rmdir d", "open 3 a", "data 3 0 3", "close 3 1",
                          "remove a", "open 4 a", "data 4 0 4", "close 4 1", "end"));
}

TEST_F(StreamFileSystemTest, SmallFilesWaitForTheirName) {
  ASSERT_THAT(io::WriteNewFile(*fs_, "/out/hbk_incomplete", "x", 0600), IsOk());
  ASSERT_THAT(io::WriteFileAtomically(*fs_, "/out/hbk_incomplete", "why", 0600), IsOk());
  EXPECT_THAT(io::ReadFile(*fs_, "/out/hbk_incomplete", 10), IsOkAndHolds("why"));
  ASSERT_THAT(io::WriteFileAtomically(*fs_, "/out/m", "one", 0600), IsOk());
  ASSERT_THAT(io::WriteFileAtomically(*fs_, "/out/m", "two", 0600), IsOk());
  ASSERT_THAT(fs_->Remove("/out/hbk_incomplete"), IsOk());
  EXPECT_THAT(io::Exists(*fs_, "/out/hbk_incomplete"), IsOkAndHolds(false));
  EXPECT_THAT(Events(), ElementsAre("open 4 m", "data 4 0 one", "close 4 3", "remove m", "open 6 m",
                                    "data 6 0 two", "close 6 3", "end"));
}

TEST_F(StreamFileSystemTest, FileWithoutItsFinalNameIsNoticed) {
  Put("/out/m.tmp", "x");
  EXPECT_THAT(fs_->Finish(), StatusIs(StatusCode::kFailed, HasSubstr("final name")));
}

TEST_F(StreamFileSystemTest, FailureOfTheSinkComesBack) {
  sunk_.fail_at = 100;
  const std::string big(8 << 20, 'x');
  Status status = OkStatus();
  for (int i = 0; i < 20 && status.ok(); ++i) {
    auto file = fs_->Open("/out/" + std::to_string(i), kCreate);
    status = file.status();
    if (!status.ok()) break;
    status = (*file)->WriteAt(0, AsBytes(big));
  }
  EXPECT_THAT(status, StatusIs(StatusCode::kFailed, HasSubstr("gone")));
}

}  // namespace
}  // namespace hbk::stream

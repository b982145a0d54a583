// The contract of FileSystem, on the real one and on the one in memory.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/io/file_system.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hbk::io {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using hbk::testing::TemporaryDirectory;
using ::testing::_;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file system with an empty directory for the test.
class World {
 public:
  World() = default;
  virtual ~World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual FileSystem& fs() = 0;
  virtual std::string dir() = 0;
  virtual void MakeSymlink(const std::string& path, const std::string& target) = 0;
};

class PosixWorld final : public World {
 public:
  FileSystem& fs() override { return PosixFileSystem(); }
  std::string dir() override { return dir_.path(); }
  void MakeSymlink(const std::string& path, const std::string& target) override {
    std::filesystem::create_symlink(target, path);
  }

 private:
  TemporaryDirectory dir_;
};

class MemWorld final : public World {
 public:
  MemWorld() { fs_.PutDirectory("/test/dir"); }
  FileSystem& fs() override { return fs_; }
  std::string dir() override { return "/test/dir"; }
  void MakeSymlink(const std::string& path, const std::string& target) override {
    fs_.PutSymlink(path, target);
  }

 private:
  MemFileSystem fs_;
};

enum class Which { kPosix, kMem };

class FileSystemTest : public ::testing::TestWithParam<Which> {
 protected:
  FileSystemTest() {
    if (GetParam() == Which::kPosix) {
      world_ = std::make_unique<PosixWorld>();
    } else {
      world_ = std::make_unique<MemWorld>();
    }
  }

  [[nodiscard]] std::string At(const std::string& name) const {
    return JoinPath(world_->dir(), name);
  }
  FileSystem& fs() { return world_->fs(); }

  std::unique_ptr<File> MustOpen(const std::string& path, const OpenOptions& options) {
    auto file = fs().Open(path, options);
    EXPECT_THAT(file, IsOk());
    return file.ok() ? std::move(file).value() : nullptr;
  }
  void Put(const std::string& path, std::string_view bytes) {
    ASSERT_THAT(WriteNewFile(fs(), path, bytes, 0600), IsOk());
  }
  std::string Get(const std::string& path) {
    auto bytes = ReadFile(fs(), path, 1 << 20);
    EXPECT_THAT(bytes, IsOk());
    return bytes.ok() ? *bytes : "";
  }

  std::unique_ptr<World> world_;
};

std::string NameOf(const ::testing::TestParamInfo<Which>& which) {
  return which.param == Which::kPosix ? "Posix" : "Mem";
}

INSTANTIATE_TEST_SUITE_P(Both, FileSystemTest, ::testing::Values(Which::kPosix, Which::kMem),
                         NameOf);

TEST_P(FileSystemTest, AMissingFileIsNotFound) {
  EXPECT_THAT(fs().Open(At("x"), {}), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().Open(At("d/x"), {.write = true, .create = true}),
              StatusIs(StatusCode::kNotFound, HasSubstr(At("d/x"))));
  EXPECT_THAT(fs().Stat(At("x"), true), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().List(At("x")), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().Remove(At("x")), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().RemoveDirectory(At("x")), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(fs().Rename(At("x"), At("y")), StatusIs(StatusCode::kNotFound, HasSubstr(At("y"))));
  EXPECT_THAT(fs().SyncDirectory(At("x")), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().SetOwner(At("x"), 0, 0), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().ReadLink(At("x")), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().LockHolder(At("x")), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
  EXPECT_THAT(fs().FreeBytes(At("x")), StatusIs(StatusCode::kNotFound, HasSubstr(At("x"))));
}

TEST_P(FileSystemTest, CreateNeverOpensAnExistingFile) {
  Put(At("x"), "old");

  EXPECT_THAT(fs().Open(At("x"), {.write = true, .create = true}),
              StatusIs(StatusCode::kAlreadyExists, HasSubstr(At("x"))));

  EXPECT_EQ(Get(At("x")), "old");
}

TEST_P(FileSystemTest, CreateDoesNotFollowASymlink) {
  world_->MakeSymlink(At("link"), At("target"));

  EXPECT_THAT(fs().Open(At("link"), {.write = true, .create = true, .follow = true}),
              StatusIs(StatusCode::kAlreadyExists, _));
}

TEST_P(FileSystemTest, TruncateEmptiesAFileAndKeepsIt) {
  Put(At("x"), "old");
  const uint64_t inode = fs().Stat(At("x"), false).value().inode;

  const auto file = MustOpen(At("x"), {.write = true, .truncate = true});

  const auto info = file->Stat();
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->size, 0U);
  EXPECT_EQ(info->inode, inode);
}

TEST_P(FileSystemTest, OpenForWritingKeepsTheBytes) {
  Put(At("x"), "hello");
  const auto file = MustOpen(At("x"), {.write = true});

  ASSERT_THAT(file->WriteAt(1, AsBytes("a")), IsOk());

  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_EQ(Get(At("x")), "hallo");
}

TEST_P(FileSystemTest, ReadOnlyFilesRefuseWrites) {
  Put(At("x"), "hello");
  const auto file = MustOpen(At("x"), {});

  EXPECT_THAT(file->WriteAt(0, AsBytes("a")), StatusIs(StatusCode::kFailed, HasSubstr(At("x"))));
  EXPECT_FALSE(file->Truncate(0).ok());
}

TEST_P(FileSystemTest, ReadsEndAtTheEnd) {
  Put(At("x"), "hello");
  const auto file = MustOpen(At("x"), {});
  std::vector<uint8_t> out(10, 'z');

  EXPECT_THAT(file->ReadAt(3, out), IsOkAndHolds(2U));
  EXPECT_EQ(AsText(out), "lozzzzzzzz");
  EXPECT_THAT(file->ReadAt(5, out), IsOkAndHolds(0U));
  EXPECT_THAT(file->ReadAt(1'000'000, out), IsOkAndHolds(0U));
  EXPECT_THAT(file->ReadAt(0, MutableByteView(out).first(0)), IsOkAndHolds(0U));
}

TEST_P(FileSystemTest, AWriteBeyondTheEndLeavesZerosBefore) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true});

  ASSERT_THAT(file->WriteAt(5, AsBytes("end")), IsOk());

  EXPECT_EQ(Get(At("x")), std::string(5, '\0') + "end");
}

TEST_P(FileSystemTest, TruncateShortensAndExtends) {
  Put(At("x"), "hello");
  const auto file = MustOpen(At("x"), {.write = true});

  ASSERT_THAT(file->Truncate(2), IsOk());
  ASSERT_THAT(file->Truncate(4), IsOk());

  EXPECT_EQ(Get(At("x")), std::string("he\0\0", 4));
}

TEST_P(FileSystemTest, SeekDataFindsWhatWasWritten) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true});
  ASSERT_THAT(file->Truncate(1 << 20), IsOk());
  ASSERT_THAT(file->WriteAt(512 << 10, AsBytes("data")), IsOk());

  EXPECT_THAT(file->SeekData(0), IsOkAndHolds(uint64_t{512 << 10}));
  EXPECT_THAT(file->SeekData((512 << 10) + 1), IsOkAndHolds(uint64_t{(512 << 10) + 1}));
  EXPECT_THAT(file->SeekData(600 << 10), IsOkAndHolds(uint64_t{1 << 20}));
  EXPECT_THAT(file->SeekData(1 << 20), IsOkAndHolds(uint64_t{1 << 20}));
}

TEST_P(FileSystemTest, PunchedHolesReadAsZerosAndTakeNoRoom) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true});
  ASSERT_THAT(file->WriteAt(0, AsBytes(std::string(64 << 10, 'a'))), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  const uint64_t before = file->Stat().value().allocated_bytes;

  ASSERT_THAT(file->PunchHole(4096, 16 << 10), IsOk());
  ASSERT_THAT(file->PunchHole(60 << 10, 1 << 20), IsOk());
  ASSERT_THAT(file->PunchHole(1 << 20, 4096), IsOk());

  std::string expected(64 << 10, 'a');
  expected.replace(4096, 16 << 10, 16 << 10, '\0');
  expected.replace(60 << 10, 4 << 10, 4 << 10, '\0');
  EXPECT_EQ(Get(At("x")), expected);
  ASSERT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(file->Stat().value().allocated_bytes, before - (20 << 10));
}

TEST_P(FileSystemTest, HolesOfOddSizesOnlyZeroWhatIsInThem) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true});
  ASSERT_THAT(file->WriteAt(0, AsBytes(std::string(100, 'a'))), IsOk());

  ASSERT_THAT(file->PunchHole(10, 5), IsOk());
  ASSERT_THAT(file->io::File::PunchHole(90, 50), IsOk());

  EXPECT_EQ(Get(At("x")), std::string(10, 'a') + std::string(5, '\0') + std::string(75, 'a') +
                              std::string(10, '\0'));
}

// Few file systems can; what they do then is seen by whoever runs this on one of them (TMPDIR).
TEST_P(FileSystemTest, ACloneIsACopyOrNothing) {
  Put(At("source"), std::string(100'000, 's'));
  const auto source = MustOpen(At("source"), {});
  const auto target = MustOpen(At("target"), {.write = true, .create = true});
  ASSERT_THAT(target->WriteAt(0, AsBytes(std::string(10, 't'))), IsOk());

  const auto is_cloned = target->CloneFrom(*source);

  ASSERT_THAT(is_cloned, IsOk());
  EXPECT_EQ(Get(At("target")), *is_cloned ? std::string(100'000, 's') : std::string(10, 't'));
  ASSERT_THAT(target->WriteAt(0, AsBytes(std::string(10, 'n'))), IsOk());
  EXPECT_EQ(Get(At("source")), std::string(100'000, 's'));
}

TEST_P(FileSystemTest, DirectFilesReadAndWriteWholeBlocks) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true, .direct = true});
  AlignedBuffer buffer(3 * 4096);
  std::ranges::fill(buffer.view(), uint8_t{'a'});

  ASSERT_THAT(file->WriteAt(4096, buffer.view()), IsOk());
  ASSERT_THAT(file->Truncate(4 * 4096 - 100), IsOk());

  AlignedBuffer out(8 * 4096);
  EXPECT_THAT(file->ReadAt(0, out.view()), IsOkAndHolds(4U * 4096 - 100));
  EXPECT_TRUE(IsAllZero(out.view().first(4096)));
  EXPECT_EQ(out.view()[4096], 'a');
  EXPECT_THAT(file->Close(), IsOk());
}

TEST_P(FileSystemTest, ThreadsWriteTheirOwnPartsOfAFile) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true});

  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&file, t] {
        const std::string part(100, static_cast<char>('a' + t));
        for (int i = t; i < 40; i += 4)
          EXPECT_THAT(file->WriteAt(static_cast<uint64_t>(i) * 100, AsBytes(part)), IsOk());
      });
    }
  }

  const std::string bytes = Get(At("x"));
  ASSERT_EQ(bytes.size(), 4000U);
  for (size_t i = 0; i < bytes.size(); ++i)
    ASSERT_EQ(bytes[i], static_cast<char>('a' + i / 100 % 4)) << i;
}

TEST_P(FileSystemTest, ListIsSortedAndKnowsTypes) {
  Put(At("b"), "");
  ASSERT_THAT(fs().MakeDirectory(At("c"), 0700), IsOk());
  world_->MakeSymlink(At("a"), "c");

  const auto entries = fs().List(world_->dir());

  ASSERT_THAT(entries, IsOk());
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[0].type, FileType::kSymlink);
  EXPECT_EQ((*entries)[1].name, "b");
  EXPECT_EQ((*entries)[1].type, FileType::kRegular);
  EXPECT_EQ((*entries)[2].name, "c");
  EXPECT_EQ((*entries)[2].type, FileType::kDirectory);
}

TEST_P(FileSystemTest, AFileIsNoDirectory) {
  Put(At("x"), "");

  EXPECT_FALSE(fs().List(At("x")).ok());
  EXPECT_FALSE(fs().SyncDirectory(At("x")).ok());
  EXPECT_FALSE(fs().RemoveDirectory(At("x")).ok());
  EXPECT_FALSE(fs().Open(At("x/y"), {}).ok());
}

TEST_P(FileSystemTest, ADirectoryIsNoFile) {
  ASSERT_THAT(fs().MakeDirectory(At("d"), 0700), IsOk());

  EXPECT_FALSE(fs().Open(At("d"), {}).ok());
  EXPECT_FALSE(fs().Remove(At("d")).ok());
  EXPECT_THAT(fs().MakeDirectory(At("d"), 0700), StatusIs(StatusCode::kAlreadyExists, _));
}

TEST_P(FileSystemTest, OnlyAnEmptyDirectoryIsRemoved) {
  ASSERT_THAT(fs().MakeDirectory(At("d"), 0700), IsOk());
  Put(At("d/x"), "");
  EXPECT_FALSE(fs().RemoveDirectory(At("d")).ok());
  ASSERT_THAT(fs().Remove(At("d/x")), IsOk());

  EXPECT_THAT(fs().RemoveDirectory(At("d")), IsOk());

  EXPECT_THAT(fs().List(world_->dir()), IsOkAndHolds(IsEmpty()));
}

TEST_P(FileSystemTest, RenameReplacesAndKeepsTheInode) {
  Put(At("x"), "new");
  Put(At("y"), "old");
  const uint64_t inode = fs().Stat(At("x"), false).value().inode;

  ASSERT_THAT(fs().Rename(At("x"), At("y")), IsOk());

  EXPECT_EQ(Get(At("y")), "new");
  EXPECT_EQ(fs().Stat(At("y"), false).value().inode, inode);
  EXPECT_THAT(Exists(fs(), At("x")), IsOkAndHolds(false));
}

TEST_P(FileSystemTest, AnOpenFileOutlivesItsName) {
  Put(At("x"), "hello");
  const auto file = MustOpen(At("x"), {});
  ASSERT_THAT(fs().Remove(At("x")), IsOk());
  std::vector<uint8_t> out(5);

  EXPECT_THAT(file->ReadAt(0, out), IsOkAndHolds(5U));
}

TEST_P(FileSystemTest, SymlinksAreFollowedOnlyWhenAsked) {
  Put(At("x"), "hello");
  world_->MakeSymlink(At("link"), "x");

  EXPECT_THAT(fs().Open(At("link"), {}), StatusIs(StatusCode::kFailed, HasSubstr(At("link"))));
  EXPECT_THAT(fs().Open(At("link"), {.follow = true}), IsOk());
  EXPECT_EQ(fs().Stat(At("link"), false).value().type, FileType::kSymlink);
  EXPECT_EQ(fs().Stat(At("link"), true).value().type, FileType::kRegular);
  EXPECT_THAT(fs().ReadLink(At("link")), IsOkAndHolds(std::string("x")));
  EXPECT_FALSE(fs().ReadLink(At("x")).ok());
}

// Of so many that several threads share them.
TEST_P(FileSystemTest, AttributesOfManyFilesComeInTheirOrder) {
  ASSERT_THAT(fs().MakeDirectory(At("d"), 0700), IsOk());
  std::vector<std::string> names;
  for (size_t i = 0; i < 1200; ++i) {
    names.push_back("d/" + std::to_string(i));
    if (i % 100 != 7) Put(At(names.back()), std::string(i % 50, 'x'));
  }
  world_->MakeSymlink(At("link"), At("d/49"));
  names.emplace_back("link");
  std::vector<const std::string*> asked;
  for (const std::string& name : names)
    asked.push_back(&name);

  const auto infos = fs().StatAll(world_->dir(), asked);

  ASSERT_THAT(infos, IsOk());
  ASSERT_EQ(infos->size(), names.size());
  for (size_t i = 0; i < 1200; ++i) {
    ASSERT_EQ((*infos)[i].has_value(), i % 100 != 7) << i;
    if (i % 100 != 7) {
      ASSERT_EQ((*infos)[i]->size, i % 50) << i;
    }
  }
  EXPECT_EQ(infos->back()->size, 49U);
  EXPECT_EQ(infos->back()->type, FileType::kRegular);
}

TEST_P(FileSystemTest, SymlinksInsideAPathAreFollowed) {
  ASSERT_THAT(fs().MakeDirectory(At("d"), 0700), IsOk());
  Put(At("d/x"), "hello");
  world_->MakeSymlink(At("link"), At("d"));

  EXPECT_EQ(Get(At("link/x")), "hello");
}

TEST_P(FileSystemTest, ALongSymlinkIsReadWhole) {
  const std::string target(1000, 't');
  world_->MakeSymlink(At("link"), target);

  EXPECT_THAT(fs().ReadLink(At("link")), IsOkAndHolds(target));
}

TEST_P(FileSystemTest, SymlinksThatLeadInACircleAreAnError) {
  world_->MakeSymlink(At("a"), "b");
  world_->MakeSymlink(At("b"), "a");

  EXPECT_FALSE(fs().Open(At("a"), {.follow = true}).ok());
}

TEST_P(FileSystemTest, StatSeesSizeModeAndChange) {
  Put(At("x"), "hello");
  const auto file = MustOpen(At("x"), {.write = true});
  const FileInfo before = file->Stat().value();
  ASSERT_THAT(file->SetMode(0640), IsOk());
  ASSERT_THAT(file->SetOwner(before.uid, before.gid), IsOk());
  ASSERT_THAT(file->Truncate(3), IsOk());

  const auto after = fs().Stat(At("x"), false);

  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->type, FileType::kRegular);
  EXPECT_EQ(after->size, 3U);
  EXPECT_EQ(after->mode, 0640U);
  EXPECT_GE(after->ctime_ns, before.ctime_ns);
  EXPECT_EQ(after->device, before.device);
  EXPECT_EQ(after->inode, before.inode);
}

TEST_P(FileSystemTest, ALockShutsOthersOutUntilClose) {
  Put(At("x"), "");
  const auto first = MustOpen(At("x"), {.write = true});
  const auto second = MustOpen(At("x"), {.write = true});

  EXPECT_THAT(first->TryLock(), IsOkAndHolds(true));
  EXPECT_THAT(second->TryLock(), IsOkAndHolds(false));
  ASSERT_THAT(first->Close(), IsOk());

  EXPECT_THAT(second->TryLock(), IsOkAndHolds(true));
}

TEST_P(FileSystemTest, SyncsSucceed) {
  const auto file = MustOpen(At("x"), {.write = true, .create = true});

  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(fs().SyncDirectory(world_->dir()), IsOk());
}

TEST(PosixFileSystemTest, AHardLinkIsCounted) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/a";
  ASSERT_THAT(WriteNewFile(PosixFileSystem(), path, "x", 0600), IsOk());
  EXPECT_EQ(PosixFileSystem().Stat(path, /*follow=*/false)->link_count, 1U);
  std::filesystem::create_hard_link(path, directory.path() + "/b");
  EXPECT_EQ(PosixFileSystem().Stat(path, /*follow=*/false)->link_count, 2U);
}

}  // namespace
}  // namespace hbk::io

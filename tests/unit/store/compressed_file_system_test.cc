#include "hbk/store/compressed_file_system.h"

#include <algorithm>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/aligned_buffer.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::store::compressed_file_system_test {
namespace {

using codec::FrameMethod;
using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kChunk = filter::kFileChunkBytes;

std::string Rows(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i % 97 < 60 ? 'a' : i / 97);
  return bytes;
}

class CompressedFileSystemTest : public ::testing::Test {
 protected:
  CompressedFileSystemTest() {
    below_.PutDirectory("/b");
    below_.PutDirectory("/b/db");
    below_.PutDirectory("/other");
  }

  std::unique_ptr<io::File> Create(const std::string& path) {
    auto file = fs_.Open(path, {.write = true, .create = true});
    EXPECT_THAT(file, IsOk());
    return std::move(file).value();
  }
  // As a file of known size is copied: chunks in any order, the last one rounded up.
  void WriteChunks(const std::string& path, const std::string& plain,
                   const std::vector<size_t>& order) {
    const auto file = Create(path);
    ASSERT_THAT(file->Truncate(plain.size()), IsOk());
    for (const size_t index : order) {
      AlignedBuffer buffer(kChunk);
      const size_t size = std::min(kChunk, plain.size() - index * kChunk);
      std::copy_n(plain.begin() + static_cast<ptrdiff_t>(index * kChunk), size, buffer.data());
      const size_t rounded = (size + 4095) / 4096 * 4096;
      ASSERT_THAT(file->WriteSparse(index * kChunk, buffer.view().first(rounded), 4096), IsOk());
    }
    ASSERT_THAT(file->Truncate(plain.size()), IsOk());
    ASSERT_THAT(file->Close(), IsOk());
  }
  std::string ReadAll(const std::string& path) {
    const auto text = io::ReadFile(fs_, path, 1 << 30);
    EXPECT_THAT(text, IsOk());
    return text.ok() ? *text : "";
  }

  MemFileSystem below_;
  CompressedFileSystem fs_{below_, "/b/", {FrameMethod::kZstd, 3}, [](std::string_view name) {
                             return name.starts_with("hbk_");
                           }};
};

// The log of a backup, say: encoded it has odd sizes, which direct writes cannot do.
TEST_F(CompressedFileSystemTest, WhatShallBeWrittenDirectIsNotOnceItIsEncoded) {
  const std::string plain = Rows(kChunk + 5000);
  const auto file = fs_.Open("/b/db/log", {.write = true, .create = true, .direct = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->WriteAt(0, AsBytes(plain)), IsOk());
  ASSERT_THAT((*file)->Close(), IsOk());

  EXPECT_TRUE(ReadAll("/b/db/log") == plain);
  EXPECT_EQ(below_.unaligned_direct_transfer_count(), 0U);
}

TEST_F(CompressedFileSystemTest, ChunksInAnyOrderAreOneFile) {
  const std::string plain = Rows(3 * kChunk + 5000);
  WriteChunks("/b/db/t.ibd", plain, {2, 0, 3, 1});
  EXPECT_FALSE(io::Exists(below_, "/b/db/t.ibd").value());
  EXPECT_LT(below_.Stat("/b/db/t.ibd.zst", false)->size, plain.size() / 2);
  EXPECT_EQ(fs_.Stat("/b/db/t.ibd", false)->size, plain.size());
  EXPECT_TRUE(ReadAll("/b/db/t.ibd") == plain);
}

TEST_F(CompressedFileSystemTest, WhatIsSkippedIsZeros) {
  const auto file = Create("/b/f");
  ASSERT_THAT(file->Truncate(2 * kChunk + 10), IsOk());
  ASSERT_THAT(file->SkipZeros(0, kChunk), IsOk());
  ASSERT_THAT(file->SkipZeros(2 * kChunk, 10), IsOk());
  ASSERT_THAT(file->WriteAt(kChunk, AsBytes(Rows(kChunk))), IsOk());
  ASSERT_THAT(file->Truncate(2 * kChunk + 10), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
  EXPECT_TRUE(ReadAll("/b/f") == std::string(kChunk, '\0') + Rows(kChunk) + std::string(10, '\0'));
}

// As the redo log and deltas are: the size is known at the end, and the last write rounded up.
TEST_F(CompressedFileSystemTest, FromFrontToBackWithTheSizeAtTheEnd) {
  const std::string plain = Rows(2 * kChunk + 700'000);
  const auto file = Create("/b/f");
  size_t done = 0;
  for (const size_t size : {size_t{500'000}, kChunk, plain.size() - kChunk - 500'000}) {
    ASSERT_THAT(file->WriteAt(done, AsBytes(plain).subspan(done, size)), IsOk());
    done += size;
  }
  ASSERT_THAT(file->WriteAt(done, AsBytes(std::string(1000, '\0'))), IsOk());
  ASSERT_THAT(file->Truncate(plain.size()), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
  EXPECT_TRUE(ReadAll("/b/f") == plain);
}

TEST_F(CompressedFileSystemTest, AnEmptyFile) {
  ASSERT_THAT(Create("/b/f")->Close(), IsOk());
  EXPECT_EQ(fs_.Stat("/b/f", false)->size, 0);
  EXPECT_EQ(ReadAll("/b/f"), "");
}

TEST_F(CompressedFileSystemTest, SeveralThreadsWriteOneFile) {
  const std::string plain = Rows(40 * kChunk + 1);
  const auto file = Create("/b/f");
  ASSERT_THAT(file->Truncate(plain.size()), IsOk());
  std::atomic<size_t> next = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (size_t at = next++ * kChunk; at < plain.size(); at = next++ * kChunk) {
          const size_t size = std::min(kChunk, plain.size() - at);
          EXPECT_THAT(file->WriteAt(at, AsBytes(plain).subspan(at, size)), IsOk());
        }
      });
    }
  }
  ASSERT_THAT(file->Truncate(plain.size()), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
  EXPECT_TRUE(ReadAll("/b/f") == plain);
}

TEST_F(CompressedFileSystemTest, WhatWasNotWrittenWholeCannotBeRead) {
  const auto file = Create("/b/f");
  ASSERT_THAT(file->Truncate(2 * kChunk), IsOk());
  ASSERT_THAT(file->WriteAt(0, AsBytes(Rows(kChunk))), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
  EXPECT_THAT(io::ReadFile(fs_, "/b/f", 1 << 30), StatusIs(StatusCode::kCorruption, ::testing::_));
}

TEST_F(CompressedFileSystemTest, AFileThatIsEncodedIsNotMadeShorter) {
  const auto file = Create("/b/f");
  ASSERT_THAT(file->Truncate(2 * kChunk), IsOk());
  EXPECT_THAT(file->Truncate(kChunk), StatusIs(StatusCode::kUnsupported, HasSubstr("/b/f")));
  EXPECT_TRUE(file->is_encoded());
}

TEST_F(CompressedFileSystemTest, WhatIsKeptAndWhatIsElsewhereGoesThrough) {
  ASSERT_THAT(io::WriteNewFile(fs_, "/b/hbk_manifest.json", "x", 0600), IsOk());
  ASSERT_THAT(io::WriteNewFile(fs_, "/other/t.ibd", "y", 0600), IsOk());
  EXPECT_EQ(io::ReadFile(below_, "/b/hbk_manifest.json", 10).value(), "x");
  EXPECT_EQ(io::ReadFile(below_, "/other/t.ibd", 10).value(), "y");
  below_.PutDirectory("/bb");
  ASSERT_THAT(io::WriteNewFile(fs_, "/bb/f", "z", 0600), IsOk());
  EXPECT_EQ(io::ReadFile(below_, "/bb/f", 10).value(), "z");
}

TEST_F(CompressedFileSystemTest, DirectoriesShowPlainNames) {
  ASSERT_THAT(io::WriteNewFile(fs_, "/b/f", "x", 0600), IsOk());
  ASSERT_THAT(io::WriteNewFile(fs_, "/b/hbk_manifest.json", "x", 0600), IsOk());
  std::vector<std::string> names;
  const auto entries = fs_.List("/b");
  ASSERT_THAT(entries, IsOk());
  for (const auto& entry : *entries)
    names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("db", "f", "hbk_manifest.json"));
  EXPECT_EQ(fs_.Stat("/b/db", false)->type, io::FileType::kDirectory);
}

TEST_F(CompressedFileSystemTest, FilesAreRenamedRemovedAndReplaced) {
  ASSERT_THAT(io::WriteNewFile(fs_, "/b/f", "x", 0600), IsOk());
  ASSERT_THAT(fs_.Rename("/b/f", "/b/db/g"), IsOk());
  EXPECT_EQ(ReadAll("/b/db/g"), "x");
  EXPECT_THAT(fs_.Rename("/b/db/g", "/other/g"), StatusIs(StatusCode::kUnsupported, ::testing::_));
  const auto file = fs_.Open("/b/db/g", {.write = true, .truncate = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->WriteAt(0, AsBytes("another")), IsOk());
  ASSERT_THAT((*file)->Close(), IsOk());
  EXPECT_EQ(ReadAll("/b/db/g"), "another");
  ASSERT_THAT(fs_.Remove("/b/db/g"), IsOk());
  EXPECT_THAT(fs_.Open("/b/db/g", {}), StatusIs(StatusCode::kNotFound, ::testing::_));
  EXPECT_THAT(fs_.Remove("/b/db/g"), StatusIs(StatusCode::kNotFound, ::testing::_));
  EXPECT_THAT(fs_.Open("/b/f", {}), StatusIs(StatusCode::kNotFound, ::testing::_));
}

TEST_F(CompressedFileSystemTest, AStoredFileIsNotChanged) {
  ASSERT_THAT(io::WriteNewFile(fs_, "/b/f", "x", 0600), IsOk());
  const auto file = fs_.Open("/b/f", {.write = true});
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT((*file)->WriteAt(0, AsBytes("y")), StatusIs(StatusCode::kUnsupported, ::testing::_));
  EXPECT_THAT((*file)->Truncate(0), StatusIs(StatusCode::kUnsupported, ::testing::_));
}

TEST_F(CompressedFileSystemTest, DamageIsSaidWithTheFile) {
  ASSERT_THAT(io::WriteNewFile(fs_, "/b/f", Rows(5000), 0600), IsOk());
  std::string stored = io::ReadFile(below_, "/b/f.zst", 1 << 20).value();
  stored[100] = static_cast<char>(stored[100] ^ 1);
  below_.PutFile("/b/f.zst", stored);
  EXPECT_THAT(io::ReadFile(fs_, "/b/f", 1 << 20),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/f.zst")));
}

}  // namespace
}  // namespace hbk::store::compressed_file_system_test

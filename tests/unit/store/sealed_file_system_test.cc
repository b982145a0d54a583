#include "hbk/store/sealed_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/store/compressed_file_system.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::store {
namespace {

using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

bool IsOwn(std::string_view name) {
  return name.starts_with("hbk_");
}

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

class SealedFileSystemTest : public ::testing::Test {
 protected:
  SealedFileSystemTest() {
    below_.PutDirectory("/b");
    below_.PutDirectory("/b/db");
  }
  void Write(const std::string& path, const std::string& bytes) {
    ASSERT_THAT(io::WriteNewFile(fs_, path, bytes, 0600), IsOk());
  }
  // As another program, which knows of the files what the manifest says.
  SealedFileSystem Later() { return {below_, "/b", key_, IsOwn, fs_.ids()}; }
  static Result<std::string> Read(io::FileSystem& fs, const std::string& path) {
    return io::ReadFile(fs, path, 1 << 30);
  }

  MemFileSystem below_;
  const seal::DataKey key_ = seal::DataKey::Generate().value();
  SealedFileSystem fs_{below_, "/b", key_, IsOwn};
};

TEST_F(SealedFileSystemTest, FilesAreSealedAndReadBack) {
  const std::string plain = Bytes(300'000);
  Write("/b/db/t.ibd", plain);
  EXPECT_FALSE(io::Exists(below_, "/b/db/t.ibd").value());
  EXPECT_THAT(below_.Contents("/b/db/t.ibd.sealed"), Not(HasSubstr(plain.substr(1000, 32))));
  EXPECT_TRUE(Read(fs_, "/b/db/t.ibd").value() == plain);
  auto later = Later();
  EXPECT_TRUE(Read(later, "/b/db/t.ibd").value() == plain);
  EXPECT_EQ(later.Stat("/b/db/t.ibd", false)->size, plain.size());
}

TEST_F(SealedFileSystemTest, ARenamedFileIsTheSameFile) {
  Write("/b/f", "one");
  Write("/b/g", "two");
  ASSERT_THAT(fs_.Rename("/b/f", "/b/db/h"), IsOk());
  ASSERT_THAT(fs_.Rename("/b/g", "/b/f"), IsOk());
  auto later = Later();
  EXPECT_EQ(Read(later, "/b/db/h").value(), "one");
  EXPECT_EQ(Read(later, "/b/f").value(), "two");
  ASSERT_THAT(fs_.Remove("/b/f"), IsOk());
  EXPECT_EQ(fs_.ids().size(), 1);
}

TEST_F(SealedFileSystemTest, ExchangedFilesAreNoticed) {
  Write("/b/f", "one");
  Write("/b/g", "two");
  ASSERT_THAT(below_.Rename("/b/f.sealed", "/b/x"), IsOk());
  ASSERT_THAT(below_.Rename("/b/g.sealed", "/b/f.sealed"), IsOk());
  ASSERT_THAT(below_.Rename("/b/x", "/b/g.sealed"), IsOk());
  auto later = Later();
  EXPECT_THAT(Read(later, "/b/f"), StatusIs(StatusCode::kCorruption, HasSubstr("/b/f.sealed")));
  EXPECT_THAT(Read(later, "/b/g"), StatusIs(StatusCode::kCorruption, HasSubstr("/b/g.sealed")));
}

// Whoever cannot seal puts a file of his own there.
TEST_F(SealedFileSystemTest, AFileThatIsNotSealedIsNotThere) {
  Write("/b/f", "one");
  below_.PutFile("/b/plain", "forged");
  below_.PutFile("/b/hbk_manifest.json", "kept");
  auto later = Later();
  EXPECT_THAT(Read(later, "/b/plain"), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(later.Stat("/b/plain", false), StatusIs(StatusCode::kNotFound, _));
  EXPECT_EQ(Read(later, "/b/hbk_manifest.json").value(), "kept");
  std::vector<std::string> names;
  const auto entries = later.List("/b");
  ASSERT_THAT(entries, IsOk());
  for (const auto& entry : *entries)
    names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("db", "f", "hbk_manifest.json"));
}

// Made with the same key, but not for this backup.
TEST_F(SealedFileSystemTest, AFileThatTheManifestHasNotIsRefused) {
  Write("/b/f", "one");
  SealedFileSystem later(below_, "/b", key_, IsOwn, {});
  EXPECT_THAT(Read(later, "/b/f"), StatusIs(StatusCode::kCorruption, HasSubstr("belong")));
}

TEST_F(SealedFileSystemTest, EveryBitCounts) {
  Write("/b/f", Bytes(500));
  const std::string sealed = below_.Contents("/b/f.sealed");
  auto later = Later();
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string damaged = sealed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    below_.PutFile("/b/f.sealed", damaged);
    EXPECT_THAT(Read(later, "/b/f"), Not(IsOk())) << bit;
  }
}

TEST_F(SealedFileSystemTest, OnlyFromFrontToBack) {
  const auto file = fs_.Open("/b/f", {.write = true, .create = true});
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT((*file)->WriteAt(10, AsBytes("x")), StatusIs(StatusCode::kUnsupported, _));
  ASSERT_THAT((*file)->WriteAt(0, AsBytes("xyz")), IsOk());
  EXPECT_THAT((*file)->Truncate(2), StatusIs(StatusCode::kUnsupported, _));
  EXPECT_THAT((*file)->Truncate(3), IsOk());
  ASSERT_THAT((*file)->Close(), IsOk());
  const auto again = fs_.Open("/b/f", {.write = true});
  EXPECT_THAT(again, StatusIs(StatusCode::kUnsupported, HasSubstr("/b/f")));
}

// As a backup is written: chunks in any order, compressed or not.
TEST_F(SealedFileSystemTest, BeneathTheCompressionChunksComeInOrder) {
  constexpr size_t kChunk = filter::kFileChunkBytes;
  const std::string plain = Bytes(2 * kChunk + 5000);
  for (const auto method : {codec::FrameMethod::kNone, codec::FrameMethod::kZstd}) {
    CompressedFileSystem above(fs_, "/b", {method, method == codec::FrameMethod::kNone ? 0 : 3},
                               IsOwn);
    const auto file = above.Open("/b/db/t", {.write = true, .create = true, .direct = true});
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Truncate(plain.size()), IsOk());
    for (const size_t index : {size_t{2}, size_t{0}, size_t{1}}) {
      const size_t begin = index * kChunk;
      const size_t size = std::min(kChunk, plain.size() - begin);
      ASSERT_THAT((*file)->WriteAt(begin, AsBytes(plain).subspan(begin, size)), IsOk());
    }
    ASSERT_THAT((*file)->Truncate(plain.size()), IsOk());
    ASSERT_THAT((*file)->Close(), IsOk());
    EXPECT_TRUE(Read(above, "/b/db/t").value() == plain);
    ASSERT_THAT(above.Remove("/b/db/t"), IsOk());
  }
}

}  // namespace
}  // namespace hbk::store

#include "sparse_copy.h"

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

std::string SomeBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

TEST(SparseCopyTest, TheCopyHasTheBytes) {
  MemFileSystem fs;
  const std::string bytes =
      SomeBytes(5000) + std::string(3 << 20, '\0') + SomeBytes((1 << 20) + 17);
  fs.PutFile("/a", bytes);

  ASSERT_THAT(CopySparse(fs, "/a", "/b", UINT64_MAX, {}), IsOk());

  EXPECT_TRUE(fs.Contents("/b") == bytes);
}

TEST(SparseCopyTest, AnOlderFileIsReplaced) {
  MemFileSystem fs;
  fs.PutFile("/a", std::string(10, '\0') + "end");
  fs.PutFile("/b", SomeBytes(9000));

  ASSERT_THAT(CopySparse(fs, "/a", "/b", UINT64_MAX, {}), IsOk());

  EXPECT_EQ(fs.Contents("/b"), std::string(10, '\0') + "end");
}

TEST(SparseCopyTest, NoMoreThanWantedIsCopied) {
  MemFileSystem fs;
  fs.PutFile("/a", SomeBytes(9000));

  ASSERT_THAT(CopySparse(fs, "/a", "/b", 4096, {}), IsOk());

  EXPECT_EQ(fs.Contents("/b"), SomeBytes(4096));
}

TEST(SparseCopyTest, AMissingFileAndAStopAreErrors) {
  MemFileSystem fs;
  fs.PutFile("/a", SomeBytes(10));
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(CopySparse(fs, "/x", "/b", UINT64_MAX, {}),
              StatusIs(StatusCode::kNotFound, HasSubstr("/x")));
  EXPECT_THAT(CopySparse(fs, "/a", "/b", UINT64_MAX, stop.get_token()),
              StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

}  // namespace
}  // namespace hbk::prepare

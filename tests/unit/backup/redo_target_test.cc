#include "redo_target.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"

#include "tests/support/faulty_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using ::hbk::testing::FaultKind;
using ::hbk::testing::FaultyFileSystem;
using ::hbk::testing::IsOk;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::_;

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>('a' + i % 25);
  return bytes;
}

TEST(RedoTargetTest, WritesWhatWasAppendedWhateverThePieces) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  const std::string bytes = Pattern(3 * RedoTarget::kChunkBytes + 777);
  auto target = RedoTarget::Create(fs, "/b/log");
  ASSERT_THAT(target, IsOk());

  const size_t cuts[] = {
      0, 1, 5000, RedoTarget::kChunkBytes, 2 * RedoTarget::kChunkBytes + 3, bytes.size()};
  for (size_t i = 1; i < std::size(cuts); ++i) {
    const auto piece = AsBytes(bytes).subspan(cuts[i - 1], cuts[i] - cuts[i - 1]);
    ASSERT_THAT(target.value()->Append(piece), IsOk());
  }
  ASSERT_THAT(target.value()->Finish(), IsOk());

  EXPECT_EQ(target.value()->size(), bytes.size());
  EXPECT_TRUE(fs.Contents("/b/log") == bytes);
  EXPECT_THAT(fs.synced(), ::testing::Contains("/b/log"));
  EXPECT_EQ(fs.unaligned_direct_transfer_count(), 0U);
}

TEST(RedoTargetTest, AnExistingFileIsNotOverwritten) {
  MemFileSystem fs;
  fs.PutFile("/b/log", "old");

  EXPECT_THAT(RedoTarget::Create(fs, "/b/log"), StatusIs(StatusCode::kAlreadyExists, _));
}

TEST(RedoTargetTest, AFullDiskComesBackFromAppendOrFinish) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  FaultyFileSystem faulty(fs);
  auto target = RedoTarget::Create(faulty, "/b/log");
  ASSERT_THAT(target, IsOk());
  faulty.Arm(FaultKind::kNoSpace, 2);
  const std::string bytes = Pattern(8 * RedoTarget::kChunkBytes + 1);

  Status status = target.value()->Append(AsBytes(bytes));
  if (status.ok()) status = target.value()->Finish();

  EXPECT_THAT(status, StatusIs(StatusCode::kNoSpace, _));
}

TEST(RedoTargetTest, MayBeAbandoned) {
  MemFileSystem fs;
  fs.PutDirectory("/b");
  auto target = RedoTarget::Create(fs, "/b/log");
  ASSERT_THAT(target, IsOk());

  ASSERT_THAT(target.value()->Append(AsBytes(Pattern(2 * RedoTarget::kChunkBytes))), IsOk());
}

}  // namespace
}  // namespace hbk::backup

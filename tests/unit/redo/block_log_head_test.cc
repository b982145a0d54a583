#include "block_log_head.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"
#include "hbk/redo/log_block.h"

#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

MutableByteView Bytes(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

constexpr Checkpoint kCheckpoint = {.checkpoint_lsn = 51200 + 100, .end_lsn = 51200 + 200};

std::string Block(uint64_t number, const Checkpoint& checkpoint) {
  std::string block = RenderBlockCheckpoint(checkpoint, {});
  StoreBe64(Bytes(block), 0, number);
  StoreBe32(Bytes(block), 508, Crc32c(AsBytes(block).first(508)));
  return block;
}

std::string Head(const std::string& first, const std::string& second) {
  std::string head(kBlockLogHeadBytes, '\0');
  head.replace(kBlockCheckpointOffset1, first.size(), first);
  head.replace(kBlockCheckpointOffset2, second.size(), second);
  return head;
}

TEST(BlockLogHeadTest, ReadsTheCheckpointOfARealServer) {
  std::string block =
      FromHex("0000000000000001 0000000000019e85 000000000000f485 0000000001000000") +
      FromHex("00000001 ab2eb81c 78b8dff4d5fd82bd654838c5fd22ac9f") + std::string(440, '\0') +
      FromHex("00000000006482ca 00000000 a8660e5e");
  ASSERT_EQ(block.size(), kLogBlockBytes);

  const auto newest = NewestBlockCheckpoint(AsBytes(Head("", block)), true);

  ASSERT_THAT(newest, IsOk());
  EXPECT_EQ(newest->checkpoint.checkpoint_lsn, 0x19E85U);
  EXPECT_EQ(newest->checkpoint.offset, 0xF485U);
  EXPECT_EQ(newest->checkpoint.end_lsn, 0x6482CAU);
  EXPECT_EQ(newest->crypt.key_id, 1U);
  EXPECT_EQ(newest->crypt.key_version, 1U);
  EXPECT_EQ(newest->crypt.nonce, 0xAB2EB81CU);
  EXPECT_EQ(newest->crypt.message[15], 0x9F);
}

TEST(BlockLogHeadTest, TakesTheValidBlockWithTheHigherNumber) {
  Checkpoint other = kCheckpoint;
  other.checkpoint_lsn -= 50;
  const auto newest = [](const std::string& head) {
    return NewestBlockCheckpoint(AsBytes(head), false)->checkpoint.checkpoint_lsn;
  };

  EXPECT_EQ(newest(Head(Block(7, kCheckpoint), Block(6, other))), kCheckpoint.checkpoint_lsn);
  EXPECT_EQ(newest(Head(Block(7, kCheckpoint), Block(8, other))), other.checkpoint_lsn);
  EXPECT_EQ(newest(Head(Block(7, kCheckpoint), "")), kCheckpoint.checkpoint_lsn);
  EXPECT_EQ(newest(Head("", Block(0, other))), other.checkpoint_lsn);
}

TEST(BlockLogHeadTest, RefusesWhatNoServerWrites) {
  const auto is_valid = [](const Checkpoint& checkpoint, uint64_t offset) {
    std::string block = Block(1, checkpoint);
    StoreBe64(Bytes(block), 16, offset);
    StoreBe32(Bytes(block), 508, Crc32c(AsBytes(block).first(508)));
    return NewestBlockCheckpoint(AsBytes(Head("", block)), false).ok();
  };

  EXPECT_TRUE(is_valid(kCheckpoint, 2048 + 100));
  EXPECT_TRUE(is_valid({.checkpoint_lsn = 51300}, 2048 + 100));
  EXPECT_FALSE(is_valid(kCheckpoint, 2048 + 101));
  EXPECT_FALSE(is_valid(kCheckpoint, 1536 + 100));
  EXPECT_FALSE(is_valid(kCheckpoint, (1 << 20) + 100));
  EXPECT_FALSE(is_valid({.checkpoint_lsn = 51200 + 11}, 2048 + 11));
  EXPECT_FALSE(is_valid({.checkpoint_lsn = 51200 + 508}, 2048 + 508));
  EXPECT_FALSE(is_valid({.checkpoint_lsn = 51300, .end_lsn = 51299}, 2048 + 100));
  EXPECT_FALSE(is_valid({.checkpoint_lsn = 51300, .end_lsn = 51712 + 3}, 2048 + 100));
}

TEST(BlockLogHeadTest, NoValidBlockIsCorruption) {
  EXPECT_THAT(NewestBlockCheckpoint(AsBytes(Head("", "")), false),
              StatusIs(StatusCode::kCorruption, HasSubstr("no valid checkpoint")));
  EXPECT_THAT(NewestBlockCheckpoint(AsBytes(Head("", "")).first(2047), false),
              StatusIs(StatusCode::kCorruption, HasSubstr("2047 bytes")));
}

TEST(BlockLogHeadTest, HeadOfABackupBeginsWithTheBlockOfItsCheckpoint) {
  LogHead source;
  source.header = {.creator = "MariaDB 10.5.23",
                   .is_encrypted = true,
                   .container = LogContainer::kBlocks,
                   .encryption = LogEncryption::kBlocks,
                   .subformat = 2,
                   .crypt = {.key_id = 1, .key_version = 9, .message = {1, 2}, .nonce = 77}};
  source.checkpoint = {.checkpoint_lsn = 51300, .end_lsn = 60000, .offset = 99940};

  const std::string rendered = RenderBackupLogHead(source, "Backup 10.5.23-MariaDB");

  ASSERT_EQ(rendered.size(), kBlockLogHeadBytes);
  const auto head = ParseLogHead(AsBytes(rendered));
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->header.creator, "Backup 10.5.23-MariaDB");
  EXPECT_EQ(head->header.first_lsn, 51300U);
  EXPECT_EQ(head->header.subformat, 2U);
  EXPECT_EQ(head->header.encryption, LogEncryption::kBlocks);
  EXPECT_EQ(head->header.crypt, source.header.crypt);
  EXPECT_EQ(head->checkpoint.checkpoint_lsn, 51300U);
  EXPECT_EQ(head->checkpoint.end_lsn, 60000U);
  EXPECT_EQ(head->checkpoint.offset, 2048U + 100);
}

}  // namespace
}  // namespace hbk::redo

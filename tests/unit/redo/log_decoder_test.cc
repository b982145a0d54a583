#include "hbk/redo/log_decoder.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"

#include "tests/support/fixed_keys.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::BlockLogBuilder;
using ::hbk::testing::FixedKeys;
using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::LogBuilder;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::ToHex;

TEST(LogDecoderTest, RingIsReadInPlace) {
  LogBuilder log(20000, kLogHeadBytes + 4096);
  const MtrBuilder mtr = MtrBuilder().Write({5, 6}, 100, "text");
  const Lsn middle = log.Append(mtr);
  log.Append(mtr);
  const auto head = ParseLogHead(AsBytes(log.file()));
  ASSERT_THAT(head, IsOk());
  const auto decoder = LogDecoder::Create(*head, log.geometry(), std::nullopt);
  const ByteView ring = AsBytes(log.file()).subspan(kLogHeadBytes);
  ASSERT_EQ(decoder->window_lsn(), 20000U);

  MiniTransaction read;
  ASSERT_THAT(decoder->Next(ring, read), IsOkAndHolds(MtrOutcome::kWhole));
  EXPECT_EQ(read.body.data(), ring.data());
  EXPECT_EQ(read.start_lsn, 20000U);
  EXPECT_EQ(read.end_lsn, middle);
  EXPECT_EQ(read.sequence_index, read.body.size());
  EXPECT_EQ(decoder->window_lsn(), middle);
  const ByteView rest = ring.subspan(middle - 20000);
  EXPECT_THAT(decoder->Next(rest.first(5), read), IsOkAndHolds(MtrOutcome::kNeedBytes));
  EXPECT_THAT(decoder->Next(rest, read), IsOkAndHolds(MtrOutcome::kWhole));
  EXPECT_EQ(decoder->position(), log.end_lsn());
  EXPECT_THAT(decoder->Next(ring.subspan(log.end_lsn() - 20000), read),
              IsOkAndHolds(MtrOutcome::kEndOfLog));
  EXPECT_EQ(decoder->end_reason(), "zero byte");
  EXPECT_EQ(decoder->position(), log.end_lsn());
}

TEST(LogDecoderTest, EncryptedRingGivesPlainBodies) {
  LogHead head;
  head.header.is_encrypted = true;
  head.header.encryption = LogEncryption::kRecords;
  head.header.crypt = {.key_id = 1, .key_version = 1};
  const std::string message = FromHex("e8d0ca446e3b82ced5bb9d28e57c4f26");
  std::copy(message.begin(), message.end(), head.header.crypt.message.begin());
  head.header.first_lsn = head.checkpoint.checkpoint_lsn = 12288;
  FixedKeys keys;
  keys.Add(1, 1, FromHex("770a8a65da156d24ee2a093277530142"));
  auto decryptor = LogDecryptor::Create(head.header, &keys);
  ASSERT_THAT(decryptor, IsOk());
  const auto decoder =
      LogDecoder::Create(head, LogGeometry(12288, kLogHeadBytes + 4096), *decryptor);
  const std::string window = FromHex("34 b8e79761 01 000000000000bcd7 ffff8a94 00");

  MiniTransaction mtr;
  ASSERT_THAT(decoder->Next(AsBytes(window), mtr), IsOkAndHolds(MtrOutcome::kWhole));
  EXPECT_EQ(ToHex(AsText(mtr.body)), "3400073512");
  EXPECT_EQ(mtr.end_lsn, 12288U + 18);
}

TEST(LogDecoderTest, BlocksHaveADecoderOfTheirOwn) {
  BlockLogBuilder log(51200 + 300, 8192);
  const MtrBuilder mtr = MtrBuilder().Write({5, 6}, 100, "text");
  log.Append(mtr);
  const std::string file = log.file();
  const auto head = ParseLogHead(AsBytes(file));
  ASSERT_THAT(head, IsOk());
  const auto geometry = LogGeometry::Of(*head, file.size());
  ASSERT_THAT(geometry, IsOk());
  const auto decoder = LogDecoder::Create(*head, *geometry, std::nullopt);

  EXPECT_EQ(decoder->position(), 51200U + 300);
  EXPECT_EQ(decoder->window_lsn(), 51200U);
  MiniTransaction read;
  ASSERT_THAT(decoder->Next(AsBytes(file).subspan(geometry->OffsetOf(decoder->window_lsn())), read),
              IsOkAndHolds(MtrOutcome::kWhole));
  EXPECT_EQ(AsText(read.body), mtr.body());
}

}  // namespace
}  // namespace hbk::redo

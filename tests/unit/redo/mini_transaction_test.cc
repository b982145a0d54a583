#include "hbk/redo/mini_transaction.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"

#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::FrameMtr;
using ::hbk::testing::FromHex;
using ::hbk::testing::LogBuilder;
using ::hbk::testing::MtrBuilder;

constexpr Lsn kLsn = 20000;
const LogGeometry kGeometry(12288, kLogHeadBytes + (4U << 20));

MtrParse Parse(std::string_view window, Lsn lsn = kLsn, const LogGeometry& geometry = kGeometry) {
  return ParseMiniTransaction(AsBytes(window), lsn, geometry, false);
}

std::string WriteBody(size_t data_bytes) {
  return MtrBuilder().Write({5, 6}, 100, std::string(data_bytes, 'd')).body();
}

TEST(ParseMiniTransactionTest, ReadsOneOfARealServer) {
  const std::string window =
      FromHex("35 2b06 9f8320 d3 08 0b 6f b3 00 0ed1 01 3785738d") + "whatever follows";

  const MtrParse parse = Parse(window);

  ASSERT_EQ(parse.outcome, MtrOutcome::kWhole) << parse.end_reason;
  EXPECT_EQ(parse.mtr.start_lsn, kLsn);
  EXPECT_EQ(parse.mtr.end_lsn, kLsn + 19);
  EXPECT_EQ(parse.mtr.body.size(), 14U);
  EXPECT_EQ(parse.mtr.sequence_index, 14U);
}

TEST(ParseMiniTransactionTest, ReadsAnEncryptedOneWithItsNonce) {
  const std::string window = FromHex("34 b8e79761 01 000000000000bcd7 ffff8a94");

  const MtrParse parse = ParseMiniTransaction(AsBytes(window), kLsn, kGeometry, true);

  ASSERT_EQ(parse.outcome, MtrOutcome::kWhole) << parse.end_reason;
  EXPECT_EQ(parse.mtr.end_lsn, kLsn + 18);
  EXPECT_EQ(parse.mtr.body.size(), 5U);
}

TEST(ParseMiniTransactionTest, EveryShorterWindowNeedsBytes) {
  for (const size_t data_bytes : {1U, 5U, 12U, 40U, 200U, 20000U}) {
    const std::string mtr = FrameMtr(WriteBody(data_bytes), kLsn, kGeometry);
    for (size_t size = 0; size < mtr.size(); ++size) {
      ASSERT_EQ(Parse(std::string_view(mtr).substr(0, size)).outcome, MtrOutcome::kNeedBytes)
          << size << " of " << mtr.size();
    }
    EXPECT_EQ(Parse(mtr).outcome, MtrOutcome::kWhole);
  }
}

TEST(ParseMiniTransactionTest, EveryFlippedBitIsNotAWholeMtr) {
  const std::string mtr = FrameMtr(WriteBody(30), kLsn, kGeometry);
  for (size_t bit = 0; bit < mtr.size() * 8; ++bit) {
    std::string window = mtr;
    window[bit / 8] = static_cast<char>(window[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Parse(window).outcome, MtrOutcome::kWhole) << bit;
  }
}

TEST(ParseMiniTransactionTest, SaysWhyTheLogEnds) {
  const std::string mtr = FrameMtr(WriteBody(3), kLsn, kGeometry);
  std::string other_lap = mtr;
  other_lap[mtr.size() - 5] = 0;
  std::string other_checksum = mtr;
  other_checksum.back() ^= 1;

  EXPECT_EQ(Parse(std::string(1, '\0')).end_reason, "zero byte");
  EXPECT_EQ(Parse("\x01").end_reason, "no record");
  EXPECT_EQ(Parse(other_lap).end_reason, "sequence bit");
  EXPECT_EQ(Parse(other_checksum).end_reason, "checksum");
  EXPECT_EQ(Parse(FromHex("30 e0000000")).end_reason, "length");  // 4 bytes of length
  EXPECT_EQ(Parse(FromHex("30 f8")).end_reason, "length");        // no integer starts so
  EXPECT_EQ(Parse(FromHex("30 cfbf80")).end_reason, "length");    // 1 MiB
}

TEST(ParseMiniTransactionTest, AWrongSequenceBitIsSeenBeforeTheChecksumIsThere) {
  std::string window = WriteBody(3) + '\0';
  EXPECT_EQ(Parse(window).outcome, MtrOutcome::kEndOfLog);
}

TEST(ParseMiniTransactionTest, ExtendedLengthsOfEverySizeAreUnderstood) {
  for (const size_t content : {16U, 17U, 100U, 141U, 142U, 143U, 16524U, 16525U, 16526U, 200000U}) {
    const std::string body = MtrBuilder().Record(0x30, std::string(content, '\x02')).body();
    const MtrParse parse = Parse(FrameMtr(body, kLsn, kGeometry));
    ASSERT_EQ(parse.outcome, MtrOutcome::kWhole) << content << " " << parse.end_reason;
    EXPECT_EQ(parse.mtr.body.size(), body.size());
  }
}

TEST(ParseMiniTransactionTest, AWindowOfTheLimitNeverNeedsBytes) {
  const std::string record = MtrBuilder().Record(0x30, std::string(1000, '\x02')).body();
  std::string window;
  while (window.size() < kMiniTransactionBytesMax + 16)
    window += record;
  window.resize(kMiniTransactionBytesMax + 16);

  EXPECT_EQ(Parse(window).end_reason, "length");
  EXPECT_EQ(Parse(window.substr(0, 1000000)).outcome, MtrOutcome::kNeedBytes);
}

TEST(ParseMiniTransactionTest, AnMtrLongerThanTheRingIsTheEnd) {
  const LogGeometry geometry(12288, kLogHeadBytes + 100);
  for (size_t data_bytes = 80; data_bytes < 100; ++data_bytes) {
    const std::string mtr = FrameMtr(WriteBody(data_bytes), 12288, geometry);
    const MtrParse parse = Parse(std::string_view(mtr).substr(0, 100), 12288, geometry);
    EXPECT_EQ(parse.outcome, mtr.size() <= 100 ? MtrOutcome::kWhole : MtrOutcome::kEndOfLog);
  }
}

TEST(ParseMiniTransactionTest, TheTrailerMayBeSplitByTheEndOfTheFileAtEveryByte) {
  const std::string body = WriteBody(10);
  const size_t mtr_bytes = body.size() + 5;
  for (size_t before_wrap = 0; before_wrap <= mtr_bytes; ++before_wrap) {
    // Two mtrs fill the ring but for before_wrap bytes; the third wraps.
    LogBuilder log(12288, kLogHeadBytes + 2 * mtr_bytes + before_wrap);
    log.Append(body);
    const Lsn start = log.Append(body);
    log.Append(body);

    std::string window;
    for (Lsn lsn = start; lsn < start + log.geometry().capacity(); ++lsn)
      window.push_back(log.file()[log.geometry().OffsetOf(lsn)]);
    const MtrParse parse = Parse(window, start, log.geometry());

    ASSERT_EQ(parse.outcome, MtrOutcome::kWhole) << before_wrap << " " << parse.end_reason;
    EXPECT_EQ(parse.mtr.end_lsn, log.end_lsn());
    const bool is_sequence_byte_wrapped = before_wrap <= body.size();
    EXPECT_EQ(window[body.size()], is_sequence_byte_wrapped ? 0 : 1) << before_wrap;
  }
}

TEST(ParseMiniTransactionTest, TheLogOfAnEmptyBackupEndsAtItsEnd) {
  const std::string log = RenderEmptyLog(1000000, "Backup 10.11.19");
  const LogGeometry geometry(1000000 - 16, log.size());
  const std::string ring = log.substr(kLogStart);

  const MtrParse parse = Parse(ring, 1000000 - 16, geometry);
  ASSERT_EQ(parse.outcome, MtrOutcome::kWhole);
  EXPECT_EQ(parse.mtr.end_lsn, 1000000U);
  EXPECT_EQ(Parse(ring, 1000000, geometry).end_reason, "sequence bit");
}

}  // namespace
}  // namespace hbk::redo

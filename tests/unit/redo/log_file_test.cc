#include "hbk/redo/log_file.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/crc32c.h"

#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo::log_file_test {
namespace {

using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::StatusIs;
using ::hbk::testing::ToHex;
using ::testing::AllOf;
using ::testing::HasSubstr;

MutableByteView Bytes(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

void SealHeader(std::string& log) {
  StoreBe32(Bytes(log), 508, Crc32c(AsBytes(log).first(508)));
}

// A header block with this format word, as "MariaDB 10.6.7".
std::string HeaderWithFormat(uint32_t format) {
  std::string block = RenderLogHead(12288, {12288, 12288}, "MariaDB 10.6.7").substr(0, 512);
  StoreBe32(Bytes(block), 0, format);
  SealHeader(block);
  return block;
}

std::string CheckpointBlock(Lsn checkpoint_lsn, Lsn end_lsn) {
  return RenderLogHead(12288, {checkpoint_lsn, end_lsn}, "x").substr(kCheckpointOffset1, 64);
}

TEST(RenderEmptyLogTest, GivesTheBytesThatAServerAccepted) {
  const std::string log = RenderEmptyLog(1000000, "Backup 10.11.19");

  ASSERT_EQ(log.size(), kLogFileBytesMin);
  EXPECT_EQ(ToHex(log.substr(0, 32)),
            "506879730000000000000000000f42304261636b75702031302e31312e313900");
  EXPECT_TRUE(IsAllZero(AsBytes(log).subspan(32, 508 - 32)));
  EXPECT_EQ(ToHex(log.substr(508, 4)), "0a6f11fc");
  EXPECT_EQ(ToHex(log.substr(4096, 16)), "00000000000f423000000000000f4230");
  EXPECT_TRUE(IsAllZero(AsBytes(log).subspan(4112, 44)));
  EXPECT_EQ(ToHex(log.substr(4156, 4)), "9d8b6bb4");
  EXPECT_TRUE(IsAllZero(AsBytes(log).subspan(4160, 12288 - 4160)));
  EXPECT_EQ(ToHex(log.substr(12288)), "fa000000000000000f423001fbb2edf4");
}

TEST(RenderLogHeadTest, IsReadBackAsWritten) {
  const std::string head = RenderLogHead(20000, {30000, 40000}, "Backup 10.11.19");

  ASSERT_EQ(head.size(), kLogHeadBytes);
  const auto header = ParseLogFileHeader(AsBytes(head));
  ASSERT_THAT(header, IsOk());
  EXPECT_EQ(header->first_lsn, 20000U);
  EXPECT_EQ(header->creator, "Backup 10.11.19");
  EXPECT_FALSE(header->is_encrypted);
  const auto checkpoint = NewestCheckpoint(AsBytes(head), header->first_lsn);
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->checkpoint_lsn, 30000U);
  EXPECT_EQ(checkpoint->end_lsn, 40000U);
}

TEST(ParseLogFileHeaderTest, RefusesOtherFormatsByNameOfTheirWriter) {
  struct Case {
    uint32_t format;
    const char* text;
  };
  for (const Case& c :
       {Case{0, "before MariaDB 10.2"}, Case{1, "MariaDB 10.2"}, Case{0x80000001, "MariaDB 10.2"},
        Case{2, "MySQL 8.0"}, Case{6, "MySQL 8.0"}, Case{103, "MariaDB 10.3"},
        Case{0x80000067, "MariaDB 10.3"}, Case{104, "MariaDB 10.4"},
        Case{0x80000068, "MariaDB 10.4"}, Case{7, "not known"}, Case{0x12345678, "not known"}}) {
    EXPECT_THAT(ParseLogFileHeader(AsBytes(HeaderWithFormat(c.format))),
                StatusIs(StatusCode::kUnsupported,
                         AllOf(HasSubstr(c.text), HasSubstr("\"MariaDB 10.6.7\""))))
        << std::hex << c.format;
  }
}

TEST(ParseLogFileHeaderTest, GivesAHintForAServerThatCanBeUpgraded) {
  EXPECT_THAT(ParseLogFileHeader(AsBytes(HeaderWithFormat(104))).status().hint(),
              HasSubstr("upgrade"));
}

TEST(ParseLogFileHeaderTest, TellsTheNewerEncryptedFormatByItsWord) {
  const auto header = ParseLogFileHeader(AsBytes(HeaderWithFormat(0xF09F979D)));

  ASSERT_THAT(header, IsOk());
  EXPECT_TRUE(header->is_encrypted);
  EXPECT_EQ(header->encryption, LogEncryption::kRecords);
}

TEST(ParseLogFileHeaderTest, TellsTheOlderEncryptedFormatByItsKeyId) {
  std::string block = HeaderWithFormat(0x50687973);
  StoreBe32(Bytes(block), 48, 1);
  StoreBe32(Bytes(block), 52, 7);
  block.replace(56, 16, "the message of 1");
  SealHeader(block);

  const auto header = ParseLogFileHeader(AsBytes(block));

  ASSERT_THAT(header, IsOk());
  EXPECT_TRUE(header->is_encrypted);
  EXPECT_EQ(header->encryption, LogEncryption::kPayloads);
  EXPECT_EQ(header->crypt.key_id, 1U);
  EXPECT_EQ(header->crypt.key_version, 7U);
  EXPECT_EQ(AsText(header->crypt.message), "the message of 1");
}

TEST(ParseLogFileHeaderTest, KnowsTheBlocksOfOlderServers) {
  const auto plain = ParseLogFileHeader(AsBytes(HeaderWithFormat(0x50485953)));
  const auto encrypted = ParseLogFileHeader(AsBytes(HeaderWithFormat(0xD0485953)));

  ASSERT_THAT(plain, IsOk());
  EXPECT_EQ(plain->container, LogContainer::kBlocks);
  EXPECT_EQ(plain->encryption, LogEncryption::kNone);
  ASSERT_THAT(encrypted, IsOk());
  EXPECT_EQ(encrypted->container, LogContainer::kBlocks);
  EXPECT_EQ(encrypted->encryption, LogEncryption::kBlocks);
}

TEST(RenderBackupLogHeadTest, KeepsFormatAndCryptFields) {
  for (const LogEncryption encryption :
       {LogEncryption::kNone, LogEncryption::kPayloads, LogEncryption::kRecords}) {
    LogHead source;
    source.header.first_lsn = 20000;
    source.header.creator = "MariaDB 10.11.19";
    source.header.encryption = encryption;
    source.header.is_encrypted = encryption != LogEncryption::kNone;
    source.checkpoint = {.checkpoint_lsn = 30000, .end_lsn = 40000};
    if (source.header.is_encrypted) {
      source.header.crypt = {.key_id = 1, .key_version = 3, .message = {1, 2, 3}};
    }

    const std::string rendered = RenderBackupLogHead(source, "Backup 1");

    ASSERT_EQ(rendered.size(), kLogHeadBytes);
    const auto head = ParseLogHead(AsBytes(rendered));
    ASSERT_THAT(head, IsOk());
    EXPECT_EQ(head->header.encryption, encryption);
    EXPECT_EQ(head->header.crypt, source.header.crypt);
    EXPECT_EQ(head->header.first_lsn, 30000U);
    EXPECT_EQ(head->header.creator, "Backup 1");
    EXPECT_EQ(head->checkpoint.end_lsn, 40000U);
  }
}

TEST(ParseLogFileHeaderTest, EveryFlippedBitIsNoticed) {
  const std::string good = HeaderWithFormat(0x50687973);
  for (size_t i = 0; i < 512; ++i) {
    std::string block = good;
    Bytes(block)[i] ^= 0x10;
    EXPECT_FALSE(ParseLogFileHeader(AsBytes(block)).ok()) << i;
  }
}

TEST(ParseLogFileHeaderTest, ShortOrEmptyOrImpossibleIsCorruption) {
  const std::string good = HeaderWithFormat(0x50687973);
  EXPECT_THAT(ParseLogFileHeader(AsBytes(good).first(511)),
              StatusIs(StatusCode::kCorruption, HasSubstr("511 bytes")));
  EXPECT_THAT(ParseLogFileHeader(AsBytes(std::string(512, '\0'))),
              StatusIs(StatusCode::kCorruption, HasSubstr("all zero")));

  std::string reserved = good;
  StoreBe32(Bytes(reserved), 4, 1);
  SealHeader(reserved);
  EXPECT_THAT(ParseLogFileHeader(AsBytes(reserved)),
              StatusIs(StatusCode::kCorruption, HasSubstr("offset 4")));

  std::string low = good;
  StoreBe64(Bytes(low), 8, 12287);
  SealHeader(low);
  EXPECT_THAT(ParseLogFileHeader(AsBytes(low)),
              StatusIs(StatusCode::kCorruption, HasSubstr("LSN 12287")));
}

TEST(ParseLogFileHeaderTest, CreatorIsMadePrintable) {
  std::string block = HeaderWithFormat(0x50687973);
  Bytes(block)[16] = 0x1B;
  SealHeader(block);

  EXPECT_EQ(ParseLogFileHeader(AsBytes(block))->creator, "?ariaDB 10.6.7");
}

TEST(ParseCheckpointTest, RefusesWhatNoServerWrites) {
  EXPECT_TRUE(ParseCheckpoint(AsBytes(CheckpointBlock(20000, 20000)), 20000));
  EXPECT_FALSE(ParseCheckpoint(AsBytes(CheckpointBlock(19999, 20000)), 20000));
  EXPECT_FALSE(ParseCheckpoint(AsBytes(CheckpointBlock(20001, 20000)), 20000));
  EXPECT_FALSE(ParseCheckpoint(AsBytes(std::string(64, '\0')), 0));
  EXPECT_FALSE(ParseCheckpoint(AsBytes(CheckpointBlock(20000, 20000)).first(63), 20000));

  std::string block = CheckpointBlock(20000, 20000);
  Bytes(block)[59] = 1;
  StoreBe32(Bytes(block), 60, Crc32c(AsBytes(block).first(60)));
  EXPECT_FALSE(ParseCheckpoint(AsBytes(block), 20000));
}

TEST(ParseCheckpointTest, AnEndOf0IsOfALogThatBeginsThere) {
  const auto checkpoint = ParseCheckpoint(AsBytes(CheckpointBlock(20000, 0)), 20000);

  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->checkpoint_lsn, 20000U);
  EXPECT_EQ(checkpoint->end_lsn, 0U);
  EXPECT_FALSE(ParseCheckpoint(AsBytes(CheckpointBlock(20000, 0)), 19999));
}

TEST(NewestCheckpointTest, TakesTheHigherValidBlockAndTheSecondOfEquals) {
  std::string head = RenderLogHead(12288, {20000, 20000}, "x");
  const auto set_second = [&](Lsn checkpoint_lsn, Lsn end_lsn) {
    head.replace(kCheckpointOffset2, 64, CheckpointBlock(checkpoint_lsn, end_lsn));
  };

  EXPECT_EQ(NewestCheckpoint(AsBytes(head), 12288)->checkpoint_lsn, 20000U);
  set_second(20001, 20001);
  EXPECT_EQ(NewestCheckpoint(AsBytes(head), 12288)->checkpoint_lsn, 20001U);
  set_second(19999, 19999);
  EXPECT_EQ(NewestCheckpoint(AsBytes(head), 12288)->checkpoint_lsn, 20000U);
  set_second(20000, 20005);
  EXPECT_EQ(NewestCheckpoint(AsBytes(head), 12288)->end_lsn, 20005U);
  head[kCheckpointOffset1] = 'x';
  EXPECT_EQ(NewestCheckpoint(AsBytes(head), 12288)->end_lsn, 20005U);
  head[kCheckpointOffset2] = 'x';
  EXPECT_THAT(NewestCheckpoint(AsBytes(head), 12288),
              StatusIs(StatusCode::kCorruption, HasSubstr("no valid checkpoint")));
  EXPECT_THAT(NewestCheckpoint(AsBytes(head).first(kLogHeadBytes - 1), 12288),
              StatusIs(StatusCode::kCorruption, HasSubstr("12287 bytes")));
}

TEST(LogGeometryTest, WrapsAndFlipsTheSequenceBitWithEveryLap) {
  const LogGeometry geometry(20000, kLogHeadBytes + 100);

  EXPECT_EQ(geometry.capacity(), 100U);
  EXPECT_EQ(geometry.OffsetOf(20000), 12288U);
  EXPECT_EQ(geometry.OffsetOf(20099), 12387U);
  EXPECT_EQ(geometry.OffsetOf(20100), 12288U);
  EXPECT_EQ(geometry.OffsetOf(20299), 12387U);
  EXPECT_EQ(geometry.SequenceBit(20000), 1);
  EXPECT_EQ(geometry.SequenceBit(20099), 1);
  EXPECT_EQ(geometry.SequenceBit(20100), 0);
  EXPECT_EQ(geometry.SequenceBit(20200), 1);
}

TEST(LogGeometryTest, PlacesBlocksByTheirCheckpoint) {
  LogHead head;
  head.header.container = LogContainer::kBlocks;
  head.checkpoint = {.checkpoint_lsn = 51200 + 100, .end_lsn = 0, .offset = 2048 + 1024 + 100};

  const auto geometry = LogGeometry::Of(head, 2048 + 2048);

  ASSERT_THAT(geometry, IsOk());
  EXPECT_EQ(geometry->capacity(), 2048U);
  EXPECT_EQ(geometry->OffsetOf(51200), 2048U + 1024);
  EXPECT_EQ(geometry->OffsetOf(51200 + 1023), 4095U);
  EXPECT_EQ(geometry->OffsetOf(51200 + 1024), 2048U);
}

TEST(LogGeometryTest, FileThatIsTooShortForItsHeadIsCorruption) {
  LogHead head;
  EXPECT_THAT(LogGeometry::Of(head, kLogFileBytesMin - 1),
              StatusIs(StatusCode::kCorruption, HasSubstr("smallest log file")));
  head.header.container = LogContainer::kBlocks;
  head.checkpoint = {.checkpoint_lsn = 51300, .end_lsn = 0, .offset = 5000};
  EXPECT_THAT(LogGeometry::Of(head, 2559), StatusIs(StatusCode::kCorruption, HasSubstr("2559")));
  EXPECT_THAT(LogGeometry::Of(head, 4096),
              StatusIs(StatusCode::kCorruption, HasSubstr("offset 5000")));
}

}  // namespace
}  // namespace hbk::redo::log_file_test

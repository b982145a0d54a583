#include "redo_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/redo/log_block.h"

#include "tests/support/fixed_keys.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::redo_reader_test {
namespace {

using ::testing::AllOf;
using testing::BlockLogBuilder;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::LogBuilder;
using testing::MemFileSystem;
using testing::MtrBuilder;
using testing::StatusIs;

constexpr redo::Lsn kFirstLsn = 100000;
constexpr redo::Lsn kBlockLsn = 51200 + 12;
constexpr innodb::PageId kPage = {.space = 5, .page = 3};
const std::string kPath = "/b/ib_logfile0";

class RedoReaderTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<RedoReader>> Open(const std::string& file) {
    fs_.PutFile(kPath, file);
    return RedoReader::Open(fs_, kPath, 0);
  }

  // The first `text_bytes` bytes that each mtr writes, from the position of the reader on.
  static std::vector<std::string> ReadTexts(RedoReader& reader, size_t text_bytes) {
    std::vector<std::string> texts;
    redo::MiniTransaction mtr;
    for (;;) {
      const auto has_mtr = reader.Next(mtr);
      EXPECT_THAT(has_mtr, IsOk());
      if (!has_mtr.ok() || !*has_mtr) return texts;
      redo::RecordReader records(mtr.body);
      redo::RedoRecord record;
      EXPECT_THAT(records.Next(record), IsOkAndHolds(true));
      // Behind an offset of two bytes.
      texts.emplace_back(AsText(record.payload.subspan(2, text_bytes)));
    }
  }

  static MtrBuilder Write(std::string_view text) { return MtrBuilder().Write(kPage, 200, text); }

  MemFileSystem fs_;
};

TEST_F(RedoReaderTest, ReadsFromTheCheckpointToTheEndOfTheLog) {
  LogBuilder log(kFirstLsn, 64 << 10);
  const redo::Lsn checkpoint = log.Append(Write("before"));
  log.Append(Write("first."));
  log.Append(Write("second"));
  log.SetCheckpoint({.checkpoint_lsn = checkpoint, .end_lsn = checkpoint});
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ((*reader)->position(), checkpoint);

  EXPECT_THAT(ReadTexts(**reader, 6), ::testing::ElementsAre("first.", "second"));

  EXPECT_EQ((*reader)->position(), log.end_lsn());
  EXPECT_EQ((*reader)->end_reason(), "zero byte");
}

TEST_F(RedoReaderTest, AStartIsFoundInARingAndNotInBlocks) {
  LogBuilder log(kFirstLsn, 64 << 10);
  const redo::Lsn second = log.Append(Write("first."));
  BlockLogBuilder blocks(kBlockLsn, 64 << 10);
  for (int i = 0; i < 20; ++i) {
    log.Append(Write("more.."));
    blocks.Append(Write("more.."));
  }
  const auto ring = Open(log.file());
  ASSERT_THAT(ring, IsOk());
  EXPECT_THAT((*ring)->FindStartFrom(kFirstLsn + 1), IsOkAndHolds(std::optional(second)));
  // Behind the end there is none.
  EXPECT_THAT((*ring)->FindStartFrom(log.end_lsn()), IsOkAndHolds(std::nullopt));

  const auto in_blocks = Open(blocks.file());
  ASSERT_THAT(in_blocks, IsOk());
  EXPECT_THAT((*in_blocks)->FindStartFrom(kBlockLsn), IsOkAndHolds(std::nullopt));
}

TEST_F(RedoReaderTest, RingIsUnrolled) {
  // 200 mtrs of more than 100 bytes go round a ring of 4 KiB several times; the last ones count.
  LogBuilder log(kFirstLsn, redo::kLogHeadBytes + 4096);
  std::vector<redo::Lsn> starts;
  for (int i = 100; i < 300; ++i) {
    starts.push_back(log.end_lsn());
    log.Append(Write(std::to_string(i) + std::string(100, 'r')));
  }
  const redo::Lsn checkpoint = starts[170];
  ASSERT_GT(log.geometry().OffsetOf(checkpoint), log.geometry().OffsetOf(starts[199]));
  log.SetCheckpoint({.checkpoint_lsn = checkpoint, .end_lsn = checkpoint});
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());

  const auto texts = ReadTexts(**reader, 3);

  ASSERT_EQ(texts.size(), 30U);
  EXPECT_EQ(texts.front(), "270");
  EXPECT_EQ(texts.back(), "299");
  EXPECT_EQ((*reader)->position(), log.end_lsn());
}

TEST_F(RedoReaderTest, LogLargerThanTheWindowIsReadWhole) {
  // 40 mtrs of 100 KB: three windows and more.
  LogBuilder log(kFirstLsn, 6 << 20);
  std::vector<std::string> expected;
  for (int i = 100; i < 140; ++i) {
    expected.push_back(std::to_string(i));
    log.Append(Write(std::to_string(i) + std::string(100000, 'r')));
  }
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());

  EXPECT_EQ(ReadTexts(**reader, 3), expected);

  EXPECT_EQ((*reader)->position(), log.end_lsn());
}

TEST_F(RedoReaderTest, TornMtrIsTheEndOfTheLog) {
  LogBuilder log(kFirstLsn, 64 << 10);
  const redo::Lsn end = log.Append(Write("whole"));
  log.Append(Write("torn."));
  std::string file = log.file();
  char& byte = file[log.geometry().OffsetOf(log.end_lsn()) - 7];  // of the text
  byte = static_cast<char>(byte ^ 1);
  const auto reader = Open(file);
  ASSERT_THAT(reader, IsOk());

  EXPECT_THAT(ReadTexts(**reader, 5), ::testing::ElementsAre("whole"));

  EXPECT_EQ((*reader)->position(), end);
  EXPECT_EQ((*reader)->end_reason(), "checksum");
}

TEST_F(RedoReaderTest, SeekGoesBack) {
  LogBuilder log(kFirstLsn, 64 << 10);
  log.Append(Write("one"));
  const redo::Lsn second = log.Append(Write("two"));
  log.Append(Write("six"));
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());
  ASSERT_EQ(ReadTexts(**reader, 3).size(), 3U);

  (*reader)->Seek(second);

  EXPECT_THAT(ReadTexts(**reader, 3), ::testing::ElementsAre("six"));
}

TEST_F(RedoReaderTest, EmptyFileEndsWhereItIsSaidToEnd) {
  EXPECT_THAT(Open(""), StatusIs(StatusCode::kCorruption, HasSubstr("0 bytes")));

  const auto reader = RedoReader::OpenEmpty(fs_, kPath, 51300);

  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT(FindFileCheckpoint(**reader), IsOkAndHolds(51300U));
  EXPECT_THAT(ReadTexts(**reader, 1), ::testing::IsEmpty());
  EXPECT_EQ((*reader)->position(), 51300U);
  EXPECT_EQ((*reader)->header().container, redo::LogContainer::kBlocks);
}

TEST_F(RedoReaderTest, BlocksAreReadOverTheEndOfTheirRing) {
  BlockLogBuilder log(kBlockLsn, redo::kBlockLogHeadBytes + 16 * 512);
  for (int i = 100; i < 160; ++i)
    log.Append(Write(std::to_string(i) + std::string(100, 'r')));
  ASSERT_LT(log.end_lsn() - kBlockLsn, 16U * 512);
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ((*reader)->position(), kBlockLsn);

  EXPECT_EQ(ReadTexts(**reader, 3).size(), 60U);

  EXPECT_EQ((*reader)->position(), log.end_lsn());
  EXPECT_EQ((*reader)->end_reason(), "block not full");
}

TEST_F(RedoReaderTest, BlocksOfALogLargerThanTheWindowAreReadWhole) {
  BlockLogBuilder log(kBlockLsn, redo::kBlockLogHeadBytes + (6 << 20));
  std::vector<std::string> expected;
  for (int i = 100; i < 140; ++i) {
    expected.push_back(std::to_string(i));
    log.Append(Write(std::to_string(i) + std::string(100000, 'r')));
  }
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());

  EXPECT_EQ(ReadTexts(**reader, 3), expected);

  EXPECT_EQ((*reader)->position(), log.end_lsn());
}

class EncryptedLogTest : public RedoReaderTest {
 protected:
  EncryptedLogTest() {
    keys_.Add(1, 7);
    const redo::LogCrypt crypt = {.key_id = 1, .key_version = 7, .message = {1}, .nonce = 5};
    log_.Encrypt(crypt, keys_.mode(), *crypto::DeriveDataKey(*keys_.GetKey(1, 7), crypt.message));
    log_.Append(Write("first."));
    log_.Append(Write("second"));
    fs_.PutFile(kPath, log_.file());
  }

  testing::FixedKeys keys_;
  BlockLogBuilder log_{kBlockLsn, redo::kBlockLogHeadBytes + 8192};
};

TEST_F(EncryptedLogTest, IsReadWithItsKey) {
  const auto reader = RedoReader::Open(fs_, kPath, 0, &keys_);
  ASSERT_THAT(reader, IsOk());

  EXPECT_THAT(ReadTexts(**reader, 6), ::testing::ElementsAre("first.", "second"));
}

TEST_F(EncryptedLogTest, MissingKeyIsNamed) {
  testing::FixedKeys none;

  EXPECT_THAT(
      RedoReader::Open(fs_, kPath, 0),
      StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr(kPath), HasSubstr("key 1 version 7"))));
  EXPECT_THAT(RedoReader::Open(fs_, kPath, 0, &none),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 7")));
}

TEST_F(EncryptedLogTest, AnotherKeyIsFoundBeforeAnythingIsApplied) {
  testing::FixedKeys others;
  others.Add(1, 7, std::string(16, '?'));
  const auto reader = RedoReader::Open(fs_, kPath, 0, &others);
  ASSERT_THAT(reader, IsOk());

  EXPECT_THAT(FindFileCheckpoint(**reader),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 7 is not the one")));
}

TEST_F(EncryptedLogTest, OnlyContentTellsOfAnotherKey) {
  const auto reader = RedoReader::Open(fs_, kPath, 0, &keys_);
  ASSERT_THAT(reader, IsOk());

  EXPECT_THAT((*reader)->BadContent(CorruptionError("no such record")),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 7 is not the one")));
  EXPECT_THAT((*reader)->BadContent(Status(StatusCode::kNoSpace, "a temporary file")),
              StatusIs(StatusCode::kNoSpace, "a temporary file"));
}

TEST_F(RedoReaderTest, FilesThatAreTooShortAreCorruption) {
  const std::string file = LogBuilder(kFirstLsn, 64 << 10).file();

  EXPECT_THAT(Open(file.substr(0, 511)),
              StatusIs(StatusCode::kCorruption, AllOf(HasSubstr(kPath), HasSubstr("511 bytes"))));
  EXPECT_THAT(Open(file.substr(0, redo::kLogFileBytesMin - 1)),
              StatusIs(StatusCode::kCorruption, HasSubstr("smallest log file")));
}

TEST_F(RedoReaderTest, LogWithoutAValidCheckpointIsCorruption) {
  std::string file = LogBuilder(kFirstLsn, 64 << 10).file();
  file.replace(redo::kCheckpointOffset1, 64, 64, 'x');
  file.replace(redo::kCheckpointOffset2, 64, 64, 'x');

  EXPECT_THAT(Open(file), StatusIs(StatusCode::kCorruption, HasSubstr(kPath)));
}

TEST_F(RedoReaderTest, FileThatShrinksWhileItIsReadIsAnError) {
  LogBuilder log(kFirstLsn, 64 << 10);
  log.Append(Write("text"));
  const auto reader = Open(log.file());
  ASSERT_THAT(reader, IsOk());
  const auto file = fs_.Open(kPath, {.write = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->Truncate(20000), IsOk());
  redo::MiniTransaction mtr;

  EXPECT_THAT((*reader)->Next(mtr), StatusIs(StatusCode::kCorruption, HasSubstr("offset 20000")));
}

TEST_F(RedoReaderTest, MissingFileIsNotFound) {
  fs_.PutDirectory("/b");

  EXPECT_THAT(RedoReader::Open(fs_, kPath, 0), StatusIs(StatusCode::kNotFound, HasSubstr(kPath)));
}

class FindFileCheckpointTest : public RedoReaderTest {
 protected:
  Result<redo::Lsn> Find(LogBuilder& log, redo::Lsn end_lsn) {
    log.SetCheckpoint({.checkpoint_lsn = kFirstLsn, .end_lsn = end_lsn});
    HBK_ASSIGN_OR_RETURN(const auto reader, Open(log.file()));
    return FindFileCheckpoint(*reader);
  }

  LogBuilder log_{kFirstLsn, 64 << 10};
};

TEST_F(FindFileCheckpointTest, IsFoundBehindTheNamesOfTheFiles) {
  const redo::Lsn names = log_.Append(Write("changed"));
  log_.Append(MtrBuilder().FileModify(5, "./db/a.ibd"));
  const redo::Lsn end =
      log_.Append(MtrBuilder().FileModify(6, "./db/b.ibd").FileCheckpoint(kFirstLsn));
  log_.Append(Write("later"));

  EXPECT_THAT(Find(log_, names), IsOkAndHolds(end));
}

TEST_F(FindFileCheckpointTest, ThatOfAnotherCheckpointDoesNotCount) {
  log_.Append(MtrBuilder().FileCheckpoint(kFirstLsn - 1000));
  const redo::Lsn end = log_.Append(MtrBuilder().FileCheckpoint(kFirstLsn));

  EXPECT_THAT(Find(log_, kFirstLsn), IsOkAndHolds(end));
}

TEST_F(FindFileCheckpointTest, LogThatEndsBeforeItIsCorruption) {
  log_.Append(MtrBuilder().FileModify(5, "./db/a.ibd"));

  EXPECT_THAT(Find(log_, kFirstLsn),
              StatusIs(StatusCode::kCorruption,
                       AllOf(HasSubstr("zero byte"),
                             HasSubstr("at LSN " + std::to_string(log_.end_lsn())))));
}

TEST_F(FindFileCheckpointTest, PageRecordBeforeItIsCorruption) {
  log_.Append(Write("changed"));
  log_.Append(MtrBuilder().FileCheckpoint(kFirstLsn));

  EXPECT_THAT(Find(log_, kFirstLsn),
              StatusIs(StatusCode::kCorruption, HasSubstr("another record")));
}

}  // namespace
}  // namespace hbk::prepare::redo_reader_test

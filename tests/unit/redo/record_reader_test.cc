#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/redo/mini_transaction.h"

#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo::record_reader_test {
namespace {

using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr PageId kPage = {.space = 5, .page = 6};

Result<std::vector<RedoRecord>> ReadAll(ByteView body) {
  std::vector<RedoRecord> records;
  RecordReader reader(body);
  while (true) {
    RedoRecord record;
    HBK_ASSIGN_OR_RETURN(const bool is_there, reader.Next(record));
    if (!is_there) return records;
    records.push_back(record);
  }
}

Status ReadHex(std::string_view hex) {
  const std::string body = FromHex(hex);
  return ReadAll(AsBytes(body)).status();
}

TEST(RecordReaderTest, ReadsTheRecordsOfARealMtr) {
  const std::string body = FromHex("35 2b06 9f8320 d3 08 0b 6f b3 00 0ed1");

  const auto records = ReadAll(AsBytes(body));

  ASSERT_THAT(records, IsOk());
  ASSERT_EQ(records->size(), 3U);
  const PageId page{.space = 0x2b, .page = 6};
  EXPECT_EQ((*records)[0].kind, RecordKind::kWrite);
  EXPECT_EQ((*records)[0].page, page);
  EXPECT_FALSE((*records)[0].is_same_page);
  EXPECT_EQ((*records)[0].payload.size(), 3U);
  EXPECT_EQ((*records)[1].kind, RecordKind::kMemmove);
  EXPECT_EQ((*records)[1].page, page);
  EXPECT_TRUE((*records)[1].is_same_page);
  EXPECT_EQ((*records)[2].kind, RecordKind::kWrite);
  EXPECT_EQ((*records)[2].raw.size(), 4U);
}

TEST(RecordReaderTest, AnEmptyBodyHasNoRecords) {
  RedoRecord record;
  EXPECT_THAT(RecordReader(ByteView()).Next(record), testing::IsOkAndHolds(false));
}

TEST(RecordReaderTest, ReadsEveryKindOfPageRecord) {
  MtrBuilder mtr;
  mtr.InitPage(kPage)
      .Extended(kPage, ExtendedKind::kInitRowFormatDynamic)
      .Write(kPage, 100, "abc")
      .Memset(kPage, 200, 300, "x")
      .Memmove(kPage, 600, 100, 3)
      .Option(kPage, "12345")
      .FreePage({.space = 5, .page = 7})
      .TrimPages(2, 640);

  const auto records = ReadAll(AsBytes(mtr.body()));

  ASSERT_THAT(records, IsOk());
  std::vector<RecordKind> kinds;
  for (const RedoRecord& record : *records)
    kinds.push_back(record.kind);
  using enum RecordKind;
  EXPECT_THAT(kinds, ::testing::ElementsAre(kInitPage, kExtended, kWrite, kMemset, kMemmove,
                                            kOption, kFreePage, kExtended));
  EXPECT_EQ((*records)[7].extended_kind(), ExtendedKind::kTrimPages);
  EXPECT_EQ((*records)[7].page, (PageId{.space = 2, .page = 640}));
}

TEST(RecordReaderTest, ReadsFileRecordsBeforePageRecords) {
  MtrBuilder mtr;
  mtr.FileModify(5, "./db/a.ibd")
      .FileCreate(6, "/ext/db/b.ibd")
      .FileRename(7, "./db/c.ibd", "./db/d.ibd")
      .FileDelete(8, "./db/e#P#p0.ibd")
      .InitPage(PageId{.space = 6, .page = 0});

  const auto records = ReadAll(AsBytes(mtr.body()));

  ASSERT_THAT(records, IsOk());
  ASSERT_EQ(records->size(), 5U);
  EXPECT_EQ((*records)[0].kind, RecordKind::kFileModify);
  EXPECT_EQ((*records)[0].page, (PageId{.space = 5, .page = 0}));
  EXPECT_EQ((*records)[0].path(), "./db/a.ibd");
  EXPECT_FALSE((*records)[0].is_same_page);
  EXPECT_EQ((*records)[1].kind, RecordKind::kFileCreate);
  EXPECT_EQ((*records)[1].path(), "/ext/db/b.ibd");
  EXPECT_EQ((*records)[2].kind, RecordKind::kFileRename);
  EXPECT_EQ((*records)[2].path(), "./db/c.ibd");
  EXPECT_EQ((*records)[2].new_path(), "./db/d.ibd");
  EXPECT_EQ((*records)[3].kind, RecordKind::kFileDelete);
  EXPECT_EQ((*records)[4].kind, RecordKind::kInitPage);
}

TEST(RecordReaderTest, ReadsACheckpointAfterFileRecords) {
  const std::string body = MtrBuilder().FileModify(5, "./db/a.ibd").FileCheckpoint(123456).body();

  const auto records = ReadAll(AsBytes(body));

  ASSERT_THAT(records, IsOk());
  EXPECT_EQ((*records)[1].kind, RecordKind::kFileCheckpoint);
  EXPECT_EQ((*records)[1].checkpoint_lsn(), 123456U);
}

TEST(RecordReaderTest, APaddingCheckpointOfAnyLengthHasLsnZero) {
  for (const char* hex : {"f1 00", "f2 0000", "f3 000000", "f9 000000000000000000",
                          "fa 00000000000000000000", "fc 000000000000000000000000"}) {
    const std::string body = FromHex(hex);
    const auto records = ReadAll(AsBytes(body));
    ASSERT_THAT(records, IsOk()) << hex;
    EXPECT_EQ((*records)[0].kind, RecordKind::kFileCheckpoint) << hex;
    EXPECT_EQ((*records)[0].checkpoint_lsn(), 0U) << hex;
  }
  for (const char* hex : {"f1 01", "f2 0001", "f2 0100", "f4 00000001", "fa 0001 0000000000004000"})
    EXPECT_THAT(ReadHex(hex), StatusIs(StatusCode::kCorruption, HasSubstr("FILE_CHECKPOINT")))
        << hex;
}

TEST(RecordReaderTest, ARecordThatReachesBeyondItsMtrIsCorruption) {
  for (const char* hex : {"35 2b06 9f83", "30", "30 80", "30 01 05", "30 e0000000", "35"})
    EXPECT_THAT(ReadHex(hex), StatusIs(StatusCode::kCorruption, HasSubstr("reaches beyond")))
        << hex;
}

TEST(RecordReaderTest, AByteThatStartsNoRecordIsCorruption) {
  EXPECT_THAT(ReadHex("34 05060141 00"), StatusIs(StatusCode::kCorruption, HasSubstr("0x00")));
  EXPECT_THAT(ReadHex("01"), StatusIs(StatusCode::kCorruption, HasSubstr("0x01")));
}

TEST(RecordReaderTest, UnknownTypesAreCorruption) {
  EXPECT_THAT(ReadHex("64 05060102"), StatusIs(StatusCode::kCorruption, HasSubstr("0x64")));
  EXPECT_THAT(ReadHex("23 05060b"), StatusIs(StatusCode::kCorruption, HasSubstr("subtype 11")));
  for (const char* hex : {"c3 050061", "d3 050061", "e3 050061"})
    EXPECT_THAT(ReadHex(hex), StatusIs(StatusCode::kCorruption, HasSubstr("no such file"))) << hex;
}

TEST(RecordReaderTest, NothingFollowsAFreedPageButAnotherPage) {
  EXPECT_THAT(ReadHex("02 0506 b2 1041"),
              StatusIs(StatusCode::kCorruption, HasSubstr("follows the FREE_PAGE")));
  EXPECT_THAT(ReadHex("02 0506 34 05071041"), IsOk());
}

TEST(RecordReaderTest, FreeAndInitCarryAPageIdAndNothingElse) {
  for (const char* hex : {"34 05061041 80 8100", "34 05061041 92 0506", "03 050600", "13 050600"})
    EXPECT_FALSE(ReadHex(hex).ok()) << hex;
}

TEST(RecordReaderTest, APageIdMustBeWhole) {
  for (const char* hex : {"31 05", "32 f005", "31 80", "35 f1 00000000", "36 f0 ffffffff 05"})
    EXPECT_THAT(ReadHex(hex), StatusIs(StatusCode::kCorruption, HasSubstr("page id"))) << hex;
}

TEST(RecordReaderTest, MalformedFieldsAreCorruption) {
  for (const char* hex : {
           "32 0506",              // WRITE: no offset
           "33 050610",            // WRITE: no data
           "37 0506 e0000000 41",  // WRITE: offset of 4 bytes
           "43 050610",            // MEMSET: no length
           "44 05061003",          // MEMSET: no pattern
           "47 05061002414243",    // MEMSET: pattern longer than the length
           "54 05061003",          // MEMMOVE: no source
           "56 050610030405",      // MEMMOVE: one byte too many
           "22 0506",              // EXTENDED: no subtype
           "24 05060000",          // INIT_ROW_FORMAT: data
           "25 0506034142",        // UNDO_APPEND: 2 bytes
           "26 050604010101",      // INSERT: 3 fields
           "27 05060701010101",    // INSERT_REUSE_DYNAMIC: 4 fields
           "25 0506080101",        // DELETE REDUNDANT: 2 fields
           "25 0506090101",        // DELETE DYNAMIC: 2 fields
           "27 05060901010101",    // DELETE DYNAMIC: 4 fields
           "24 05060a00",          // TRIM_PAGES: data
       })
    EXPECT_THAT(ReadHex(hex), StatusIs(StatusCode::kCorruption, HasSubstr("bytes: "))) << hex;
}

TEST(RecordReaderTest, IndexAndUndoRecordsDoNotBelongToTheFirstPages) {
  for (const char* hex : {"23 050001", "23 050202", "25 0501080105"})
    EXPECT_FALSE(ReadHex(hex).ok()) << hex;
  EXPECT_THAT(ReadHex("23 050001"), StatusIs(StatusCode::kCorruption, HasSubstr("5:0")));
  EXPECT_THAT(ReadHex("23 050301"), IsOk());
}

TEST(RecordReaderTest, MalformedFileRecordsAreCorruption) {
  MtrBuilder zero_space;
  zero_space.FileModify(0, "./a/b.ibd");
  MtrBuilder reserved_space;
  reserved_space.FileModify(innodb::kTemporarySpaceId, "./a/b.ibd");
  MtrBuilder no_suffix;
  no_suffix.FileCreate(5, "./a/b.frm");
  MtrBuilder no_directory;
  no_directory.FileCreate(5, "b.ibd");
  MtrBuilder inner_zero;
  inner_zero.FileDelete(5, std::string_view("./a\0/b.ibd", 10));
  MtrBuilder one_name;
  one_name.Record(0xA0, FromHex("0500") + "./a/b.ibd");
  MtrBuilder three_names;
  three_names.FileRename(5, "./a/b.ibd", std::string_view("./a/c.ibd\0./a/d.ibd", 19));
  MtrBuilder no_path;
  no_path.FileCreate(5, "");
  MtrBuilder other_page;
  other_page.Record(0xB0, FromHex("0501") + "./a/b.ibd");

  for (const MtrBuilder& mtr : {zero_space, reserved_space, no_suffix, no_directory, inner_zero,
                                one_name, three_names, no_path, other_page})
    EXPECT_THAT(ReadAll(AsBytes(mtr.body())).status(),
                StatusIs(StatusCode::kCorruption, HasSubstr("FILE_")))
        << testing::ToHex(mtr.body());
}

TEST(RecordReaderTest, EncryptedPayloadsAreNotLookedAt) {
  // A WRITE whose payload could not be that of a plain one, behind a file record.
  const std::string body =
      MtrBuilder().FileModify(9, "./a/b.ibd").body() + FromHex("36 0903 ffffffff");
  EXPECT_THAT(ReadAll(AsBytes(body)).status(),
              StatusIs(StatusCode::kCorruption, HasSubstr("WRITE")));
  RecordReader reader(AsBytes(body), /*are_payloads_encrypted=*/true);
  RedoRecord record;

  EXPECT_THAT(reader.Next(record), IsOkAndHolds(true));
  EXPECT_EQ(record.path(), "./a/b.ibd");
  EXPECT_THAT(reader.Next(record), IsOkAndHolds(true));
  EXPECT_EQ(record.page, (PageId{.space = 9, .page = 3}));
  EXPECT_THAT(reader.Next(record), IsOkAndHolds(false));
}

TEST(RecordReaderTest, AfterAPageRecordTheBitMeansSamePage) {
  // b2: a WRITE to the same page, not a FILE_MODIFY.
  const std::string body = FromHex("34 05061041 b2 1041");
  const auto records = ReadAll(AsBytes(body));
  ASSERT_THAT(records, IsOk());
  EXPECT_EQ((*records)[1].kind, RecordKind::kWrite);
  EXPECT_EQ((*records)[1].page, kPage);
}

}  // namespace
}  // namespace hbk::redo::record_reader_test

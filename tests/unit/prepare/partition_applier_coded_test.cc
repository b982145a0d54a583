// PartitionApplier on pages that are encrypted or page_compressed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

#include "partition_applier.h"
#include "redo_entry.h"
#include "tests/support/coded_tablespace.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::partition_applier_coded_test {
namespace {

using ::testing::AllOf;
using testing::FixedKeys;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::MakeCryptData;
using testing::MemFileSystem;
using testing::MtrBuilder;
using testing::StatusIs;

constexpr innodb::SpaceId kSpace = 5;
constexpr innodb::Lsn kStart = 100000;
constexpr innodb::Lsn kEnd = 200000;
constexpr innodb::Lsn kPageLsn = 90000;
constexpr uint32_t kPageSize = 16384;
constexpr uint32_t kPageCount = 8;
constexpr uint32_t kBlock = 4096;
const std::string kFile = "/b/db/a.ibd";

constexpr uint32_t kPlain = 0x15;
constexpr uint32_t kZlib = 0x35;
constexpr uint32_t kOld = 0x21;
constexpr uint32_t kOldCompressed = 0x10021;

class CodedPagesTest : public ::testing::Test {
 protected:
  CodedPagesTest() {
    set_.dir = "/b";
    keys_.Add(1, 1).Add(1, 2);
  }

  void PutSpace(uint32_t flags, const std::optional<innodb::CryptData>& crypt) {
    Tablespace& space = table_.spaces[kSpace];
    space.id = kSpace;
    space.segments = {{.name = "db/a.ibd", .first_page = 0, .size = kPageCount * kPageSize}};
    space.header.flags = innodb::TablespaceFlags::Decode(flags).value();
    space.header.crypt = crypt;
    space.coder = std::make_unique<innodb::PageCoder>(kSpace, space.header.flags, crypt, &keys_);
    fs_.PutFile(kFile, testing::MakeCodedTablespace(space.header.flags, kSpace, kPageCount,
                                                    kPageLsn, crypt, &keys_));
  }

  void Add(innodb::PageNo page, innodb::Lsn lsn, const MtrBuilder& mtr, bool is_rebuild = false,
           bool is_free = false) {
    RedoEntryHeader header;
    header.start_lsn = lsn;
    header.mtr_bytes = 50;
    header.space = kSpace;
    header.page = page;
    header.length = static_cast<uint32_t>(mtr.body().size()) & 0x3FFFFFFF;
    header.is_rebuild = is_rebuild;
    header.is_free = is_free;
    ASSERT_THAT(store_.section(0).Append(0, HeaderBytes(header), AsBytes(mtr.body())), IsOk());
  }
  void AddWrite(innodb::PageNo page, innodb::Lsn lsn, std::string_view text) {
    Add(page, lsn, MtrBuilder().Write({kSpace, page}, 1000, text));
  }
  void AddRebuild(innodb::PageNo page, innodb::Lsn lsn, std::string_view text) {
    const innodb::PageId id{kSpace, page};
    Add(page, lsn,
        MtrBuilder().InitPage(id).Write(id, innodb::kFilType, "\x45\xBF").Write(id, 1000, text),
        true);
  }

  Result<ApplyCounts> Apply() {
    const ApplyInput input{.fs = fs_,
                           .set = set_,
                           .store = store_,
                           .logs = logs_,
                           .table = table_,
                           .plan = plan_,
                           .start_lsn = kStart,
                           .end_lsn = kEnd,
                           .stop = {}};
    PartitionApplier applier(input, 0);
    HBK_RETURN_IF_ERROR(applier.Apply(0, done_bytes_));
    return applier.Finish();
  }

  std::string Image(innodb::PageNo page) {
    return fs_.Contents(kFile).substr(size_t{page} * kPageSize, kPageSize);
  }
  void ReplaceImage(innodb::PageNo page, const std::string& image) {
    std::string file = fs_.Contents(kFile);
    file.replace(size_t{page} * kPageSize, kPageSize, image);
    fs_.PutFile(kFile, file);
  }
  innodb::PageCoding Coding(innodb::PageNo page) {
    return innodb::CodingOf(AsBytes(Image(page)), table_.spaces.at(kSpace).header.flags, true,
                            {kSpace, page});
  }
  // The page in plain form.
  std::string Frame(innodb::PageNo page) {
    std::string frame(kPageSize, '\0');
    EXPECT_THAT(table_.spaces.at(kSpace).coder->Decode(AsBytes(Image(page)), {kSpace, page},
                                                       testing::MutableBytes(frame)),
                IsOk());
    return frame;
  }
  uint64_t AllocatedBytes() { return fs_.Stat(kFile, false)->allocated_bytes; }

  MemFileSystem fs_;
  FixedKeys keys_;
  BackupSet set_;
  SpaceLogs logs_;
  TablespaceTable table_;
  MemoryPlan plan_ = *PlanMemory(kUseMemoryBytesMin, 1, 0);
  PartitionStore store_{
      fs_,
      {.partition_count = 1, .block_bytes = 1 << 20, .block_count = 16, .spill_path = "/spill"}};
  std::atomic<uint64_t> done_bytes_{0};
};

TEST_F(CodedPagesTest, PagesOfEveryKindTakeRedoAndStayWhatTheyAre) {
  for (const uint32_t flags : {kPlain, kZlib, kOld, kOldCompressed}) {
    for (const bool is_encrypted : {false, true}) {
      PutSpace(flags, is_encrypted ? std::optional(MakeCryptData()) : std::nullopt);
      const innodb::PageCoding was = Coding(3);
      AddWrite(3, 150000, "three");

      ASSERT_THAT(Apply(), IsOk()) << flags << is_encrypted;

      EXPECT_EQ(Coding(3), was);
      EXPECT_EQ(was.is_plain(), !is_encrypted && (flags == kPlain || flags == kOld));
      EXPECT_EQ(Frame(3).substr(1000, 5), "three");
      EXPECT_EQ(innodb::PageLsn(AsBytes(Image(3))), 150050U);
      ASSERT_THAT(RemoveJournals(fs_, "/b"), IsOk());
    }
  }
}

TEST_F(CodedPagesTest, ARebuiltPageIsEncryptedWithTheNewestVersion) {
  PutSpace(kPlain, MakeCryptData());
  AddRebuild(3, 150000, "three");

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_EQ(Coding(3).key_version, 2U);
  EXPECT_EQ(Frame(3).substr(1000, 5), "three");
  EXPECT_EQ(Image(3).find("three"), std::string::npos);
}

TEST_F(CodedPagesTest, ShortImagesLeaveHoles) {
  PutSpace(kZlib, std::nullopt);
  const uint64_t before = AllocatedBytes();
  ASSERT_EQ(before, kPageCount * kPageSize);
  AddWrite(3, 150000, "three");
  AddWrite(4, 150000, "four");

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_EQ(AllocatedBytes(), before - 2 * (kPageSize - kBlock));
  EXPECT_EQ(fs_.Contents(kFile).size(), kPageCount * kPageSize);
  EXPECT_EQ(Frame(4).substr(1000, 4), "four");
}

TEST_F(CodedPagesTest, AFreedPageOfASparseFileGoes) {
  PutSpace(kZlib, std::nullopt);
  Add(3, 150000, MtrBuilder().FreePage({kSpace, 3}), true, true);
  const uint64_t before = AllocatedBytes();

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_TRUE(IsAllZero(AsBytes(Image(3))));
  EXPECT_EQ(AllocatedBytes(), before - kPageSize);
}

TEST_F(CodedPagesTest, AFreedPageOfAnotherFileStays) {
  PutSpace(kPlain, MakeCryptData());
  Add(3, 150000, MtrBuilder().FreePage({kSpace, 3}), true, true);
  const std::string before = Image(3);

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_EQ(Image(3), before);
}

TEST_F(CodedPagesTest, TornImagesAreMendedByTheJournalAndStaySparse) {
  for (const uint32_t flags : {kPlain, kZlib, kOldCompressed}) {
    PutSpace(flags, MakeCryptData());
    // What a longer image left behind.
    std::string old_image = Image(3);
    if (flags != kPlain) old_image.replace(9000, 100, 100, 'x');
    ReplaceImage(3, old_image);
    AddWrite(3, 150000, "three");
    ASSERT_THAT(Apply(), IsOk());
    const std::string new_image = Image(3);
    for (const size_t cut : {512U, 1024U, 4096U, 8192U, 12288U}) {
      ReplaceImage(3, new_image.substr(0, cut) + old_image.substr(cut));
      EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(true));
      EXPECT_EQ(Image(3), new_image) << cut;
      ReplaceImage(3, old_image.substr(0, cut) + new_image.substr(cut));
      EXPECT_THAT(ReplayJournals(fs_, "/b"), IsOkAndHolds(true));
      EXPECT_EQ(Image(3), new_image) << cut;
    }
    const uint64_t whole = kPageCount * kPageSize;
    EXPECT_EQ(AllocatedBytes(), flags == kPlain ? whole : whole - (kPageSize - kBlock));
    ASSERT_THAT(RemoveJournals(fs_, "/b"), IsOk());
  }
}

TEST_F(CodedPagesTest, ASecondRunChangesNothing) {
  PutSpace(kZlib, MakeCryptData());
  AddWrite(3, 150000, "three");
  AddRebuild(4, 150000, "four");
  ASSERT_THAT(Apply(), IsOk());
  ASSERT_THAT(RemoveJournals(fs_, "/b"), IsOk());
  const std::string after = fs_.Contents(kFile);

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_EQ(fs_.Contents(kFile), after);
}

TEST_F(CodedPagesTest, PagesOfATableThatTurnsPlainAreWrittenPlain) {
  PutSpace(kPlain, MakeCryptData());
  Tablespace& space = table_.spaces.at(kSpace);
  space.header.crypt->type = 0;
  space.coder =
      std::make_unique<innodb::PageCoder>(kSpace, space.header.flags, space.header.crypt, &keys_);
  AddWrite(3, 150000, "three");

  ASSERT_THAT(Apply(), IsOk());

  EXPECT_EQ(Coding(3).key_version, 0U);
  EXPECT_EQ(Image(3).substr(1000, 5), "three");
  EXPECT_EQ(Coding(4).key_version, 2U);
}

TEST_F(CodedPagesTest, AFlippedBitIsCorruptionWithItsPlace) {
  PutSpace(kPlain, MakeCryptData());
  std::string image = Image(3);
  image[5000] ^= 1;
  ReplaceImage(3, image);
  AddWrite(3, 150000, "three");

  EXPECT_THAT(Apply(), StatusIs(StatusCode::kCorruption,
                                AllOf(HasSubstr("db/a.ibd, page 3"),
                                      HasSubstr("bad checksum of the encrypted page"),
                                      HasSubstr("150000"), HasSubstr("90000"))));
}

TEST_F(CodedPagesTest, AMissingKeyIsSaidWithThePage) {
  PutSpace(kPlain, MakeCryptData());
  Tablespace& space = table_.spaces.at(kSpace);
  FixedKeys none;
  space.coder =
      std::make_unique<innodb::PageCoder>(kSpace, space.header.flags, space.header.crypt, &none);
  AddWrite(3, 150000, "three");

  EXPECT_THAT(Apply(), StatusIs(StatusCode::kMissingKey,
                                AllOf(HasSubstr("db/a.ibd, page 3"), HasSubstr("key 1"))));
}

}  // namespace
}  // namespace hbk::prepare::partition_applier_coded_test

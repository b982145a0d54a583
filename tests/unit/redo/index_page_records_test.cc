// Inserts and deletes at random against a list kept beside, and single cases of each record.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "page_records.h"
#include "tests/support/page_builder.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::EncodeVarint;
using ::hbk::testing::FromHex;
using ::hbk::testing::IndexPageFault;
using ::hbk::testing::IsOk;
using ::hbk::testing::ListFreeRecords;
using ::hbk::testing::ListIndexRecords;
using ::hbk::testing::MakePage;
using ::hbk::testing::MutableBytes;
using ::hbk::testing::StatusIs;
using ::hbk::testing::ToHex;
using ::testing::HasSubstr;

struct ModelRecord {
  std::string header;  // without the fixed bytes
  std::string data;
  uint32_t info_bits = 0;
  uint32_t offset = 0;
};

// An index page, and the records that should be on it.
class PageModel {
 public:
  PageModel(RecordFormat format, size_t page_bytes)
      : format_(format), page_(MakePage(page_bytes, {.space = 1, .page = 50}, 0, 0)) {
    InitIndexPage(MutableBytes(page_), format);
  }

  [[nodiscard]] bool is_dynamic() const { return format_ == RecordFormat::kDynamic; }
  [[nodiscard]] const std::vector<ModelRecord>& records() const { return records_; }
  std::string& page() { return page_; }
  [[nodiscard]] uint16_t Field(size_t offset) const { return LoadBe16(AsBytes(page_), offset); }

  // Inserts at a position of the list, into the first free place if it is big enough.
  Status Insert(size_t at, ModelRecord record, bool share_data) {
    const uint32_t previous = OffsetBefore(at);
    size_t data_copied = 0;
    if (share_data && at > 0) {
      const std::string& before = records_[at - 1].data;
      while (data_copied < std::min(before.size(), record.data.size()) &&
             before[data_copied] == record.data[data_copied])
        ++data_copied;
    }
    InsertPlace place = InsertPlace::kHeapTop;
    std::string shift;
    if (const ModelRecord* free = FirstFree();
        free != nullptr &&
        record.header.size() + record.data.size() <= free->header.size() + free->data.size() &&
        (is_dynamic() || record.header.size() == free->header.size())) {
      place = InsertPlace::kFreeList;
      shift = EncodeShift(record.header.size(), free->header.size());
      record.offset =
          free->offset + static_cast<uint32_t>(record.header.size() - free->header.size());
    } else {
      record.offset = Field(40) + static_cast<uint32_t>(FixedBytes() + record.header.size());
    }
    const std::string fields = EncodeVarint(previous - Infimum()) +
                               (is_dynamic() && place == InsertPlace::kFreeList ? shift : "") +
                               EncodeVarint(EncodedHeader(record)) + EncodeVarint(0) +
                               EncodeVarint(static_cast<uint32_t>(data_copied)) + record.header +
                               record.data.substr(data_copied);
    const Status status = is_dynamic()
                              ? InsertDynamic(MutableBytes(page_), place, AsBytes(fields))
                              : InsertRedundant(MutableBytes(page_), place, AsBytes(fields));
    if (!status.ok()) return status;
    if (place == InsertPlace::kFreeList) free_.pop_back();
    records_.insert(records_.begin() + static_cast<ptrdiff_t>(at), record);
    return status;
  }

  Status Delete(size_t at) {
    const ModelRecord record = records_[at];
    std::string fields = EncodeVarint(OffsetBefore(at) - Infimum());
    if (is_dynamic())
      fields += EncodeVarint(static_cast<uint32_t>(record.header.size())) +
                EncodeVarint(static_cast<uint32_t>(record.data.size()));
    const uint32_t heap_count = Field(42) & 0x7FFFU;
    const Status status = is_dynamic() ? DeleteDynamic(MutableBytes(page_), AsBytes(fields))
                                       : DeleteRedundant(MutableBytes(page_), AsBytes(fields));
    if (!status.ok()) return status;
    if ((Field(42) & 0x7FFFU) == heap_count) free_.push_back(record);
    records_.erase(records_.begin() + static_cast<ptrdiff_t>(at));
    return status;
  }

  // What differs between page and model; empty if nothing does.
  [[nodiscard]] std::string Fault() const {
    std::string fault = IndexPageFault(AsBytes(page_), is_dynamic());
    if (!fault.empty()) return fault;
    const auto listed = ListIndexRecords(AsBytes(page_), is_dynamic());
    if (listed.size() != records_.size()) return "wrong number of records";
    for (size_t i = 0; i < listed.size(); ++i) {
      const ModelRecord& record = records_[i];
      if (listed[i].offset != record.offset) return "wrong place of record " + std::to_string(i);
      if (listed[i].info_bits != record.info_bits) return "info of record " + std::to_string(i);
      if (page_.substr(record.offset, record.data.size()) != record.data)
        return "data of record " + std::to_string(i);
      const size_t header = record.offset - FixedBytes() - record.header.size();
      if (page_.substr(header, record.header.size()) != record.header)
        return "header of record " + std::to_string(i);
    }
    std::vector<uint32_t> free;
    for (auto record = free_.rbegin(); record != free_.rend(); ++record)
      free.push_back(record->offset);
    if (ListFreeRecords(AsBytes(page_), is_dynamic()) != free) return "free list";
    return {};
  }

 private:
  [[nodiscard]] uint32_t Infimum() const { return is_dynamic() ? 99 : 101; }
  [[nodiscard]] size_t FixedBytes() const { return is_dynamic() ? 5 : 6; }
  [[nodiscard]] uint32_t OffsetBefore(size_t at) const {
    return at == 0 ? Infimum() : records_[at - 1].offset;
  }
  [[nodiscard]] const ModelRecord* FirstFree() const {
    return free_.empty() ? nullptr : &free_.back();
  }

  [[nodiscard]] uint32_t EncodedHeader(const ModelRecord& record) const {
    const auto bytes = static_cast<uint32_t>(record.header.size());
    // DYNAMIC: bytes of header; REDUNDANT: fields, here with offsets of two bytes.
    return (is_dynamic() ? bytes : bytes / 2 - 1) << 3 | record.info_bits;
  }

  static std::string EncodeShift(size_t header, size_t free_header) {
    return header >= free_header
               ? EncodeVarint(static_cast<uint32_t>(header - free_header) << 1)
               : EncodeVarint(static_cast<uint32_t>(free_header - header) << 1 | 1);
  }

  RecordFormat format_;
  std::string page_;
  std::vector<ModelRecord> records_;
  std::vector<ModelRecord> free_;  // the first of the free list last
};

ModelRecord RandomRecord(std::mt19937& random, bool is_dynamic) {
  const auto below = [&](uint32_t limit) {
    return static_cast<uint32_t>(random() % limit);
  };
  ModelRecord record;
  record.data = std::string(below(4), 'a') + std::string(1 + below(60), "abcd"[below(4)]);
  record.info_bits = below(4);
  if (is_dynamic) {
    record.header = std::string(below(6), static_cast<char>('A' + below(4)));
    return record;
  }
  // Ends of fields in two bytes each, the last field first.
  const size_t fields = 1 + below(5);
  for (size_t i = 0; i < fields; ++i)
    record.header += FromHex(fmt::format("{:04x}", record.data.size() * (fields - i) / fields));
  return record;
}

void RunRandomly(RecordFormat format, size_t page_bytes, uint32_t seed) {
  std::mt19937 random(seed);
  PageModel model(format, page_bytes);
  size_t inserts_of_10 = 7;
  for (int step = 0; step < 3000; ++step) {
    if (step % 300 == 0) inserts_of_10 = 2 + random() % 7;
    const size_t count = model.records().size();
    const bool is_room = model.Field(40) + 200U < page_bytes - 8 - 2U * model.Field(38);
    if (random() % 10 < inserts_of_10 && is_room) {
      const size_t at = random() % (count + 1);
      ASSERT_THAT(model.Insert(at, RandomRecord(random, model.is_dynamic()), random() % 2 == 0),
                  IsOk())
          << "seed " << seed << " step " << step;
    } else if (count > 0) {
      ASSERT_THAT(model.Delete(random() % count), IsOk()) << "seed " << seed << " step " << step;
    }
    ASSERT_EQ(model.Fault(), "") << "seed " << seed << " step " << step;
  }
  while (!model.records().empty()) {
    ASSERT_THAT(model.Delete(random() % model.records().size()), IsOk());
    ASSERT_EQ(model.Fault(), "") << "seed " << seed;
  }
}

TEST(IndexPageRecordsTest, RandomChangesKeepADynamicPageInOrder) {
  for (const uint32_t seed : {1U, 2U, 3U})
    RunRandomly(RecordFormat::kDynamic, 4096, seed);
  RunRandomly(RecordFormat::kDynamic, 16384, 4);
}

TEST(IndexPageRecordsTest, RandomChangesKeepARedundantPageInOrder) {
  for (const uint32_t seed : {1U, 2U, 3U})
    RunRandomly(RecordFormat::kRedundant, 4096, seed);
  RunRandomly(RecordFormat::kRedundant, 65536, 4);
}

PageModel DynamicPage(int records) {
  PageModel model(RecordFormat::kDynamic, 4096);
  for (int i = 0; i < records; ++i)
    EXPECT_THAT(model.Insert(model.records().size(), {.header = "h", .data = "data"}, false),
                IsOk());
  return model;
}

Status Insert(PageModel& model, std::string_view hex) {
  return InsertDynamic(MutableBytes(model.page()), InsertPlace::kHeapTop, AsBytes(FromHex(hex)));
}

TEST(InsertDynamicTest, CopiesHeaderAndDataOfTheRecordBefore) {
  PageModel model = DynamicPage(0);
  // prev: infimum; header of 2 bytes; data of 3
  ASSERT_THAT(Insert(model, "00 10 00 00 4148 616263"), IsOk());
  // prev: that record at 127; 1 byte of header and 2 of data are its own
  ASSERT_THAT(Insert(model, "1c 09 01 02 42 7a79"), IsOk());

  EXPECT_EQ(ToHex(model.page().substr(120, 10)), "4148000010000a616263");
  EXPECT_EQ(model.page().substr(130, 2), "BH");
  EXPECT_EQ(model.page().substr(137, 4), "abzy");
  EXPECT_EQ(IndexPageFault(AsBytes(model.page()), true), "");
}

TEST(InsertDynamicTest, StatusTellsNodePointersAndInstantRecords) {
  PageModel leaf = DynamicPage(0);
  ASSERT_THAT(Insert(leaf, "00 0f 00 00 41 61"), IsOk());
  EXPECT_EQ(ToHex(leaf.page().substr(121, 3)), "300014");  // info 3, heap no 2, status 4

  PageModel inner = DynamicPage(0);
  StoreBe16(MutableBytes(inner.page()), 64, 1);
  ASSERT_THAT(Insert(inner, "00 0f 00 00 41 61"), IsOk());
  EXPECT_EQ(ToHex(inner.page().substr(121, 3)), "300011");  // status 1
}

TEST(InsertDynamicTest, NotesTheDirectionOfInserts) {
  PageModel model = DynamicPage(3);
  EXPECT_EQ(model.page()[51], 2);  // right
  EXPECT_EQ(model.Field(52), 2);
  const ModelRecord record{.header = "h", .data = "data"};

  ASSERT_THAT(model.Insert(0, record, false), IsOk());
  EXPECT_EQ(model.page()[51], 5);  // none
  EXPECT_EQ(model.Field(52), 0);
  ASSERT_THAT(model.Insert(0, record, false), IsOk());
  EXPECT_EQ(model.page()[51], 1);  // left
  EXPECT_EQ(model.Field(52), 1);
  EXPECT_EQ(model.Field(48), model.records()[0].offset);
  ASSERT_THAT(model.Delete(0), IsOk());
  EXPECT_EQ(model.Field(48), 0);
}

TEST(InsertDynamicTest, DirectionKeepsTheBitsBesideIt) {
  PageModel model = DynamicPage(0);
  model.page()[51] = static_cast<char>(0xA5);
  ASSERT_THAT(Insert(model, "00 08 00 00 41 61"), IsOk());
  EXPECT_EQ(ToHex(model.page().substr(51, 1)), "a5");
}

TEST(InsertDynamicTest, RtreePagesHaveNoDirectionButALastInsert) {
  PageModel model = DynamicPage(0);
  StoreBe16(MutableBytes(model.page()), 24, 17854);
  ASSERT_THAT(Insert(model, "00 08 00 00 41 61"), IsOk());
  ASSERT_THAT(Insert(model, "1b 08 00 00 41 61"), IsOk());
  EXPECT_EQ(model.page()[51], 5);
  EXPECT_EQ(model.Field(52), 0);
  EXPECT_EQ(model.Field(48), 120 + 2 * 7 - 1);
}

TEST(DeleteDynamicTest, TheLastOfTheHeapGoesBackToIt) {
  PageModel model = DynamicPage(3);
  const uint16_t top = model.Field(40);
  ASSERT_THAT(model.Delete(2), IsOk());
  EXPECT_EQ(model.Field(40), top - 10);
  EXPECT_EQ(model.Field(46), 0);
  EXPECT_TRUE(IsAllZero(AsBytes(model.page()).subspan(top - 10U, 10)));
}

TEST(DeleteDynamicTest, TheLastOfTheHeapTakesTheGarbageBehindItAlong) {
  PageModel model = DynamicPage(2);
  ASSERT_THAT(model.Insert(2, {.header = "hhh", .data = std::string(50, 'x')}, false), IsOk());
  ASSERT_THAT(model.Insert(3, {.header = "h", .data = "end"}, false), IsOk());
  const uint16_t top_before_last = static_cast<uint16_t>(model.records()[2].offset + 50);
  ASSERT_THAT(model.Delete(2), IsOk());
  ASSERT_THAT(model.Insert(1, {.header = "h", .data = "small"}, false), IsOk());
  EXPECT_EQ(model.Field(46), 2 + 45);
  // The last of the heap is "end"; then comes the place that "small" took.
  ASSERT_THAT(model.Delete(3), IsOk());
  EXPECT_EQ(model.Field(40), top_before_last);
  ASSERT_THAT(model.Delete(1), IsOk());
  EXPECT_EQ(model.Field(46), 0);
  EXPECT_EQ(model.Fault(), "");
}

TEST(IndexPageRecordsTest, RecordsThatDoNotFitThePageAreCorruption) {
  struct Case {
    const char* fields;
    const char* message;
  };
  for (const Case& c :
       {Case{"05 08 00 00 41 61", "no record starts at 104"},
        Case{"dfffff 08 00 00 41 61", "no record starts at"},
        Case{"0d 08 00 00 41 61", "no record starts at 112"},
        Case{"00 18 00 00 41 61", "shares too much"}, Case{"00 08 bfff 00 41", "shares too much"},
        Case{"00 08 00 bfff 41", "shares too much"},
        Case{"00 08 00 8f0c 41", "does not fit at offset 120"}}) {
    PageModel model = DynamicPage(0);
    EXPECT_THAT(Insert(model, c.fields), StatusIs(StatusCode::kCorruption, HasSubstr(c.message)))
        << c.fields;
  }
}

TEST(IndexPageRecordsTest, AFreeListThatLeadsNowhereIsCorruption) {
  for (const uint16_t free : std::initializer_list<uint16_t>{0, 5, 112, 4000}) {
    PageModel model = DynamicPage(2);
    StoreBe16(MutableBytes(model.page()), 44, free);
    EXPECT_THAT(InsertDynamic(MutableBytes(model.page()), InsertPlace::kFreeList,
                              AsBytes(FromHex("00 00 08 00 00 41 61"))),
                StatusIs(StatusCode::kCorruption, HasSubstr("free list leads to")));
  }
}

TEST(IndexPageRecordsTest, DeletingWhatIsNotThereIsCorruption) {
  PageModel empty = DynamicPage(0);
  EXPECT_THAT(DeleteDynamic(MutableBytes(empty.page()), AsBytes(FromHex("00 01 04"))),
              StatusIs(StatusCode::kCorruption, HasSubstr("leads to 112")));
  PageModel model = DynamicPage(2);
  EXPECT_THAT(DeleteDynamic(MutableBytes(model.page()), AsBytes(FromHex("00 20 04"))),
              StatusIs(StatusCode::kCorruption, HasSubstr("37 + 4 bytes")));
  EXPECT_THAT(DeleteDynamic(MutableBytes(model.page()), AsBytes(FromHex("00 01 8000"))),
              StatusIs(StatusCode::kCorruption, HasSubstr("6 + 128 bytes")));
}

TEST(InsertRedundantTest, ShortOffsetsTakeOneByteAField) {
  PageModel model(RecordFormat::kRedundant, 4096);
  // 2 fields of 2 and 3 bytes
  const std::string fields = FromHex("00 0c 00 00 0502 6162636465");
  ASSERT_THAT(InsertRedundant(MutableBytes(model.page()), InsertPlace::kHeapTop, AsBytes(fields)),
              IsOk());

  EXPECT_EQ(ToHex(model.page().substr(125, 13)),
            "0502000010050074"
            "6162636465");
  EXPECT_EQ(IndexPageFault(AsBytes(model.page()), false), "");
}

TEST(InsertRedundantTest, DataMustHaveTheSizeThatTheHeaderSays) {
  for (const char* hex : {"00 0c 00 00 0502 61626364", "00 0c 00 00 0502 616263646566",
                          "00 0c 00 01 0502 6162636465"}) {
    PageModel model(RecordFormat::kRedundant, 4096);
    EXPECT_THAT(
        InsertRedundant(MutableBytes(model.page()), InsertPlace::kHeapTop, AsBytes(FromHex(hex))),
        StatusIs(StatusCode::kCorruption, HasSubstr("with 5 bytes of data")))
        << hex;
  }
}

}  // namespace
}  // namespace hbk::redo

#include "redo_sections.h"

#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quiet_reporter.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::redo_sections_test {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::MemFileSystem;
using testing::MutableBytes;
using testing::StatusIs;

// Redo whose mini-transactions are one byte each: that of LSN n is written to the partition as the
// letter at n.
class ReadSectionsTest : public ::testing::Test {
 protected:
  Result<RedoScan> Run(const std::vector<RedoPlace>& begins) {
    return ReadSections(begins, {}, store_, watch_,
                        [&](PartitionStore::Section& section, const RedoPlace& begin,
                            const std::optional<RedoPlace>& end,
                            RedoScan& scan) { return Read(section, begin, end, scan); });
  }

  Result<RedoPlace> Read(PartitionStore::Section& section, const RedoPlace& begin,
                         const std::optional<RedoPlace>& end, RedoScan& scan) {
    redo::Lsn lsn = begin.lsn;
    while (lsn < text_.size() && (!end || lsn < end->lsn)) {
      if (lsn == bad_lsn_ || (false_start_ != 0 && begin.lsn == false_start_))
        return CorruptionError("LSN " + std::to_string(lsn));
      // One that is longer goes on behind the end.
      const size_t size = lsn == long_lsn_ ? 3 : 1;
      HBK_RETURN_IF_ERROR(section.Append(0, AsBytes(text_.substr(lsn, size)), {}));
      lsn += size;
      ++scan.mtr_count;
    }
    scan.end_lsn = lsn;
    return RedoPlace{0, lsn};
  }

  std::string Stored() {
    EXPECT_THAT(store_.Finish(), IsOk());
    std::string text(store_.bytes(0), '\0');
    EXPECT_THAT(store_.Read(0, 0, MutableBytes(text)), IsOk());
    return text;
  }

  MemFileSystem fs_;
  PartitionStore store_{
      fs_, {.section_count = 4, .block_bytes = 2, .block_count = 9, .spill_path = "/spill"}};
  QuietReporter reporter_;
  ScanWatch watch_{reporter_, 0, {}};
  std::string text_ = "abcdefghijklmnopqrstuvwxyz";
  redo::Lsn bad_lsn_ = UINT64_MAX;
  redo::Lsn long_lsn_ = UINT64_MAX;
  redo::Lsn false_start_ = 0;
};

TEST_F(ReadSectionsTest, SectionsFollowOneAnother) {
  const auto scan = Run({{}, {0, 7}, {0, 8}, {0, 20}});

  ASSERT_THAT(scan, IsOk());
  EXPECT_EQ(Stored(), text_);
  EXPECT_EQ(scan->mtr_count, text_.size());
  EXPECT_EQ(scan->end_lsn, text_.size());
}

TEST_F(ReadSectionsTest, ASectionBeginningInTheMidstOfSomethingIsForgotten) {
  long_lsn_ = 7;  // up to 10

  const auto scan = Run({{}, {0, 4}, {0, 8}, {0, 20}});

  ASSERT_THAT(scan, IsOk());
  EXPECT_EQ(Stored(), text_);
  EXPECT_EQ(scan->mtr_count, text_.size() - 2);
  EXPECT_EQ(scan->end_lsn, text_.size());
}

TEST_F(ReadSectionsTest, AnErrorThatAFalseStartMadeIsNone) {
  long_lsn_ = 7;
  false_start_ = 8;

  ASSERT_THAT(Run({{}, {0, 8}, {0, 12}}), IsOk());

  EXPECT_EQ(Stored(), text_);
}

TEST_F(ReadSectionsTest, OfSeveralErrorsTheFirstInTheLogCounts) {
  for (const redo::Lsn bad : {3U, 9U, 25U}) {
    bad_lsn_ = bad;
    EXPECT_THAT(Run({{}, {0, 7}, {0, 20}}),
                StatusIs(StatusCode::kCorruption, HasSubstr("LSN " + std::to_string(bad))));
  }
}

TEST_F(ReadSectionsTest, ALogThatEndsBeforeALaterSectionEndsThere) {
  text_.resize(10);

  const auto scan = Run({{}, {0, 7}, {0, 15}, {0, 20}});

  ASSERT_THAT(scan, IsOk());
  EXPECT_EQ(Stored(), text_);
  EXPECT_EQ(scan->end_lsn, 10U);
}

}  // namespace
}  // namespace hbk::prepare::redo_sections_test

#include "exact_copy.h"

#include "hbk/filter/tree_digest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::Eq;
using ::testing::HasSubstr;

class ExactCopyTest : public ::testing::Test {
 protected:
  std::unique_ptr<io::File> OpenWith(const std::string& bytes) {
    fs_.PutFile("/source", bytes);
    auto file = fs_.Open("/source", {});
    EXPECT_THAT(file, IsOk());
    return std::move(file).value();
  }

  MemFileSystem fs_;
};

TEST_F(ExactCopyTest, CopiesTheFirstBytesOnly) {
  const std::string bytes = std::string(1 << 20, 'a') + "row\nhalf a ro";
  const uint64_t size = (1 << 20) + 4;

  const auto copy = CopyFirstBytes(fs_, *OpenWith(bytes), size, "/target", {});

  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(copy->size, size);
  EXPECT_EQ(fs_.Contents("/target"), bytes.substr(0, size));
  filter::TreeDigest digest(size);
  digest.AddChunk(0, AsBytes(bytes).first(1 << 20));
  digest.AddChunk(1, AsBytes(bytes).subspan(1 << 20, 4));
  EXPECT_EQ(digest.Finish(), copy->digest);
}

TEST_F(ExactCopyTest, EmptyFileIsCopied) {
  const auto copy = CopyFirstBytes(fs_, *OpenWith(""), 0, "/target", {});
  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(copy->digest, filter::DigestOf({}));
  EXPECT_EQ(fs_.Contents("/target"), "");
}

TEST_F(ExactCopyTest, ShrunkenSourceIsCorruption) {
  EXPECT_THAT(CopyFirstBytes(fs_, *OpenWith("abc"), 4, "/target", {}),
              StatusIs(StatusCode::kCorruption, HasSubstr("/source")));
}

TEST_F(ExactCopyTest, StopIsHeard) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(CopyFirstBytes(fs_, *OpenWith("abc"), 3, "/target", stop.get_token()),
              StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

TEST_F(ExactCopyTest, LastRowEndsAfterItsLineFeed) {
  EXPECT_THAT(EndOfLastRow(*OpenWith("a\nb\nc")), IsOkAndHolds(Eq(4U)));
  EXPECT_THAT(EndOfLastRow(*OpenWith("a\nb\n")), IsOkAndHolds(Eq(4U)));
  EXPECT_THAT(EndOfLastRow(*OpenWith("no row yet")), IsOkAndHolds(Eq(0U)));
  EXPECT_THAT(EndOfLastRow(*OpenWith("")), IsOkAndHolds(Eq(0U)));
  const std::string long_row(3 << 20, 'x');
  EXPECT_THAT(EndOfLastRow(*OpenWith("a\n" + long_row)), IsOkAndHolds(Eq(2U)));
}

TEST_F(ExactCopyTest, RowsAreCounted) {
  const auto copy = CopyFirstBytes(fs_, *OpenWith("a\nb\nc\nhalf"), 6, "/target", {});
  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(copy->line_feed_count, 3U);
}

TEST(CsvStateTest, RowsAreSetAndTheDirtyByteIsCleared) {
  std::string state(35, '\0');
  state[0] = '\xFE';
  state[1] = 1;
  state[2] = 9;
  state[34] = 1;

  const auto clean = CleanCsvState(state, 0x100000002);

  ASSERT_THAT(clean, IsOk());
  state[2] = 2;
  state[6] = 1;
  state[34] = 0;
  EXPECT_EQ(*clean, state);
}

TEST(CsvStateTest, OtherBytesAreCorruption) {
  EXPECT_THAT(CleanCsvState("", 0), StatusIs(StatusCode::kCorruption, HasSubstr("CSV")));
  EXPECT_THAT(CleanCsvState(std::string(35, '\0'), 0),
              StatusIs(StatusCode::kCorruption, HasSubstr("")));
}

}  // namespace
}  // namespace hbk::backup

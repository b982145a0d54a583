#include "mtr_pipe.h"

#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hbk::prepare {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

struct SeenMtr {
  redo::Lsn start_lsn = 0;
  redo::Lsn end_lsn = 0;
  std::vector<uint8_t> body;

  bool operator==(const SeenMtr&) const = default;
};

// Of sizes from nothing to more than a batch.
std::vector<SeenMtr> MakeMtrs(size_t count) {
  std::vector<SeenMtr> mtrs;
  redo::Lsn lsn = 10000;
  for (size_t i = 0; i < count; ++i) {
    std::vector<uint8_t> body(i % 100 == 99 ? 300'000 : i * 7 % 2000);
    std::iota(body.begin(), body.end(), static_cast<uint8_t>(i));
    mtrs.push_back({lsn, lsn + body.size() + 5, std::move(body)});
    lsn = mtrs.back().end_lsn;
  }
  return mtrs;
}

Status AddAll(MtrPipe& pipe, const std::vector<SeenMtr>& mtrs) {
  for (const SeenMtr& mtr : mtrs) {
    // Bytes that are gone as soon as they were added.
    const std::vector<uint8_t> body = mtr.body;
    HBK_RETURN_IF_ERROR(pipe.Add(
        {.start_lsn = mtr.start_lsn, .end_lsn = mtr.end_lsn, .body = body, .sequence_index = 0}));
  }
  return OkStatus();
}

TEST(MtrPipeTest, ShowsAllOfThemInTheirOrder) {
  const std::vector<SeenMtr> mtrs = MakeMtrs(3000);
  std::vector<SeenMtr> seen;
  MtrPipe pipe("log", [&](const redo::MiniTransaction& mtr) {
    seen.push_back({mtr.start_lsn, mtr.end_lsn, {mtr.body.begin(), mtr.body.end()}});
    return OkStatus();
  });
  ASSERT_TRUE(AddAll(pipe, mtrs).ok());
  const Status finished = pipe.Finish();
  EXPECT_TRUE(finished.ok()) << finished.ToString();
  EXPECT_THAT(seen, ElementsAreArray(mtrs));
}

TEST(MtrPipeTest, NoneIsShownAfterOneThatIsWrong) {
  const std::vector<SeenMtr> mtrs = MakeMtrs(3000);
  size_t count = 0;
  MtrPipe pipe("a/log", [&](const redo::MiniTransaction&) {
    return ++count == 700 ? CorruptionError("it is broken") : OkStatus();
  });
  const Status added = AddAll(pipe, mtrs);
  const Status finished = pipe.Finish();
  EXPECT_EQ(finished.code(), StatusCode::kCorruption);
  EXPECT_THAT(finished.message(),
              HasSubstr("a/log, LSN " + std::to_string(mtrs[699].start_lsn) + ": it is broken"));
  // There are more than the pipe holds: the one who adds has heard of it.
  EXPECT_EQ(added.message(), finished.message());
  EXPECT_EQ(count, 700);
}

TEST(MtrPipeTest, AnErrorInTheLastBatchIsFoundWhenItIsFinished) {
  MtrPipe pipe("log", [](const redo::MiniTransaction&) { return FailedError("no"); });
  EXPECT_TRUE(AddAll(pipe, MakeMtrs(2)).ok());
  EXPECT_EQ(pipe.Finish().message(), "log, LSN 10000: no");
}

TEST(MtrPipeTest, NothingIsFine) {
  MtrPipe pipe("log", [](const redo::MiniTransaction&) { return FailedError("no"); });
  EXPECT_TRUE(pipe.Finish().ok());
}

}  // namespace
}  // namespace hbk::prepare

#include "hbk/delta/delta_file.h"

#include <algorithm>
#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "hbk/base/crc32c.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::delta {
namespace {

using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kPage = 4096;
constexpr const char* kPath = "/i/t.ibd.hbk_delta";

std::vector<uint8_t> SomeBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes)
    byte = static_cast<uint8_t>(random());
  return bytes;
}

class DeltaFileTest : public ::testing::Test {
 protected:
  DeltaFileTest() { fs_.PutDirectory("/i"); }

  static std::vector<uint8_t> HardlyFilled() {
    std::vector<uint8_t> page(kPage);
    const std::vector<uint8_t> some = SomeBytes(100, 3);
    std::copy(some.begin(), some.end(), page.begin() + 700);
    page.back() = 1;
    return page;
  }
  // A delta of three runs, one of them a short page, one hardly filled.
  std::string Sample() {
    DeltaWriter writer(fs_, kPath, {kPage, 7});
    EXPECT_THAT(writer.Append(5, 2, SomeBytes(2 * kPage, 1)), IsOk());
    EXPECT_THAT(writer.Append(3, 1, SomeBytes(100, 2)), IsOk());
    EXPECT_THAT(writer.Append(9, 1, HardlyFilled()), IsOk());
    EXPECT_THAT(writer.Finish(), IsOk());
    return fs_.Contents(kPath);
  }

  Result<std::vector<DeltaRun>> IndexOf(const std::string& bytes) {
    fs_.PutFile(kPath, bytes);
    HBK_ASSIGN_OR_RETURN(const auto reader, DeltaReader::Open(fs_, kPath));
    return reader->ReadIndex({});
  }

  MemFileSystem fs_;
};

TEST_F(DeltaFileTest, WithoutPagesThereIsNoFile) {
  DeltaWriter writer(fs_, kPath, {kPage, 7});

  const auto summary = writer.Finish();

  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->size, 0U);
  EXPECT_EQ(summary->digest, "");
  EXPECT_THAT(fs_.Tree("/i"), IsEmpty());
}

TEST_F(DeltaFileTest, WhatIsAppendedReadsBack) {
  DeltaWriter writer(fs_, kPath, {kPage, 7});
  const std::vector<uint8_t> two = SomeBytes(2 * kPage, 1);
  const std::vector<uint8_t> part = SomeBytes(100, 2);
  ASSERT_THAT(writer.Append(5, 2, two), IsOk());
  ASSERT_THAT(writer.Append(3, 1, part), IsOk());
  const auto summary = writer.Finish();
  ASSERT_THAT(summary, IsOk());

  const auto reader = DeltaReader::Open(fs_, kPath);
  ASSERT_THAT(reader, IsOk());
  const auto runs = (*reader)->ReadIndex({});

  ASSERT_THAT(runs, IsOk());
  EXPECT_EQ((*reader)->header(), (DeltaHeader{kPage, 7}));
  EXPECT_THAT(
      *runs, ElementsAre(DeltaRun{5, 2, 2 * kPage, 56, 0}, DeltaRun{3, 1, 100, 80 + 2 * kPage, 0}));
  std::vector<uint8_t> bytes(2 * kPage);
  ASSERT_THAT((*reader)->ReadRun((*runs)[0], bytes), IsOk());
  EXPECT_EQ(bytes, two);
  bytes.resize(100);
  ASSERT_THAT((*reader)->ReadRun((*runs)[1], bytes), IsOk());
  EXPECT_EQ(bytes, part);
  const std::string file = fs_.Contents(kPath);
  EXPECT_EQ(summary->size, file.size());
  EXPECT_EQ(summary->page_count, 3U);
  EXPECT_EQ(summary->digest, filter::DigestOf(AsBytes(file)));
}

TEST_F(DeltaFileTest, SeveralThreadsMayAppend) {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kRuns = 100;
  DeltaWriter writer(fs_, kPath, {kPage, 7});
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&writer, t] {
      for (uint32_t i = 0; i < kRuns; ++i)
        ASSERT_THAT(writer.Append(t * kRuns + i, 1, SomeBytes(kPage, t * kRuns + i)), IsOk());
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  ASSERT_THAT(writer.Finish(), IsOk());

  const auto reader = DeltaReader::Open(fs_, kPath);
  ASSERT_THAT(reader, IsOk());
  auto runs = (*reader)->ReadIndex({});

  ASSERT_THAT(runs, IsOk());
  std::sort(runs->begin(), runs->end(),
            [](const DeltaRun& a, const DeltaRun& b) { return a.first_page < b.first_page; });
  ASSERT_EQ(runs->size(), kThreads * kRuns);
  std::vector<uint8_t> bytes(kPage);
  for (uint32_t i = 0; i < runs->size(); ++i) {
    EXPECT_EQ((*runs)[i].first_page, i);
    ASSERT_THAT((*reader)->ReadRun((*runs)[i], bytes), IsOk());
    EXPECT_EQ(bytes, SomeBytes(kPage, i)) << i;
  }
}

TEST_F(DeltaFileTest, EveryFlippedBitIsFound) {
  const std::string file = Sample();
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));

    EXPECT_THAT(IndexOf(damaged), StatusIs(StatusCode::kCorruption, HasSubstr(kPath))) << i;
  }
}

TEST_F(DeltaFileTest, EveryTruncationIsFound) {
  const std::string file = Sample();
  for (size_t size = 0; size < file.size(); size += size % 512 < 100 ? 1 : 37) {
    EXPECT_THAT(IndexOf(file.substr(0, size)), StatusIs(StatusCode::kCorruption, HasSubstr(kPath)))
        << size;
  }
}

TEST_F(DeltaFileTest, BytesBehindTheEndAreRefused) {
  EXPECT_THAT(IndexOf(Sample() + "x"), StatusIs(StatusCode::kCorruption, HasSubstr("the end")));
}

TEST_F(DeltaFileTest, ARunThatIsLeftOutIsFound) {
  std::string file = Sample();
  file.erase(32, 24 + 2 * kPage);

  EXPECT_THAT(IndexOf(file), StatusIs(StatusCode::kCorruption, HasSubstr("2 runs of 2 pages")));
}

TEST_F(DeltaFileTest, AnotherVersionIsUnsupported) {
  std::string file = Sample();
  file[8] = 3;
  MutableByteView head(reinterpret_cast<uint8_t*>(file.data()), 32);
  StoreLe32(head, 28, Crc32c(ByteView(head).first(28)));

  EXPECT_THAT(IndexOf(file), StatusIs(StatusCode::kUnsupported, HasSubstr("format 3")));
}

TEST_F(DeltaFileTest, OfAPageThatIsHardlyFilledTheZerosAreLeftOut) {
  DeltaWriter writer(fs_, kPath, {kPage, 7});
  ASSERT_THAT(writer.Append(5, 1, HardlyFilled()), IsOk());
  ASSERT_THAT(writer.Append(6, 1, SomeBytes(kPage, 1)), IsOk());
  ASSERT_THAT(writer.Append(7, 2, std::vector<uint8_t>(2 * kPage)), IsOk());
  const auto summary = writer.Finish();
  ASSERT_THAT(summary, IsOk());
  EXPECT_LT(summary->size, kPage + 500U);

  const auto reader = DeltaReader::Open(fs_, kPath);
  ASSERT_THAT(reader, IsOk());
  const auto runs = (*reader)->ReadIndex({});

  ASSERT_THAT(runs, IsOk());
  ASSERT_EQ(runs->size(), 3U);
  std::vector<uint8_t> bytes(kPage);
  ASSERT_THAT((*reader)->ReadRun((*runs)[0], bytes), IsOk());
  EXPECT_EQ(bytes, HardlyFilled());
  ASSERT_THAT((*reader)->ReadRun((*runs)[1], bytes), IsOk());
  EXPECT_EQ(bytes, SomeBytes(kPage, 1));
  bytes.assign(2 * kPage, 1);
  ASSERT_THAT((*reader)->ReadRun((*runs)[2], bytes), IsOk());
  EXPECT_EQ(bytes, std::vector<uint8_t>(2 * kPage));
}

TEST_F(DeltaFileTest, TheFirstVersionIsReadAndHasNoRunsWithoutZeros) {
  DeltaWriter writer(fs_, kPath, {kPage, 7});
  ASSERT_THAT(writer.Append(5, 2, SomeBytes(2 * kPage, 1)), IsOk());
  ASSERT_THAT(writer.Finish(), IsOk());
  const auto as_first = [](std::string file) {
    file[8] = 1;
    MutableByteView head(reinterpret_cast<uint8_t*>(file.data()), 32);
    StoreLe32(head, 28, Crc32c(ByteView(head).first(28)));
    return file;
  };

  EXPECT_THAT(IndexOf(as_first(fs_.Contents(kPath))),
              IsOkAndHolds(ElementsAre(DeltaRun{5, 2, 2 * kPage, 56, 0})));
  ASSERT_THAT(fs_.Remove(kPath), IsOk());
  EXPECT_THAT(IndexOf(as_first(Sample())), StatusIs(StatusCode::kCorruption, HasSubstr("neither")));
}

TEST_F(DeltaFileTest, AFileOfThatNameIsNotOverwritten) {
  fs_.PutFile(kPath, "x");
  DeltaWriter writer(fs_, kPath, {kPage, 7});

  EXPECT_THAT(writer.Append(0, 1, SomeBytes(kPage, 1)),
              StatusIs(StatusCode::kAlreadyExists, HasSubstr(kPath)));
}

}  // namespace
}  // namespace hbk::delta

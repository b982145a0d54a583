#include "mbstream_writer.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/byte_buffers.h"
#include "tests/support/mbstream_chunks.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MbChunk;
using hbk::testing::MbEof;
using hbk::testing::MbPayload;
using hbk::testing::MbRemove;
using hbk::testing::MbRename;
using hbk::testing::MbSeek;
using hbk::testing::SinkTo;
using hbk::testing::StatusIs;
using hbk::testing::SunkBytes;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class MbstreamWriterTest : public ::testing::Test {
 protected:
  void Write(uint64_t offset, std::string_view bytes) {
    ASSERT_THAT(writer_->Write(1, offset, AsBytes(bytes)), IsOk());
  }
  std::string Finished() {
    EXPECT_THAT(writer_->Finish(), IsOk());
    writer_.reset();
    return sunk_.bytes;
  }
  // What a receiver makes of the chunks of one file.
  std::string FileOf(std::string_view stream) {
    std::string content;
    while (!stream.empty()) {
      EXPECT_TRUE(stream.starts_with("XBSTCK01"));
      const char type = stream[9];
      const size_t body = 14 + LoadLe32(AsBytes(stream), 10);
      if (type == 'E') return content;
      if (type == 'S') {
        has_seek_ = true;
        position_ = LoadLe64(AsBytes(stream), body);
        stream.remove_prefix(body + 8);
        continue;
      }
      const uint64_t size = LoadLe64(AsBytes(stream), body);
      EXPECT_EQ(LoadLe64(AsBytes(stream), body + 8), position_);
      if (content.size() < position_ + size) content.resize(position_ + size);
      content.replace(position_, size, stream.substr(body + 20, size));
      position_ += size;
      stream.remove_prefix(body + 20 + size);
    }
    ADD_FAILURE() << "no end";
    return content;
  }

  SunkBytes sunk_;
  std::unique_ptr<MbstreamWriter> writer_ = std::make_unique<MbstreamWriter>(SinkTo(sunk_));
  uint64_t position_ = 0;
  bool has_seek_ = false;
};

TEST_F(MbstreamWriterTest, SmallFileIsOneChunkAndItsEnd) {
  ASSERT_THAT(writer_->OpenFile(1, "db/t.frm"), IsOk());
  Write(0, "hello ");
  Write(6, "world");
  ASSERT_THAT(writer_->CloseFile(1, 11), IsOk());
  ASSERT_THAT(writer_->OpenFile(2, "empty"), IsOk());
  ASSERT_THAT(writer_->CloseFile(2, 0), IsOk());
  EXPECT_EQ(Finished(),
            MbPayload("db/t.frm", 0, "hello world") + MbEof("db/t.frm") + MbEof("empty"));
}

TEST_F(MbstreamWriterTest, LastWriteMayHaveBeenRoundedUp) {
  ASSERT_THAT(writer_->OpenFile(1, "r"), IsOk());
  const std::string full(8192, 'x');
  Write(0, full);
  Write(8192, full);
  ASSERT_THAT(writer_->CloseFile(1, 12289), IsOk());
  EXPECT_EQ(FileOf(Finished()), std::string(12289, 'x'));
  EXPECT_FALSE(has_seek_);
}

TEST_F(MbstreamWriterTest, FileThatBecameMuchShorterIsRefused) {
  ASSERT_THAT(writer_->OpenFile(1, "r"), IsOk());
  Write(0, std::string(20000, 'x'));
  EXPECT_THAT(writer_->CloseFile(1, 5000),
              StatusIs(StatusCode::kUnsupported, HasSubstr("r became shorter")));
}

TEST_F(MbstreamWriterTest, RangesInAnyOrderComeInOrder) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    SunkBytes sunk;
    auto writer = std::make_unique<MbstreamWriter>(SinkTo(sunk));
    ASSERT_THAT(writer->OpenFile(1, "t"), IsOk());
    std::string expected(300'000 + random() % 5000, '\0');
    std::vector<size_t> ranges;
    for (size_t at = 0; at < expected.size(); at += 10'000)
      ranges.push_back(at);
    std::shuffle(ranges.begin(), ranges.end(), random);
    for (const size_t at : ranges) {
      const size_t size = std::min<size_t>(10'000, expected.size() - at);
      if (random() % 5 == 0) {
        // A hole, told or not.
        const bool is_told = random() % 2 == 0;
        ASSERT_THAT(is_told ? writer->SkipHole(1, at, size) : OkStatus(), IsOk());
        continue;
      }
      for (size_t i = at; i < at + size; ++i)
        expected[i] = static_cast<char>(random());
      ASSERT_THAT(writer->Write(1, at, AsBytes(expected).subspan(at, size)), IsOk());
    }
    ASSERT_THAT(writer->CloseFile(1, expected.size()), IsOk());
    ASSERT_THAT(writer->Finish(), IsOk());
    position_ = 0;
    EXPECT_EQ(FileOf(sunk.bytes), expected) << round;
    EXPECT_FALSE(has_seek_);
  }
}

TEST_F(MbstreamWriterTest, WhatIsWrittenAgainIsPutOverIt) {
  ASSERT_THAT(writer_->OpenFile(1, "aria_log.00000001"), IsOk());
  std::string expected(30'000, 'a');
  Write(0, expected);
  expected.replace(0, 8192, std::string(8192, 'b'));
  Write(0, std::string(8192, 'b'));
  expected.replace(25'000, 4000, std::string(4000, 'c'));  // sent in part
  Write(25'000, std::string(4000, 'c'));
  expected += "end";
  Write(30'000, "end");
  ASSERT_THAT(writer_->CloseFile(1, expected.size()), IsOk());
  EXPECT_EQ(FileOf(Finished()), expected);
  EXPECT_TRUE(has_seek_);
}

TEST_F(MbstreamWriterTest, HoleThatNobodyToldOfDoesNotFillTheMemory) {
  ASSERT_THAT(writer_->OpenFile(1, "t"), IsOk());
  const uint64_t begin = 5 << 20;
  const std::string mebibyte(1 << 20, 'x');
  for (uint64_t i = 0; i < 40; ++i)
    Write(begin + (i << 20), mebibyte);
  EXPECT_GT(sunk_.bytes.size(), size_t{10} << 20);
  Write(1 << 20, mebibyte);  // that slow, after all
  ASSERT_THAT(writer_->CloseFile(1, 50 << 20), IsOk());
  std::string expected(50 << 20, '\0');
  expected.replace(1 << 20, 1 << 20, mebibyte);
  for (uint64_t i = 0; i < 40; ++i)
    expected.replace(begin + (i << 20), 1 << 20, mebibyte);
  EXPECT_TRUE(FileOf(Finished()) == expected);
  EXPECT_TRUE(has_seek_);
}

TEST_F(MbstreamWriterTest, WhatChangesAfterwardsIsSaid) {
  ASSERT_THAT(writer_->OpenFile(1, "db/t"), IsOk());
  ASSERT_THAT(writer_->CloseFile(1, 0), IsOk());
  ASSERT_THAT(writer_->MakeDirectory("new"), IsOk());
  ASSERT_THAT(writer_->Rename("db/t", "new/t"), IsOk());
  ASSERT_THAT(writer_->Remove("new/t"), IsOk());
  ASSERT_THAT(writer_->OpenFile(2, "db/t"), IsOk());
  ASSERT_THAT(writer_->Write(2, 0, AsBytes("x")), IsOk());
  ASSERT_THAT(writer_->CloseFile(2, 1), IsOk());
  ASSERT_THAT(writer_->MakeDirectory("gone"), IsOk());
  ASSERT_THAT(writer_->RemoveDirectory("gone"), IsOk());
  ASSERT_THAT(writer_->MakeDirectory("nothing"), IsOk());
  ASSERT_THAT(writer_->RemoveDirectory("new"), IsOk());
  EXPECT_EQ(Finished(), MbEof("db/t") + MbEof("new/hbk_placeholder") +
                            MbRemove("new/hbk_placeholder") + MbRename("db/t", "new/t") +
                            MbPayload("hbk_placeholder", 0, "", 2) + MbEof("hbk_placeholder") +
                            MbRemove("hbk_placeholder") + MbRemove("new/t") +
                            MbPayload("db/t", 0, "x", 2) + MbEof("db/t") + MbRemove("new") +
                            MbEof("nothing/hbk_placeholder") + MbRemove("nothing/hbk_placeholder"));
}

TEST_F(MbstreamWriterTest, ReplacedFileThatIsEmptyHasTheFlagInItsEnd) {
  ASSERT_THAT(writer_->OpenFile(1, "t"), IsOk());
  ASSERT_THAT(writer_->CloseFile(1, 0), IsOk());
  ASSERT_THAT(writer_->Remove("t"), IsOk());
  ASSERT_THAT(writer_->OpenFile(2, "t"), IsOk());
  ASSERT_THAT(writer_->CloseFile(2, 0), IsOk());
  EXPECT_EQ(Finished(), MbEof("t") + MbRemove("t") + MbEof("t", 2));
}

TEST_F(MbstreamWriterTest, WhatMbstreamWouldLoseIsRefused) {
  EXPECT_THAT(writer_->OpenFile(1, "a/b/c"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("one level")));
  EXPECT_THAT(writer_->OpenFile(1, std::string(200, 'a') + "/" + std::string(200, 'b') + "/c"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("one level")));
  EXPECT_THAT(writer_->OpenFile(1, std::string(600, 'a')),
              StatusIs(StatusCode::kUnsupported, HasSubstr("too long")));
  EXPECT_THAT(writer_->MakeDirectory("a/b"),
              StatusIs(StatusCode::kUnsupported, HasSubstr("level")));
}

TEST_F(MbstreamWriterTest, ArchiveThatIsGivenUpDoesNotEndLikeAWholeOne) {
  ASSERT_THAT(writer_->OpenFile(1, "t"), IsOk());
  ASSERT_THAT(writer_->CloseFile(1, 0), IsOk());
  writer_.reset();
  EXPECT_THAT(sunk_.bytes, EndsWith("not complete\n"));
  EXPECT_FALSE(sunk_.is_finished);
}

}  // namespace
}  // namespace hbk::stream

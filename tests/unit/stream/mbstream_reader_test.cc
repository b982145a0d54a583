#include "mbstream_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream_events.h"
#include "tests/support/mbstream_chunks.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::LittleEndian;
using hbk::testing::MbChunk;
using hbk::testing::MbEof;
using hbk::testing::MbFile;
using hbk::testing::MbPayload;
using hbk::testing::MbRemove;
using hbk::testing::MbRename;
using hbk::testing::MbSeek;
using hbk::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void ExpectRefused(const std::string& stream, std::string_view what) {
  EXPECT_THAT(ReadAllEvents(stream).status,
              StatusIs(StatusCode::kCorruption, HasSubstr(std::string(what))))
      << stream;
}

TEST(MbstreamReaderTest, FilesInterleave) {
  const ReadEvents read =
      ReadAllEvents(MbPayload("a", 0, "xx") + MbPayload("db/b", 0, "y") + MbPayload("a", 2, "z") +
                    MbEof("db/b") + MbEof("a") + MbEof("empty"));
  EXPECT_THAT(read.status, IsOk());
  EXPECT_THAT(read.events,
              ElementsAre("open 1 a", "data 1 0 xx", "open 2 db/b", "data 2 0 y", "data 1 2 z",
                          "close 2", "close 1", "open 3 empty", "close 3", "end"));
}

TEST(MbstreamReaderTest, WhatChangesAfterwards) {
  const ReadEvents read = ReadAllEvents(MbFile("a", "x") + MbPayload("a", 0, "y", 2) +
                                        MbSeek("a", 7) + MbPayload("a", 7, "z") + MbEof("a") +
                                        MbRename("a", "d/b") + MbRemove("d/*") + MbRemove("d"));
  EXPECT_THAT(read.status, IsOk());
  EXPECT_THAT(read.events, ElementsAre("open 1 a", "data 1 0 x", "close 1", "open 2 a again",
                                       "data 2 0 y", "data 2 7 z", "close 2", "rename a d/b",
                                       "remove d/*", "remove d", "end"));
}

TEST(MbstreamReaderTest, LargeChunkComesInPieces) {
  const std::string big((2 << 20) + 5, 'x');
  const ReadEvents read = ReadAllEvents(MbFile("a", big));
  EXPECT_THAT(read.status, IsOk());
  EXPECT_THAT(read.events,
              ElementsAre("open 1 a", "data 1 0 1048576 bytes", "data 1 1048576 1048576 bytes",
                          "data 1 2097152 xxxxx", "close 1", "end"));
}

TEST(MbstreamReaderTest, UnknownChunksAreSkippedIfTheyMayBe) {
  std::string unknown = MbPayload("a", 5, "whatever", 1);
  unknown[9] = 'Z';
  const ReadEvents read = ReadAllEvents(unknown + MbFile("b", "x"));
  EXPECT_THAT(read.status, IsOk());
  EXPECT_THAT(read.events, ElementsAre("open 1 b", "data 1 0 x", "close 1", "end"));
  unknown[8] = 0;
  ExpectRefused(unknown, "unknown type");
}

TEST(MbstreamReaderTest, DataMustComeInOrder) {
  ExpectRefused(MbPayload("a", 1, "x"), "out of order");
  ExpectRefused(MbPayload("a", 0, "x") + MbPayload("a", 0, "x"), "out of order");
  ExpectRefused(MbPayload("a", 0, "x") + MbSeek("a", 5) + MbPayload("a", 1, "x"), "out of order");
}

TEST(MbstreamReaderTest, HostileStreamsAreRefused) {
  ExpectRefused(MbFile("/etc/x", "x"), "absolute");
  ExpectRefused(MbFile("a/../../x", "x"), "elsewhere");
  ExpectRefused(MbFile(std::string(600, 'a'), "x"), "too long a file name");
  ExpectRefused(MbFile("a\n", "x"), "control characters");
  ExpectRefused(MbFile("a", "x") + MbRename("a", "../x"), "elsewhere");
  ExpectRefused(MbRemove("../*"), "elsewhere");
  ExpectRefused(MbPayload("a", 0, "x") + MbRemove("a"), "not complete");
  ExpectRefused(MbPayload("a", 0, "x") + MbRename("a", "b"), "not complete");
  ExpectRefused(MbPayload("a", 0, "x"), "'a' is not complete");
  ExpectRefused(
      MbChunk('P', "a") + LittleEndian(UINT64_MAX, 8) + LittleEndian(0, 8) + LittleEndian(0, 4),
      "absurd size");
  ExpectRefused(MbSeek("a", UINT64_MAX), "absurd offset");
  ExpectRefused(MbChunk('E', "a", 4), "unknown flags");
  ExpectRefused("XBSTCK01" + std::string("\0P", 2) + LittleEndian(0xffffffff, 4), "too long");
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += MbPayload(std::to_string(i), 0, "");
  ExpectRefused(many, "too many files");
}

TEST(MbstreamReaderTest, TruncationIsNoticedWithinAFile) {
  const std::string whole = MbFile("a", "hello") + MbFile("b", "world") + MbRename("a", "c");
  const size_t first = MbFile("a", "hello").size();
  const size_t second = first + MbFile("b", "world").size();
  for (size_t size = 1; size < whole.size(); ++size) {
    const Status status = ReadAllEvents(whole.substr(0, size)).status;
    // Between two files nothing tells it, in this format.
    const bool is_between = size == first || size == second;
    EXPECT_EQ(status.ok(), is_between) << size;
    EXPECT_TRUE(is_between || status.code() == StatusCode::kCorruption) << size;
  }
}

TEST(MbstreamReaderTest, FlippedBitsOfDataAndMagicAreNoticed) {
  const std::string whole = MbFile("abc", "some bytes of a file");
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    const size_t byte = bit / 8;
    // A name may become another one; that is for the caller to notice.
    if ((byte >= 14 && byte < 17) || byte >= whole.size() - 3) continue;
    // Nor do flags and type have a checksum.
    const size_t eof = whole.size() - MbEof("abc").size();
    if (byte == 8 || byte == 9 || byte == eof + 8 || byte == eof + 9) continue;
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << (bit % 8)));
    EXPECT_THAT(ReadAllEvents(damaged).status, StatusIs(StatusCode::kCorruption, _)) << bit;
  }
}

}  // namespace
}  // namespace hbk::stream

#include "hbk_stream_reader.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk_stream_writer.h"
#include "stream_events.h"
#include "tests/support/byte_buffers.h"
#include "tests/support/status_matchers.h"

namespace hbk::stream {
namespace {

using hbk::testing::IsOk;
using hbk::testing::SinkTo;
using hbk::testing::StatusIs;
using hbk::testing::SunkBytes;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string SmallStream() {
  SunkBytes sunk;
  HbkStreamWriter writer(SinkTo(sunk));
  EXPECT_THAT(writer.MakeDirectory("db"), IsOk());
  EXPECT_THAT(writer.OpenFile(1, "db/t.ibd"), IsOk());
  EXPECT_THAT(writer.Write(1, 8, AsBytes("later")), IsOk());
  EXPECT_THAT(writer.OpenFile(2, "a"), IsOk());
  EXPECT_THAT(writer.Write(1, 0, AsBytes("first")), IsOk());
  EXPECT_THAT(writer.CloseFile(2, 0), IsOk());
  EXPECT_THAT(writer.CloseFile(1, 12), IsOk());
  EXPECT_THAT(writer.Rename("db/t.ibd", "db/u.ibd"), IsOk());
  EXPECT_THAT(writer.Remove("a"), IsOk());
  EXPECT_THAT(writer.MakeDirectory("gone"), IsOk());
  EXPECT_THAT(writer.RemoveDirectory("gone"), IsOk());
  EXPECT_THAT(writer.Finish(), IsOk());
  EXPECT_TRUE(sunk.is_finished);
  return sunk.bytes;
}

// Records with checksums that are right, of whatever content.
class Forger {
 public:
  Forger() {
    const std::vector<uint8_t> id(kStreamIdBytes);
    const auto head = RenderStreamHead(id, chain_);
    bytes_ = AsText(head);
  }
  Forger& Add(RecordType type, uint32_t file, uint64_t number, std::string_view payload) {
    RecordHead head{type, file, static_cast<uint32_t>(payload.size()), number,
                    PayloadHash(AsBytes(payload))};
    const auto record = RenderRecordHead(head, chain_);
    bytes_ += AsText(record);
    bytes_ += payload;
    return *this;
  }
  void ExpectRefused(std::string_view what) const {
    EXPECT_THAT(ReadAllEvents(bytes_).status,
                StatusIs(StatusCode::kCorruption, HasSubstr(std::string(what))));
  }

 private:
  uint64_t chain_ = 0;
  std::string bytes_;
};

TEST(HbkStreamReaderTest, EverythingComesBackInItsOrder) {
  const ReadEvents read = ReadAllEvents(SmallStream());
  EXPECT_THAT(read.status, IsOk());
  EXPECT_THAT(read.events,
              ElementsAre("mkdir db", "open 1 db/t.ibd", "data 1 8 later", "open 2 a",
                          "data 1 0 first", "close 2 0", "close 1 12", "rename db/t.ibd db/u.ibd",
                          "remove a", "mkdir gone", "rmdir gone", "end"));
}

TEST(HbkStreamReaderTest, EveryTruncationIsNoticed) {
  const std::string whole = SmallStream();
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(ReadAllEvents(whole.substr(0, size)).status, StatusIs(StatusCode::kCorruption, _))
        << size;
  EXPECT_THAT(ReadAllEvents(whole + "x").status,
              StatusIs(StatusCode::kCorruption, HasSubstr("behind its end")));
}

TEST(HbkStreamReaderTest, EveryFlippedBitIsNoticed) {
  const std::string whole = SmallStream();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(ReadAllEvents(damaged).status, StatusIs(StatusCode::kCorruption, _)) << bit;
  }
}

TEST(HbkStreamReaderTest, RecordsCannotBeLostSwappedOrRepeated) {
  const std::string whole = SmallStream();
  std::vector<std::string> records;
  for (size_t at = kStreamHeadBytes; at < whole.size();) {
    const size_t size = kRecordHeadBytes + LoadLe32(AsBytes(whole), at + 12);
    records.push_back(whole.substr(at, size));
    at += size;
  }
  const auto joined = [&](const std::vector<std::string>& parts) {
    std::string stream = whole.substr(0, kStreamHeadBytes);
    for (const std::string& part : parts)
      stream += part;
    return stream;
  };
  ASSERT_EQ(joined(records), whole);
  for (size_t i = 0; i < records.size(); ++i) {
    std::vector<std::string> changed = records;
    changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_THAT(ReadAllEvents(joined(changed)).status, StatusIs(StatusCode::kCorruption, _)) << i;
    changed = records;
    changed.insert(changed.begin() + static_cast<ptrdiff_t>(i), records[i]);
    EXPECT_THAT(ReadAllEvents(joined(changed)).status, StatusIs(StatusCode::kCorruption, _)) << i;
    if (i == 0) continue;
    changed = records;
    std::swap(changed[i - 1], changed[i]);
    EXPECT_THAT(ReadAllEvents(joined(changed)).status, StatusIs(StatusCode::kCorruption, _)) << i;
  }
  // Nor come from another stream of the same files.
  const std::string other = SmallStream();
  EXPECT_THAT(ReadAllEvents(other.substr(0, 200) + whole.substr(200)).status,
              StatusIs(StatusCode::kCorruption, _));
}

TEST(HbkStreamReaderTest, RecordsThatMakeNoSenseAreRefused) {
  using enum RecordType;
  const std::string digest(DataDigest::kBytes, '\0');
  const std::string counts(EndCounts::kBytes, '\0');
  Forger().Add(kOpen, 1, 0, "../x").ExpectRefused("elsewhere");
  Forger().Add(kOpen, 1, 0, "a").Add(kOpen, 1, 0, "b").ExpectRefused("used before");
  Forger().Add(kOpen, 0, 0, "a").ExpectRefused("used before");
  Forger().Add(kData, 1, 0, "x").ExpectRefused("not open");
  Forger().Add(kClose, 1, 0, digest).ExpectRefused("not open");
  Forger().Add(kOpen, 1, 0, "a").Add(kData, 1, UINT64_MAX, "x").ExpectRefused("absurd offset");
  Forger().Add(kOpen, 1, 0, "a").Add(kData, 1, 0, "").ExpectRefused("no data");
  Forger().Add(kOpen, 1, 0, "a").Add(kClose, 1, UINT64_MAX, digest).ExpectRefused("absurd size");
  Forger()
      .Add(kOpen, 1, 0, "a")
      .Add(kData, 1, 0, "x")
      .Add(kClose, 1, 1, digest)
      .ExpectRefused("not all of its data");
  Forger().Add(kRename, 0, 9, "ab").ExpectRefused("absurd size");
  Forger().Add(kRename, 0, 2, "ab").ExpectRefused("empty");
  Forger().Add(kOpen, 1, 0, "a").Add(kEnd, 0, 2, counts).ExpectRefused("files are open");
  Forger().Add(kEnd, 0, 2, counts).ExpectRefused("does not fit");
  Forger().Add(kEnd, 0, 1, "short").ExpectRefused("does not fit");
  Forger().Add(kEnd, 0, 1, std::string(24, 'x')).ExpectRefused("does not fit");
}

}  // namespace
}  // namespace hbk::stream

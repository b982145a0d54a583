#include "hbk/extract/extract_runner.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/stream/stream_file_system.h"

#include "tests/support/byte_buffers.h"
#include "tests/support/fault_matrix.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/mbstream_chunks.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::extract {
namespace {

using hbk::testing::FaultKind;
using hbk::testing::FaultyFileSystem;
using hbk::testing::IsOk;
using hbk::testing::IsOkAndHolds;
using hbk::testing::MbEof;
using hbk::testing::MbFile;
using hbk::testing::MbPayload;
using hbk::testing::MbRemove;
using hbk::testing::MbRename;
using hbk::testing::MemFileSystem;
using hbk::testing::SinkTo;
using hbk::testing::SourceOf;
using hbk::testing::StatusIs;
using hbk::testing::SunkBytes;
using stream::StreamFormat;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::string kLastFiles = MbFile("xtrabackup_checkpoints", "c") +
                               MbFile("backup-my.cnf", "m") + MbFile("xtrabackup_info", "i");

class ExtractRunnerTest : public ::testing::Test {
 protected:
  Result<ExtractSummary> Extract(const std::string& stream) { return Extract(fs_, stream); }
  Result<ExtractSummary> Extract(io::FileSystem& fs, const std::string& stream) {
    return RunExtract({"/d/out", 3}, SourceOf(stream), fs, reporter_, {});
  }
  // Nothing is left of it.
  void ExpectRefused(const std::string& stream, const std::string& what) {
    EXPECT_THAT(Extract(stream), StatusIs(StatusCode::kCorruption, HasSubstr(what)));
    EXPECT_THAT(io::Exists(fs_, "/d/out"), IsOkAndHolds(false)) << what;
  }
  // A backup as it would be made, with whatever happens to files; and what it would be in a
  // directory.
  void WriteBackup(io::FileSystem& fs, const std::string& root, uint32_t seed) {
    std::mt19937 random(seed);
    const auto put = [&](const std::string& name, size_t size) {
      std::string bytes(size, '\0');
      for (size_t at = 0; at < size; at += 1000)
        bytes[at] = static_cast<char>(random() % 3);
      auto file = fs.Open(root + "/" + name, {.write = true, .create = true});
      HBK_CHECK(file.ok());
      std::vector<size_t> ranges;
      for (size_t at = 0; at < size; at += 70'000)
        ranges.push_back(at);
      std::shuffle(ranges.begin(), ranges.end(), random);
      HBK_CHECK((*file)->Truncate(size).ok());
      for (const size_t at : ranges) {
        const ByteView part = AsBytes(bytes).subspan(at, std::min<size_t>(70'000, size - at));
        if (!IsAllZero(part)) HBK_CHECK((*file)->WriteAt(at, part).ok());
      }
      HBK_CHECK((*file)->Close().ok());
    };
    HBK_CHECK(io::MakeDirectories(fs, root + "/db", 0700).ok());
    HBK_CHECK(io::WriteNewFile(fs, root + "/hbk_incomplete", "x", 0600).ok());
    put("ibdata1", 1'000'000 + random() % 1000);
    put("db/t.ibd", 300'000);
    put("db/u.ibd", 0);
    put("db/v.ibd", 5000);
    HBK_CHECK(fs.MakeDirectory(root + "/empty", 0700).ok());
    HBK_CHECK(fs.Rename(root + "/db/t.ibd", root + "/db/hbk_renaming_0").ok());
    HBK_CHECK(fs.Rename(root + "/db/v.ibd", root + "/db/t.ibd").ok());
    HBK_CHECK(fs.MakeDirectory(root + "/dc", 0700).ok());
    HBK_CHECK(fs.Rename(root + "/db/hbk_renaming_0", root + "/dc/v.ibd").ok());
    HBK_CHECK(fs.Remove(root + "/db/u.ibd").ok());
    put("db/u.ibd", 100'000);
    HBK_CHECK(io::WriteFileAtomically(fs, root + "/hbk_manifest.json", "{}", 0600).ok());
    HBK_CHECK(fs.Remove(root + "/hbk_incomplete").ok());
  }
  std::string StreamOfBackup(StreamFormat format, uint32_t seed) {
    SunkBytes sunk;
    stream::StreamFileSystem fs(fs_, {"/stream", {"hbk_incomplete"}},
                                stream::MakeStreamWriter(format, SinkTo(sunk)));
    WriteBackup(fs, "/stream", seed);
    EXPECT_THAT(fs.Finish(), IsOk());
    return sunk.bytes;
  }

  MemFileSystem fs_;
  hbk::testing::SilentReporter reporter_;
};

TEST_F(ExtractRunnerTest, DirectoryIsAsIfItHadBeenTheTarget) {
  for (const StreamFormat format : {StreamFormat::kMbstream, StreamFormat::kHbk}) {
    for (uint32_t seed = 1; seed < 6; ++seed) {
      MemFileSystem fs;
      fs.PutDirectory("/d");
      WriteBackup(fs, "/d/target", seed);
      const auto summary = Extract(fs, StreamOfBackup(format, seed));
      ASSERT_THAT(summary, IsOk());
      std::map<std::string, std::string> expected;
      for (auto& [path, bytes] : fs.Tree("/d/target"))
        expected["/d/out" + path.substr(9)] = bytes;
      EXPECT_TRUE(fs.Tree("/d/out") == expected);
      EXPECT_EQ(summary->file_count, expected.size());
      EXPECT_EQ(summary->format, format);
      const auto entries = fs.List("/d/out");
      ASSERT_THAT(entries, IsOk());
      EXPECT_EQ(entries->size(), 5U);  // also the empty directory
    }
  }
}

TEST_F(ExtractRunnerTest, StreamOfMariadbBackup) {
  ASSERT_THAT(
      Extract(MbFile("aria_log_control", "a") + MbFile("t1/mrp#P#p0.ibd", "p") +
              MbPayload("t1/x.ibd", 0, "old") + MbEof("t1/x.ibd") +
              MbPayload("t1/x.ibd", 0, "new", 2) + MbEof("t1/x.ibd") + MbRemove("t1/mrp#P#*") +
              MbRemove("t1/never.frm") + MbRename("t1/x.ibd", "t2/y.ibd") + kLastFiles),
      IsOk());
  EXPECT_THAT(
      fs_.Tree("/d/out"),
      ElementsAre(Pair("/d/out/aria_log_control", "a"), Pair("/d/out/backup-my.cnf", "m"),
                  Pair("/d/out/t2/y.ibd", "new"), Pair("/d/out/xtrabackup_checkpoints", "c"),
                  Pair("/d/out/xtrabackup_info", "i")));
}

TEST_F(ExtractRunnerTest, HostileStreamsLeaveNothing) {
  ExpectRefused(MbFile("../x", "x") + kLastFiles, "elsewhere");
  ExpectRefused(MbFile("/etc/x", "x") + kLastFiles, "absolute");
  ExpectRefused(MbFile("a", "x") + MbFile("a", "y") + kLastFiles, "twice");
  ExpectRefused(MbFile("a", "x") + MbFile("a/b", "y") + kLastFiles, "no directory");
  ExpectRefused(MbRename("a", "b") + kLastFiles, "does not have");
  ExpectRefused(MbFile("hbk_incomplete", "") + kLastFiles, "needs itself");
  ExpectRefused(MbFile("hbk_extracting/1", "") + kLastFiles, "needs itself");
  ExpectRefused(MbFile("a", "x") + kLastFiles + "XBSTCK01", "cut off");
  ExpectRefused(MbFile("a", "x"), "cut off between two files");
  ExpectRefused("", "is empty");
}

TEST_F(ExtractRunnerTest, EveryTruncationIsRefused) {
  for (const StreamFormat format : {StreamFormat::kMbstream, StreamFormat::kHbk}) {
    const std::string whole = StreamOfBackup(format, 1);
    std::mt19937 random(2);
    for (int i = 0; i < 150; ++i) {
      // Also the very last bytes.
      const size_t size =
          i < 60 ? whole.size() - 1 - static_cast<size_t>(i) : random() % whole.size();
      const auto result = Extract(whole.substr(0, size));
      EXPECT_THAT(result, StatusIs(StatusCode::kCorruption, _)) << size;
      EXPECT_THAT(io::Exists(fs_, "/d/out"), IsOkAndHolds(false));
    }
  }
}

TEST_F(ExtractRunnerTest, FlippedBitsOfAnHbkStreamAreRefused) {
  const std::string whole = StreamOfBackup(StreamFormat::kHbk, 1);
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const size_t bit = random() % (whole.size() * 8);
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ExpectRefused(damaged, "");
  }
}

TEST_F(ExtractRunnerTest, DirectoryMustBeEmpty) {
  fs_.PutFile("/d/out/x", "mine");
  EXPECT_THAT(Extract(kLastFiles), StatusIs(StatusCode::kTargetInUse, HasSubstr("there is x")));
  EXPECT_THAT(fs_.Tree("/d/out"), ElementsAre(Pair("/d/out/x", "mine")));
}

TEST_F(ExtractRunnerTest, EmptyDirectoryStaysIfItWasThere) {
  fs_.PutDirectory("/d/out/lost+found");
  EXPECT_THAT(Extract(MbFile("a", "x")), StatusIs(StatusCode::kCorruption, _));
  const auto entries = fs_.List("/d/out");
  ASSERT_THAT(entries, IsOk());
  EXPECT_EQ(entries->size(), 1U);
  EXPECT_THAT(Extract(kLastFiles), IsOk());
}

TEST_F(ExtractRunnerTest, FailuresLeaveNoBackupBehind) {
  const std::string stream = StreamOfBackup(StreamFormat::kHbk, 1);
  for (uint64_t k = 1;; ++k) {
    MemFileSystem fs;
    fs.PutDirectory("/d");
    FaultyFileSystem faulty(fs);
    faulty.Arm(FaultKind::kNoSpace, k);
    const auto result = Extract(faulty, stream);
    if (!faulty.has_fired()) {
      EXPECT_THAT(result, IsOk());
      break;
    }
    EXPECT_THAT(result, StatusIs(StatusCode::kNoSpace, _)) << k;
    EXPECT_THAT(fs.Tree("/d"), IsEmpty()) << k;
  }
}

TEST_F(ExtractRunnerTest, EveryFaultEndsInAWholeBackupOrNone) {
  const std::string stream = StreamOfBackup(StreamFormat::kHbk, 1);
  MemFileSystem undisturbed;
  undisturbed.PutDirectory("/d");
  ASSERT_THAT(Extract(undisturbed, stream), IsOk());
  const auto expected = undisturbed.Tree("/d");
  const hbk::testing::FaultMatrix matrix{
      .name = "extract",
      .set_up = [](MemFileSystem& fs) { fs.PutDirectory("/d"); },
      .run = [&](io::FileSystem& fs) { return Extract(fs, stream).status(); },
      .check =
          [&](MemFileSystem& fs, const hbk::testing::FaultCase& fault, const Status& ended) {
            const auto tree = fs.Tree("/d");
            if (ended.ok()) {
              EXPECT_TRUE(tree == expected);
            } else if (fault.kind == FaultKind::kCrash) {
              const bool is_marked = tree.contains("/d/out/hbk_incomplete");
              EXPECT_TRUE(!tree.contains("/d/out/hbk_manifest.json") || is_marked ||
                          tree == expected);
            } else {
              EXPECT_THAT(tree, IsEmpty());
            }
          },
      // It reads nothing of files.
      .kinds = {FaultKind::kIoError, FaultKind::kNoSpace, FaultKind::kShortWrite,
                FaultKind::kSyncFails, FaultKind::kCrash}};

  EXPECT_GT(RunFaultMatrix(matrix).cases, 100U);
}

TEST_F(ExtractRunnerTest, PowerCutLeavesTheMarkerOrAWholeBackup) {
  const std::string stream = StreamOfBackup(StreamFormat::kHbk, 1);
  for (uint64_t k = 1;; ++k) {
    MemFileSystem fs;
    fs.PutDirectory("/d");
    FaultyFileSystem faulty(fs);
    faulty.Arm(FaultKind::kCrash, k);
    const auto result = Extract(faulty, stream);
    const bool has_fired = faulty.has_fired();
    fs.Crash(static_cast<uint32_t>(k % 5));
    const auto tree = fs.Tree("/d");
    const bool has_manifest = tree.contains("/d/out/hbk_manifest.json");
    const bool is_marked = tree.contains("/d/out/hbk_incomplete");
    const bool has_names = tree.contains("/d/out/ibdata1") || has_manifest;
    EXPECT_TRUE(!has_names || is_marked || (has_manifest && tree.size() == 5)) << k;
    if (!has_fired) {
      EXPECT_THAT(result, IsOk());
      EXPECT_TRUE(has_manifest && !is_marked);
      break;
    }
  }
}

}  // namespace
}  // namespace hbk::extract

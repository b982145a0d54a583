#include "old_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/filter/tree_digest.h"

#include "increment_source.h"
#include "stored_digest.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare::old_content_test {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

constexpr uint64_t kChunk = filter::TreeDigest::kChunkBytes;
constexpr uint32_t kPageBytes = 16384;
constexpr uint32_t kChunkPages = kChunk / kPageBytes;
constexpr uint32_t kSpaceId = 7;

// Has pages of one tablespace.
class PlayedIncrement final : public IncrementSource {
 public:
  PlayedIncrement(std::string name, std::vector<delta::DeltaRun> runs) : name_(std::move(name)) {
    manifest_.files.push_back(
        {.name = name_,
         .kind = "tablespace",
         .size = 6 * kChunk,
         .digest = "",
         .stage = "start",
         .content = manifest::FileContent::kDelta,
         .space = manifest::SpaceFacts{.space_id = kSpaceId, .page_size = kPageBytes}});
    runs_.emplace(name_, std::move(runs));
  }
  bool tells = true;

  [[nodiscard]] const std::string& dir() const override { return name_; }
  [[nodiscard]] const manifest::BackupManifest& manifest() const override { return manifest_; }
  [[nodiscard]] bool has_open_sizes() const override { return false; }
  [[nodiscard]] bool tells_spaces() const override { return tells; }
  [[nodiscard]] bool is_partial() const override { return false; }
  Status Verify(uint32_t, const std::stop_token&) override { return OkStatus(); }
  [[nodiscard]] const DeltaRuns& runs() const override { return runs_; }
  Result<std::unique_ptr<PageSource>> OpenPages(const std::string&) const override {
    return FailedError("nobody asks for pages");
  }
  [[nodiscard]] std::string PathOf(const std::string& name) const override { return name; }

 private:
  const std::string name_;
  manifest::BackupManifest manifest_;
  DeltaRuns runs_;
};

class OldContentTest : public ::testing::Test {
 protected:
  OldContentTest() {
    fs_.PutDirectory("/b");
    set_.dir = "/b";
    set_.system_files = {"ibdata1"};
    set_.manifest.emplace();
  }
  // A file, in the manifest and in hbk_chunks.
  void Add(const std::string& name, uint64_t size, std::optional<uint32_t> space_id = kSpaceId,
           const std::string& kind = "tablespace") {
    fs_.PutFile("/b/" + name, std::string(size, 'x'));
    const auto digest = DigestFile(fs_, "/b/" + name, {});
    ASSERT_THAT(digest, IsOk());
    hashes_.Add(digest->chunk_hashes);
    manifest::ManifestFile& file = set_.manifest->files.emplace_back();
    file.name = name;
    file.kind = kind;
    file.size = size;
    file.digest = digest->digest;
    if (space_id.has_value())
      file.space = manifest::SpaceFacts{.space_id = *space_id, .page_size = kPageBytes};
    ASSERT_THAT(manifest::StoreChunkHashes(fs_, "/b", hashes_), IsOk());
  }
  void NoteRedo(uint32_t page, uint32_t space_id = kSpaceId) {
    auto& extents = logs_.spaces[space_id].extents;
    extents.resize(std::max<size_t>(extents.size(), page / kRedoExtentPages + 1));
    extents[page / kRedoExtentPages] = true;
  }
  // What the check says when a byte in this chunk of the file is another one.
  Status CheckDamaged(const std::string& name, uint64_t chunk) {
    const std::string path = "/b/" + name;
    const std::string bytes = fs_.Tree("/b").at(path);
    std::string damaged = bytes;
    damaged[chunk * kChunk + 5] = 'y';
    fs_.PutFile(path, damaged);
    Status status = Check();
    fs_.PutFile(path, bytes);
    return status;
  }
  Status Check() {
    WriteWatch watch(fs_);
    ChunkReuse chunks(watch);
    EXPECT_THAT(chunks.Note(set_, true), IsOk());
    const auto counts = CheckOldContent({.fs = watch,
                                         .set = set_,
                                         .chunks = chunks,
                                         .logs = logs_,
                                         .increments = increments_.empty() ? nullptr : &increments_,
                                         .worker_count = 2,
                                         .stop = {}});
    if (counts.ok()) counts_ = *counts;
    return counts.status();
  }
  // Chunks of the file in which damage is found.
  std::vector<uint64_t> Found(const std::string& name, uint64_t chunk_count) {
    EXPECT_THAT(Check(), IsOk());
    std::vector<uint64_t> found;
    for (uint64_t chunk = 0; chunk < chunk_count; ++chunk)
      if (CheckDamaged(name, chunk).code() == StatusCode::kCorruption) found.push_back(chunk);
    return found;
  }

  MemFileSystem fs_;
  BackupSet set_;
  manifest::ChunkHashes hashes_;
  SpaceLogs logs_;
  IncrementList increments_;
  OldContentCounts counts_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(OldContentTest, FilesWithoutRedoAreNotRead) {
  Add("db/t.ibd", 6 * kChunk);
  NoteRedo(3, kSpaceId + 1);

  EXPECT_THAT(Found("db/t.ibd", 6), IsEmpty());
  EXPECT_EQ(counts_.bytes, 0U);
}

TEST_F(OldContentTest, ChunksWithRedoAndTheEndsOfTheFileAreRead) {
  Add("db/t.ibd", 6 * kChunk);
  NoteRedo(3 * kChunkPages + 10);

  EXPECT_THAT(Found("db/t.ibd", 6), ElementsAre(0, 3, 5));
  EXPECT_EQ(counts_.bytes, 3 * kChunk);
  EXPECT_THAT(CheckDamaged("db/t.ibd", 3),
              StatusIs(StatusCode::kCorruption, HasSubstr("/b/db/t.ibd: offset 3145728..4194303")));
}

TEST_F(OldContentTest, WithoutChunksTheWholeFileIsRead) {
  Add("db/t.ibd", 6 * kChunk);
  ASSERT_THAT(fs_.Remove("/b/hbk_chunks"), IsOk());
  NoteRedo(3 * kChunkPages);

  EXPECT_THAT(Found("db/t.ibd", 6), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(OldContentTest, FileThatWillBeRemovedMayHaveAnyContent) {
  Add("db/t.ibd", 3 * kChunk);
  NoteRedo(1);
  logs_.spaces[kSpaceId].is_deleted = true;

  EXPECT_THAT(Found("db/t.ibd", 3), IsEmpty());
}

TEST_F(OldContentTest, FileOfWhichNobodyKnowsWhoseItIsIsReadWhole) {
  Add("db/t.ibd", 3 * kChunk, std::nullopt);

  EXPECT_THAT(Found("db/t.ibd", 3), ElementsAre(0, 1, 2));
}

TEST_F(OldContentTest, ChunkInWhichTheFileIsCutIsRead) {
  Add("undo001", 6 * kChunk, kSpaceId, "undo-tablespace");
  logs_.trims[kSpaceId].push_back({.start_lsn = 1, .page_count = 2 * kChunkPages + 1});

  EXPECT_THAT(Found("undo001", 6), ElementsAre(0, 2, 5));
}

TEST_F(OldContentTest, PagesOfTheSystemTablespaceAreCountedThroughItsFiles) {
  set_.system_files = {"ibdata1", "ibdata2"};
  Add("ibdata2", 6 * kChunk, 0, "system-tablespace");
  Add("ibdata1", 2 * kChunk, 0, "system-tablespace");
  NoteRedo(5 * kChunkPages, 0);

  EXPECT_THAT(Found("ibdata1", 2), IsEmpty());
  EXPECT_THAT(Found("ibdata2", 6), ElementsAre(0, 3, 5));
}

TEST_F(OldContentTest, ChunksWithPagesOfIncrementsAreRead) {
  Add("db/t.ibd", 6 * kChunk);
  increments_.push_back(std::make_unique<PlayedIncrement>(
      "db/other_name.ibd",
      std::vector<delta::DeltaRun>{{.first_page = 2 * kChunkPages - 1, .page_count = 2}}));

  EXPECT_THAT(Found("db/t.ibd", 6), ElementsAre(0, 1, 2, 5));
}

TEST_F(OldContentTest, BeneathIncrementsThatNameNoTablespacesFilesAreReadWhole) {
  Add("db/t.ibd", 3 * kChunk);
  auto increment = std::make_unique<PlayedIncrement>("db/t.ibd", std::vector<delta::DeltaRun>());
  increment->tells = false;
  increments_.push_back(std::move(increment));

  EXPECT_THAT(Found("db/t.ibd", 3), ElementsAre(0, 1, 2));
}

TEST_F(OldContentTest, BackupWithoutManifestHasNothingToCompareWith) {
  set_.manifest.reset();

  EXPECT_THAT(Check(), IsOk());
}

}  // namespace
}  // namespace hbk::prepare::old_content_test

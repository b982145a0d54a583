#include "old_content.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/filter/tree_digest.h"

#include "parallel.h"
#include "stored_digest.h"

namespace hbk::prepare {
namespace {

using datadir::FileKind;
using filter::TreeDigest;
using manifest::FileContent;
using manifest::ManifestFile;

// Between two looks for the next piece of work.
constexpr uint64_t kPieceChunks = 64;

bool IsTablespace(const ManifestFile& file) {
  return file.kind == FileKindName(FileKind::kTablespace) ||
         file.kind == FileKindName(FileKind::kUndoTablespace) ||
         file.kind == FileKindName(FileKind::kSystemTablespace);
}

// Which chunks of one file will change.
class ChangingChunks {
 public:
  explicit ChangingChunks(uint64_t size)
      : chunks_((size + TreeDigest::kChunkBytes - 1) / TreeDigest::kChunkBytes) {}

  void Add(uint64_t offset, uint64_t size) {
    for (uint64_t i = offset / TreeDigest::kChunkBytes;
         i < chunks_.size() && i * TreeDigest::kChunkBytes < offset + size; ++i)
      chunks_[i] = true;
  }
  void AddEnds() {
    if (!chunks_.empty()) chunks_.front() = chunks_.back() = true;
  }
  void AddAll() { std::fill(chunks_.begin(), chunks_.end(), true); }
  [[nodiscard]] bool IsAny() const {
    return std::find(chunks_.begin(), chunks_.end(), true) != chunks_.end();
  }
  [[nodiscard]] bool Contains(uint64_t chunk) const { return chunks_[chunk]; }
  [[nodiscard]] uint64_t count() const { return chunks_.size(); }

 private:
  std::vector<bool> chunks_;
};

// Part of one file, for one worker.
struct Piece {
  const ManifestFile* file = nullptr;
  KnownChunks known;
  std::vector<uint64_t> chunks;  // none: all of it, against its digest
};

class OldContentCheck {
 public:
  explicit OldContentCheck(const OldContentInput& input) : input_(input) {}

  Result<OldContentCounts> Run() {
    for (const ManifestFile& file : input_.set.manifest->files)
      if (IsTablespace(file) && !file.digest.empty() && file.size != 0)
        HBK_RETURN_IF_ERROR(PlanFile(file));
    const auto check = [&](uint32_t, size_t item) -> Status {
      if (input_.stop.stop_requested()) return InterruptedError();
      const Piece& piece = pieces_[item];
      return piece.chunks.empty() ? CheckWhole(*piece.file) : CheckChunks(piece);
    };
    HBK_RETURN_IF_ERROR(RunParallel(input_.worker_count, pieces_.size(), check));
    return counts_;
  }

 private:
  Status PlanFile(const ManifestFile& file) {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info,
                         input_.fs.Stat(input_.set.Path(file.name), /*follow=*/false));
    ChangingChunks changing(file.size);
    if (file.space.has_value()) {
      AddRedo(file, changing);
      AddIncrements(file, changing);
    } else {
      // Made when the backup ended: whose it is only the redo knows.
      changing.AddAll();
    }
    if (!changing.IsAny()) return OkStatus();
    changing.AddEnds();
    ++counts_.file_count;
    const KnownChunks known = input_.chunks.Of(info);
    if (known.hashes.empty()) {
      counts_.bytes += file.size;
      pieces_.push_back({.file = &file, .known = {}, .chunks = {}});
      return OkStatus();
    }
    Piece piece{.file = &file, .known = known, .chunks = {}};
    for (uint64_t chunk = 0; chunk < changing.count(); ++chunk) {
      if (!changing.Contains(chunk)) continue;
      piece.chunks.push_back(chunk);
      counts_.bytes +=
          std::min<uint64_t>(TreeDigest::kChunkBytes, file.size - chunk * TreeDigest::kChunkBytes);
      if (piece.chunks.size() == kPieceChunks)
        pieces_.push_back(std::exchange(piece, {&file, known, {}}));
    }
    if (!piece.chunks.empty()) pieces_.push_back(std::move(piece));
    return OkStatus();
  }

  // Where the file begins in its tablespace: the system tablespace may have several.
  [[nodiscard]] uint64_t BeginOf(const ManifestFile& file) const {
    if (file.kind != FileKindName(FileKind::kSystemTablespace)) return 0;
    uint64_t begin = 0;
    for (const std::string& name : input_.set.system_files) {
      if (name == file.name) break;
      for (const ManifestFile& other : input_.set.manifest->files)
        if (other.name == name) begin += other.size;
    }
    return begin;
  }

  void AddRedo(const ManifestFile& file, ChangingChunks& changing) const {
    if (input_.logs.has_unnoted_extents) return changing.AddAll();
    const uint64_t page_size = file.space->page_size;
    const uint64_t begin = BeginOf(file);
    const auto add = [&](uint64_t offset, uint64_t size) {
      if (offset + size > begin) {
        const uint64_t from = std::max(offset, begin);
        changing.Add(from - begin, offset + size - from);
      }
    };
    const auto trims = input_.logs.trims.find(file.space->space_id);
    if (trims != input_.logs.trims.end()) {
      for (const Trim& trim : trims->second)
        add(uint64_t{trim.page_count} * page_size, 1);
    }
    const auto log = input_.logs.spaces.find(file.space->space_id);
    // A file that will be removed may have any content.
    if (log == input_.logs.spaces.end() || log->second.is_deleted) return;
    const uint64_t extent_bytes = kRedoExtentPages * page_size;
    for (uint64_t extent = 0; extent < log->second.extents.size(); ++extent)
      if (log->second.extents[extent]) add(extent * extent_bytes, extent_bytes);
  }

  void AddIncrements(const ManifestFile& file, ChangingChunks& changing) const {
    if (input_.increments == nullptr) return;
    for (const auto& increment : *input_.increments) {
      // What mariadb-backup's increments are to is known by names that may have changed since.
      if (!increment->tells_spaces()) return changing.AddAll();
      for (const ManifestFile& changed : increment->manifest().files) {
        if (changed.content != FileContent::kDelta || !changed.space.has_value() ||
            changed.space->space_id != file.space->space_id)
          continue;
        if (changed.size != file.size) changing.Add(changed.size, 1);
        const auto runs = increment->runs().find(changed.name);
        if (runs == increment->runs().end()) continue;
        if (input_.set.system_files.size() > 1 &&
            file.kind == FileKindName(FileKind::kSystemTablespace))
          return changing.AddAll();
        for (const delta::DeltaRun& run : runs->second)
          changing.Add(uint64_t{run.first_page} * file.space->page_size,
                       uint64_t{run.page_count} * file.space->page_size);
      }
    }
  }

  Status CheckWhole(const ManifestFile& file) const {
    const std::string path = input_.set.Path(file.name);
    HBK_ASSIGN_OR_RETURN(const FileDigest found, DigestFile(input_.fs, path, input_.stop));
    if (found.digest == file.digest) return OkStatus();
    return CorruptionError(
        fmt::format("{}: its digest is {}, the manifest says {}: the file is damaged", path,
                    found.digest, file.digest));
  }

  Status CheckChunks(const Piece& piece) const {
    const std::string path = input_.set.Path(piece.file->name);
    HBK_ASSIGN_OR_RETURN(const auto file, input_.fs.Open(path, {}));
    AlignedBuffer buffer(TreeDigest::kChunkBytes);
    for (const uint64_t chunk : piece.chunks) {
      if (input_.stop.stop_requested()) return InterruptedError();
      const uint64_t offset = chunk * TreeDigest::kChunkBytes;
      const auto size = static_cast<size_t>(
          std::min<uint64_t>(TreeDigest::kChunkBytes, piece.file->size - offset));
      HBK_ASSIGN_OR_RETURN(const size_t done, file->ReadAt(offset, buffer.view().first(size)));
      if (done != size) return FailedError(path + " became shorter while it was read");
      TreeDigest digest(size);
      digest.AddChunk(0, buffer.view().first(size));
      const ByteView known =
          piece.known.hashes.subspan(chunk * filter::kChunkHashBytes, filter::kChunkHashBytes);
      if (std::equal(known.begin(), known.end(), digest.chunk_hashes().begin())) continue;
      return CorruptionError(
          fmt::format("{}: offset {}..{} is not what was copied: the file is damaged", path, offset,
                      offset + size - 1));
    }
    return file->Close();
  }

  const OldContentInput& input_;
  std::vector<Piece> pieces_;
  OldContentCounts counts_;
};

}  // namespace

Result<OldContentCounts> CheckOldContent(const OldContentInput& input) {
  if (!input.set.manifest.has_value()) return OldContentCounts();
  return OldContentCheck(input).Run();
}

}  // namespace hbk::prepare

#include "delta_layer.h"

#include <algorithm>
#include <atomic>
#include <map>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"

#include "parallel.h"
#include "sparse_copy.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kStretchBytes = 32ULL << 20;  // what a worker does of a file at a time
constexpr size_t kHoleBytes = 4096;
constexpr uint32_t kFileMode = 0600;

// Neighbouring pieces of one file.
struct Stretch {
  const PlannedTablespace* space = nullptr;
  size_t first_piece = 0;
  size_t piece_count = 0;
};

std::vector<Stretch> CutIntoStretches(const ChainPlan& plan) {
  std::vector<Stretch> stretches;
  for (const PlannedTablespace& space : plan.tablespaces) {
    uint64_t bytes = kStretchBytes;
    for (size_t i = 0; i < space.pieces.size(); ++i) {
      if (bytes >= kStretchBytes) {
        stretches.push_back({&space, i, 0});
        bytes = 0;
      }
      ++stretches.back().piece_count;
      bytes += uint64_t{space.pieces[i].page_count} * space.facts->page_size;
    }
  }
  return stretches;
}

const IncrementSource& IncrementOf(const LayInput& input, uint32_t part) {
  return *input.increments[part - 1];
}

// A worker: writes the pages of one stretch.
class StretchWriter {
 public:
  StretchWriter(const LayInput& input, const Stretch& stretch, MutableByteView buffer)
      : input_(input), space_(*stretch.space), stretch_(stretch), buffer_(buffer) {}

  Status Run() {
    HBK_ASSIGN_OR_RETURN(file_, input_.fs.Open(input_.set.Path(space_.name), {.write = true}));
    for (size_t i = 0; i < stretch_.piece_count; ++i) {
      if (input_.stop.stop_requested()) return InterruptedError();
      HBK_RETURN_IF_ERROR(WritePiece(space_.pieces[stretch_.first_piece + i]));
    }
    return file_->Close();
  }

 private:
  Status WritePiece(const PagePiece& piece) {
    const std::string& name = space_.names[piece.part];
    const delta::DeltaRun& run =
        IncrementOf(input_, piece.part).runs().find(name)->second[piece.run];
    const MutableByteView bytes = buffer_.first(run.byte_count);
    HBK_RETURN_IF_ERROR(Read(piece, name, run, bytes));
    const uint64_t page_size = space_.facts->page_size;
    const uint64_t offset = piece.first_page * page_size;
    if (run.byte_count < page_size * run.page_count) return WriteShort(offset, bytes);
    return file_->WriteAt(offset, bytes.subspan((piece.first_page - run.first_page) * page_size,
                                                piece.page_count * page_size));
  }

  Status Read(const PagePiece& piece, const std::string& name, const delta::DeltaRun& run,
              MutableByteView out) {
    // A newer part may have cut a run in two.
    if (loaded_part_ == piece.part && loaded_run_ == piece.run) return OkStatus();
    auto& source = sources_[piece.part];
    if (source == nullptr) {
      HBK_ASSIGN_OR_RETURN(source, IncrementOf(input_, piece.part).OpenPages(name));
    }
    loaded_part_ = 0;
    HBK_RETURN_IF_ERROR(source->Read(run, out));
    loaded_part_ = piece.part;
    loaded_run_ = piece.run;
    return OkStatus();
  }

  // A page_compressed page: its bytes up to a whole block, and a hole.
  Status WriteShort(uint64_t offset, ByteView bytes) {
    const uint64_t page_size = space_.facts->page_size;
    const size_t written =
        std::min<size_t>(page_size, (bytes.size() + kHoleBytes - 1) / kHoleBytes * kHoleBytes);
    const MutableByteView block = buffer_.first(written);
    std::fill(block.begin() + static_cast<std::ptrdiff_t>(bytes.size()), block.end(), uint8_t{0});
    loaded_part_ = 0;
    HBK_RETURN_IF_ERROR(file_->WriteAt(offset, block));
    if (written == page_size) return OkStatus();
    return file_->PunchHole(offset + written, page_size - written);
  }

  const LayInput& input_;
  const PlannedTablespace& space_;
  const Stretch& stretch_;
  const MutableByteView buffer_;
  std::unique_ptr<io::File> file_;
  std::map<uint32_t, std::unique_ptr<PageSource>> sources_;
  uint32_t loaded_part_ = 0;  // 0: nothing is loaded
  uint32_t loaded_run_ = 0;
};

Result<std::unique_ptr<io::File>> OpenOrMake(io::FileSystem& fs, const std::string& path) {
  auto file = fs.Open(path, {.write = true});
  if (file.status().code() != StatusCode::kNotFound) return file;
  return fs.Open(path, {.write = true, .create = true, .mode = kFileMode});
}

// What older parts have behind kept_bytes goes, and the length is right.
Status SetLength(const LayInput& input, const PlannedTablespace& space, bool& is_changed) {
  const std::string path = input.set.Path(space.name);
  const bool is_made = space.origin != 0 || space.is_new;
  uint64_t kept_bytes = space.kept_bytes;
  if (space.is_whole) {
    const std::string from = IncrementOf(input, space.origin).PathOf(space.names[space.origin]);
    HBK_RETURN_IF_ERROR(CopySparse(input.fs, from, path, kept_bytes, input.stop));
  } else if (is_made) {
    kept_bytes = 0;
  }
  is_changed = is_made || !space.pieces.empty();
  HBK_ASSIGN_OR_RETURN(const auto file,
                       is_made ? OpenOrMake(input.fs, path) : input.fs.Open(path, {.write = true}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  const uint64_t left = std::min(info.size, kept_bytes);
  const uint64_t size = space.is_size_open ? std::max(left, space.size) : space.size;
  if (left < info.size) HBK_RETURN_IF_ERROR(file->Truncate(left));
  if (size != left) HBK_RETURN_IF_ERROR(file->Truncate(size));
  is_changed = is_changed || left != info.size || size != left;
  return file->Close();
}

}  // namespace

Result<LayCounts> LayTablespaces(const LayInput& input, report::Reporter& reporter) {
  const std::vector<PlannedTablespace>& spaces = input.plan.tablespaces;
  std::vector<uint8_t> is_changed(spaces.size(), 0);  // not bool: threads write neighbours
  const auto set_length = [&](uint32_t, size_t item) {
    bool changed = false;
    Status status = SetLength(input, spaces[item], changed);
    is_changed[item] = changed ? 1 : 0;
    return status;
  };
  HBK_RETURN_IF_ERROR(RunParallel(input.worker_count, spaces.size(), set_length));

  LayCounts counts;
  uint64_t total_bytes = 0;
  for (size_t i = 0; i < spaces.size(); ++i) {
    if (is_changed[i] != 0) counts.changed_files.insert(spaces[i].name);
    for (const PagePiece& piece : spaces[i].pieces) {
      counts.page_count += piece.page_count;
      total_bytes += uint64_t{piece.page_count} * spaces[i].facts->page_size;
    }
  }
  const std::vector<Stretch> stretches = CutIntoStretches(input.plan);
  std::vector<AlignedBuffer> buffers(input.worker_count);
  std::atomic<uint64_t> done_bytes{0};
  const auto write = [&](uint32_t worker, size_t item) {
    const Stretch& stretch = stretches[item];
    if (buffers[worker].size() == 0) buffers[worker] = AlignedBuffer(delta::kRunBytesMax);
    Status status = StretchWriter(input, stretch, buffers[worker].view()).Run();
    for (size_t i = 0; i < stretch.piece_count; ++i) {
      done_bytes += uint64_t{stretch.space->pieces[stretch.first_piece + i].page_count} *
                    stretch.space->facts->page_size;
    }
    reporter.Progress(done_bytes, total_bytes);
    return status;
  };
  HBK_RETURN_IF_ERROR(RunParallel(input.worker_count, stretches.size(), write));
  return counts;
}

}  // namespace hbk::prepare

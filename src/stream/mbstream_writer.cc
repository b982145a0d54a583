#include "mbstream_writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "hbk/base/check.h"
#include "hbk/io/file_system.h"
#include "hbk/stream/stream_path.h"

#include "mbstream_format.h"

namespace hbk::stream {
namespace {

// What a write may have been rounded up by, and is held back for.
constexpr size_t kTailBytes = 4096;
constexpr size_t kStepBytes = 1 << 20;
static_assert(kStepBytes + kTailBytes <= kMbstreamPayloadBytesMax);
// Made and removed at once, so that its directory is there.
constexpr std::string_view kPlaceholder = "hbk_placeholder";
// Behind the last whole chunk of an archive that was given up. What follows is no chunk: mbstream,
// which would take an early end for a good one, ends with an error.
constexpr std::string_view kGivenUp = "hbk: the backup has failed, this archive is not complete\n";

const std::vector<uint8_t>& Zeros() {
  static const std::vector<uint8_t> zeros(kStepBytes);
  return zeros;
}

// That of zlib begins anew where there is no memory at all.
uint32_t Crc32(uint32_t crc, ByteView bytes) {
  if (bytes.empty()) return crc;
  return static_cast<uint32_t>(crc32_z(crc, bytes.data(), bytes.size()));
}

std::vector<uint8_t> ChunkHead(uint8_t type, std::string_view path, uint8_t flags,
                               size_t more_bytes) {
  std::vector<uint8_t> head(kChunkHeadBytes + path.size() + more_bytes);
  std::ranges::copy(kMbstreamMagic, head.begin());
  head[8] = flags;
  head[9] = type;
  StoreLe32(head, 10, static_cast<uint32_t>(path.size()));
  std::ranges::copy(path, head.begin() + kChunkHeadBytes);
  return head;
}

Status CheckPath(const std::string& path) {
  const Status status = CheckStreamPath(path, kMbstreamPathBytesMax);
  if (!status.ok()) return UnsupportedError(status.message());
  if (std::ranges::count(path, '/') > 1) {
    return UnsupportedError(
        fmt::format("an mbstream has directories of one level only: {}", QuotedPath(path)));
  }
  return OkStatus();
}

}  // namespace

// A file between OpenFile and CloseFile.
//
//   0 .. sent_ .. end() .. early_
//
// has been sent | waits in the tail | gap | came ahead of its turn
class MbstreamWriter::OpenFileState {
 public:
  OpenFileState(SinkQueue& queue, std::string path, uint8_t flags)
      : queue_(queue), path_(std::move(path)), flags_(flags) {}

  Status Write(uint64_t offset, ByteView bytes) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (offset > end()) return Keep(offset, {.bytes = {bytes.begin(), bytes.end()}});
    if (offset < sent_) {
      const size_t part = std::min<uint64_t>(bytes.size(), sent_ - offset);
      HBK_RETURN_IF_ERROR(Emit(offset, bytes.first(part), {}));
      offset += part;
      bytes = bytes.subspan(part);
    }
    if (offset < end()) {
      const size_t part = std::min<uint64_t>(bytes.size(), end() - offset);
      std::copy_n(bytes.begin(), part, tail_.begin() + static_cast<ptrdiff_t>(offset - sent_));
      bytes = bytes.subspan(part);
    }
    HBK_RETURN_IF_ERROR(Advance(bytes));
    return TakeEarly();
  }

  Status SkipHole(uint64_t offset, uint64_t size) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (offset > end()) return Keep(offset, {.bytes = {}, .hole_bytes = size});
    if (offset + size <= end()) return OkStatus();
    HBK_RETURN_IF_ERROR(AdvanceWithZeros(offset + size));
    return TakeEarly();
  }

  Status Close(uint64_t size) HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!early_.empty() && early_.begin()->first < size) {
      HBK_RETURN_IF_ERROR(AdvanceWithZeros(early_.begin()->first));
      HBK_RETURN_IF_ERROR(TakeEarly());
    }
    if (size < sent_) {
      return UnsupportedError(fmt::format(
          "{} became shorter after it was written to the stream, which an mbstream cannot say",
          path_));
    }
    HBK_RETURN_IF_ERROR(AdvanceWithZeros(size));
    tail_.resize(size - sent_);
    if (!tail_.empty()) HBK_RETURN_IF_ERROR(Emit(sent_, tail_, {}));
    return queue_.Append({ChunkHead(kChunkEof, path_, std::exchange(flags_, 0), 0)});
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  // Bytes, or so many zeros.
  struct Early {
    std::vector<uint8_t> bytes;
    uint64_t hole_bytes = 0;
    [[nodiscard]] uint64_t size() const { return hole_bytes + bytes.size(); }
  };

  [[nodiscard]] uint64_t end() const HBK_REQUIRES(mutex_) { return sent_ + tail_.size(); }

  Status Keep(uint64_t offset, Early early) HBK_REQUIRES(mutex_) {
    if (early.size() == 0) return OkStatus();
    const auto next = early_.lower_bound(offset);
    const bool overlaps_next = next != early_.end() && next->first < offset + early.size();
    const bool overlaps_before =
        next != early_.begin() && std::prev(next)->first + std::prev(next)->second.size() > offset;
    if (overlaps_next || overlaps_before) {
      return UnsupportedError(fmt::format(
          "{} is written twice at offset {}, ahead of what is before it", path_, offset));
    }
    early_bytes_ += early.bytes.size();
    early_.emplace(offset, std::move(early));
    // Nobody is that slow: what is missing is a hole. If it is not, it will be put over the zeros.
    while (early_bytes_ > kEarlyBytesMax) {
      HBK_RETURN_IF_ERROR(AdvanceWithZeros(early_.begin()->first));
      HBK_RETURN_IF_ERROR(TakeEarly());
    }
    return OkStatus();
  }

  Status TakeEarly() HBK_REQUIRES(mutex_) {
    while (!early_.empty() && early_.begin()->first <= end()) {
      const auto node = early_.extract(early_.begin());
      const uint64_t begin = node.key();
      const Early& early = node.mapped();
      early_bytes_ -= early.bytes.size();
      const uint64_t known = end() - begin;
      if (early.hole_bytes != 0) {
        if (known < early.hole_bytes)
          HBK_RETURN_IF_ERROR(AdvanceWithZeros(begin + early.hole_bytes));
        continue;
      }
      // A write that grew into it from below came later.
      if (known < early.bytes.size())
        HBK_RETURN_IF_ERROR(Advance(ByteView(early.bytes).subspan(known)));
    }
    return OkStatus();
  }

  Status AdvanceWithZeros(uint64_t to) HBK_REQUIRES(mutex_) {
    while (end() < to) {
      HBK_RETURN_IF_ERROR(
          Advance(ByteView(Zeros()).first(std::min<uint64_t>(kStepBytes, to - end()))));
    }
    return OkStatus();
  }

  // The next bytes of the file. All but the last kTailBytes of what there is go out.
  Status Advance(ByteView bytes) HBK_REQUIRES(mutex_) {
    while (!bytes.empty()) {
      const ByteView step = bytes.first(std::min(bytes.size(), kStepBytes));
      bytes = bytes.subspan(step.size());
      const size_t known = tail_.size() + step.size();
      if (known <= kTailBytes) {
        tail_.insert(tail_.end(), step.begin(), step.end());
        continue;
      }
      const size_t going = known - kTailBytes;
      const size_t of_tail = std::min(going, tail_.size());
      const size_t of_step = going - of_tail;
      HBK_RETURN_IF_ERROR(Emit(sent_, ByteView(tail_).first(of_tail), step.first(of_step)));
      tail_.erase(tail_.begin(), tail_.begin() + static_cast<ptrdiff_t>(of_tail));
      tail_.insert(tail_.end(), step.begin() + static_cast<ptrdiff_t>(of_step), step.end());
    }
    return OkStatus();
  }

  Status Emit(uint64_t offset, ByteView first, ByteView second) HBK_REQUIRES(mutex_) {
    if (offset != position_) {
      std::vector<uint8_t> seek = ChunkHead(kChunkSeek, path_, 0, 8);
      StoreLe64(seek, seek.size() - 8, offset);
      HBK_RETURN_IF_ERROR(queue_.Append({seek}));
    }
    std::vector<uint8_t> head =
        ChunkHead(kChunkPayload, path_, std::exchange(flags_, 0), kPayloadHeadBytes);
    const size_t fields = head.size() - kPayloadHeadBytes;
    const uint64_t size = first.size() + second.size();
    const uint32_t crc = Crc32(Crc32(0, first), second);
    StoreLe64(head, fields, size);
    StoreLe64(head, fields + 8, offset);
    StoreLe32(head, fields + 16, crc);
    HBK_RETURN_IF_ERROR(queue_.Append({head, first, second}));
    position_ = offset + size;
    sent_ = std::max(sent_, position_);
    return OkStatus();
  }

  SinkQueue& queue_;
  const std::string path_;
  Mutex mutex_;
  uint8_t flags_ HBK_GUARDED_BY(mutex_);          // of the first chunk
  uint64_t position_ HBK_GUARDED_BY(mutex_) = 0;  // of the receiver
  uint64_t sent_ HBK_GUARDED_BY(mutex_) = 0;
  std::vector<uint8_t> tail_ HBK_GUARDED_BY(mutex_);
  std::map<uint64_t, Early> early_ HBK_GUARDED_BY(mutex_);
  uint64_t early_bytes_ HBK_GUARDED_BY(mutex_) = 0;
};

MbstreamWriter::MbstreamWriter(std::unique_ptr<io::ByteSink> sink) : queue_(std::move(sink)) {}

MbstreamWriter::~MbstreamWriter() {
  if (!is_finished_) (void)queue_.Append({AsBytes(kGivenUp)}).ok();
}

std::shared_ptr<MbstreamWriter::OpenFileState> MbstreamWriter::FindFile(uint32_t file) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(file);
  HBK_CHECK(found != files_.end());
  return found->second;
}

Status MbstreamWriter::NoteDirectoryOf(const std::string& path) {
  const MutexLock lock(mutex_);
  if (path.find('/') != std::string::npos) directories_[io::DirName(path)] = true;
  return OkStatus();
}

Status MbstreamWriter::OpenFile(uint32_t file, const std::string& path) {
  HBK_RETURN_IF_ERROR(CheckPath(path));
  HBK_RETURN_IF_ERROR(NoteDirectoryOf(path));
  const MutexLock lock(mutex_);
  // Of a name that was there before, a receiver that writes with several threads may not yet have
  // done the removal: then it must not take the old file for this one.
  const bool is_new = used_paths_.insert(path).second;
  auto state = std::make_shared<OpenFileState>(queue_, path, is_new ? 0 : kFlagRewrite);
  HBK_CHECK(files_.emplace(file, std::move(state)).second);
  return OkStatus();
}

Status MbstreamWriter::Write(uint32_t file, uint64_t offset, ByteView bytes) {
  return FindFile(file)->Write(offset, bytes);
}

Status MbstreamWriter::SkipHole(uint32_t file, uint64_t offset, uint64_t size) {
  return FindFile(file)->SkipHole(offset, size);
}

Status MbstreamWriter::CloseFile(uint32_t file, uint64_t size) {
  const std::shared_ptr<OpenFileState> state = FindFile(file);
  {
    const MutexLock lock(mutex_);
    files_.erase(file);
  }
  return state->Close(size);
}

Status MbstreamWriter::MaterializeDirectory(const std::string& path) {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(directories_[path], true)) return OkStatus();
  }
  const std::string placeholder = io::JoinPath(path, kPlaceholder);
  HBK_RETURN_IF_ERROR(queue_.Append({ChunkHead(kChunkEof, placeholder, 0, 0)}));
  return queue_.Append({ChunkHead(kChunkRemove, placeholder, 0, 0)});
}

Status MbstreamWriter::Rename(const std::string& from, const std::string& to) {
  HBK_RETURN_IF_ERROR(CheckPath(to));
  // A rename into a directory that is not there is passed over in silence by mbstream.
  if (to.find('/') != std::string::npos) HBK_RETURN_IF_ERROR(MaterializeDirectory(io::DirName(to)));
  {
    const MutexLock lock(mutex_);
    used_paths_.insert(to);
  }
  std::vector<uint8_t> head = ChunkHead(kChunkRename, from, 0, 4);
  StoreLe32(head, head.size() - 4, static_cast<uint32_t>(to.size()));
  // At an E, mbstream checks the payload of the last P once more, over which it has read the name
  // of an R. So a P without any follows each R, before anything else can.
  const std::string placeholder(kPlaceholder);
  return queue_.Append(
      {head, AsBytes(to), ChunkHead(kChunkPayload, placeholder, kFlagRewrite, kPayloadHeadBytes),
       ChunkHead(kChunkEof, placeholder, 0, 0), ChunkHead(kChunkRemove, placeholder, 0, 0)});
}

Status MbstreamWriter::Remove(const std::string& path) {
  return queue_.Append({ChunkHead(kChunkRemove, path, 0, 0)});
}

Status MbstreamWriter::MakeDirectory(const std::string& path) {
  HBK_RETURN_IF_ERROR(CheckPath(path));
  if (path.find('/') != std::string::npos) {
    return UnsupportedError(
        fmt::format("an mbstream has directories of one level only: {}", QuotedPath(path)));
  }
  const MutexLock lock(mutex_);
  directories_.emplace(path, false);
  return OkStatus();
}

Status MbstreamWriter::RemoveDirectory(const std::string& path) {
  bool is_there = false;
  {
    const MutexLock lock(mutex_);
    const auto found = directories_.find(path);
    is_there = found != directories_.end() && found->second;
    if (found != directories_.end()) directories_.erase(found);
  }
  return is_there ? Remove(path) : OkStatus();
}

Status MbstreamWriter::Settle() {
  std::vector<std::string> missing;
  {
    const MutexLock lock(mutex_);
    for (const auto& [path, is_there] : directories_)
      if (!is_there) missing.push_back(path);
  }
  for (const std::string& path : missing)
    HBK_RETURN_IF_ERROR(MaterializeDirectory(path));
  return OkStatus();
}

Status MbstreamWriter::Finish() {
  HBK_RETURN_IF_ERROR(Settle());
  {
    const MutexLock lock(mutex_);
    HBK_CHECK(files_.empty());
  }
  is_finished_ = true;
  return queue_.Finish();
}

}  // namespace hbk::stream

#include "file_copy.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "hbk/io/rate_limiter.h"

#include "file_digest.h"

namespace hbk::backup {
namespace {

using namespace std::chrono_literals;

// A page 0 that stays bad while DDL may run is probably being imported: it gets its time under
// BLOCK_DDL.
constexpr auto kFirstPagePatienceInDdl = 200ms;
constexpr auto kFirstPagePatience = 5s;
// Smaller files are not worth the extra alignment work.
constexpr uint64_t kDirectBytesMin = 64 << 10;
// All-zero stretches of this size and alignment are left out of the target. Smaller ones would
// only cut it into extents.
constexpr size_t kHoleBytes = 64 << 10;

uint64_t AlignUp(uint64_t size) {
  return (size + io::kDirectAlignment - 1) / io::kDirectAlignment * io::kDirectAlignment;
}

Status ForgetVanished(const CopyJob& job, const Status& status, CopyOutcome& outcome) {
  if (status.code() != StatusCode::kNotFound || !job.ddl_may_run) return status;
  outcome = CopyOutcome::kVanished;
  return OkStatus();
}

}  // namespace

FileCopy::FileCopy(const CopyEnvironment& environment, CopyJob job)
    : environment_(environment),
      job_(std::move(job)),
      target_path_(io::JoinPath(environment.target_dir, job_.name)),
      end_(0) {}

Status FileCopy::Open(CopyBuffers& buffers) {
  HBK_RETURN_IF_ERROR(OpenSource(buffers).WithContext("copying " + job_.source_path));
  // What was copied of it in an earlier stage is of no use any more.
  if (is_abandoned()) return job_.replace ? RemoveTarget() : OkStatus();
  return OpenTarget();
}

Status FileCopy::OpenSource(CopyBuffers& buffers) {
  auto source = environment_.fs.Open(
      job_.source_path,
      {.direct = job_.method != CopyMethod::kPlain || job_.size_hint >= kDirectBytesMin,
       .follow = job_.follow_symlink});
  if (!source.ok()) {
    CopyOutcome outcome = CopyOutcome::kCopied;
    HBK_RETURN_IF_ERROR(ForgetVanished(job_, source.status(), outcome));
    Abandon(outcome);
    return OkStatus();
  }
  source_ = std::move(*source);
  HBK_ASSIGN_OR_RETURN(before_, source_->Stat());
  size_ = before_.size;
  has_holes_ = before_.allocated_bytes < before_.size;
  if (job_.method == CopyMethod::kTablespace || job_.method == CopyMethod::kUndo) {
    HBK_RETURN_IF_ERROR(ReadHeader(buffers));
  } else if (job_.method == CopyMethod::kSystem) {
    HBK_CHECK(job_.system.has_value());
    PageLayout layout{innodb::kSystemSpaceId, job_.system->first_page_no, job_.system->flags,
                      job_.system->doublewrite};
    pages_ = std::make_unique<PageReader>(*source_, layout, environment_.sleep);
  }
  // A last page that is not whole has never been used by the server.
  if (pages_) size_ -= size_ % pages_->layout().flags.physical_size();
  end_ = size_;
  return OkStatus();
}

Status FileCopy::ReadHeader(CopyBuffers& buffers) {
  const auto patience = job_.ddl_may_run ? std::chrono::microseconds(kFirstPagePatienceInDdl)
                                         : std::chrono::microseconds(kFirstPagePatience);
  HBK_ASSIGN_OR_RETURN(const innodb::FirstPage first,
                       ReadFirstPage(*source_, before_.size, environment_.page_size, buffers.page,
                                     patience, environment_.sleep, environment_.stop));
  if (first.kind == innodb::FirstPageKind::kDeferred) {
    Abandon(CopyOutcome::kDeferred);
    return OkStatus();
  }
  if (first.kind == innodb::FirstPageKind::kDamaged) {
    if (!job_.ddl_may_run) return CorruptionError(first.reason);
    Abandon(CopyOutcome::kUnstable);
    return OkStatus();
  }
  if (first.header.crypt && first.header.crypt->type != 0) {
    return UnsupportedError("the tablespace is encrypted")
        .WithHint("ALTER TABLE ... ENCRYPTED=NO, or back up with mariadb-backup");
  }
  if (first.header.flags.is_page_compressed()) {
    return UnsupportedError("the tablespace is page_compressed")
        .WithHint("ALTER TABLE ... PAGE_COMPRESSED=0, or back up with mariadb-backup");
  }
  PageLayout layout{first.header.space_id, 0, first.header.flags, std::nullopt};
  pages_ = std::make_unique<PageReader>(*source_, layout, environment_.sleep);
  return OkStatus();
}

Status FileCopy::OpenTarget() {
  HBK_ASSIGN_OR_RETURN(target_,
                       environment_.fs.Open(target_path_, {.write = true,
                                                           .create = !job_.replace,
                                                           .truncate = job_.replace,
                                                           .direct = size_ >= kDirectBytesMin,
                                                           .mode = 0600}));
  // The whole size at once: ranges arrive in any order, and what is not written stays a hole.
  if (size_ > 0) HBK_RETURN_IF_ERROR(target_->Truncate(size_));
  digest_.emplace(size_);
  return OkStatus();
}

uint64_t FileCopy::range_count() const {
  return is_abandoned() ? 0 : (size_ + kRangeBytes - 1) / kRangeBytes;
}

Status FileCopy::CopyRange(uint64_t index, CopyBuffers& buffers) {
  constexpr uint64_t kChunks = kRangeBytes / kCopyBufferBytes;
  const uint64_t end = std::min((index + 1) * kChunks, digest_->chunk_count());
  for (uint64_t chunk = index * kChunks; chunk < end; ++chunk) {
    if (environment_.stop.stop_requested()) return InterruptedError();
    if (is_abandoned()) return OkStatus();
    HBK_RETURN_IF_ERROR(CopyChunk(chunk, buffers).WithContext("copying " + job_.source_path));
  }
  return OkStatus();
}

Status FileCopy::CopyChunk(uint64_t index, CopyBuffers& buffers) {
  const uint64_t offset = index * kCopyBufferBytes;
  const auto size = static_cast<size_t>(std::min(kCopyBufferBytes, size_ - offset));
  if (has_holes_) {
    HBK_ASSIGN_OR_RETURN(const uint64_t data, source_->SeekData(offset));
    if (data >= offset + size) {
      digest_->AddZeroChunk(index);
      environment_.on_copied(size);
      return OkStatus();
    }
  }
  if (environment_.limiter != nullptr && !job_.under_lock) {
    if (!environment_.limiter->Acquire(1, environment_.stop)) return InterruptedError();
  }
  const MutableByteView read = buffers.chunk.view().first(static_cast<size_t>(AlignUp(size)));
  HBK_ASSIGN_OR_RETURN(size_t got, source_->ReadAt(offset, read));
  got = std::min(got, size);
  std::fill(read.begin() + static_cast<ptrdiff_t>(got), read.end(), uint8_t{0});
  if (got < size) {
    HBK_RETURN_IF_ERROR(NoteEnd(offset + got));
    if (is_abandoned()) return OkStatus();
  }
  if (pages_) {
    const size_t whole = got - got % pages_->layout().flags.physical_size();
    uint64_t retried_pages = 0;
    HBK_ASSIGN_OR_RETURN(const auto fault,
                         pages_->HealPages(offset, read.first(whole), buffers.page,
                                           environment_.stop, retried_pages));
    retried_pages_ += retried_pages;
    if (fault) {
      HBK_RETURN_IF_ERROR(HandleFault(*fault));
      if (is_abandoned()) return OkStatus();
    }
  }
  digest_->AddChunk(index, ByteView(read).first(size));
  HBK_RETURN_IF_ERROR(WriteChunk(offset, read));
  environment_.on_copied(size);
  return OkStatus();
}

// The file ends before the size it had when it was opened.
Status FileCopy::NoteEnd(uint64_t offset) {
  if (job_.method == CopyMethod::kTablespace || job_.method == CopyMethod::kSystem) {
    if (!job_.ddl_may_run || job_.method == CopyMethod::kSystem) {
      return FailedError(fmt::format("it ends at byte {}, and had {} bytes when it was opened",
                                     offset, before_.size));
    }
    Abandon(CopyOutcome::kVanished);
    return OkStatus();
  }
  // Undo truncation, or a table of another engine: the end is where it is now.
  if (pages_) offset -= offset % pages_->layout().flags.physical_size();
  uint64_t known = end_;
  while (offset < known && !end_.compare_exchange_weak(known, offset)) {
  }
  return OkStatus();
}

Status FileCopy::HandleFault(const PageFault& fault) {
  if (fault.is_gone) return NoteEnd(fault.offset);
  if (fault.verdict == innodb::PageVerdict::kWrongSpaceId && job_.ddl_may_run &&
      job_.method == CopyMethod::kTablespace) {
    // IMPORT TABLESPACE gives the pages of a file their new space id one by one.
    Abandon(CopyOutcome::kUnstable);
    return OkStatus();
  }
  return CorruptionError(Describe(fault))
      .WithHint("CHECK TABLE says more; restore the table from an older backup, or drop it");
}

// Writes `bytes`, which end at a multiple of the alignment, except for holes.
Status FileCopy::WriteChunk(uint64_t offset, MutableByteView bytes) {
  const ByteView view = bytes;
  size_t begin = 0;
  while (begin < view.size()) {
    size_t end = begin;
    while (end < view.size()) {
      const size_t piece = std::min(kHoleBytes, view.size() - end);
      if (IsAllZero(view.subspan(end, piece))) break;
      end += piece;
    }
    if (end > begin) {
      HBK_RETURN_IF_ERROR(target_->WriteAt(offset + begin, view.subspan(begin, end - begin)));
      written_bytes_ += end - begin;
    }
    begin = end + kHoleBytes;
  }
  return OkStatus();
}

Status FileCopy::RemoveTarget() {
  const Status removed = environment_.fs.Remove(target_path_);
  return removed.code() == StatusCode::kNotFound ? OkStatus() : removed;
}

Result<CopyResult> FileCopy::Close() {
  CopyResult result;
  result.name = job_.name;
  result.outcome = outcome_;
  result.before = before_;
  if (source_) {
    HBK_ASSIGN_OR_RETURN(result.after, source_->Stat());
    HBK_RETURN_IF_ERROR(source_->Close());
  }
  if (!target_) return result;
  if (is_abandoned()) {
    HBK_RETURN_IF_ERROR(target_->Close());
    HBK_RETURN_IF_ERROR(RemoveTarget());
    return result;
  }
  result.size = end_;
  result.retried_pages = retried_pages_;
  result.written_bytes = written_bytes_;
  if (pages_) result.space_id = pages_->layout().space_id;
  // The last write may have been rounded up.
  if (result.size != AlignUp(size_)) HBK_RETURN_IF_ERROR(target_->Truncate(result.size));
  HBK_RETURN_IF_ERROR(target_->Close());
  if (result.size == size_) {
    result.digest = digest_->Finish();
    return result;
  }
  HBK_ASSIGN_OR_RETURN(result.digest, DigestOfFile(environment_.fs, target_path_, result.size));
  return result;
}

}  // namespace hbk::backup

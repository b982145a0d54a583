#include "file_copy.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/io/file_identity.h"
#include "hbk/io/rate_limiter.h"

#include "delta_target.h"
#include "file_target.h"

namespace hbk::backup {
namespace {

using namespace std::chrono_literals;

// A page 0 that stays bad while DDL may run is probably being imported: it gets its time under
// BLOCK_DDL.
constexpr auto kFirstPagePatienceInDdl = 200ms;
constexpr auto kFirstPagePatience = 5s;
// What is read for a page that is wanted alone: a disk takes hardly longer than for the page.
constexpr uint64_t kPieceBytes = 64 << 10;
static_assert(kCopyBufferBytes % kPieceBytes == 0 && kPieceBytes >= innodb::kPageSizeMax);

// What a worker takes over at a time.
constexpr uint64_t kRangePieces = 64;

constexpr size_t kSmallBufferBytes = 64 << 10;
// Of a read that ends before the file does.
constexpr int kShortReadTries = 3;

bool IsTablespace(CopyMethod method) {
  return method != CopyMethod::kPlain && method != CopyMethod::kAria;
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
  if (environment_.base != nullptr && !is_abandoned())
    HBK_RETURN_IF_ERROR(LookAtBase(buffers).WithContext("reading " + job_.source_path));
  // What was copied of it in an earlier stage is of no use any more.
  if (job_.replace) HBK_RETURN_IF_ERROR(RemoveTarget());
  return is_abandoned() || is_in_base_ ? OkStatus() : OpenTarget();
}

Status FileCopy::OpenSource(CopyBuffers& buffers) {
  auto source = environment_.fs.Open(
      job_.source_path, {.direct = IsTablespace(job_.method) || job_.size_hint >= kLargeBytesMin,
                         .follow = job_.follow_symlink});
  if (!source.ok()) {
    CopyOutcome outcome = CopyOutcome::kCopied;
    HBK_RETURN_IF_ERROR(ForgetVanished(job_, source.status(), outcome));
    Abandon(outcome);
    return OkStatus();
  }
  source_ = std::move(*source);
  opened_ns_ = io::FileClockNow();
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
    key_id_ = job_.system->key_id;
  } else if (job_.method == CopyMethod::kAria) {
    HBK_CHECK(job_.aria.has_value() && kCopyBufferBytes % job_.aria->block_bytes == 0);
    aria_pages_ = std::make_unique<AriaPageReader>(*source_, *job_.aria, environment_.sleep);
  }
  // A last page that is not whole has never been used by the server.
  size_ -= size_ % page_bytes();
  end_ = size_;
  return OkStatus();
}

Status FileCopy::ReadHeader(CopyBuffers& buffers) {
  const bool may_be_imported = job_.ddl_may_run && job_.method == CopyMethod::kTablespace;
  const auto patience = may_be_imported ? std::chrono::microseconds(kFirstPagePatienceInDdl)
                                        : std::chrono::microseconds(kFirstPagePatience);
  HBK_ASSIGN_OR_RETURN(innodb::FirstPage first, ReadFirstPiece(buffers));
  if (first.kind == innodb::FirstPageKind::kDamaged) {
    HBK_ASSIGN_OR_RETURN(
        first, ReadFirstPage(*source_, before_.size, environment_.page_size, buffers.page, patience,
                             environment_.sleep, environment_.stop));
  }
  if (first.kind == innodb::FirstPageKind::kDeferred) {
    Abandon(CopyOutcome::kDeferred);
    return OkStatus();
  }
  if (first.kind == innodb::FirstPageKind::kDamaged) {
    if (!may_be_imported) return CorruptionError(first.reason).WithContext(DescribeSource());
    Abandon(CopyOutcome::kUnstable);
    return OkStatus();
  }
  if (first.header.crypt && first.header.crypt->type != 0) key_id_ = first.header.crypt->key_id;
  PageLayout layout{first.header.space_id, 0, first.header.flags, std::nullopt};
  pages_ = std::make_unique<PageReader>(*source_, layout, environment_.sleep);
  return OkStatus();
}

// Thousands of small tables are read once each, instead of twice. For an increment there may be
// nothing more to read than the page: that is asked for alone, and kDamaged said here.
Result<innodb::FirstPage> FileCopy::ReadFirstPiece(CopyBuffers& buffers) {
  innodb::FirstPage unread;
  unread.kind = innodb::FirstPageKind::kDamaged;
  if (environment_.base != nullptr || before_.size == 0) return unread;
  const CopyPiece piece{0, static_cast<size_t>(std::min(kCopyBufferBytes, before_.size))};
  HBK_ASSIGN_OR_RETURN(const size_t got, ReadChunk(piece, buffers.chunk));
  const ByteView read = ByteView(buffers.chunk.view()).first(got);
  const innodb::FirstPage first =
      innodb::ClassifyFirstPage(read.first(std::min<size_t>(got, innodb::kPageSizeMax)),
                                before_.size, environment_.page_size);
  if (first.kind != innodb::FirstPageKind::kDamaged) {
    first_piece_ = buffers.chunk.data();
    first_piece_bytes_ = got;
  }
  return first;
}

// As if it were read now. The file may end with a page that is not whole, and is left out.
size_t FileCopy::TakeFirstPiece(const CopyPiece& piece, AlignedBuffer& chunk) {
  HBK_CHECK(piece.offset == 0 && chunk.data() == first_piece_);
  first_piece_ = nullptr;
  const size_t got = std::min(first_piece_bytes_, piece.size);
  const MutableByteView rest = chunk.view().first(AlignUp(piece.size)).subspan(got);
  std::fill(rest.begin(), rest.end(), uint8_t{0});
  return got;
}

Status FileCopy::OpenTarget() {
  const bool is_compressed = pages_ && pages_->layout().flags.is_page_compressed();
  if (pages_ && environment_.base != nullptr) {
    const SpaceFile space = DescribeSpace();
    DeltaTarget::Options options{.path = target_path_ + std::string(delta::kDeltaSuffix),
                                 .space_id = space.space_id,
                                 .flags = space.flags,
                                 .choice = environment_.base->ChoosePages(space)};
    if (reading_ == ReadChoice::kNamed) {
      options.named_pages = named_pages_;
      options.checked_to = environment_.base->named_to();
    }
    auto target = std::make_unique<DeltaTarget>(environment_.fs, std::move(options));
    delta_ = target.get();
    target_ = std::move(target);
    return OkStatus();
  }
  HBK_ASSIGN_OR_RETURN(
      target_,
      FileTarget::Create(environment_.fs,
                         {.path = target_path_, .size = size_, .has_small_holes = is_compressed}));
  return OkStatus();
}

SpaceFile FileCopy::DescribeSpace() const {
  const PageLayout& layout = pages_->layout();
  return {job_.name, layout.space_id, layout.flags, io::IdentityOf(before_)};
}

// Whether the base has the file as it is, so that nothing need be written.
Status FileCopy::LookAtBase(CopyBuffers& buffers) {
  return pages_ ? LookAtSpaceInBase(buffers) : LookAtFileInBase(buffers);
}

// System and undo tablespaces are written to all the time: there is nothing to look for.
Status FileCopy::LookAtSpaceInBase(CopyBuffers& buffers) {
  const IncrementBase& base = *environment_.base;
  if (job_.method != CopyMethod::kTablespace || !base.MaySkipPages()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const bool keeps_times, environment_.fs.KeepsFileTimes(job_.source_path));
  // It was read a moment ago.
  const Lsn first_page_lsn = innodb::PageLsn(buffers.page.view());
  const SpaceFile space = DescribeSpace();
  reading_ = base.ChooseReading(space, first_page_lsn, keeps_times);
  is_in_base_ = reading_ == ReadChoice::kSkip;
  if (is_in_base_ || reading_ == ReadChoice::kNamed) skip_count_ = base.SkipCountOf(space) + 1;
  if (reading_ == ReadChoice::kNamed) {
    named_pages_ = base.NamedPagesOf(space);
    PlanPieces();
  }
  return OkStatus();
}

// Pages that the redo names and the file does not have yet were not written before the checkpoint:
// their changes are behind it.
void FileCopy::PlanPieces() {
  const SpaceId space = pages_->layout().space_id;
  auto named = named_pages_.begin();
  uint64_t read_bytes = 0;
  for (uint64_t begin = 0; begin < size_; begin += kCopyBufferBytes) {
    const uint64_t end = std::min(begin + kCopyBufferBytes, size_);
    const auto first = pieces_.size();
    if (environment_.base->IsInShare(space, begin / kCopyBufferBytes))
      pieces_.push_back({begin, static_cast<size_t>(end - begin)});
    for (; named != named_pages_.end() && *named * page_bytes() < end; ++named) {
      const uint64_t offset = *named * page_bytes() / kPieceBytes * kPieceBytes;
      CopyPiece* const last = pieces_.size() > first ? &pieces_.back() : nullptr;
      if (last != nullptr && last->offset + last->size > offset) continue;
      const auto size = static_cast<size_t>(std::min(kPieceBytes, end - offset));
      if (last != nullptr && last->offset + last->size == offset) {
        last->size += size;
      } else {
        pieces_.push_back({offset, size});
      }
    }
    for (auto i = first; i < pieces_.size(); ++i)
      read_bytes += pieces_[i].size;
  }
  environment_.on_copied(size_ - read_bytes);
}

Status FileCopy::LookAtFileInBase(CopyBuffers& buffers) {
  const IncrementBase& base = *environment_.base;
  const manifest::ManifestFile* known = base.FindFile(job_.name);
  if (known == nullptr || known->size != size_) return OkStatus();
  if (base.MayTrustTimes() && !job_.is_mapped) {
    HBK_ASSIGN_OR_RETURN(const bool keeps_times, environment_.fs.KeepsFileTimes(job_.source_path));
    reading_ = base.ChooseReading(*known, io::IdentityOf(before_), keeps_times);
  }
  if (reading_ == ReadChoice::kSkip) {
    is_in_base_ = true;
    skip_count_ = known->source->skip_count + 1;
  } else {
    HBK_ASSIGN_OR_RETURN(is_in_base_, HasContentOf(*known, buffers));
  }
  if (!is_in_base_) return OkStatus();
  base_digest_ = known->digest;
  return aria_pages_ ? ReadAriaHead(buffers) : OkStatus();
}

Result<bool> FileCopy::HasContentOf(const manifest::ManifestFile& known, CopyBuffers& buffers) {
  filter::TreeDigest digest(size_);
  for (uint64_t chunk = 0; chunk < digest.chunk_count(); ++chunk) {
    if (environment_.stop.stop_requested()) return InterruptedError();
    const uint64_t offset = chunk * kCopyBufferBytes;
    const auto size = static_cast<size_t>(std::min(kCopyBufferBytes, size_ - offset));
    HBK_ASSIGN_OR_RETURN(const size_t got, ReadChunk({offset, size}, buffers.chunk));
    if (got < size) return false;
    digest.AddChunk(chunk, ByteView(buffers.chunk.view()).first(size));
  }
  return digest.Finish() == known.digest;
}

Status FileCopy::ReadAriaHead(CopyBuffers& buffers) {
  const CopyPiece piece{0, std::min<size_t>(size_, aria::kTableHeadBytes)};
  HBK_ASSIGN_OR_RETURN(const size_t got, ReadChunk(piece, buffers.chunk));
  const ByteView head = ByteView(buffers.chunk.view()).first(got);
  const MutexLock lock(mutex_);
  head_.assign(head.begin(), head.end());
  return OkStatus();
}

uint64_t FileCopy::page_bytes() const {
  if (pages_) return pages_->layout().flags.physical_size();
  return aria_pages_ ? aria_pages_->rules().block_bytes : 1;
}

uint64_t FileCopy::range_count() const {
  if (is_abandoned() || is_in_base_) return 0;
  if (reading_ == ReadChoice::kNamed) return (pieces_.size() + kRangePieces - 1) / kRangePieces;
  return (size_ + range_bytes() - 1) / range_bytes();
}

uint64_t FileCopy::range_bytes() const {
  return target_->is_encoded() ? kEncodedRangeBytes : kRangeBytes;
}

std::vector<CopyPiece> FileCopy::PiecesOf(uint64_t range) const {
  if (reading_ == ReadChoice::kNamed) {
    const auto begin = pieces_.begin() + static_cast<ptrdiff_t>(range * kRangePieces);
    const auto left = static_cast<size_t>(pieces_.end() - begin);
    return {begin, begin + static_cast<ptrdiff_t>(std::min<size_t>(kRangePieces, left))};
  }
  std::vector<CopyPiece> pieces;
  const uint64_t end = std::min((range + 1) * range_bytes(), size_);
  for (uint64_t offset = range * range_bytes(); offset < end; offset += kCopyBufferBytes)
    pieces.push_back({offset, static_cast<size_t>(std::min(kCopyBufferBytes, end - offset))});
  return pieces;
}

Status FileCopy::CopyRange(uint64_t index, CopyBuffers& buffers) {
  for (const CopyPiece& piece : PiecesOf(index)) {
    HBK_ASSIGN_OR_RETURN(const std::optional<size_t> got, Read(piece, buffers.chunk));
    if (got) HBK_RETURN_IF_ERROR(Store(piece, *got, buffers));
  }
  return OkStatus();
}

// Nobody is slowed down while others wait for him.
Status FileCopy::WaitForTurn(uint64_t bytes) {
  if (job_.under_lock) return OkStatus();
  const auto wait = [this](io::RateLimiter* limiter, uint64_t count) {
    return limiter == nullptr || limiter->Acquire(count, environment_.stop);
  };
  const bool is_turn = wait(environment_.read_limiter, 1) && wait(environment_.byte_limiter, bytes);
  return is_turn ? OkStatus() : InterruptedError();
}

// Reads into the buffer, with zeros behind what there is, up to a multiple of the alignment.
Result<size_t> FileCopy::ReadChunk(const CopyPiece& piece, AlignedBuffer& chunk) {
  HBK_RETURN_IF_ERROR(WaitForTurn(piece.size));
  const auto room = static_cast<size_t>(AlignUp(piece.size));
  // Making a large one takes longer than copying a small file.
  if (chunk.size() < room)
    chunk = AlignedBuffer(room <= kSmallBufferBytes ? kSmallBufferBytes : kCopyBufferBytes);
  const MutableByteView read = chunk.view().first(room);
  HBK_ASSIGN_OR_RETURN(const size_t got, ReadToEnd(piece, read));
  std::fill(read.begin() + static_cast<ptrdiff_t>(got), read.end(), uint8_t{0});
  return got;
}

// What of the piece there is. A file may become shorter while it is copied; but one that ends
// before the end that it says it has was not read, and its copy would lack rows without a word.
Result<size_t> FileCopy::ReadToEnd(const CopyPiece& piece, MutableByteView read) {
  size_t got = 0;
  for (int tries = 0; tries < kShortReadTries; ++tries) {
    HBK_ASSIGN_OR_RETURN(got, source_->ReadAt(piece.offset, read));
    if (got >= piece.size) return piece.size;
    HBK_ASSIGN_OR_RETURN(const io::FileInfo now, source_->Stat());
    if (now.size <= piece.offset + got) return got;
    // It may have shrunk, and grown again before its size was asked for.
  }
  return FailedError(
      fmt::format("reading ended at offset {}, although the file is longer", piece.offset + got));
}

Result<std::optional<size_t>> FileCopy::Read(const CopyPiece& piece, AlignedBuffer& chunk) {
  if (environment_.stop.stop_requested()) return InterruptedError();
  if (is_abandoned()) return std::optional<size_t>();
  auto got = ReadPiece(piece, chunk);
  if (!got.ok()) return got.status().WithContext("copying " + job_.source_path);
  return got;
}

Result<std::optional<size_t>> FileCopy::ReadPiece(const CopyPiece& piece, AlignedBuffer& chunk) {
  // Whoever reads other pieces does so at the same time.
  if (piece.offset == 0 && first_piece_ != nullptr)
    return NoteRead(piece, TakeFirstPiece(piece, chunk));
  if (has_holes_) {
    HBK_ASSIGN_OR_RETURN(const uint64_t data, source_->SeekData(piece.offset));
    if (data >= piece.offset + piece.size) {
      HBK_RETURN_IF_ERROR(target_->SkipHole(piece.offset));
      environment_.on_copied(piece.size);
      return std::optional<size_t>();
    }
  }
  HBK_ASSIGN_OR_RETURN(const size_t got, ReadChunk(piece, chunk));
  return NoteRead(piece, got);
}

Result<std::optional<size_t>> FileCopy::NoteRead(const CopyPiece& piece, size_t got) {
  if (got < piece.size) HBK_RETURN_IF_ERROR(NoteEnd(piece.offset + got));
  return is_abandoned() ? std::nullopt : std::optional<size_t>(got);
}

Status FileCopy::Store(const CopyPiece& piece, size_t got, CopyBuffers& buffers) {
  if (environment_.stop.stop_requested()) return InterruptedError();
  if (is_abandoned()) return OkStatus();
  return StorePiece(piece, got, buffers).WithContext("copying " + job_.source_path);
}

Status FileCopy::StorePiece(const CopyPiece& piece, size_t got, CopyBuffers& buffers) {
  const MutableByteView read = buffers.chunk.view().first(static_cast<size_t>(AlignUp(piece.size)));
  FileChunk chunk{.offset = piece.offset, .bytes = read, .size = piece.size};
  const MutableByteView pages = read.first(got - got % page_bytes());
  if (pages_) {
    HBK_RETURN_IF_ERROR(HealChunk(piece.offset, pages, buffers, chunk.damaged));
  } else if (aria_pages_) {
    HBK_RETURN_IF_ERROR(HealAriaChunk(piece.offset, pages, buffers));
  }
  if (is_abandoned()) return OkStatus();
  HBK_RETURN_IF_ERROR(target_->Write(chunk));
  environment_.on_copied(piece.size);
  return OkStatus();
}

Status FileCopy::HealChunk(uint64_t offset, MutableByteView pages, CopyBuffers& buffers,
                           std::vector<uint64_t>& damaged) {
  PageNotes notes;
  size_t index = 0;
  while (index < pages.size()) {
    HBK_ASSIGN_OR_RETURN(const auto fault,
                         pages_->HealPages(offset + index, pages.subspan(index), buffers.page,
                                           environment_.stop, notes));
    if (!fault) break;
    HBK_RETURN_IF_ERROR(HandleFault(*fault));
    if (fault->is_gone || is_abandoned()) break;
    damaged.push_back(fault->offset);
    index = static_cast<size_t>(fault->offset - offset) + page_bytes();
  }
  retried_pages_ += notes.retried_pages;
  if (notes.key_versions.empty()) return OkStatus();
  const MutexLock lock(mutex_);
  for (const uint32_t version : notes.key_versions) {
    if (std::find(key_versions_.begin(), key_versions_.end(), version) == key_versions_.end())
      key_versions_.push_back(version);
  }
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
  offset -= offset % page_bytes();
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
  return HandleDamage(fault.page.page, Describe(fault),
                      "CHECK TABLE says more; restore the table from an older backup, or drop it; "
                      "--log-innodb-page-corruption makes a backup with the damaged pages in it");
}

// A page that stays bad fails the backup, unless damaged pages are to be kept.
Status FileCopy::HandleDamage(uint32_t page_no, const std::string& text, std::string_view hint) {
  const std::string what = fmt::format("{}: {}", DescribeSource(), text);
  if (!environment_.keep_damaged_pages) return CorruptionError(what).WithHint(std::string(hint));
  const MutexLock lock(mutex_);
  damaged_pages_.push_back({page_no, job_.source_path + ": " + what});
  return OkStatus();
}

Status FileCopy::HealAriaChunk(uint64_t offset, MutableByteView pages, CopyBuffers& buffers) {
  uint64_t retried = 0;
  size_t index = 0;
  while (index < pages.size()) {
    HBK_ASSIGN_OR_RETURN(const auto fault,
                         aria_pages_->HealPages(offset + index, pages.subspan(index), buffers.page,
                                                environment_.stop, retried));
    if (!fault) break;
    HBK_RETURN_IF_ERROR(HandleAriaFault(*fault));
    if (fault->is_gone || is_abandoned()) break;
    index = static_cast<size_t>(fault->offset - offset) + page_bytes();
  }
  retried_pages_ += retried;
  if (offset != 0) return OkStatus();
  const MutexLock lock(mutex_);
  const ByteView head = ByteView(pages).first(std::min(pages.size(), aria::kTableHeadBytes));
  head_.assign(head.begin(), head.end());
  return OkStatus();
}

Status FileCopy::HandleAriaFault(const AriaPageFault& fault) {
  if (fault.is_gone) return NoteEnd(fault.offset);
  if (job_.ddl_may_run) {
    // The name may lead to another table by now, one with other pages. Damage will be there later.
    Abandon(CopyOutcome::kUnstable);
    return OkStatus();
  }
  return HandleDamage(static_cast<uint32_t>(fault.page_no), Describe(fault),
                      "CHECK TABLE says more; REPAIR TABLE, or restore the table from an older "
                      "backup; --log-innodb-page-corruption makes a backup with the damaged pages "
                      "in it");
}

// "`db`.`t`", or which part of the server it is.
std::string FileCopy::DescribeSource() const {
  switch (job_.method) {
    case CopyMethod::kSystem: return "the system tablespace";
    case CopyMethod::kUndo: return "an undo tablespace";
    default: break;
  }
  return environment_.table_of ? "table " + environment_.table_of(job_.name) : job_.name;
}

Status FileCopy::RemoveTarget() {
  for (const std::string& path : {target_path_, target_path_ + std::string(delta::kDeltaSuffix)}) {
    const Status removed = environment_.fs.Remove(path);
    if (!removed.ok() && removed.code() != StatusCode::kNotFound) return removed;
  }
  return OkStatus();
}

// With their id. A tablespace may have become an encrypted one after its page 0 was read.
Result<std::vector<KeyUse>> FileCopy::NameKeys() {
  const MutexLock lock(mutex_);
  std::vector<KeyUse> keys;
  if (key_versions_.empty()) return keys;
  if (!key_id_) {
    AlignedBuffer scratch(PageReader::kScratchBytes);
    HBK_ASSIGN_OR_RETURN(const innodb::FirstPage first,
                         ReadFirstPage(*source_, before_.size, environment_.page_size, scratch,
                                       kFirstPagePatience, environment_.sleep, environment_.stop));
    const bool is_encrypted = first.kind == innodb::FirstPageKind::kValid && first.header.crypt &&
                              first.header.crypt->type != 0;
    if (is_encrypted) key_id_ = first.header.crypt->key_id;
  }
  // Still without metadata: then what looked like versions were none.
  if (!key_id_) return keys;
  for (const uint32_t version : key_versions_)
    keys.push_back({*key_id_, version});
  std::sort(keys.begin(), keys.end());
  return keys;
}

Status FileCopy::NoteFindings(CopyResult& result) {
  HBK_ASSIGN_OR_RETURN(result.keys, NameKeys());
  if (pages_) {
    const PageLayout& layout = pages_->layout();
    result.space_id = layout.space_id;
    result.space =
        manifest::SpaceFacts{layout.space_id, layout.flags.physical_size(), layout.flags.raw()};
  }
  const io::FileIdentity before = io::IdentityOf(result.before);
  const bool is_at_rest =
      !job_.is_mapped && before == io::IdentityOf(result.after) && io::IsAtRest(before, opened_ns_);
  result.source = SourceOf(before, is_at_rest, skip_count_);
  const MutexLock lock(mutex_);
  result.head = head_;
  result.damaged_pages = damaged_pages_;
  std::sort(result.damaged_pages.begin(), result.damaged_pages.end(),
            [](const DamagedPage& a, const DamagedPage& b) { return a.page_no < b.page_no; });
  return OkStatus();
}

// The file was not changed since the base by its times, and has what the base has not.
Status FileCopy::FalseTimes() const {
  return CorruptionError(fmt::format("{} was changed since the base, and its times say that it was "
                                     "not: times of files cannot be trusted here",
                                     job_.source_path))
      .WithHint("make the increment without --trust-file-times");
}

// The redo log was to name what of the file has changed.
Status FileCopy::FalseRedo(uint32_t page_no) const {
  return CorruptionError(fmt::format("page {} of {} was changed since the base, and the server's "
                                     "redo log does not name it",
                                     page_no, job_.source_path))
      .WithHint(
          "make the increment with --incremental-force-scan, and look for what wrote to the file "
          "besides the server");
}

Result<CopyResult> FileCopy::Close() {
  CopyResult result;
  result.name = job_.name;
  result.outcome = outcome_;
  result.before = before_;
  if (source_) {
    HBK_ASSIGN_OR_RETURN(result.after, source_->Stat());
    if (!is_abandoned()) HBK_RETURN_IF_ERROR(NoteFindings(result));
    HBK_RETURN_IF_ERROR(source_->Close());
  }
  if (is_abandoned()) {
    if (target_) HBK_RETURN_IF_ERROR(target_->Discard());
    return result;
  }
  result.size = end_;
  result.retried_pages = retried_pages_;
  if (target_) {
    const auto unnamed_page = delta_ != nullptr ? delta_->unnamed_page() : std::nullopt;
    HBK_RETURN_IF_ERROR(target_->Finish(result.size, result));
    if (unnamed_page) return FalseRedo(*unnamed_page);
    result.is_read_in_part = reading_ == ReadChoice::kNamed;
    const bool is_as_it_was = io::IdentityOf(result.before) == io::IdentityOf(result.after);
    if (reading_ == ReadChoice::kSample && is_as_it_was &&
        result.content != manifest::FileContent::kBase) {
      return FalseTimes();
    }
    return result;
  }
  result.content = manifest::FileContent::kBase;
  result.digest = base_digest_;
  result.is_skipped = reading_ == ReadChoice::kSkip;
  environment_.on_copied(result.size);
  return result;
}

}  // namespace hbk::backup

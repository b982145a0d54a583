#include "file_check.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "aria_check.h"
#include "delta_check.h"
#include "read_tee.h"
#include "tablespace_check.h"

namespace hbk::verify {
namespace {

using datadir::FileKind;
using filter::TreeDigest;

constexpr uint64_t kChunkBytes = TreeDigest::kChunkBytes;

bool IsTablespace(FileKind kind) {
  return kind == FileKind::kSystemTablespace || kind == FileKind::kUndoTablespace ||
         kind == FileKind::kTablespace;
}

// It does not tell of the backup: the run cannot go on.
bool EndsRun(const Status& status) {
  return status.code() == StatusCode::kInterrupted ||
         status.code() == StatusCode::kMissingPrivilege;
}

std::string Hex(ByteView bytes) {
  std::string text;
  for (const uint8_t byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

void FileCheck::Add(FindingKind kind, std::string what, std::optional<uint64_t> offset,
                    std::string expected, std::string found) {
  context_.findings.Add({.kind = kind,
                         .backup_dir = job_.facts->dir,
                         .file = job_.name,
                         .what = std::move(what),
                         .page = std::nullopt,
                         .offset = offset,
                         .expected = std::move(expected),
                         .found = std::move(found)});
}

Status FileCheck::Unreadable(const Status& status, std::optional<uint64_t> offset) {
  if (EndsRun(status)) return status;
  has_gap_ = true;
  Add(FindingKind::kUnreadable, status.message(), offset);
  return OkStatus();
}

Status FileCheck::Open() {
  is_opened_ = true;
  const std::string path = job_.facts->Path(job_.name);
  const auto info = context_.fs.Stat(path, /*follow=*/false);
  if (info.status().code() == StatusCode::kNotFound) {
    Add(FindingKind::kMissingFile, "it is missing");
    return OkStatus();
  }
  if (!info.ok()) return Unreadable(info.status(), std::nullopt);
  if (info->type != io::FileType::kRegular) {
    Add(FindingKind::kMissingFile, "it is no plain file");
    return OkStatus();
  }
  // A delta is read again from the cache, run by run.
  auto file = context_.fs.Open(path, {.direct = options_.is_direct && !job_.is_delta});
  if (!file.ok()) return Unreadable(file.status(), std::nullopt);
  const auto opened = (*file)->Stat();
  if (!opened.ok()) return Unreadable(opened.status(), std::nullopt);
  size_ = opened->size;
  file_ = std::move(*file);
  if (size_ != job_.size) {
    Add(FindingKind::kSize, "it has another size", std::nullopt, fmt::format("{} bytes", job_.size),
        fmt::format("{} bytes", size_));
  } else if (!job_.digest.empty()) {
    digest_ = std::make_unique<TreeDigest>(size_);
    known_ = job_.KnownChunks();
  }
  return options_.is_fast ? OkStatus() : MakeContentCheck();
}

Status FileCheck::MakeContentCheck() {
  if (job_.is_delta) {
    content_ = std::make_unique<DeltaCheck>(*job_.facts, *job_.listed, context_);
  } else if (IsTablespace(job_.kind)) {
    const manifest::SpaceFacts* space =
        job_.listed != nullptr && job_.listed->space ? &*job_.listed->space : nullptr;
    HBK_ASSIGN_OR_RETURN(content_, TablespaceCheck::Make(*job_.facts, job_.name, job_.kind, *file_,
                                                         size_, space, context_));
  } else if (job_.kind == FileKind::kAriaTable) {
    HBK_ASSIGN_OR_RETURN(content_, AriaCheck::Make(*job_.facts, job_.name, context_));
  }
  return OkStatus();
}

// What lies in a hole need not be read. Of a direct file whole units are asked for, also at its
// end.
Status FileCheck::ReadBlock(uint64_t offset, MutableByteView buffer, size_t size, bool& is_read) {
  const MutableByteView block = buffer.first(size);
  const auto data = file_->SeekData(offset);
  if (!data.ok()) return Unreadable(data.status(), offset);
  if (*data >= offset + block.size()) {
    std::memset(block.data(), 0, block.size());
    is_read = true;
    return OkStatus();
  }
  const size_t units = (size + io::kDirectAlignment - 1) / io::kDirectAlignment;
  const auto got = file_->ReadAt(offset, buffer.first(units * io::kDirectAlignment));
  if (!got.ok()) return Unreadable(got.status(), offset);
  if (*got < size) {
    return Unreadable(
        FailedError(fmt::format("it ends at offset {} while it is being read", offset + *got)),
        offset);
  }
  is_read = true;
  return OkStatus();
}

void FileCheck::AddDigest(uint64_t offset, ByteView bytes) {
  for (size_t begin = 0; begin < bytes.size(); begin += kChunkBytes) {
    const uint64_t index = (offset + begin) / kChunkBytes;
    const ByteView chunk =
        bytes.subspan(begin, std::min<size_t>(kChunkBytes, bytes.size() - begin));
    digest_->AddChunk(index, chunk);
    if (known_.empty()) continue;
    const size_t at = static_cast<size_t>(index) * filter::kChunkHashBytes;
    const ByteView expected = known_.subspan(at, filter::kChunkHashBytes);
    const ByteView found = ByteView(digest_->chunk_hashes()).subspan(at, filter::kChunkHashBytes);
    if (std::equal(expected.begin(), expected.end(), found.begin())) continue;
    has_wrong_chunk_ = true;
    Add(FindingKind::kDigest, "the 1 MiB from here on is not what was there", offset + begin,
        Hex(expected), Hex(found));
  }
}

Status FileCheck::EnsureOpen() {
  const MutexLock lock(mutex_);
  return is_opened_ ? OkStatus() : Open();
}

Status FileCheck::CheckPart(const Part& part, MutableByteView buffer, CheckScratch& scratch) {
  HBK_RETURN_IF_ERROR(EnsureOpen());
  if (file_ == nullptr) return OkStatus();
  const uint64_t end = std::min(part.offset + part.size, size_);
  for (uint64_t offset = part.offset; offset < end; offset += kReadBytes) {
    if (context_.stop.stop_requested()) return InterruptedError();
    const auto size = static_cast<size_t>(std::min<uint64_t>(kReadBytes, end - offset));
    bool is_read = false;
    HBK_RETURN_IF_ERROR(ReadBlock(offset, buffer, size, is_read));
    context_.counts.bytes += size;
    if (!is_read) continue;
    const ByteView block = buffer.first(size);
    if (digest_ != nullptr) AddDigest(offset, block);
    if (content_ != nullptr) HBK_RETURN_IF_ERROR(content_->Check(offset, block, scratch));
  }
  return OkStatus();
}

Status FileCheck::CheckWhole(const std::function<Status(io::FileSystem&)>& read,
                             const std::function<void()>& tell_progress) {
  HBK_RETURN_IF_ERROR(EnsureOpen());
  ReadTee tee(context_.fs, job_.facts->Path(job_.name), [&](uint64_t offset, ByteView bytes) {
    context_.counts.bytes += bytes.size();
    if (digest_ != nullptr) AddDigest(offset, bytes);
    tell_progress();
  });
  HBK_RETURN_IF_ERROR(read(tee));
  if (file_ == nullptr) return OkStatus();
  const Status rest = tee.RestTo(size_);
  return rest.ok() ? rest : Unreadable(rest, tee.position());
}

Status FileCheck::LookAt() {
  const MutexLock lock(mutex_);
  const Status opened = is_opened_ ? OkStatus() : Open();
  Close();
  return opened;
}

// Of many files only those that are being read are open.
void FileCheck::Close() {
  content_.reset();
  digest_.reset();
  file_.reset();
}

Status FileCheck::Finish(bool is_whole, CheckScratch& scratch) {
  const Status status = FinishOpen(is_whole, scratch);
  Close();
  return status;
}

Status FileCheck::FinishOpen(bool is_whole, CheckScratch& scratch) {
  if (file_ == nullptr) return OkStatus();
  if (content_ != nullptr) HBK_RETURN_IF_ERROR(content_->Finish(is_whole, scratch));
  if (digest_ == nullptr || !is_whole || has_gap_ || has_wrong_chunk_) return OkStatus();
  const std::string found = digest_->Finish();
  if (found != job_.digest)
    Add(FindingKind::kDigest, "it is not what was there", std::nullopt, job_.digest, found);
  return OkStatus();
}

}  // namespace hbk::verify

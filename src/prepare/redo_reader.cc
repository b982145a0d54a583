#include "redo_reader.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "hbk/redo/mtr_search.h"

namespace hbk::prepare {
namespace {

constexpr size_t kHeaderBlockBytes = 512;  // of either container

}  // namespace

RedoReader::RedoReader(std::unique_ptr<io::File> file, redo::LogHead head,
                       const redo::LogGeometry& geometry,
                       std::optional<redo::LogDecryptor> decryptor, size_t window_bytes)
    : file_(std::move(file)),
      head_(std::move(head)),
      geometry_(geometry),
      decryptor_(std::move(decryptor)),
      decoder_(redo::LogDecoder::Create(head_, geometry_, decryptor_)),
      window_(window_bytes),
      window_lsn_(decoder_->window_lsn()) {}

Result<std::unique_ptr<RedoReader>> RedoReader::Open(io::FileSystem& fs, const std::string& path,
                                                     size_t window_bytes, crypto::KeySource* keys) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  // Not larger than the log; but in less than this a large mini-transaction would never fit.
  window_bytes = std::max<size_t>(std::min<uint64_t>(window_bytes, info.size),
                                  redo::kMiniTransactionBytesMax + (64 << 10));
  AlignedBuffer buffer(redo::kLogHeadBytes);
  HBK_ASSIGN_OR_RETURN(const size_t head_bytes, file->ReadAt(0, buffer.view()));
  if (head_bytes < kHeaderBlockBytes) {
    return CorruptionError(fmt::format("{} has {} bytes, less than a log header", path, info.size));
  }
  const ByteView head_view = ByteView(buffer.view()).first(head_bytes);
  // The header is judged before the size: an older format is told by its name.
  auto header = redo::ParseLogFileHeader(head_view);
  if (!header.ok()) return header.status().WithContext(path);
  auto head = redo::ParseLogHead(head_view);
  if (!head.ok()) return head.status().WithContext(path);
  const auto geometry = redo::LogGeometry::Of(*head, info.size);
  if (!geometry.ok()) return geometry.status().WithContext(path);
  std::optional<redo::LogDecryptor> decryptor;
  if (head->header.is_encrypted) {
    auto created = redo::LogDecryptor::Create(head->header, keys);
    if (!created.ok()) return created.status().WithContext(path);
    decryptor = std::move(*created);
  }
  return std::unique_ptr<RedoReader>(new RedoReader(std::move(file), std::move(*head), *geometry,
                                                    std::move(decryptor), window_bytes));
}

Result<std::unique_ptr<RedoReader>> RedoReader::OpenEmpty(io::FileSystem& fs,
                                                          const std::string& path,
                                                          redo::Lsn end_lsn) {
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {}));
  redo::LogHead head;
  head.header.container = redo::LogContainer::kBlocks;
  head.header.first_lsn = end_lsn;
  head.checkpoint = {.checkpoint_lsn = end_lsn, .end_lsn = end_lsn};
  const redo::LogGeometry geometry(end_lsn, redo::kLogFileBytesMin);
  std::unique_ptr<RedoReader> reader(
      new RedoReader(std::move(file), std::move(head), geometry, std::nullopt, kHeaderBlockBytes));
  reader->is_empty_ = true;
  return reader;
}

void RedoReader::Seek(redo::Lsn lsn) {
  decoder_->Seek(lsn);
  window_lsn_ = decoder_->window_lsn();
  end_ = 0;
}

Result<std::optional<redo::Lsn>> RedoReader::FindStartFrom(redo::Lsn lsn) {
  if (head_.header.container != redo::LogContainer::kRing) return std::optional<redo::Lsn>();
  Seek(lsn);
  HBK_RETURN_IF_ERROR(Fill());
  const auto offset = redo::FindMiniTransaction(window_.view().first(end_), lsn, geometry_,
                                                head_.header.is_encrypted);
  return offset ? std::optional(lsn + *offset) : std::nullopt;
}

Status RedoReader::BadContent(const Status& status) const {
  const bool is_wrong_key = decryptor_ && status.code() == StatusCode::kCorruption;
  return is_wrong_key ? decryptor_->WrongKey().WithContext(file_->path()) : status;
}

Result<bool> RedoReader::Next(redo::MiniTransaction& mtr) {
  if (is_empty_) {
    end_reason_ = "it is empty";
    return false;
  }
  for (;;) {
    const size_t begin = BytesDone();
    const ByteView rest = window_.view().subspan(begin, end_ - begin);
    if (!rest.empty()) {
      const auto outcome = decoder_->Next(rest, mtr);
      if (!outcome.ok()) return outcome.status().WithContext(file_->path());
      if (*outcome == redo::MtrOutcome::kWhole) return true;
      if (*outcome == redo::MtrOutcome::kEndOfLog || rest.size() >= geometry_.capacity()) {
        end_reason_ = *outcome == redo::MtrOutcome::kEndOfLog ? decoder_->end_reason() : "";
        return false;
      }
    }
    HBK_RETURN_IF_ERROR(Fill());
  }
}

// Moves what is left to the front and reads on, up to one whole ring behind the position.
Status RedoReader::Fill() {
  const size_t begin = BytesDone();
  std::memmove(window_.data(), window_.data() + begin, end_ - begin);
  window_lsn_ += begin;
  end_ -= begin;
  const uint64_t bytes_max = std::min<uint64_t>(window_.size(), geometry_.capacity());
  HBK_CHECK(end_ < bytes_max);
  while (end_ < bytes_max) {
    const uint64_t offset = geometry_.OffsetOf(window_lsn_ + end_);
    const uint64_t to_wrap = geometry_.start() + geometry_.capacity() - offset;
    const auto size = static_cast<size_t>(std::min(bytes_max - end_, to_wrap));
    HBK_ASSIGN_OR_RETURN(const size_t done,
                         file_->ReadAt(offset, window_.view().subspan(end_, size)));
    if (done != size) {
      return CorruptionError(
          fmt::format("{} ends at offset {} while it is being read", file_->path(), offset + done));
    }
    end_ += size;
  }
  // What comes next is read while this is parsed.
  const uint64_t next = geometry_.OffsetOf(window_lsn_ + end_);
  const uint64_t to_wrap = geometry_.start() + geometry_.capacity() - next;
  file_->WillRead(next, std::min<uint64_t>(window_.size(), to_wrap));
  return OkStatus();
}

Result<redo::Lsn> FindFileCheckpoint(RedoReader& reader) {
  const redo::Checkpoint checkpoint = reader.checkpoint();
  const auto missing = [&](std::string_view why) {
    return CorruptionError(fmt::format(
        "{}: no FILE_CHECKPOINT of the checkpoint at LSN {} was found from LSN {} on: "
        "{} at LSN {}",
        reader.path(), checkpoint.checkpoint_lsn, checkpoint.end_lsn, why, reader.position()));
  };
  redo::MiniTransaction mtr;
  const bool is_blocks = reader.header().container == redo::LogContainer::kBlocks;
  if (checkpoint.end_lsn == 0 || (is_blocks && checkpoint.end_lsn == checkpoint.checkpoint_lsn)) {
    // The log of a backup, of an increment, or of a server that was shut down. Read for the sake of
    // the key.
    reader.Seek(checkpoint.checkpoint_lsn);
    HBK_RETURN_IF_ERROR(reader.Next(mtr).status());
    return checkpoint.checkpoint_lsn;
  }
  reader.Seek(checkpoint.end_lsn);
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const bool has_mtr, reader.Next(mtr));
    if (!has_mtr) return missing(reader.end_reason());
    redo::RecordReader records(mtr.body);
    redo::RedoRecord record;
    for (;;) {
      auto has_record = records.Next(record);
      if (!has_record.ok()) return reader.BadContent(missing(has_record.status().message()));
      if (!*has_record) break;
      if (record.kind == redo::RecordKind::kFileCheckpoint) {
        if (record.checkpoint_lsn() == checkpoint.checkpoint_lsn) return mtr.end_lsn;
      } else if (record.kind != redo::RecordKind::kFileModify) {
        return reader.BadContent(missing("another record"));
      }
    }
  }
}

}  // namespace hbk::prepare

#include "redo_reader.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace hbk::prepare {

RedoReader::RedoReader(std::unique_ptr<io::File> file, const redo::LogGeometry& geometry,
                       size_t window_bytes)
    : file_(std::move(file)), geometry_(geometry), window_(window_bytes) {}

Result<std::unique_ptr<RedoReader>> RedoReader::Open(io::FileSystem& fs, const std::string& path,
                                                     size_t window_bytes) {
  // Below this a large mini-transaction would never fit.
  window_bytes = std::max<size_t>(window_bytes, redo::kMiniTransactionBytesMax + (64 << 10));
  HBK_ASSIGN_OR_RETURN(auto file, fs.Open(path, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  AlignedBuffer head(redo::kLogHeadBytes);
  HBK_ASSIGN_OR_RETURN(const size_t head_bytes, file->ReadAt(0, head.view()));
  if (head_bytes == 0) {
    return UnsupportedError(path + " is empty: a prepared backup of a server before 10.8");
  }
  if (head_bytes < 512) {
    return CorruptionError(fmt::format("{} has {} bytes, less than a log header", path, info.size));
  }
  // The header is judged before the size: an older format is told by its name.
  auto header = redo::ParseLogFileHeader(head.view());
  if (!header.ok()) return header.status().WithContext(path);
  if (info.size < redo::kLogFileBytesMin) {
    return CorruptionError(fmt::format("{} has {} bytes, less than the smallest log file: {}", path,
                                       info.size, redo::kLogFileBytesMin));
  }
  const auto checkpoint = redo::NewestCheckpoint(head.view(), header->first_lsn);
  if (!checkpoint.ok()) return checkpoint.status().WithContext(path);
  if (header->is_encrypted) {
    return UnsupportedError(path + ": the log is encrypted, which this version cannot apply yet");
  }
  std::unique_ptr<RedoReader> reader(new RedoReader(
      std::move(file), redo::LogGeometry(header->first_lsn, info.size), window_bytes));
  reader->header_ = *header;
  reader->checkpoint_ = *checkpoint;
  reader->Seek(checkpoint->checkpoint_lsn);
  return reader;
}

void RedoReader::Seek(redo::Lsn lsn) {
  window_lsn_ = lsn;
  begin_ = 0;
  end_ = 0;
}

Result<bool> RedoReader::Next(redo::MiniTransaction& mtr) {
  for (;;) {
    const ByteView rest = window_.view().subspan(begin_, end_ - begin_);
    const bool is_whole_ring = rest.size() >= geometry_.capacity();
    if (!rest.empty()) {
      const redo::MtrParse parse =
          redo::ParseMiniTransaction(is_whole_ring ? rest.first(geometry_.capacity()) : rest,
                                     position(), geometry_, header_.is_encrypted);
      if (parse.outcome == redo::MtrOutcome::kWhole) {
        mtr = parse.mtr;
        begin_ += parse.mtr.end_lsn - parse.mtr.start_lsn;
        return true;
      }
      if (parse.outcome == redo::MtrOutcome::kEndOfLog || is_whole_ring) {
        end_reason_ = parse.end_reason;
        return false;
      }
    }
    HBK_RETURN_IF_ERROR(Fill());
  }
}

// Moves what is left to the front and reads on, up to one whole ring behind the position.
Status RedoReader::Fill() {
  std::memmove(window_.data(), window_.data() + begin_, end_ - begin_);
  window_lsn_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  const uint64_t bytes_max = std::min<uint64_t>(window_.size(), geometry_.capacity());
  HBK_CHECK(end_ < bytes_max);
  while (end_ < bytes_max) {
    const uint64_t offset = geometry_.OffsetOf(window_lsn_ + end_);
    const uint64_t to_wrap = redo::kLogStart + geometry_.capacity() - offset;
    const auto size = static_cast<size_t>(std::min(bytes_max - end_, to_wrap));
    HBK_ASSIGN_OR_RETURN(const size_t done,
                         file_->ReadAt(offset, window_.view().subspan(end_, size)));
    if (done != size) {
      return CorruptionError(
          fmt::format("{} ends at offset {} while it is being read", file_->path(), offset + done));
    }
    end_ += size;
  }
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
  reader.Seek(checkpoint.end_lsn);
  redo::MiniTransaction mtr;
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const bool has_mtr, reader.Next(mtr));
    if (!has_mtr) return missing(reader.end_reason());
    redo::RecordReader records(mtr.body);
    redo::RedoRecord record;
    for (;;) {
      auto has_record = records.Next(record);
      if (!has_record.ok()) return missing(has_record.status().message());
      if (!*has_record) break;
      if (record.kind == redo::RecordKind::kFileCheckpoint) {
        if (record.checkpoint_lsn() == checkpoint.checkpoint_lsn) return mtr.end_lsn;
      } else if (record.kind != redo::RecordKind::kFileModify) {
        return missing("another record");
      }
    }
  }
}

}  // namespace hbk::prepare

#include "page_journal.h"

#include <fmt/format.h>

#include "hbk/base/crc32c.h"

#include "journal_format.h"
#include "page_difference.h"

namespace hbk::prepare {
namespace {

template <typename T>
void Put(std::vector<uint8_t>& out, T value) {
  const size_t at = out.size();
  out.resize(at + sizeof(value));
  std::memcpy(out.data() + at, &value, sizeof(value));
}

void PutBytes(std::vector<uint8_t>& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

size_t SumOfSizes(const std::vector<ByteRange>& ranges) {
  size_t sum = ranges.size() * kJournalRangeBytes;
  for (const ByteRange& range : ranges)
    sum += range.size;
  return sum;
}

}  // namespace

PageJournal::PageJournal(io::FileSystem& fs, std::string dir, uint32_t number, size_t buffer_bytes)
    : fs_(fs),
      dir_(std::move(dir)),
      path_(io::JoinPath(dir_, fmt::format("{}{}", kJournalPrefix, number))),
      buffer_bytes_(buffer_bytes) {}

Status PageJournal::Add(const JournalPage& page) {
  const auto size = static_cast<uint32_t>(page.new_image.size());
  std::vector<ByteRange> ranges;
  if (!page.old_image.empty()) FindDifferences(page.old_image, page.new_image, ranges);
  if (page.old_image.empty() || SumOfSizes(ranges) >= size + kJournalRangeBytes)
    ranges.assign(1, {0, size});

  const size_t bytes = kJournalPageFixedBytes + page.name.size() + SumOfSizes(ranges);
  if (!buffer_.empty() && buffer_.size() + bytes > buffer_bytes_) HBK_RETURN_IF_ERROR(WriteBatch());
  if (buffer_.empty()) {
    buffer_.reserve(buffer_bytes_);
    buffer_.resize(kJournalBatchHeaderBytes);
  }
  Put(buffer_, static_cast<uint16_t>(page.name.size()));
  PutBytes(buffer_, AsBytes(page.name));
  Put(buffer_, page.offset);
  Put(buffer_, size);
  Put(buffer_, page.lsn);
  Put(buffer_, Crc32c(page.new_image));
  Put(buffer_, static_cast<uint32_t>(ranges.size()));
  for (const ByteRange& range : ranges) {
    Put(buffer_, range.offset);
    Put(buffer_, range.size);
  }
  for (const ByteRange& range : ranges)
    PutBytes(buffer_, page.new_image.subspan(range.offset, range.size));
  return OkStatus();
}

Status PageJournal::Open() {
  if (file_ != nullptr) return OkStatus();
  HBK_ASSIGN_OR_RETURN(file_, fs_.Open(path_, {.write = true, .create = true}));
  return fs_.SyncDirectory(dir_);
}

Status PageJournal::WriteBatch() {
  HBK_RETURN_IF_ERROR(Open());
  std::vector<uint8_t> header;
  Put(header, kJournalMagic);
  Put(header, ++batch_number_);
  const ByteView payload = ByteView(buffer_).subspan(kJournalBatchHeaderBytes);
  Put(header, static_cast<uint32_t>(payload.size()));
  Put(header, Crc32c(payload));
  Put(header, Crc32c(header));
  std::memcpy(buffer_.data(), header.data(), kJournalBatchHeaderBytes);
  HBK_RETURN_IF_ERROR(file_->WriteAt(file_bytes_, buffer_));
  file_bytes_ += buffer_.size();
  buffer_.clear();
  is_dirty_ = true;
  return OkStatus();
}

Status PageJournal::Commit() {
  if (!buffer_.empty()) HBK_RETURN_IF_ERROR(WriteBatch());
  if (!is_dirty_) return OkStatus();
  HBK_RETURN_IF_ERROR(file_->Sync());
  is_dirty_ = false;
  return OkStatus();
}

Status PageJournal::Restart() {
  HBK_CHECK(buffer_.empty() && !is_dirty_);
  if (file_ == nullptr) return OkStatus();
  HBK_RETURN_IF_ERROR(file_->Truncate(0));
  file_bytes_ = 0;
  return OkStatus();
}

}  // namespace hbk::prepare

#include "delta_target.h"

#include <algorithm>
#include <utility>

#include "hbk/innodb/page.h"

namespace hbk::backup {
namespace {

static_assert(kCopyBufferBytes <= delta::kRunBytesMax);

size_t BytesWithoutZerosBehind(ByteView bytes) {
  size_t size = bytes.size();
  while (size > 0 && bytes[size - 1] == 0)
    --size;
  return size;
}

}  // namespace

DeltaTarget::DeltaTarget(io::FileSystem& fs, Options options)
    : fs_(fs),
      options_(std::move(options)),
      writer_(fs, options_.path, {options_.flags.physical_size(), options_.space_id}) {}

bool DeltaTarget::IsWanted(ByteView page) const {
  const Lsn lsn = innodb::PageLsn(page);
  if (lsn > options_.choice.above_lsn) return true;
  const bool takes_it =
      options_.choice.replaces_base || (options_.choice.takes_lsn_zero && lsn == 0);
  return takes_it && !IsAllZero(page);
}

Status DeltaTarget::Write(const FileChunk& chunk) {
  const size_t page_bytes = options_.flags.physical_size();
  const bool is_one_by_one = options_.flags.is_page_compressed();
  size_t begin = 0;
  size_t end = 0;  // of the run of wanted pages
  for (size_t index = 0; index + page_bytes <= chunk.size; index += page_bytes) {
    const bool is_damaged = std::find(chunk.damaged.begin(), chunk.damaged.end(),
                                      chunk.offset + index) != chunk.damaged.end();
    const ByteView page = chunk.bytes.subspan(index, page_bytes);
    if (!is_damaged && !IsWanted(page)) continue;
    if (!is_damaged && options_.named_pages)
      CheckNamed(static_cast<PageNo>((chunk.offset + index) / page_bytes), innodb::PageLsn(page));
    if (end > begin && (is_one_by_one || end != index)) {
      HBK_RETURN_IF_ERROR(Append(chunk, begin, end));
      begin = end;
    }
    if (end == begin) begin = index;
    end = index + page_bytes;
  }
  return end > begin ? Append(chunk, begin, end) : OkStatus();
}

void DeltaTarget::CheckNamed(PageNo page, Lsn lsn) {
  const std::vector<PageNo>& named = *options_.named_pages;
  if (lsn <= options_.checked_to && !std::binary_search(named.begin(), named.end(), page))
    unnamed_page_ = page;
}

std::optional<PageNo> DeltaTarget::unnamed_page() const {
  const uint64_t page = unnamed_page_;
  return page == UINT64_MAX ? std::nullopt : std::optional(static_cast<PageNo>(page));
}

Status DeltaTarget::Append(const FileChunk& chunk, size_t begin, size_t end) {
  const size_t page_bytes = options_.flags.physical_size();
  ByteView bytes = chunk.bytes.subspan(begin, end - begin);
  if (options_.flags.is_page_compressed()) bytes = bytes.first(BytesWithoutZerosBehind(bytes));
  written_bytes_ += bytes.size();
  return writer_.Append(static_cast<uint32_t>((chunk.offset + begin) / page_bytes),
                        static_cast<uint32_t>((end - begin) / page_bytes), bytes);
}

Status DeltaTarget::Finish(uint64_t, CopyResult& result) {
  HBK_ASSIGN_OR_RETURN(const delta::DeltaSummary summary, writer_.Finish());
  const bool is_needed = summary.size != 0 || options_.choice.replaces_base;
  result.content = is_needed ? manifest::FileContent::kDelta : manifest::FileContent::kBase;
  result.delta_size = summary.size;
  result.delta_page_count = summary.page_count;
  result.replaces_base = options_.choice.replaces_base;
  result.digest = summary.digest;
  result.written_bytes = written_bytes_;
  return OkStatus();
}

Status DeltaTarget::Discard() {
  HBK_ASSIGN_OR_RETURN(const delta::DeltaSummary summary, writer_.Finish());
  return summary.size == 0 ? OkStatus() : fs_.Remove(options_.path);
}

}  // namespace hbk::backup

#include "hbk/redo/page_applier.h"

#include <algorithm>

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/redo/mini_transaction.h"

#include "page_records.h"
#include "record_layout.h"
#include "varint.h"

namespace hbk::redo {
namespace {

// Offsets in records start at the end of the record before, or here after one that has no offset.
constexpr uint32_t kCursorAfterInit = innodb::kFilType;
// Checksum and page number belong to the page as such: no record writes there.
constexpr uint32_t kWritableBegin = innodb::kFilPrev;
constexpr size_t kUncompressedPageSizeMin = 4096;

// Applies the records of one run. Remembers where the last one ended.
class RunApplier {
 public:
  RunApplier(MutableByteView frame, PageId id, bool is_zip)
      : frame_(frame), id_(id), is_zip_(is_zip) {}

  Status Apply(const RedoRecord& record) {
    if (record.page != id_)
      return CorruptionError(fmt::format("a record of page {}", innodb::ToString(record.page)));
    if (!record.is_same_page) cursor_ = 0;
    switch (record.kind) {
      case RecordKind::kFreePage: is_freed_ = true; return OkStatus();
      case RecordKind::kInitPage: Init(); return OkStatus();
      case RecordKind::kOption: return OkStatus();
      default: break;
    }
    if (record.kind == RecordKind::kExtended && record.extended_kind() == ExtendedKind::kTrimPages)
      return OkStatus();
    HBK_RETURN_IF_ERROR(CheckIdentity());
    is_freed_ = false;
    switch (record.kind) {
      case RecordKind::kWrite: return Write(record.payload);
      case RecordKind::kMemset: return Memset(record.payload);
      case RecordKind::kMemmove: return Memmove(record.payload);
      case RecordKind::kExtended:
        cursor_ = kCursorAfterInit;
        return Extended(record.extended_kind(), record.payload.subspan(1));
      default: return CorruptionError("not a record of a page");
    }
  }

  [[nodiscard]] bool is_freed() const { return is_freed_; }

 private:
  void Init() {
    std::fill(frame_.begin(), frame_.end(), uint8_t{0});
    StoreBe32(frame_, innodb::kFilPageNo, id_.page);
    StoreBe32(frame_, innodb::kFilPrev, UINT32_MAX);  // no page
    StoreBe32(frame_, innodb::kFilNext, UINT32_MAX);
    StoreBe32(frame_, innodb::kFilSpaceId, id_.space);
    is_freed_ = false;
    is_identified_ = true;
    cursor_ = kCursorAfterInit;
  }

  // A frame of another page, or one that was never written, is not what the record changes.
  Status CheckIdentity() {
    if (is_identified_) return OkStatus();
    const PageId found{.space = innodb::PageSpaceId(frame_), .page = innodb::PageNumber(frame_)};
    if (found != id_)
      return CorruptionError(fmt::format("the page says that it is {}", innodb::ToString(found)));
    is_identified_ = true;
    return OkStatus();
  }

  // Takes the offset field and turns it into a place in the page.
  bool TakeTarget(ByteView& payload, uint32_t& target) const {
    if (!TakeVarint(payload, target) || target >= frame_.size()) return false;
    target += cursor_;
    return target >= kWritableBegin && target < frame_.size();
  }

  Status OutOfPage(std::string_view what, uint32_t target, size_t length) const {
    return CorruptionError(fmt::format("{} of {} bytes at offset {} in a page of {}", what, length,
                                       target, frame_.size()));
  }

  Status Write(ByteView payload) {
    uint32_t target = 0;
    if (!TakeTarget(payload, target) || payload.size() > frame_.size() - target)
      return OutOfPage("WRITE", target, payload.size());
    std::copy(payload.begin(), payload.end(), frame_.begin() + target);
    cursor_ = target + static_cast<uint32_t>(payload.size());
    return OkStatus();
  }

  Status Memset(ByteView payload) {
    uint32_t target = 0;
    uint32_t length = 0;
    if (!TakeTarget(payload, target) || !TakeVarint(payload, length) || payload.empty() ||
        length > frame_.size() - target)
      return OutOfPage("MEMSET", target, length);
    if (payload.size() == 1) {
      std::memset(&frame_[target], payload[0], length);
    } else {
      for (uint32_t i = 0; i < length; ++i)
        frame_[target + i] = payload[i % payload.size()];
    }
    cursor_ = target + length;
    return OkStatus();
  }

  Status Memmove(ByteView payload) {
    uint32_t target = 0;
    uint32_t length = 0;
    uint32_t distance = 0;
    if (!TakeTarget(payload, target) || !TakeVarint(payload, length) ||
        !TakeVarint(payload, distance) || length == 0 || length > frame_.size() - target)
      return OutOfPage("MEMMOVE", target, length);
    // The lowest bit tells the direction; the source is never the target.
    const int64_t gap = int64_t{distance >> 1} + 1;
    const int64_t source = (distance & 1) != 0 ? target - gap : target + gap;
    if (source < kWritableBegin || source + length > static_cast<int64_t>(frame_.size()))
      return CorruptionError(fmt::format("MEMMOVE of {} bytes from offset {} in a page of {}",
                                         length, source, frame_.size()));
    std::memmove(&frame_[target], &frame_[static_cast<size_t>(source)], length);
    cursor_ = target + length;
    return OkStatus();
  }

  Status Extended(ExtendedKind kind, ByteView fields) {
    // The server logs bytes only for these, since its record format is not theirs.
    if (is_zip_ || frame_.size() < kUncompressedPageSizeMin)
      return CorruptionError("the page is ROW_FORMAT=COMPRESSED");
    switch (kind) {
      case ExtendedKind::kInitRowFormatRedundant:
        InitIndexPage(frame_, RecordFormat::kRedundant);
        return OkStatus();
      case ExtendedKind::kInitRowFormatDynamic:
        InitIndexPage(frame_, RecordFormat::kDynamic);
        return OkStatus();
      case ExtendedKind::kUndoInit: InitUndoPage(frame_); return OkStatus();
      case ExtendedKind::kUndoAppend: return AppendUndo(frame_, fields);
      case ExtendedKind::kInsertHeapRedundant:
        return InsertRedundant(frame_, InsertPlace::kHeapTop, fields);
      case ExtendedKind::kInsertReuseRedundant:
        return InsertRedundant(frame_, InsertPlace::kFreeList, fields);
      case ExtendedKind::kInsertHeapDynamic:
        return InsertDynamic(frame_, InsertPlace::kHeapTop, fields);
      case ExtendedKind::kInsertReuseDynamic:
        return InsertDynamic(frame_, InsertPlace::kFreeList, fields);
      case ExtendedKind::kDeleteRowFormatRedundant: return DeleteRedundant(frame_, fields);
      case ExtendedKind::kDeleteRowFormatDynamic: return DeleteDynamic(frame_, fields);
      case ExtendedKind::kTrimPages: break;
    }
    return CorruptionError("not a record of a page");
  }

  MutableByteView frame_;
  PageId id_;
  bool is_zip_;
  bool is_freed_ = false;
  bool is_identified_ = false;
  uint32_t cursor_ = 0;
};

std::string RecordName(const RedoRecord& record) {
  if (record.kind != RecordKind::kExtended) return std::string(RecordKindName(record.kind));
  return std::string(ExtendedKindName(record.extended_kind()));
}

bool IsOfType(ByteView records, uint8_t type) {
  return !records.empty() && (records[0] & (kSamePageBit | kTypeMask)) == type;
}

}  // namespace

bool IsInitPage(ByteView records) {
  return IsOfType(records, kTypeInitPage);
}

bool IsFreePage(ByteView records) {
  return IsOfType(records, kTypeFreePage);
}

Result<bool> ApplyRecords(ByteView records, MutableByteView frame, PageId id, bool is_zip) {
  HBK_CHECK(frame.size() >= innodb::kPageSizeMin && frame.size() <= innodb::kPageSizeMax);
  RecordReader reader(records);
  RunApplier applier(frame, id, is_zip);
  RedoRecord record;
  while (true) {
    HBK_ASSIGN_OR_RETURN(const bool is_there, reader.Next(record));
    if (!is_there) return !applier.is_freed();
    const Status status = applier.Apply(record);
    if (!status.ok())
      return status.WithContext(
          fmt::format("applying {} to page {}", RecordName(record), innodb::ToString(id)));
  }
}

}  // namespace hbk::redo

#include <algorithm>

#include <fmt/format.h>

#include "hbk/redo/mini_transaction.h"

#include "record_layout.h"
#include "varint.h"

namespace hbk::redo {
namespace {

// Page numbers below this are never index or undo pages.
constexpr PageNo kFirstOrdinaryPage = 3;
// The server never writes an undo record shorter than this.
constexpr size_t kUndoRecordBytesMin = 3;
constexpr uint32_t kOffsetBytesMax = 3;  // offsets and lengths within a page
constexpr size_t kLsnBytes = 8;
constexpr std::string_view kTablespaceSuffix = ".ibd";

Status BadRecord(const RedoRecord& record, std::string_view what) {
  return CorruptionError(fmt::format("redo record {} of page {} with {} bytes: {}",
                                     RecordKindName(record.kind), innodb::ToString(record.page),
                                     record.raw.size(), what));
}

// `count` integers and nothing else.
bool IsVarints(ByteView bytes, int count) {
  uint32_t ignored = 0;
  for (; count > 0; --count) {
    if (!TakeVarint(bytes, ignored, kOffsetBytesMax)) return false;
  }
  return bytes.empty();
}

bool StartsWithVarints(ByteView bytes, int count) {
  uint32_t ignored = 0;
  for (; count > 0; --count) {
    if (!TakeVarint(bytes, ignored, kOffsetBytesMax)) return false;
  }
  return true;
}

bool IsExtendedWellFormed(ExtendedKind kind, ByteView data) {
  switch (kind) {
    case ExtendedKind::kInitRowFormatRedundant:
    case ExtendedKind::kInitRowFormatDynamic:
    case ExtendedKind::kUndoInit:
    case ExtendedKind::kTrimPages: return data.empty();
    case ExtendedKind::kUndoAppend: return data.size() >= kUndoRecordBytesMin;
    case ExtendedKind::kInsertHeapRedundant:
    case ExtendedKind::kInsertReuseRedundant:
    case ExtendedKind::kInsertHeapDynamic: return StartsWithVarints(data, 4);
    case ExtendedKind::kInsertReuseDynamic: return StartsWithVarints(data, 5);
    case ExtendedKind::kDeleteRowFormatRedundant: return IsVarints(data, 1);
    case ExtendedKind::kDeleteRowFormatDynamic: return IsVarints(data, 3);
  }
  return false;
}

Status CheckExtended(const RedoRecord& record) {
  if (record.payload.empty()) return BadRecord(record, "no subtype");
  const uint8_t subtype = record.payload[0];
  if (subtype > static_cast<uint8_t>(ExtendedKind::kTrimPages))
    return BadRecord(record, fmt::format("unknown subtype {}", subtype));
  if (!IsExtendedWellFormed(record.extended_kind(), record.payload.subspan(1)))
    return BadRecord(record, fmt::format("malformed fields of subtype {}", subtype));
  if (record.extended_kind() != ExtendedKind::kTrimPages && record.page.page < kFirstOrdinaryPage)
    return BadRecord(record, fmt::format("subtype {} does not belong to this page", subtype));
  return OkStatus();
}

bool IsMemsetWellFormed(ByteView payload) {
  uint32_t offset = 0;
  uint32_t length = 0;
  return TakeVarint(payload, offset, kOffsetBytesMax) &&
         TakeVarint(payload, length, kOffsetBytesMax) && !payload.empty() &&
         payload.size() <= length;
}

Status CheckPageRecord(const RedoRecord& record) {
  switch (record.kind) {
    case RecordKind::kFreePage:
    case RecordKind::kInitPage:
      if (record.is_same_page || !record.payload.empty())
        return BadRecord(record, "must have a page id and nothing else");
      return OkStatus();
    case RecordKind::kExtended: return CheckExtended(record);
    case RecordKind::kWrite: {
      ByteView data = record.payload;
      uint32_t offset = 0;
      if (!TakeVarint(data, offset, kOffsetBytesMax) || data.empty())
        return BadRecord(record, "malformed fields");
      return OkStatus();
    }
    case RecordKind::kMemset:
      if (!IsMemsetWellFormed(record.payload)) return BadRecord(record, "malformed fields");
      return OkStatus();
    case RecordKind::kMemmove:
      if (!IsVarints(record.payload, 3)) return BadRecord(record, "malformed fields");
      return OkStatus();
    default: return OkStatus();
  }
}

bool IsTablespacePath(std::string_view path) {
  return path.size() > kTablespaceSuffix.size() && path.ends_with(kTablespaceSuffix) &&
         path.find('/') != std::string_view::npos && path.find('\0') == std::string_view::npos;
}

Status CheckFileRecord(const RedoRecord& record) {
  if (record.page.space == innodb::kSystemSpaceId || record.page.space >= innodb::kSpaceIdEnd ||
      record.page.page != 0)
    return BadRecord(record, "no tablespace file has this id");
  if (record.kind == RecordKind::kFileRename) {
    if (AsText(record.payload).find('\0') == std::string_view::npos)
      return BadRecord(record, "no second path");
    if (!IsTablespacePath(record.new_path())) return BadRecord(record, "malformed new path");
  }
  if (!IsTablespacePath(record.path())) return BadRecord(record, "malformed path");
  return OkStatus();
}

// FILE_CHECKPOINT has a space and page number of 0 and then an LSN, or is padding: zeros of any
// length, so short that even the ids may be missing.
Status ParseFileCheckpoint(ByteView content, RedoRecord& record) {
  record.kind = RecordKind::kFileCheckpoint;
  record.page = PageId{};
  record.payload = content.subspan(std::min<size_t>(content.size(), 2));
  const bool is_id_zero = IsAllZero(content.first(content.size() - record.payload.size()));
  if (!is_id_zero || (record.payload.size() != kLsnBytes && !IsAllZero(record.payload)))
    return BadRecord(record, "neither a checkpoint nor padding");
  return OkStatus();
}

Status TakePageId(ByteView& content, RedoRecord& record) {
  if (TakeVarint(content, record.page.space) && TakeVarint(content, record.page.page))
    return OkStatus();
  return CorruptionError(
      fmt::format("redo record that starts with {:#04x} has no whole page id", record.raw[0]));
}

Status ParseFileRecord(ByteView content, RedoRecord& record) {
  switch (record.raw[0] & kTypeMask) {
    case kTypeFileCreate: record.kind = RecordKind::kFileCreate; break;
    case kTypeFileDelete: record.kind = RecordKind::kFileDelete; break;
    case kTypeFileRename: record.kind = RecordKind::kFileRename; break;
    case kTypeFileModify: record.kind = RecordKind::kFileModify; break;
    case kTypeFileCheckpoint: return ParseFileCheckpoint(content, record);
    default:
      return CorruptionError(fmt::format(
          "redo record that starts with {:#04x} where no page is known: no such file record",
          record.raw[0]));
  }
  HBK_RETURN_IF_ERROR(TakePageId(content, record));
  record.payload = content;
  return CheckFileRecord(record);
}

RecordKind PageRecordKind(uint8_t first) {
  switch (first & kTypeMask) {
    case kTypeFreePage: return RecordKind::kFreePage;
    case kTypeInitPage: return RecordKind::kInitPage;
    case kTypeExtended: return RecordKind::kExtended;
    case kTypeWrite: return RecordKind::kWrite;
    case kTypeMemset: return RecordKind::kMemset;
    case kTypeMemmove: return RecordKind::kMemmove;
    default: return RecordKind::kOption;
  }
}

}  // namespace

std::string_view RecordKindName(RecordKind kind) {
  switch (kind) {
    case RecordKind::kFreePage: return "FREE_PAGE";
    case RecordKind::kInitPage: return "INIT_PAGE";
    case RecordKind::kExtended: return "EXTENDED";
    case RecordKind::kWrite: return "WRITE";
    case RecordKind::kMemset: return "MEMSET";
    case RecordKind::kMemmove: return "MEMMOVE";
    case RecordKind::kOption: return "OPTION";
    case RecordKind::kFileCreate: return "FILE_CREATE";
    case RecordKind::kFileDelete: return "FILE_DELETE";
    case RecordKind::kFileRename: return "FILE_RENAME";
    case RecordKind::kFileModify: return "FILE_MODIFY";
    case RecordKind::kFileCheckpoint: return "FILE_CHECKPOINT";
  }
  return "?";
}

std::string_view ExtendedKindName(ExtendedKind kind) {
  switch (kind) {
    case ExtendedKind::kInitRowFormatRedundant: return "INIT_ROW_FORMAT_REDUNDANT";
    case ExtendedKind::kInitRowFormatDynamic: return "INIT_ROW_FORMAT_DYNAMIC";
    case ExtendedKind::kUndoInit: return "UNDO_INIT";
    case ExtendedKind::kUndoAppend: return "UNDO_APPEND";
    case ExtendedKind::kInsertHeapRedundant: return "INSERT_HEAP_REDUNDANT";
    case ExtendedKind::kInsertReuseRedundant: return "INSERT_REUSE_REDUNDANT";
    case ExtendedKind::kInsertHeapDynamic: return "INSERT_HEAP_DYNAMIC";
    case ExtendedKind::kInsertReuseDynamic: return "INSERT_REUSE_DYNAMIC";
    case ExtendedKind::kDeleteRowFormatRedundant: return "DELETE_ROW_FORMAT_REDUNDANT";
    case ExtendedKind::kDeleteRowFormatDynamic: return "DELETE_ROW_FORMAT_DYNAMIC";
    case ExtendedKind::kTrimPages: return "TRIM_PAGES";
  }
  return "?";
}

std::string_view RedoRecord::path() const {
  const std::string_view text = AsText(payload);
  return kind == RecordKind::kFileRename ? text.substr(0, text.find('\0')) : text;
}

std::string_view RedoRecord::new_path() const {
  const std::string_view text = AsText(payload);
  const size_t separator = text.find('\0');
  return separator == std::string_view::npos ? std::string_view() : text.substr(separator + 1);
}

Lsn RedoRecord::checkpoint_lsn() const {
  return payload.size() == kLsnBytes ? LoadBe64(payload, 0) : 0;
}

Result<bool> RecordReader::Next(RedoRecord& record) {
  if (rest_.empty()) return false;
  const uint8_t first = rest_[0];
  if (first <= 1) return CorruptionError(fmt::format("redo record starts with {:#04x}", first));
  const RecordExtent extent = MeasureRecord(rest_);
  if (extent.state != RecordExtent::kKnown || extent.total_bytes > rest_.size())
    return CorruptionError(fmt::format(
        "redo record that starts with {:#04x} reaches beyond its mini-transaction", first));
  record.raw = rest_.first(extent.total_bytes);
  record.is_same_page = false;
  rest_ = rest_.subspan(extent.total_bytes);

  const ByteView content = record.raw.subspan(extent.head_bytes);
  // The bit that says "same page" marks a file record as long as there is no page.
  if ((first & kSamePageBit) != 0 && !have_page_) {
    HBK_RETURN_IF_ERROR(ParseFileRecord(content, record));
  } else {
    HBK_RETURN_IF_ERROR(ParsePageRecord(content, record));
  }
  return true;
}

Status RecordReader::ParsePageRecord(ByteView content, RedoRecord& record) {
  const uint8_t first = record.raw[0];
  if ((first & kTypeMask) == kTypeReserved)
    return CorruptionError(fmt::format("redo record of unknown type {:#04x}", first));
  record.kind = PageRecordKind(first);
  if ((first & kSamePageBit) != 0) {
    record.is_same_page = true;
    record.page = page_;
    if (is_blocked_) return BadRecord(record, "follows the FREE_PAGE of its own page");
  } else {
    HBK_RETURN_IF_ERROR(TakePageId(content, record));
    page_ = record.page;
    have_page_ = true;
    is_blocked_ = record.kind == RecordKind::kFreePage;
  }
  record.payload = content;
  return CheckPageRecord(record);
}

}  // namespace hbk::redo

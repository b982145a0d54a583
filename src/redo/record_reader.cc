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

// What is wrong with a record; null if nothing is. A Status is made of it only then: this code sees
// millions of records a second, and all of them are right.
using Fault = const char*;

constexpr char kUnknownType[] = "unknown type";
constexpr char kNoSuchFileRecord[] = "no such file record, and no page is known";
constexpr char kNoPageId[] = "no whole page id";

Status BadRecord(const RedoRecord& record, Fault fault) {
  if (fault == kUnknownType || fault == kNoSuchFileRecord || fault == kNoPageId)
    return CorruptionError(
        fmt::format("redo record that starts with {:#04x}: {}", record.raw[0], fault));
  std::string name(RecordKindName(record.kind));
  if (record.kind == RecordKind::kExtended && !record.payload.empty())
    name += fmt::format(" subtype {}", record.payload[0]);
  return CorruptionError(fmt::format("redo record {} of page {} with {} bytes: {}", name,
                                     innodb::ToString(record.page), record.raw.size(), fault));
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

Fault CheckExtended(const RedoRecord& record) {
  if (record.payload.empty()) return "no subtype";
  if (record.payload[0] > static_cast<uint8_t>(ExtendedKind::kTrimPages)) return "unknown subtype";
  if (!IsExtendedWellFormed(record.extended_kind(), record.payload.subspan(1)))
    return "malformed fields";
  if (record.extended_kind() != ExtendedKind::kTrimPages && record.page.page < kFirstOrdinaryPage)
    return "it does not belong to this page";
  return nullptr;
}

bool IsMemsetWellFormed(ByteView payload) {
  uint32_t offset = 0;
  uint32_t length = 0;
  return TakeVarint(payload, offset, kOffsetBytesMax) &&
         TakeVarint(payload, length, kOffsetBytesMax) && !payload.empty() &&
         payload.size() <= length;
}

bool IsWriteWellFormed(ByteView payload) {
  uint32_t offset = 0;
  return TakeVarint(payload, offset, kOffsetBytesMax) && !payload.empty();
}

Fault CheckPageRecord(const RedoRecord& record) {
  bool is_well_formed = true;
  switch (record.kind) {
    case RecordKind::kFreePage:
    case RecordKind::kInitPage:
      is_well_formed = !record.is_same_page && record.payload.empty();
      break;
    case RecordKind::kExtended: return CheckExtended(record);
    case RecordKind::kWrite: is_well_formed = IsWriteWellFormed(record.payload); break;
    case RecordKind::kMemset: is_well_formed = IsMemsetWellFormed(record.payload); break;
    case RecordKind::kMemmove: is_well_formed = IsVarints(record.payload, 3); break;
    default: break;
  }
  return is_well_formed ? nullptr : "malformed fields";
}

bool IsTablespacePath(std::string_view path) {
  return path.size() > kTablespaceSuffix.size() && path.ends_with(kTablespaceSuffix) &&
         path.find('/') != std::string_view::npos && path.find('\0') == std::string_view::npos;
}

Fault CheckFileRecord(const RedoRecord& record) {
  if (record.page.space == innodb::kSystemSpaceId || record.page.space >= innodb::kSpaceIdEnd ||
      record.page.page != 0)
    return "no tablespace file has this id";
  if (record.kind == RecordKind::kFileRename && !IsTablespacePath(record.new_path()))
    return "no or malformed new path";
  return IsTablespacePath(record.path()) ? nullptr : "malformed path";
}

// FILE_CHECKPOINT has a space and page number of 0 and then an LSN, or is padding: zeros of any
// length, so short that even the ids may be missing.
Fault ParseFileCheckpoint(ByteView content, RedoRecord& record) {
  record.kind = RecordKind::kFileCheckpoint;
  record.page = PageId{};
  record.payload = content.subspan(std::min<size_t>(content.size(), 2));
  const bool is_id_zero = IsAllZero(content.first(content.size() - record.payload.size()));
  if (!is_id_zero || (record.payload.size() != kLsnBytes && !IsAllZero(record.payload)))
    return "neither a checkpoint nor padding";
  return nullptr;
}

// Takes a page id off the front of `content`; false if there is none. Inlined: what is written to
// memory in parts and read back as a whole waits for that, which was a third of the time here.
[[gnu::always_inline]] inline bool TakePageId(ByteView& content, PageId& page) {
  const Varint space = DecodeVarint(content);
  if (space.size == 0) return false;
  const Varint number = DecodeVarint(content.subspan(space.size));
  if (number.size == 0) return false;
  page = {space.value, number.value};
  content = content.subspan(space.size + number.size);
  return true;
}

Fault ParseFileRecord(ByteView content, RedoRecord& record) {
  switch (record.raw[0] & kTypeMask) {
    case kTypeFileCreate: record.kind = RecordKind::kFileCreate; break;
    case kTypeFileDelete: record.kind = RecordKind::kFileDelete; break;
    case kTypeFileRename: record.kind = RecordKind::kFileRename; break;
    case kTypeFileModify: record.kind = RecordKind::kFileModify; break;
    case kTypeFileCheckpoint: return ParseFileCheckpoint(content, record);
    default: return kNoSuchFileRecord;
  }
  if (!TakePageId(content, record.page)) return kNoPageId;
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
  const bool is_file_record = (first & kSamePageBit) != 0 && !have_page_;
  const Fault fault =
      is_file_record ? ParseFileRecord(content, record) : ParsePageRecord(content, record);
  if (fault != nullptr) return BadRecord(record, fault);
  return true;
}

const char* RecordReader::ParsePageRecord(ByteView content, RedoRecord& record) {
  const uint8_t first = record.raw[0];
  if ((first & kTypeMask) == kTypeReserved) return kUnknownType;
  record.kind = PageRecordKind(first);
  if ((first & kSamePageBit) != 0) {
    record.is_same_page = true;
    record.page = page_;
    if (is_blocked_) return "it follows the FREE_PAGE of its own page";
  } else {
    PageId page;  // not copied from the record: see TakePageId
    if (!TakePageId(content, page)) return kNoPageId;
    record.page = page;
    page_ = page;
    have_page_ = true;
    is_blocked_ = record.kind == RecordKind::kFreePage;
  }
  record.payload = content;
  return are_payloads_encrypted_ ? nullptr : CheckPageRecord(record);
}

}  // namespace hbk::redo

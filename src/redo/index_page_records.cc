#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "page_records.h"
#include "varint.h"

namespace hbk::redo {
namespace {

// Record header, relative to the record.
constexpr uint32_t kDynamicHeaderBytes = 5;
constexpr uint32_t kRedundantHeaderBytes = 6;
constexpr uint32_t kDynamicStatusNodePointer = 1;
constexpr uint32_t kDynamicStatusInstant = 4;
constexpr uint8_t kRedundantShortOffsetsBit = 1;
constexpr uint32_t kRedundantFieldsMax = 1023;
constexpr uint32_t kHeapNoMax = 0x1FFF;

constexpr uint32_t kDirectionLeft = 1;
constexpr uint32_t kDirectionRight = 2;
constexpr uint32_t kDirectionNone = 5;
constexpr uint8_t kDirectionMask = 7;

Status Broken(std::string_view what) {
  return CorruptionError(std::string(what));
}

// The record before the place of the change, and what lies around it.
struct InsertPosition {
  uint32_t previous = 0;
  uint32_t next = 0;
  SlotOwner owner;  // of the group that grows
};

// The fields of the record that follow `previous`, with the names of the format page.
struct InsertFields {
  uint32_t previous = 0;  // relative to infimum
  int32_t shift = 0;      // INSERT_REUSE_DYNAMIC only
  uint32_t encoded_header = 0;
  uint32_t header_copied = 0;  // header bytes taken from the previous record
  uint32_t data_copied = 0;    // data bytes taken from the previous record
  ByteView literal;            // header bytes, then data bytes
};

struct Extent {
  uint32_t header_bytes = 0;
  uint32_t data_bytes = 0;

  [[nodiscard]] uint32_t total() const { return header_bytes + data_bytes; }
};

Result<InsertFields> TakeInsertFields(ByteView fields, bool has_shift) {
  InsertFields taken;
  uint32_t shift = 0;
  if (!TakeVarint(fields, taken.previous) || (has_shift && !TakeVarint(fields, shift)) ||
      !TakeVarint(fields, taken.encoded_header) || !TakeVarint(fields, taken.header_copied) ||
      !TakeVarint(fields, taken.data_copied))
    return Broken("malformed fields");
  // The lowest bit is the sign.
  const auto magnitude = static_cast<int32_t>(shift >> 1);
  taken.shift = (shift & 1) != 0 ? -magnitude : magnitude;
  taken.literal = fields;
  return taken;
}

Result<uint32_t> PreviousRecord(const IndexPage& page, uint32_t distance) {
  const uint64_t previous = uint64_t{page.infimum()} + distance;
  if (previous < page.frame().size()) {
    const auto record = static_cast<uint32_t>(previous);
    if (record == page.infimum() || page.IsUserRecord(record)) return record;
  }
  return Broken(fmt::format("no record starts at {}", previous));
}

Result<InsertPosition> FindInsertPosition(const IndexPage& page, uint32_t distance) {
  InsertPosition position;
  HBK_ASSIGN_OR_RETURN(position.previous, PreviousRecord(page, distance));
  position.next = page.Next(position.previous);
  if (!page.IsRecord(position.next))
    return Broken(fmt::format("the record list leads to {}", position.next));
  HBK_ASSIGN_OR_RETURN(position.owner, page.OwnerOf(position.next));
  return position;
}

// Whether the bytes that the new record shares with the previous one are within the page. They may
// reach beyond that record: the server compares bytes, not records.
bool CanCopy(const IndexPage& page, const InsertFields& fields, uint32_t previous) {
  const size_t end = page.frame().size() - innodb::kFilTrailer;
  return fields.literal.size() < end && fields.data_copied <= end - previous &&
         fields.header_copied <= previous - page.fixed_header_bytes();
}

// The space that a new record takes.
struct Allocation {
  uint32_t begin = 0;
  uint32_t heap_no = 0;
};

Result<Allocation> AllocateAtHeapTop(const IndexPage& page, const Extent& extent) {
  const uint32_t heap_count = page.Get16(kIndexHeapCount);
  const Allocation allocation{.begin = page.heap_end(),
                              .heap_no = heap_count & ~uint32_t{kHeapCountDynamicBit}};
  if (allocation.heap_no > kHeapNoMax) return Broken("the page counts too many records");
  if (allocation.begin + extent.total() > page.directory_begin())
    return Broken(fmt::format("a record of {} bytes does not fit at offset {}", extent.total(),
                              allocation.begin));
  page.Put16(kIndexHeapCount, heap_count + 1);
  page.Put16(kIndexHeapTop, allocation.begin + extent.total());
  return allocation;
}

// `begin` is where the record of `extent` is to start: at the head of the first free record, or
// shifted from there.
Result<Allocation> AllocateFromFreeList(const IndexPage& page, uint32_t free, int64_t begin,
                                        const Extent& extent) {
  if (begin < page.heap_begin() || begin + extent.total() > page.heap_end())
    return Broken(
        fmt::format("a record of {} bytes does not fit at offset {}", extent.total(), begin));
  const uint32_t garbage = page.Get16(kIndexGarbage);
  if (garbage < extent.total())
    return Broken(fmt::format("a record of {} bytes does not fit into {} free ones", extent.total(),
                              garbage));
  const uint32_t next_free = page.Get16(free - 2) == 0 ? 0 : page.Next(free);
  if (next_free != 0 && !page.IsUserRecord(next_free))
    return Broken(fmt::format("the free list leads to {}", next_free));
  const Allocation allocation{.begin = static_cast<uint32_t>(begin), .heap_no = page.HeapNo(free)};
  page.Put16(kIndexFree, next_free);
  page.Put16(kIndexGarbage, garbage - extent.total());
  return allocation;
}

Result<uint32_t> FirstFree(const IndexPage& page) {
  const uint32_t free = page.Get16(kIndexFree);
  if (!page.IsUserRecord(free)) return Broken(fmt::format("the free list leads to {}", free));
  return free;
}

// Keeps the statistics of the direction in which records come in. Not for R-tree pages, where
// records have no order.
void NoteDirection(const IndexPage& page, const InsertPosition& position, uint32_t last_insert) {
  uint8_t& byte = page.frame()[kIndexDirection];
  const uint32_t before = byte & kDirectionMask;
  uint32_t direction = kDirectionNone;
  uint32_t count = 0;
  if (last_insert != 0 && last_insert == position.previous && before != kDirectionLeft) {
    direction = kDirectionRight;
    count = page.Get16(kIndexDirectionCount) + 1;
  } else if (last_insert != 0 && last_insert == position.next && before != kDirectionRight) {
    direction = kDirectionLeft;
    count = page.Get16(kIndexDirectionCount) + 1;
  }
  byte = static_cast<uint8_t>((byte & ~kDirectionMask) | direction);
  page.Put16(kIndexDirectionCount, count);
}

// The header and the link of the new record are written.
Status FinishInsert(const IndexPage& page, const InsertPosition& position, uint32_t record,
                    uint32_t data_copied, ByteView literal_data) {
  const uint32_t last_insert = page.Get16(kIndexLastInsert);
  page.Put16(kIndexLastInsert, record);
  const MutableByteView frame = page.frame();
  std::memmove(frame.data() + record, frame.data() + position.previous, data_copied);
  std::copy(literal_data.begin(), literal_data.end(), frame.begin() + record + data_copied);
  page.SetOwned(position.owner.record, position.owner.owned + 1);
  if (!page.is_rtree()) NoteDirection(page, position, last_insert);
  page.Put16(kIndexRecordCount, page.Get16(kIndexRecordCount) + 1);
  if (position.owner.owned == kOwnedMax) return page.SplitSlot(position.owner.slot);
  return OkStatus();
}

// Of a REDUNDANT record, whose header tells the number of fields and where each ends.
struct RedundantHeader {
  uint32_t field_count = 0;
  bool has_short_offsets = false;

  [[nodiscard]] uint32_t bytes() const {
    return kRedundantHeaderBytes + field_count * (has_short_offsets ? 1 : 2);
  }
};

// `header` ends where the data begin. Nothing is read but the fixed part.
RedundantHeader ReadRedundantHeader(ByteView header) {
  const ByteView fixed = header.last(kRedundantHeaderBytes);
  return {.field_count = LoadBe16(fixed, 2) >> 1 & kRedundantFieldsMax,
          .has_short_offsets = (fixed[3] & kRedundantShortOffsetsBit) != 0};
}

// The end of the last field. `header` is the whole header.
uint32_t RedundantDataBytes(ByteView header, const RedundantHeader& read) {
  if (read.has_short_offsets) return header[0] & 0x7FU;
  return LoadBe16(header, 0) & 0x3FFFU;
}

Result<Extent> RedundantExtent(const IndexPage& page, uint32_t record) {
  const ByteView before = page.frame().first(record);
  const RedundantHeader header = ReadRedundantHeader(before);
  if (header.field_count == 0 || record < page.heap_begin() + header.bytes())
    return Broken(fmt::format("the record at {} has {} fields", record, header.field_count));
  return Extent{.header_bytes = header.bytes(),
                .data_bytes = RedundantDataBytes(before.last(header.bytes()), header)};
}

// A header that is put together before anything of the page is changed.
class RedundantHeaderBuilder {
 public:
  // `previous_header`: the bytes copied from the previous record, at least the fixed ones.
  Status Build(const InsertFields& fields, ByteView previous_header) {
    const RedundantHeader header{.field_count = (fields.encoded_header >> 3) + 1,
                                 .has_short_offsets = (fields.encoded_header >> 2 & 1) != 0};
    if (header.field_count > kRedundantFieldsMax)
      return Broken(fmt::format("a record of {} fields", header.field_count));
    bytes_ = header.bytes();
    if (previous_header.size() > bytes_ || bytes_ - previous_header.size() > fields.literal.size())
      return Broken("the header of the record has no fitting size");
    literal_bytes_ = bytes_ - static_cast<uint32_t>(previous_header.size());
    std::copy_n(fields.literal.begin(), literal_bytes_, buffer_.begin());
    std::copy(previous_header.begin(), previous_header.end(), buffer_.begin() + literal_bytes_);
    Fixed(0) = static_cast<uint8_t>((fields.encoded_header & 3) << 4);
    Fixed(2) = static_cast<uint8_t>(header.field_count >> 7);
    Fixed(3) = static_cast<uint8_t>(header.field_count << 1 | (header.has_short_offsets ? 1U : 0U));
    data_bytes_ = RedundantDataBytes({buffer_.data(), bytes_}, header);
    return OkStatus();
  }

  void SetHeapNo(uint32_t heap_no) {
    Fixed(1) = static_cast<uint8_t>(heap_no >> 5);
    Fixed(2) = static_cast<uint8_t>((Fixed(2) & 7U) | (heap_no & 31) << 3);
  }

  [[nodiscard]] ByteView view() const { return {buffer_.data(), bytes_}; }
  [[nodiscard]] uint32_t literal_bytes() const { return literal_bytes_; }
  [[nodiscard]] Extent extent() const {
    return {.header_bytes = bytes_, .data_bytes = data_bytes_};
  }

 private:
  uint8_t& Fixed(uint32_t index) { return buffer_[bytes_ - kRedundantHeaderBytes + index]; }

  std::array<uint8_t, kRedundantHeaderBytes + 2 * kRedundantFieldsMax> buffer_;
  uint32_t bytes_ = 0;
  uint32_t literal_bytes_ = 0;
  uint32_t data_bytes_ = 0;
};

// Puts a record that nobody links to any more onto the free list, or gives it back to the heap.
Status FreeRecord(const IndexPage& page, uint32_t record, const Extent& extent) {
  const MutableByteView frame = page.frame();
  const uint32_t heap_count = page.Get16(kIndexHeapCount);
  const uint32_t garbage = page.Get16(kIndexGarbage);
  const uint32_t record_count = page.Get16(kIndexRecordCount);
  if (record_count == 0) return Broken("the page counts no records");

  if (page.HeapNo(record) + 1 == (heap_count & ~uint32_t{kHeapCountDynamicBit})) {
    // It may lie in the place of a bigger one, whose rest was garbage until now.
    const uint32_t rest = page.heap_end() - (record + extent.data_bytes);
    if (rest > garbage) return Broken("the page counts too little garbage");
    page.Put16(kIndexGarbage, garbage - rest);
    page.Put16(kIndexHeapTop, record - extent.header_bytes);
    page.Put16(kIndexHeapCount, heap_count - 1);
    std::fill_n(frame.begin() + (record - extent.header_bytes), extent.total(), uint8_t{0});
  } else {
    const uint32_t old_free = page.Get16(kIndexFree);
    if (old_free == 0) {
      page.Put16(record - 2, 0);
    } else {
      page.SetNext(record, old_free);
    }
    page.Put16(kIndexFree, record);
    page.Put16(kIndexGarbage, garbage + extent.total());
    // The header stays: whoever reuses the place reads it.
    std::fill_n(frame.begin() + record, extent.data_bytes, uint8_t{0});
  }
  page.Put16(kIndexLastInsert, 0);
  page.Put16(kIndexRecordCount, record_count - 1);
  return OkStatus();
}

Status UnlinkAndFree(const IndexPage& page, uint32_t previous, uint32_t record,
                     const Extent& extent) {
  if (extent.header_bytes > record - page.heap_begin() ||
      extent.data_bytes > page.heap_end() - record)
    return Broken(fmt::format("the record at {} has {} + {} bytes", record, extent.header_bytes,
                              extent.data_bytes));
  const uint32_t next = page.Next(record);
  if (!page.IsRecord(next)) return Broken(fmt::format("the record list leads to {}", next));
  HBK_ASSIGN_OR_RETURN(const SlotOwner owner, page.OwnerOf(record));
  const uint32_t owned = owner.owned - 1;
  const bool is_owner = owner.record == record;
  if (is_owner && owned == 0) return Broken("a directory slot owns a single record");

  if (is_owner) page.SetSlot(owner.slot, previous);
  page.SetNext(previous, next);
  page.SetOwned(is_owner ? previous : owner.record, owned);
  HBK_RETURN_IF_ERROR(FreeRecord(page, record, extent));
  return owned < kOwnedMin ? page.BalanceSlot(owner.slot) : OkStatus();
}

// The record behind `previous`, which is to be deleted.
Result<uint32_t> RecordToDelete(const IndexPage& page, uint32_t previous) {
  const uint32_t record = page.Next(previous);
  if (!page.IsUserRecord(record)) return Broken(fmt::format("the record list leads to {}", record));
  return record;
}

}  // namespace

Status InsertDynamic(MutableByteView frame, InsertPlace place, ByteView fields_bytes) {
  HBK_ASSIGN_OR_RETURN(const InsertFields fields,
                       TakeInsertFields(fields_bytes, place == InsertPlace::kFreeList));
  HBK_ASSIGN_OR_RETURN(const IndexPage page, IndexPage::Open(frame, RecordFormat::kDynamic));
  HBK_ASSIGN_OR_RETURN(const InsertPosition position, FindInsertPosition(page, fields.previous));
  const uint32_t literal_header = fields.encoded_header >> 3;
  const uint32_t copied_header_end = position.previous - kDynamicHeaderBytes;
  if (!CanCopy(page, fields, position.previous) || literal_header > fields.literal.size())
    return Broken("the record shares too much with the one before");
  const auto literal_bytes = static_cast<uint32_t>(fields.literal.size());
  const Extent extent{.header_bytes = kDynamicHeaderBytes + fields.header_copied + literal_header,
                      .data_bytes = fields.data_copied + literal_bytes - literal_header};

  Allocation allocation;
  if (place == InsertPlace::kHeapTop) {
    HBK_ASSIGN_OR_RETURN(allocation, AllocateAtHeapTop(page, extent));
  } else {
    HBK_ASSIGN_OR_RETURN(const uint32_t free, FirstFree(page));
    const int64_t begin = int64_t{free} - extent.header_bytes + fields.shift;
    HBK_ASSIGN_OR_RETURN(allocation, AllocateFromFreeList(page, free, begin, extent));
  }

  const uint32_t record = allocation.begin + extent.header_bytes;
  std::memmove(&frame[allocation.begin + literal_header],
               &frame[copied_header_end - fields.header_copied], fields.header_copied);
  std::copy_n(fields.literal.begin(), literal_header, &frame[allocation.begin]);
  const bool is_leaf = page.Get16(kIndexLevel) == 0;
  const uint32_t status =
      is_leaf ? fields.encoded_header & kDynamicStatusInstant : kDynamicStatusNodePointer;
  frame[record - 5] = static_cast<uint8_t>((fields.encoded_header & 3) << 4);
  page.Put16(record - 4, allocation.heap_no << 3 | status);
  page.SetNext(record, position.next);
  page.SetNext(position.previous, record);
  return FinishInsert(page, position, record, fields.data_copied,
                      fields.literal.subspan(literal_header));
}

Status InsertRedundant(MutableByteView frame, InsertPlace place, ByteView fields_bytes) {
  HBK_ASSIGN_OR_RETURN(const InsertFields fields, TakeInsertFields(fields_bytes, false));
  HBK_ASSIGN_OR_RETURN(const IndexPage page, IndexPage::Open(frame, RecordFormat::kRedundant));
  HBK_ASSIGN_OR_RETURN(const InsertPosition position, FindInsertPosition(page, fields.previous));
  if (!CanCopy(page, fields, position.previous))
    return Broken("the record shares too much with the one before");
  // The fixed part is always copied, and with it the link to the next record.
  const uint32_t header_copied = fields.header_copied + kRedundantHeaderBytes;
  RedundantHeaderBuilder header;
  HBK_RETURN_IF_ERROR(
      header.Build(fields, frame.subspan(position.previous - header_copied, header_copied)));
  const Extent extent = header.extent();
  const ByteView literal_data = fields.literal.subspan(header.literal_bytes());
  if (literal_data.size() + fields.data_copied != extent.data_bytes)
    return Broken(fmt::format("a record with {} bytes of data comes with {} + {}",
                              extent.data_bytes, fields.data_copied, literal_data.size()));

  Allocation allocation;
  if (place == InsertPlace::kHeapTop) {
    HBK_ASSIGN_OR_RETURN(allocation, AllocateAtHeapTop(page, extent));
  } else {
    HBK_ASSIGN_OR_RETURN(const uint32_t free, FirstFree(page));
    HBK_ASSIGN_OR_RETURN(const Extent free_extent, RedundantExtent(page, free));
    const int64_t begin = int64_t{free} - free_extent.header_bytes;
    HBK_ASSIGN_OR_RETURN(allocation, AllocateFromFreeList(page, free, begin, extent));
  }

  header.SetHeapNo(allocation.heap_no);
  const uint32_t record = allocation.begin + extent.header_bytes;
  std::copy(header.view().begin(), header.view().end(), frame.begin() + allocation.begin);
  page.SetNext(position.previous, record);
  return FinishInsert(page, position, record, fields.data_copied, literal_data);
}

Status DeleteDynamic(MutableByteView frame, ByteView fields) {
  uint32_t distance = 0;
  uint32_t header_bytes = 0;
  uint32_t data_bytes = 0;
  if (!TakeVarint(fields, distance) || !TakeVarint(fields, header_bytes) ||
      !TakeVarint(fields, data_bytes))
    return Broken("malformed fields");
  HBK_ASSIGN_OR_RETURN(const IndexPage page, IndexPage::Open(frame, RecordFormat::kDynamic));
  HBK_ASSIGN_OR_RETURN(const uint32_t previous, PreviousRecord(page, distance));
  HBK_ASSIGN_OR_RETURN(const uint32_t record, RecordToDelete(page, previous));
  if (header_bytes >= frame.size() || data_bytes >= frame.size())
    return Broken("a record bigger than the page");
  return UnlinkAndFree(
      page, previous, record,
      {.header_bytes = kDynamicHeaderBytes + header_bytes, .data_bytes = data_bytes});
}

Status DeleteRedundant(MutableByteView frame, ByteView fields) {
  uint32_t distance = 0;
  if (!TakeVarint(fields, distance)) return Broken("malformed fields");
  HBK_ASSIGN_OR_RETURN(const IndexPage page, IndexPage::Open(frame, RecordFormat::kRedundant));
  HBK_ASSIGN_OR_RETURN(const uint32_t previous, PreviousRecord(page, distance));
  HBK_ASSIGN_OR_RETURN(const uint32_t record, RecordToDelete(page, previous));
  HBK_ASSIGN_OR_RETURN(const Extent extent, RedundantExtent(page, record));
  return UnlinkAndFree(page, previous, record, extent);
}

}  // namespace hbk::redo

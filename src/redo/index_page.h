// An index page whose records are linked, counted and owned by directory slots.
//
// Format   docs/format/redo-log.md, "Index pages". Positions are bytes from the start of the page;
//          a record is named by its origin, the first byte of its data.
// Errors   kCorruption from Open() and from everything that follows a link. The accessors trust
//          positions that IsRecord() accepted.
#pragma once

#include <cstdint>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/page.h"

namespace hbk::redo {

// Index page header.
constexpr uint32_t kIndexSlotCount = innodb::kFilData + 0;
constexpr uint32_t kIndexHeapTop = innodb::kFilData + 2;
constexpr uint32_t kIndexHeapCount = innodb::kFilData + 4;
constexpr uint32_t kIndexFree = innodb::kFilData + 6;
constexpr uint32_t kIndexGarbage = innodb::kFilData + 8;
constexpr uint32_t kIndexLastInsert = innodb::kFilData + 10;
constexpr uint32_t kIndexDirection = innodb::kFilData + 13;  // low 3 bits
constexpr uint32_t kIndexDirectionCount = innodb::kFilData + 14;
constexpr uint32_t kIndexRecordCount = innodb::kFilData + 16;
constexpr uint32_t kIndexMaxTrxId = innodb::kFilData + 18;
constexpr uint32_t kIndexLevel = innodb::kFilData + 26;
constexpr uint32_t kIndexRecords = innodb::kFilData + 56;  // infimum and supremum

constexpr uint16_t kHeapCountDynamicBit = 0x8000;  // in kIndexHeapCount
constexpr uint32_t kSlotBytes = 2;
constexpr uint32_t kOwnedMin = 4;  // records of a slot that is neither the first nor the last
constexpr uint32_t kOwnedMax = 8;

// DYNAMIC stands for COMPACT and DYNAMIC, whose records look alike.
enum class RecordFormat : uint8_t { kRedundant, kDynamic };

// Where a directory slot points, and what hangs on it.
struct SlotOwner {
  uint32_t record = 0;  // the last record of the group
  uint32_t slot = 0;
  uint32_t owned = 0;
};

class IndexPage {
 public:
  // Checks the page header and both ends of the directory.
  static Result<IndexPage> Open(MutableByteView frame, RecordFormat format);

  [[nodiscard]] bool is_dynamic() const { return format_ == RecordFormat::kDynamic; }
  [[nodiscard]] bool is_rtree() const { return Get16(innodb::kFilType) == innodb::kPageRtree; }
  [[nodiscard]] MutableByteView frame() const { return frame_; }
  [[nodiscard]] uint32_t infimum() const { return is_dynamic() ? 99 : 101; }
  [[nodiscard]] uint32_t supremum() const { return is_dynamic() ? 112 : 116; }
  [[nodiscard]] uint32_t heap_begin() const { return is_dynamic() ? 120 : 125; }
  [[nodiscard]] uint32_t heap_end() const { return Get16(kIndexHeapTop); }
  // Bytes of a record header that every record has.
  [[nodiscard]] uint32_t fixed_header_bytes() const { return is_dynamic() ? 5 : 6; }

  // A record that users wrote, on the heap.
  [[nodiscard]] bool IsUserRecord(uint32_t record) const;
  [[nodiscard]] bool IsRecord(uint32_t record) const {
    return record == infimum() || record == supremum() || IsUserRecord(record);
  }

  [[nodiscard]] uint32_t Next(uint32_t record) const;
  void SetNext(uint32_t record, uint32_t next) const;
  [[nodiscard]] uint32_t Owned(uint32_t record) const { return frame_[InfoOffset(record)] & 0x0FU; }
  void SetOwned(uint32_t record, uint32_t owned) const;
  [[nodiscard]] uint32_t HeapNo(uint32_t record) const;

  // Slots count from the infimum's, which is 0.
  [[nodiscard]] uint32_t slot_count() const { return Get16(kIndexSlotCount); }
  [[nodiscard]] uint32_t SlotOffset(uint32_t slot) const;
  [[nodiscard]] uint32_t Slot(uint32_t slot) const { return Get16(SlotOffset(slot)); }
  void SetSlot(uint32_t slot, uint32_t record) const { Put16(SlotOffset(slot), record); }
  // Where the directory begins: the heap must end before it.
  [[nodiscard]] uint32_t directory_begin() const { return SlotOffset(slot_count() - 1); }
  // The owner of the group that `record` is in. `record` is accepted by IsRecord().
  [[nodiscard]] Result<SlotOwner> OwnerOf(uint32_t record) const;
  // Divides the group of this slot, which has one record too many.
  [[nodiscard]] Status SplitSlot(uint32_t slot) const;
  // Fills up the group of this slot, which has one record too few, from the next group.
  [[nodiscard]] Status BalanceSlot(uint32_t slot) const;

  [[nodiscard]] uint32_t Get16(uint32_t offset) const { return LoadBe16(frame_, offset); }
  void Put16(uint32_t offset, uint32_t value) const {
    StoreBe16(frame_, offset, static_cast<uint16_t>(value));
  }

 private:
  IndexPage(MutableByteView frame, RecordFormat format) : frame_(frame), format_(format) {}

  [[nodiscard]] Status Check() const;
  // The last slot that points to `record`; 0 if none but the first does.
  [[nodiscard]] uint32_t LastSlotOf(uint32_t record) const;
  [[nodiscard]] uint32_t InfoOffset(uint32_t record) const { return record - fixed_header_bytes(); }

  MutableByteView frame_;
  RecordFormat format_;
};

// The type, an empty header, the two records at the ends of the list and a directory of both.
void InitIndexPage(MutableByteView frame, RecordFormat format);

}  // namespace hbk::redo

#include "index_page.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace hbk::redo {
namespace {

using innodb::kFilTrailer;
using innodb::kFilType;

// The root of an index after an instant ALTER TABLE. Its records are as on any other index page.
constexpr uint32_t kPageTypeInstant = 18;

constexpr uint32_t kDirectionNone = 5;
constexpr uint32_t kHeapNoShift = 3;
constexpr uint32_t kFixedRecords = 2;  // infimum and supremum, in counts of the heap

// A REDUNDANT record has at least one field, whose end offset precedes the header.
constexpr uint32_t kFieldOffsetBytesMin = 1;

constexpr std::string_view kDynamicEnds(
    "\x01\x00\x02\x00\x0d"
    "infimum\x00"
    "\x01\x00\x0b\x00\x00"
    "supremum",
    26);
constexpr std::string_view kRedundantEnds(
    "\x08\x01\x00\x00\x03\x00\x74"
    "infimum\x00"
    "\x09\x01\x00\x08\x03\x00\x00"
    "supremum\x00",
    31);

Status Broken(std::string_view what) {
  return CorruptionError(std::string(what));
}

}  // namespace

Result<IndexPage> IndexPage::Open(MutableByteView frame, RecordFormat format) {
  const IndexPage page(frame, format);
  HBK_RETURN_IF_ERROR(page.Check());
  return page;
}

Status IndexPage::Check() const {
  const uint32_t type = Get16(kFilType);
  if (type != innodb::kPageIndex && type != innodb::kPageRtree && type != kPageTypeInstant)
    return Broken(fmt::format("page type {} is not that of an index page", type));
  const uint32_t heap_count = Get16(kIndexHeapCount);
  if (((heap_count & kHeapCountDynamicBit) != 0) != is_dynamic())
    return Broken("the page has the other record format");
  if ((heap_count & ~uint32_t{kHeapCountDynamicBit}) < kFixedRecords)
    return Broken("the page counts too few records");
  const size_t slots_max = (frame_.size() - kFilTrailer - heap_begin()) / kSlotBytes;
  if (slot_count() < 2 || slot_count() > slots_max)
    return Broken(fmt::format("the page directory has {} slots", slot_count()));
  if (Slot(0) != infimum() || Slot(slot_count() - 1) != supremum())
    return Broken("the page directory does not reach from infimum to supremum");
  if (heap_end() < heap_begin() || heap_end() > directory_begin())
    return Broken(fmt::format("the record heap ends at {}", heap_end()));
  if (Get16(supremum() - 2) != 0) return Broken("a record follows the supremum");
  return OkStatus();
}

bool IndexPage::IsUserRecord(uint32_t record) const {
  const uint32_t header = fixed_header_bytes() + (is_dynamic() ? 0 : kFieldOffsetBytesMin);
  // A record without data may end where the heap does.
  return record >= heap_begin() + header && record <= heap_end();
}

uint32_t IndexPage::Next(uint32_t record) const {
  const uint32_t link = Get16(record - 2);
  return is_dynamic() ? (record + link) & 0xFFFF : link;
}

void IndexPage::SetNext(uint32_t record, uint32_t next) const {
  Put16(record - 2, is_dynamic() ? next - record : next);
}

void IndexPage::SetOwned(uint32_t record, uint32_t owned) const {
  uint8_t& info = frame_[InfoOffset(record)];
  info = static_cast<uint8_t>((info & 0xF0U) | owned);
}

uint32_t IndexPage::HeapNo(uint32_t record) const {
  return Get16(InfoOffset(record) + 1) >> kHeapNoShift;
}

uint32_t IndexPage::SlotOffset(uint32_t slot) const {
  return static_cast<uint32_t>(frame_.size() - kFilTrailer) - kSlotBytes * (slot + 1);
}

Result<SlotOwner> IndexPage::OwnerOf(uint32_t record) const {
  SlotOwner owner{.record = record, .slot = 0, .owned = Owned(record)};
  for (uint32_t steps = 0; owner.owned == 0; ++steps) {
    if (steps == kOwnedMax)
      return Broken(fmt::format("no directory slot owns the record at {}", record));
    owner.record = Next(owner.record);
    if (!IsRecord(owner.record))
      return Broken(fmt::format("the record list leads to {}", owner.record));
    owner.owned = Owned(owner.record);
  }
  if (owner.owned > kOwnedMax)
    return Broken(fmt::format("the record at {} owns {}", owner.record, owner.owned));
  owner.slot = LastSlotOf(owner.record);
  if (owner.slot != 0) return owner;
  return Broken(fmt::format("no directory slot points to the owner at {}", owner.record));
}

// The slots lie from the last one to the first, some hundred on a page of short records. They are
// compared in blocks, which the compiler does with one instruction each.
uint32_t IndexPage::LastSlotOf(uint32_t record) const {
  constexpr uint32_t kBlockSlots = 16;
  const uint32_t count = slot_count();
  const uint32_t begin = directory_begin();
  std::array<uint8_t, kSlotBytes> bytes{};
  StoreBe16(bytes, 0, static_cast<uint16_t>(record));
  uint16_t wanted = 0;
  std::memcpy(&wanted, bytes.data(), sizeof(wanted));

  uint32_t passed = 0;
  for (; count - passed >= kBlockSlots; passed += kBlockSlots) {
    std::array<uint16_t, kBlockSlots> block;
    std::memcpy(block.data(), &frame_[begin + passed * kSlotBytes], sizeof(block));
    uint16_t is_here = 0;
    for (const uint16_t slot : block)
      is_here = static_cast<uint16_t>(is_here | (slot == wanted ? 1 : 0));
    if (is_here != 0) break;
  }
  for (; passed < count; ++passed)
    if (Slot(count - 1 - passed) == record) return count - 1 - passed;
  return 0;
}

Status IndexPage::SplitSlot(uint32_t slot) const {
  const uint32_t new_directory_begin = directory_begin() - kSlotBytes;
  if (new_directory_begin < heap_end()) return Broken("no room for a directory slot");
  const uint32_t old_owner = Slot(slot);
  uint32_t middle = Slot(slot - 1);
  if (!IsRecord(middle)) return Broken("a directory slot does not point to a record");
  for (uint32_t i = 0; i < kOwnedMin; ++i) {
    middle = Next(middle);
    if (!IsUserRecord(middle)) return Broken(fmt::format("the record list leads to {}", middle));
  }

  const uint32_t position = SlotOffset(slot);
  std::memmove(&frame_[new_directory_begin], &frame_[new_directory_begin + kSlotBytes],
               position + kSlotBytes - (new_directory_begin + kSlotBytes));
  Put16(kIndexSlotCount, slot_count() + 1);
  SetSlot(slot, middle);
  SetOwned(middle, kOwnedMin);
  SetOwned(old_owner, kOwnedMax + 1 - kOwnedMin);
  return OkStatus();
}

Status IndexPage::BalanceSlot(uint32_t slot) const {
  if (slot == slot_count() - 1) return OkStatus();  // the last group may be small
  const uint32_t upper = Slot(slot + 1);
  const uint32_t current = Slot(slot);
  if (!IsRecord(upper) || !IsRecord(current))
    return Broken("a directory slot does not point to a record");
  const uint32_t upper_owned = Owned(upper);
  if (upper_owned == 0) return Broken("a directory slot points to a record that owns nothing");

  if (upper_owned <= kOwnedMin) {
    SetOwned(current, 0);
    SetOwned(upper, upper_owned + kOwnedMin - 1);
    const uint32_t begin = directory_begin();
    std::memmove(&frame_[begin + kSlotBytes], &frame_[begin], SlotOffset(slot) - begin);
    Put16(begin, 0);
    Put16(kIndexSlotCount, slot_count() - 1);
    return OkStatus();
  }
  const uint32_t moved = Next(current);
  if (!IsUserRecord(moved)) return Broken(fmt::format("the record list leads to {}", moved));
  SetOwned(current, 0);
  SetOwned(moved, kOwnedMin);
  SetOwned(upper, upper_owned - 1);
  SetSlot(slot, moved);
  return OkStatus();
}

void InitIndexPage(MutableByteView frame, RecordFormat format) {
  const bool is_dynamic = format == RecordFormat::kDynamic;
  const std::string_view ends = is_dynamic ? kDynamicEnds : kRedundantEnds;
  const size_t heap_begin = kIndexRecords + ends.size();
  const size_t directory_end = frame.size() - kFilTrailer;
  StoreBe16(frame, kFilType, innodb::kPageIndex);
  // The level, the index id and the segment headers stay.
  std::fill(&frame[innodb::kFilData], &frame[kIndexLevel], uint8_t{0});
  StoreBe16(frame, kIndexSlotCount, kFixedRecords);
  StoreBe16(frame, kIndexHeapTop, static_cast<uint16_t>(heap_begin));
  StoreBe16(frame, kIndexHeapCount,
            static_cast<uint16_t>(kFixedRecords | (is_dynamic ? kHeapCountDynamicBit : 0)));
  frame[kIndexDirection] = kDirectionNone;
  std::copy(ends.begin(), ends.end(), &frame[kIndexRecords]);
  std::fill(&frame[heap_begin], &frame[directory_end], uint8_t{0});
  StoreBe16(frame, directory_end - 2 * kSlotBytes, is_dynamic ? 112 : 116);
  StoreBe16(frame, directory_end - kSlotBytes, is_dynamic ? 99 : 101);
}

}  // namespace hbk::redo

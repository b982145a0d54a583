#include "tests/support/page_builder.h"

#include <fmt/format.h>

#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"

namespace hbk::testing {
namespace {

constexpr uint32_t kSlotCount = 38;
constexpr uint32_t kHeapCount = 42;
constexpr uint32_t kFree = 44;
constexpr uint32_t kRecordCount = 54;

uint32_t Infimum(bool is_dynamic) {
  return is_dynamic ? 99 : 101;
}

uint32_t Supremum(bool is_dynamic) {
  return is_dynamic ? 112 : 116;
}

uint32_t Next(ByteView page, bool is_dynamic, uint32_t record) {
  const uint32_t link = LoadBe16(page, record - 2);
  return is_dynamic ? (record + link) & 0xFFFF : link;
}

IndexRecord Read(ByteView page, bool is_dynamic, uint32_t record) {
  const uint32_t info = record - (is_dynamic ? 5 : 6);
  return {.offset = record,
          .heap_no = uint32_t{LoadBe16(page, info + 1)} >> 3,
          .owned = page[info] & 0x0FU,
          .info_bits = uint32_t{page[info]} >> 4};
}

}  // namespace

MutableByteView MutableBytes(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

std::string MakePage(size_t size, innodb::PageId id, innodb::Lsn lsn, uint16_t type) {
  std::string page(size, '\0');
  const MutableByteView bytes = MutableBytes(page);
  StoreBe32(bytes, innodb::kFilPageNo, id.page);
  StoreBe32(bytes, innodb::kFilPrev, UINT32_MAX);
  StoreBe32(bytes, innodb::kFilNext, UINT32_MAX);
  StoreBe64(bytes, innodb::kFilLsn, lsn);
  StoreBe16(bytes, innodb::kFilType, type);
  StoreBe32(bytes, innodb::kFilSpaceId, id.space);
  return page;
}

std::string MakeFirstPage(const innodb::TablespaceFlags& flags, innodb::SpaceId space,
                          uint32_t size_pages, innodb::Lsn lsn) {
  const innodb::PageId id{.space = space, .page = 0};
  std::string page = MakePage(flags.physical_size(), id, lsn, innodb::kPageFspHeader);
  const MutableByteView bytes = MutableBytes(page);
  StoreBe32(bytes, innodb::kFspSpaceId, space);
  StoreBe32(bytes, innodb::kFspSize, size_pages);
  StoreBe32(bytes, innodb::kFspFreeLimit, size_pages);
  StoreBe32(bytes, innodb::kFspFlags, flags.raw());
  innodb::SealPage(bytes, flags, id);
  return page;
}

std::vector<IndexRecord> ListIndexRecords(ByteView page, bool is_dynamic) {
  std::vector<IndexRecord> records;
  uint32_t record = Next(page, is_dynamic, Infimum(is_dynamic));
  while (record != Supremum(is_dynamic) && record > Supremum(is_dynamic) && record < page.size() &&
         records.size() < page.size()) {
    records.push_back(Read(page, is_dynamic, record));
    record = Next(page, is_dynamic, record);
  }
  return records;
}

std::vector<uint32_t> ListFreeRecords(ByteView page, bool is_dynamic) {
  std::vector<uint32_t> records;
  uint32_t record = LoadBe16(page, kFree);
  while (record != 0 && records.size() < page.size()) {
    records.push_back(record);
    record = LoadBe16(page, record - 2) == 0 ? 0 : Next(page, is_dynamic, record);
  }
  return records;
}

std::string IndexPageFault(ByteView page, bool is_dynamic) {
  std::vector<IndexRecord> records = ListIndexRecords(page, is_dynamic);
  if (records.size() != LoadBe16(page, kRecordCount))
    return fmt::format("{} records, counted {}", records.size(), LoadBe16(page, kRecordCount));
  const size_t heap_count = LoadBe16(page, kHeapCount) & 0x7FFFU;
  const size_t free_count = ListFreeRecords(page, is_dynamic).size();
  if (heap_count != 2 + records.size() + free_count)
    return fmt::format("{} on the heap, but {} used and {} free", heap_count, records.size(),
                       free_count);

  records.insert(records.begin(), Read(page, is_dynamic, Infimum(is_dynamic)));
  records.push_back(Read(page, is_dynamic, Supremum(is_dynamic)));
  const uint32_t slot_count = LoadBe16(page, kSlotCount);
  uint32_t slot = 0;
  uint32_t members = 0;
  for (const IndexRecord& record : records) {
    ++members;
    if (record.owned == 0) continue;
    if (record.owned != members)
      return fmt::format("the record at {} owns {} of {}", record.offset, record.owned, members);
    if (slot >= slot_count || LoadBe16(page, page.size() - 10 - 2 * slot) != record.offset)
      return fmt::format("slot {} is not that of the record at {}", slot, record.offset);
    if (members > 8 || (members < 4 && slot != 0 && slot != slot_count - 1))
      return fmt::format("slot {} owns {}", slot, members);
    members = 0;
    ++slot;
  }
  if (slot != slot_count) return fmt::format("{} slots, counted {}", slot, slot_count);
  return {};
}

}  // namespace hbk::testing

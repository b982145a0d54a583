#include "hbk/innodb/trx_sys.h"

#include "hbk/innodb/page.h"

namespace hbk::innodb {
namespace {

// The descriptor stands 200 bytes before the end of the page; its block numbers stand there twice.
constexpr size_t kDescriptorFromEnd = 200;
constexpr size_t kMagic = 10;
constexpr size_t kBlock1 = 14;
constexpr size_t kBlock2 = 18;
constexpr size_t kRepeat = 12;
constexpr uint32_t kMagicValue = 536853855;

// Slots of a tablespace id and a page number.
constexpr size_t kSlots = 56;
constexpr size_t kSlotBytes = 4 + 4;
constexpr size_t kSlotCount = 128;
constexpr PageNo kNoPage = UINT32_MAX;

}  // namespace

std::optional<DoublewriteBuffer> ParseDoublewriteBuffer(ByteView page) {
  HBK_CHECK(page.size() >= 4096);
  const ByteView descriptor = page.subspan(page.size() - kDescriptorFromEnd);
  for (const size_t at : {kMagic, kMagic + kRepeat}) {
    if (LoadBe32(descriptor, at) != kMagicValue) continue;
    DoublewriteBuffer buffer;
    buffer.first = {LoadBe32(descriptor, at - kMagic + kBlock1),
                    LoadBe32(descriptor, at - kMagic + kBlock2)};
    buffer.block_pages = static_cast<PageNo>(page.size() < 16384 ? (1U << 20) / page.size() : 64);
    return buffer;
  }
  return std::nullopt;
}

std::vector<PageId> ParseRollbackSegments(ByteView page) {
  HBK_CHECK(page.size() >= 4096);
  std::vector<PageId> segments;
  for (size_t at = kSlots; at < kSlots + kSlotCount * kSlotBytes; at += kSlotBytes) {
    const PageId id{.space = LoadBe32(page, at), .page = LoadBe32(page, at + 4)};
    if (id.page != kNoPage) segments.push_back(id);
  }
  return segments;
}

}  // namespace hbk::innodb

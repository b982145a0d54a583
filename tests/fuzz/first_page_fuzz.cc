// The first page of a tablespace: sizes, flags, extent descriptors, encryption metadata. A page
// whose checksum is right says what was put into it, or is refused; with a bit flipped it says
// nothing else.
//
// Input: flags (4 bytes), two space ids, size, free limit, LSN (8), the bit that flips, a byte for
// the instance's page size and whether encryption metadata follow (33 bytes); then descriptors.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/xdes.h"

namespace {

using namespace hbk;          // NOLINT(google-build-using-namespace)
using namespace hbk::innodb;  // NOLINT(google-build-using-namespace)

constexpr size_t kHeadBytes = 4 + 4 + 4 + 4 + 4 + 8 + 4 + 1;
constexpr size_t kCryptBytes = 33;
constexpr size_t kDescriptorHeadBytes = 24;

// Another reading of docs/format: where the metadata stand, by the size of the page.
size_t CryptOffset(const TablespaceFlags& flags) {
  switch (flags.physical_size()) {
    case 1024: return 828;
    case 2048: return 1468;
    case 4096: return flags.is_zip() ? 2748 : 1596;
    case 8192: return flags.is_zip() ? 5308 : 3772;
    case 16384: return 10428;
    case 32768: return 20668;
    default: return 41148;
  }
}

// Nothing: there are none. `is_bad`: there are some that no server writes.
std::optional<CryptData> CryptOf(ByteView bytes, bool& is_bad) {
  constexpr std::array<uint8_t, 6> kMagic = {0x73, 0x0E, 0x0C, 0x52, 0x45, 0x74};
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return std::nullopt;
  is_bad = bytes[6] > 1 || bytes[7] != 16;
  CryptData crypt;
  crypt.type = bytes[6];
  std::copy_n(bytes.begin() + 8, 16, crypt.iv.begin());
  crypt.min_key_version = LoadBe32(bytes, 24);
  crypt.key_id = LoadBe32(bytes, 28);
  crypt.option = bytes[32];
  return crypt;
}

bool IsSameCrypt(const std::optional<CryptData>& a, const std::optional<CryptData>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->type == b->type && a->iv == b->iv && a->min_key_version == b->min_key_version &&
         a->key_id == b->key_id && a->option == b->option;
}

bool IsSame(const TablespaceHeader& a, const TablespaceHeader& b) {
  return a.space_id == b.space_id && a.size_pages == b.size_pages && a.free_limit == b.free_limit &&
         a.flags == b.flags && IsSameCrypt(a.crypt, b.crypt);
}

// One bit of two for each page, in as many descriptors as describe all pages of this page.
void CheckDescriptors(ByteView page, const TablespaceFlags& flags, PageNo free_limit) {
  const PageNo described = flags.physical_size();
  uint64_t free_bits = 0;
  for (PageNo extent = 0; extent < described / ExtentPages(flags); ++extent) {
    const ByteView bits =
        page.subspan(kXdesArray + extent * XdesBytes(flags) + kDescriptorHeadBytes,
                     XdesBytes(flags) - kDescriptorHeadBytes);
    for (const uint8_t byte : bits)
      free_bits += static_cast<uint64_t>(std::popcount(uint8_t(byte & 0x55U)));
  }
  uint64_t free_pages = 0;
  for (PageNo number = 0; number < described; ++number)
    free_pages += IsPageFree(page, flags, described, number) ? 1 : 0;
  HBK_CHECK(free_pages == free_bits);
  for (const PageNo number : {PageNo{0}, described - 1, UINT32_MAX - described}) {
    HBK_CHECK(IsPageFree(page, flags, number, number));
    HBK_CHECK(DescriptorPageOf(flags, number) <= number);
    HBK_CHECK(number - DescriptorPageOf(flags, number) < described);
  }
  (void)IsPageFree(page, flags, free_limit, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeadBytes) return 0;
  ByteView input(data, size);
  const auto flags = TablespaceFlags::Decode(LoadBe32(input, 0));
  if (!flags.ok()) return 0;
  TablespaceHeader put;
  put.flags = *flags;
  put.space_id = LoadBe32(input, 4);
  put.size_pages = LoadBe32(input, 12);
  put.free_limit = LoadBe32(input, 16);
  const uint32_t flip = LoadBe32(input, 28);
  const uint8_t options = input[32];

  std::vector<uint8_t> page(flags->physical_size());
  StoreBe32(page, kFilSpaceId, put.space_id);
  StoreBe32(page, kFspSpaceId, LoadBe32(input, 8));
  StoreBe32(page, kFspSize, put.size_pages);
  StoreBe32(page, kFspFreeLimit, put.free_limit);
  StoreBe32(page, kFspFlags, flags->raw());
  StoreBe64(page, kFilLsn, LoadBe64(input, 20));
  StoreBe16(page, kFilType, kPageFspHeader);
  bool is_bad_crypt = false;
  ByteView rest = input.subspan(kHeadBytes);
  const size_t crypt_offset = CryptOffset(*flags);
  if ((options & 1U) != 0 && rest.size() >= kCryptBytes) {
    std::copy_n(rest.begin(), kCryptBytes, page.begin() + static_cast<ptrdiff_t>(crypt_offset));
    put.crypt = CryptOf(rest, is_bad_crypt);
    rest = rest.subspan(kCryptBytes);
  }
  const size_t descriptor_bytes = std::min(rest.size(), crypt_offset - kFilData - kXdesArray);
  std::copy_n(rest.begin(), descriptor_bytes, page.begin() + kXdesArray);
  SealPage(page, *flags, {.space = put.space_id, .page = 0});
  CheckDescriptors(page, *flags, put.free_limit);

  constexpr std::array<uint32_t, 4> kInstances = {0, 4096, 16384, 65536};
  const uint32_t instance = kInstances[options >> 1U & 3U];
  const FirstPage first = ClassifyFirstPage(page, page.size(), instance);
  const bool is_good = put.space_id == LoadBe32(page, kFspSpaceId) && put.space_id < kSpaceIdEnd &&
                       !is_bad_crypt && (instance == 0 || instance == flags->logical_size());
  HBK_CHECK(first.kind == (is_good ? FirstPageKind::kValid : FirstPageKind::kDamaged));
  HBK_CHECK(is_good ? IsSame(first.header, put) : !first.reason.empty());
  // Cut off.
  const FirstPage cut =
      ClassifyFirstPage(ByteView(page).first(page.size() - 1), page.size() - 1, 0);
  HBK_CHECK(cut.kind == FirstPageKind::kDamaged);

  page[flip / 8 % page.size()] ^= static_cast<uint8_t>(1U << flip % 8);
  const FirstPage flipped = ClassifyFirstPage(page, page.size(), instance);
  if (flipped.kind != FirstPageKind::kValid) return 0;
  // Of the old format, what only the system tablespace has there is covered by nothing.
  HBK_CHECK(!flags->is_full_crc32() && is_good && IsSame(flipped.header, put));
  return 0;
}

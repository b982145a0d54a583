// Page 0, any page by its checksums, and the doublewrite descriptor, of arbitrary bytes.
//
// Input: the start of a file. A page that was accepted must be accepted again after it was sealed,
// and the sizes that flags promise must be ones that pages can have.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/trx_sys.h"

namespace {

using namespace hbk;          // NOLINT(google-build-using-namespace)
using namespace hbk::innodb;  // NOLINT(google-build-using-namespace)

// Exactly as big as the page, so that an access beyond it is seen.
void CheckAs(const TablespaceFlags& flags, ByteView bytes) {
  const size_t size = flags.physical_size();
  HBK_CHECK(size >= kPageSizeMin && size <= kPageSizeMax);
  std::vector<uint8_t> page(size);
  std::copy_n(bytes.begin(), std::min(size, bytes.size()), page.begin());
  const PageId id{PageSpaceId(page), PageNumber(page)};
  (void)CheckPage(page, flags, id);
  (void)ParseDoublewriteBuffer(size < 4096 ? ByteView(std::vector<uint8_t>(4096)) : ByteView(page));

  // Made plain, it can be sealed.
  StoreBe32(page, kFilChecksum, 0);
  StoreBe16(page, kFilType, kPageIndex);
  StoreBe64(page, kFilLsn, 1);
  SealPage(page, flags, id);
  HBK_CHECK(CheckPage(page, flags, id) == PageVerdict::kGood);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView head(data, std::min<size_t>(size, kPageSizeMax));
  for (const uint32_t logical_size : {0U, 4096U, 16384U, 65536U}) {
    const FirstPage first = ClassifyFirstPage(head, size, logical_size);
    if (first.kind != FirstPageKind::kValid) continue;
    HBK_CHECK(logical_size == 0 || first.header.flags.logical_size() == logical_size);
    CheckAs(first.header.flags, head);
  }
  if (head.size() < kFspFlags + 4) return 0;
  const auto flags = TablespaceFlags::Decode(LoadBe32(head, kFspFlags));
  if (flags.ok()) CheckAs(*flags, head);
  for (const uint32_t raw : {0x15U, 0x35U, 0x21U, 0x23U, 0x13U, 0xe1U, 0x10021U})
    CheckAs(TablespaceFlags::Decode(raw).value(), head);
  return 0;
}

// Page 0, any page by its checksums, coded pages, extent and doublewrite descriptors, rollback and
// undo segments, of arbitrary bytes.
//
// Input: the start of a file. A page that was accepted must be accepted again after it was sealed,
// one that could be decoded must come back after it was encoded, and the sizes that flags promise
// must be ones that pages can have.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/base/crc32c.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/trx_sys.h"
#include "hbk/innodb/undo_segment.h"
#include "hbk/innodb/xdes.h"

namespace {

using namespace hbk;          // NOLINT(google-build-using-namespace)
using namespace hbk::innodb;  // NOLINT(google-build-using-namespace)

// Has every key: the same one.
class OneKey final : public crypto::KeySource {
 public:
  Result<Secret> GetKey(uint32_t, uint32_t) override { return Secret("0123456789abcdef"); }
  Result<uint32_t> NewestVersion(uint32_t) override { return 1U; }
  [[nodiscard]] crypto::CipherMode mode() const override { return crypto::CipherMode::kCbc; }
};

// Makes the checksum of a full_crc32 image right, so that what is behind it is reached.
void FixChecksum(MutableByteView image) {
  const uint16_t type = LoadBe16(image, kFilType);
  const size_t size = (type & 0x8000) != 0 ? size_t{type & 0x7FFFU} << 8 : image.size();
  if (size >= kPageSizeMin / 4 && size <= image.size())
    StoreBe32(image, size - 4, Crc32c(image.first(size - 4)));
}

void DecodeAs(const TablespaceFlags& flags, std::vector<uint8_t> image) {
  OneKey keys;
  CryptData crypt;
  crypt.type = 1;
  crypt.min_key_version = 1;
  crypt.key_id = 1;
  const PageId id{PageSpaceId(image), PageNumber(image)};
  if (flags.is_full_crc32()) FixChecksum(image);
  std::vector<uint8_t> frame(image.size());
  for (const bool is_encrypted : {false, true}) {
    PageCoder coder(id.space, flags, is_encrypted ? std::optional(crypt) : std::nullopt, &keys);
    const auto was = coder.Decode(image, id, frame);
    if (!was.ok() || IsAllZero(frame)) continue;
    std::vector<uint8_t> encoded(image.size());
    const auto size = coder.Encode(frame, id, *was, encoded);
    HBK_CHECK(size.ok() && IsAllZero(ByteView(encoded).subspan(*size)));
    std::vector<uint8_t> decoded(image.size());
    HBK_CHECK(coder.Decode(encoded, id, decoded).ok());
    // What is no content: checksums, and in old files the place of the key version.
    for (MutableByteView page : {MutableByteView(frame), MutableByteView(decoded)}) {
      if (!flags.is_full_crc32()) StoreBe64(page, kFilKeyVersion, 0);
      SealPage(page, flags, id);
    }
    HBK_CHECK(decoded == frame);
  }
}

void LookForTransactions(std::vector<uint8_t> page) {
  (void)ParseDoublewriteBuffer(page);
  (void)ParseRollbackSegments(page);
  (void)ParseUndoSegments(page);
  const auto is_prepared = IsPreparedByServer(page);
  StoreBe16(page, kFilType, kPageUndoLog);
  const auto is_prepared_undo = IsPreparedByServer(page);
  HBK_CHECK(!is_prepared.ok() || *is_prepared == *is_prepared_undo);
  if (!is_prepared_undo.ok() || !*is_prepared_undo) return;
  MakeActive(page);
  const auto is_still_prepared = IsPreparedByServer(page);
  HBK_CHECK(is_still_prepared.ok() && !*is_still_prepared);
}

// Exactly as big as the page, so that an access beyond it is seen.
void CheckAs(const TablespaceFlags& flags, ByteView bytes) {
  const size_t size = flags.physical_size();
  HBK_CHECK(size >= kPageSizeMin && size <= kPageSizeMax);
  std::vector<uint8_t> page(size);
  std::copy_n(bytes.begin(), std::min(size, bytes.size()), page.begin());
  const PageId id{PageSpaceId(page), PageNumber(page)};
  (void)CheckPage(page, flags, id);
  (void)IsPageFree(page, flags, LoadBe32(page, kFspFreeLimit), LoadBe32(page, kFspSize));
  DecodeAs(flags, page);
  if (size >= kUndoPageSizeMin) LookForTransactions(page);

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
  for (const uint32_t raw :
       {0x15U, 0x35U, 0x55U, 0x75U, 0x95U, 0xB5U, 0xD5U, 0x21U, 0x23U, 0x13U, 0xe1U, 0x10021U})
    CheckAs(TablespaceFlags::Decode(raw).value(), head);
  return 0;
}

#include "hbk/aria/page_check.h"

#include <algorithm>
#include <optional>

#include <zlib.h>

#include "hbk/base/check.h"

namespace hbk::aria {

namespace {

constexpr size_t kChecksumBytes = 4;
// The two highest values say that a page has no checksum.
constexpr uint32_t kChecksumMax = 0xFFFFFFFD;
// Where an index page has the number of its used bytes: behind LSN, transaction id, key id and
// flag, of which only tables that are not transactional lack all.
constexpr size_t kIndexUsed = 15;
constexpr size_t kIndexUsedPlain = 2;

// A page of the bitmap leads the pages that it describes: three bits each.
bool IsBitmap(const PageRules& rules, uint64_t page_no) {
  const uint64_t pages = (rules.block_bytes - kChecksumBytes) / 6 * 16 + 1;
  return rules.file == AriaFile::kData && page_no % pages == 0;
}

// What the checksum covers. Nothing: the page says something impossible.
std::optional<size_t> CoveredBytes(const PageRules& rules, ByteView page) {
  const size_t all = page.size() - kChecksumBytes;
  if (rules.file == AriaFile::kData) return all;
  const size_t used = LoadBe16(page, rules.is_transactional ? kIndexUsed : kIndexUsedPlain);
  if (used > all) return std::nullopt;
  return used;
}

}  // namespace

PageRules RulesOf(const TableHeader& header, AriaFile file) {
  return {file, header.block_bytes, header.header_bytes, header.is_transactional,
          header.is_encrypted};
}

PageState CheckPage(const PageRules& rules, uint64_t page_no, ByteView page) {
  HBK_CHECK(page.size() == rules.block_bytes && page.size() > kIndexUsed + kChecksumBytes);
  if (rules.file == AriaFile::kIndex && page_no * rules.block_bytes < rules.header_bytes)
    return PageState::kUnverifiable;
  // A page that was added to the file and not written yet.
  if (IsAllZero(page)) return PageState::kGood;
  if (rules.is_encrypted && !IsBitmap(rules, page_no)) return PageState::kUnverifiable;
  const uint32_t checksum = LoadLe32(page, page.size() - kChecksumBytes);
  if (checksum > kChecksumMax) return PageState::kUnverifiable;
  const auto covered = CoveredBytes(rules, page);
  if (!covered) return PageState::kBad;
  const auto computed = static_cast<uint32_t>(
      crc32(static_cast<uLong>(page_no & 0xFFFFFFFF), page.data(), static_cast<uInt>(*covered)));
  return std::min(computed, kChecksumMax) == checksum ? PageState::kGood : PageState::kBad;
}

}  // namespace hbk::aria

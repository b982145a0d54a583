// A tablespace as verify reads it: any pages, in files of every page size, before and after
// prepare. A page that is whole and in its place is never said to be damaged, one with a bit
// flipped always is where it matters; what cannot be a tablespace is a finding, and no error.
//
// Input: a byte for the flags, one for the state of the backup, size and free limit in pages (one
// byte each). Then pages, from 0 on: how it is made, its type, its neighbours (a byte each), the
// number of bytes that follow, and these. How: whole, zeros, raw bytes, or with a bit flipped.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/xdes.h"

#include "tablespace_check.h"
#include "tests/unit/verify/check_fixture.h"

namespace hbk::verify {
namespace {

using testing::MutableBytes;

constexpr size_t kHeadBytes = 4;
constexpr size_t kPageHeadBytes = 5;
constexpr size_t kPagesMax = 24;
constexpr innodb::SpaceId kSpace = 5;

enum class Making : uint8_t { kWhole, kZeros, kRaw, kFlipped };

struct Input {
  innodb::TablespaceFlags flags;
  bool is_prepared = false;
  bool is_undo = false;
  bool is_listed = false;
  uint8_t size_pages = 0;
  uint8_t free_limit = 0;
};

Input ParseHead(ByteView bytes) {
  constexpr std::array<uint32_t, 10> kFlags = {
      0x13, 0x15, 0x33, 0x21 | 3U << 6, 0x21, 0x23, 0x25, 0x10021 | 3U << 6, 0x27, 0xb3};
  Input input;
  input.flags = innodb::TablespaceFlags::Decode(kFlags[bytes[0] % kFlags.size()]).value();
  input.is_prepared = (bytes[1] & 1U) != 0;
  input.is_undo = (bytes[1] & 2U) != 0;
  input.is_listed = (bytes[1] & 4U) != 0;
  input.size_pages = bytes[2];
  input.free_limit = bytes[3];
  return input;
}

// Takes a page off the input.
std::string TakePage(ByteView& bytes, const Input& input, innodb::PageNo number, Making& making) {
  constexpr std::array<uint16_t, 8> kTypes = {
      innodb::kPageIndex, innodb::kPageBlob,    innodb::kPageAllocated, innodb::kPageXdes,
      innodb::kPageInode, innodb::kPageUndoLog, innodb::kPageFspHeader, 5};
  const innodb::PageId id{.space = kSpace, .page = number};
  making = static_cast<Making>(bytes[0] & 3U);
  const uint8_t flip = bytes[0] >> 2U;
  std::string text = testing::MakePage(input.flags.physical_size(), id,
                                       testing::kSmallBackupPageLsn, kTypes[bytes[1] % 8]);
  const MutableByteView page = MutableBytes(text);
  StoreBe32(page, innodb::kFilPrev, bytes[2] == 0xFF ? UINT32_MAX : bytes[2]);
  StoreBe32(page, innodb::kFilNext, bytes[3] == 0xFF ? UINT32_MAX : bytes[3]);
  const size_t size = std::min<size_t>(bytes[4], bytes.size() - kPageHeadBytes);
  const ByteView content = bytes.subspan(kPageHeadBytes, size);
  bytes = bytes.subspan(kPageHeadBytes + size);
  if (making == Making::kZeros) return std::string(page.size(), '\0');
  if (making == Making::kRaw) {
    std::copy(content.begin(), content.end(), page.begin());
    return text;
  }
  // Where descriptors would be.
  std::copy(content.begin(), content.end(), page.begin() + innodb::kXdesArray);
  if (number == 0) {
    StoreBe16(page, innodb::kFilType, innodb::kPageFspHeader);
    StoreBe32(page, innodb::kFspSpaceId, kSpace);
    StoreBe32(page, innodb::kFspSize, input.size_pages);
    StoreBe32(page, innodb::kFspFreeLimit, input.free_limit);
    StoreBe32(page, innodb::kFspFlags, input.flags.raw());
  }
  innodb::SealPage(page, input.flags, id);
  if (making == Making::kFlipped) page[innodb::kFilData + flip] ^= 0x10;
  return text;
}

class TablespaceFuzz : CheckFixture {
 public:
  void Run(ByteView bytes) {
    const Input input = ParseHead(bytes);
    bytes = bytes.subspan(kHeadBytes);
    std::string file;
    std::vector<Making> makings;
    while (bytes.size() >= kPageHeadBytes && makings.size() < kPagesMax) {
      const auto number = static_cast<innodb::PageNo>(makings.size());
      file += TakePage(bytes, input, number, makings.emplace_back());
    }
    file.append(bytes.size() % 3, 'x');
    Check(input, file);
    CheckFindings(input, file.size(), makings);
  }

 private:
  void Check(const Input& input, const std::string& file) {
    facts.is_prepared = input.is_prepared;
    facts.page_size = input.flags.logical_size();
    fs.PutFile("/b/db/t.ibd", file);
    const auto open = fs.Open("/b/db/t.ibd", {}).value();
    const manifest::SpaceFacts listed{
        .space_id = kSpace, .page_size = input.flags.physical_size(), .flags = input.flags.raw()};
    const auto kind =
        input.is_undo ? datadir::FileKind::kUndoTablespace : datadir::FileKind::kTablespace;
    const auto check = TablespaceCheck::Make(facts, "db/t.ibd", kind, *open, file.size(),
                                             input.is_listed ? &listed : nullptr, context);
    HBK_CHECK(check.ok());
    HBK_CHECK((*check)->Check(0, AsBytes(file), scratch).ok());
    HBK_CHECK((*check)->Finish(/*is_whole=*/true, scratch).ok());
  }

  void CheckFindings(const Input& input, uint64_t file_bytes, const std::vector<Making>& makings) {
    std::vector<Finding> found = findings.Take();
    for (const Finding& finding : found) {
      HBK_CHECK(!finding.what.empty() && finding.file == "db/t.ibd");
      HBK_CHECK(!finding.page || *finding.page <= file_bytes / innodb::kPageSizeMin);
      HBK_CHECK(!finding.offset || *finding.offset <= file_bytes);
    }
    // Raw bytes may be a first page of another page size.
    if (makings.empty() || makings[0] == Making::kRaw) return;
    std::vector<bool> is_damaged(makings.size());
    for (const Finding& finding : found) {
      HBK_CHECK(!finding.page || *finding.page < makings.size());
      if (finding.what == innodb::PageVerdictName(innodb::PageVerdict::kBadChecksum))
        is_damaged[*finding.page] = true;
    }
    // Without a good first page it is not known what a page is, unless a manifest says so.
    const bool has_flags =
        makings[0] == Making::kWhole || (makings[0] == Making::kFlipped && input.is_listed);
    for (size_t number = 0; number < makings.size(); ++number) {
      if (makings[number] == Making::kWhole || makings[number] == Making::kZeros)
        HBK_CHECK(!is_damaged[number]);
      // After prepare, what nothing uses may be anything.
      if (makings[number] == Making::kFlipped && has_flags && !input.is_prepared)
        HBK_CHECK(is_damaged[number]);
    }
  }
};

}  // namespace
}  // namespace hbk::verify

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < hbk::verify::kHeadBytes) return 0;
  hbk::verify::TablespaceFuzz().Run({data, size});
  return 0;
}

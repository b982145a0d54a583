// Control files, table headers and pages of Aria. The first byte chooses what the rest is.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hbk/aria/control_file.h"
#include "hbk/aria/page_check.h"
#include "hbk/aria/table_header.h"
#include "hbk/base/bytes.h"
#include "hbk/base/check.h"

namespace {

using namespace hbk;

void TryControlFile(ByteView bytes) {
  const auto control = aria::ParseControlFile(AsText(bytes));
  if (!control.ok()) return;
  const auto again = aria::ParseControlFile(aria::RenderControlFile(*control, 7));
  HBK_CHECK(again.ok() && again->last_log == 7);
  HBK_CHECK(aria::RenderControlFile(*again, control->last_log) == control->bytes);
}

// A table: its header, and what follows as pages of both files.
void TryTable(ByteView bytes) {
  const auto header = aria::ParseTableHeader(bytes);
  if (!header.ok()) return;
  HBK_CHECK(header->block_bytes > 0 && header->header_bytes % header->block_bytes == 0);
  std::vector<uint8_t> page(header->block_bytes);
  for (const auto file : {aria::AriaFile::kIndex, aria::AriaFile::kData}) {
    const aria::PageRules rules = aria::RulesOf(*header, file);
    for (uint64_t page_no = 0; page_no < 4; ++page_no) {
      for (size_t i = 0; i < page.size(); ++i)
        page[i] = bytes[(page_no * page.size() + i) % bytes.size()];
      (void)aria::CheckPage(rules, page_no, page);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  if (data[0] == 'c') {
    TryControlFile(rest);
  } else {
    TryTable(rest);
  }
  return 0;
}

// .frm files: any bytes are a table or a view whose engine has a printable name, or are refused.
#include <algorithm>
#include <cstdint>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/datadir/table_definition.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto table = hbk::datadir::ParseTableDefinition({data, size});
  if (!table.ok()) {
    HBK_CHECK(table.status().code() == hbk::StatusCode::kCorruption);
    return 0;
  }
  HBK_CHECK(!table->is_view || (table->engine.empty() && !table->version));
  HBK_CHECK(std::all_of(table->engine.begin(), table->engine.end(),
                        [](char c) { return c > ' ' && c <= '~'; }));
  if (table->version) HBK_CHECK(hbk::datadir::TableVersionText(*table->version).size() == 36);
  return 0;
}

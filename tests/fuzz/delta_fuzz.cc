// Delta files: any bytes are runs of pages that fit what their head says, or are refused.
#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/delta/delta_file.h"

#include "tests/support/mem_file_system.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hbk::testing::MemFileSystem fs;
  fs.PutFile("/d", std::string_view(reinterpret_cast<const char*>(data), size));
  const auto reader = hbk::delta::DeltaReader::Open(fs, "/d");
  if (!reader.ok()) return 0;
  const auto runs = (*reader)->ReadIndex({});
  if (!runs.ok()) {
    HBK_CHECK(runs.status().code() == hbk::StatusCode::kCorruption);
    return 0;
  }
  for (const hbk::delta::DeltaRun& run : *runs) {
    HBK_CHECK(run.page_count > 0 && run.byte_count <= hbk::delta::kRunBytesMax);
    HBK_CHECK(run.offset + run.stored_bytes() <= size);
    std::vector<uint8_t> bytes(run.byte_count);
    HBK_CHECK((*reader)->ReadRun(run, bytes).ok());
  }
  return 0;
}

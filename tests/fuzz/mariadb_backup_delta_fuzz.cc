// Deltas of mariadb-backup: any bytes are pages that fit what their heads say, or are refused. The
// first line is the .meta file if it is one, without line breaks: its '|' stand for them.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/check.h"
#include "hbk/delta/mariadb_backup_delta.h"

#include "tests/support/mem_file_system.h"

namespace {

using hbk::StatusCode;
using hbk::delta::DeltaRun;
using hbk::delta::MariadbBackupDelta;

void ReadDelta(std::string_view bytes, uint32_t page_size) {
  hbk::testing::MemFileSystem fs;
  fs.PutFile("/d", bytes);
  const auto reader = MariadbBackupDelta::Open(fs, "/d", page_size);
  HBK_CHECK(reader.ok());
  uint64_t page_count = 0;
  uint64_t next_page = 0;
  const auto visit = [&](uint32_t page, hbk::ByteView image) {
    HBK_CHECK(page >= next_page && image.size() == page_size);
    next_page = uint64_t{page} + 1;
    ++page_count;
    return hbk::OkStatus();
  };
  const auto runs = (*reader)->ReadIndex(visit, {});
  if (!runs.ok()) {
    HBK_CHECK(runs.status().code() == StatusCode::kCorruption);
    return;
  }
  for (const DeltaRun& run : *runs) {
    HBK_CHECK(run.page_count > 0 && run.byte_count <= hbk::delta::kRunBytesMax);
    HBK_CHECK(run.byte_count == uint64_t{run.page_count} * page_size || run.page_count == 1);
    HBK_CHECK(run.offset + run.byte_count <= bytes.size());
    page_count -= run.page_count;
    std::vector<uint8_t> out(run.byte_count);
    HBK_CHECK((*reader)->ReadRun(run, out).ok());
  }
  HBK_CHECK(page_count == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\n'), input.size());
  std::string text(input.substr(0, end));
  std::replace(text.begin(), text.end(), '|', '\n');
  const auto meta = hbk::delta::ParseMariadbBackupMeta(text);
  if (!meta.ok()) {
    HBK_CHECK(meta.status().code() == StatusCode::kCorruption);
    return 0;
  }
  ReadDelta(input.substr(std::min(end + 1, input.size())), meta->page_size);
  return 0;
}

// The server's list of DDL statements.

#include <cstddef>
#include <cstdint>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/datadir/ddl_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(hbk::AsText({data, size}));
  const hbk::datadir::DdlLog log = hbk::datadir::ParseDdlLog(text);
  for (const hbk::datadir::DdlLogEntry& entry : log.entries)
    HBK_CHECK(!entry.operation.empty() && entry.table.find('/') != std::string::npos);
  // Another line behind it changes nothing of what was read, and is itself read.
  if (!log.is_complete) return 0;
  const hbk::datadir::DdlLog longer = hbk::datadir::ParseDdlLog(
      text + "2026-11-26 20:15:21\tDROP\tInnoDB\t0\td\tt\tid\t\t0\t\t\t\n");
  HBK_CHECK(longer.is_complete && longer.entries.size() == log.entries.size() + 1);
  return 0;
}

// Extracts a stream in memory: it is a backup afterwards, or nothing is left of it.
#pragma once

#include <memory>
#include <string>

#include "hbk/base/check.h"
#include "hbk/extract/extract_runner.h"

#include "tests/support/byte_buffers.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"

namespace hbk::testing {

inline void FuzzStream(std::string stream) {
  // A file in memory is as long as it says.
  if (stream.size() > (1 << 20)) return;
  MemFileSystem fs;
  fs.PutDirectory("/d");
  SilentReporter reporter;
  const auto result =
      extract::RunExtract({"/d/out", 1}, SourceOf(std::move(stream)), fs, reporter, {});
  const auto left = fs.List("/d");
  HBK_CHECK(left.ok() && reporter.warning_count() == 0);
  if (result.ok()) {
    HBK_CHECK(fs.Tree("/d/out").size() == result->file_count);
    HBK_CHECK(!fs.Tree("/d/out").contains("/d/out/hbk_incomplete"));
    return;
  }
  const StatusCode code = result.status().code();
  HBK_CHECK(code == StatusCode::kCorruption || code == StatusCode::kUnsupported ||
            code == StatusCode::kNoSpace);
  HBK_CHECK(left->empty());
}

}  // namespace hbk::testing

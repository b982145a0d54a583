// The files of tests/golden/aria.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hbk/base/bytes.h"

namespace hbk::aria {

constexpr size_t kGoldenPageBytes = 8192;

inline std::vector<uint8_t> ReadGolden(const std::string& name) {
  const std::string here = __FILE__;
  const std::string root = here.substr(0, here.rfind("/tests/unit/"));
  std::ifstream file(root + "/tests/golden/aria/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline ByteView GoldenPage(const std::vector<uint8_t>& file, size_t page_no) {
  return ByteView(file).subspan(page_no * kGoldenPageBytes, kGoldenPageBytes);
}

}  // namespace hbk::aria

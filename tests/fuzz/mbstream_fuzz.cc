// Streams in the format of mbstream: any bytes are a backup, or are refused and leave nothing.
#include <cstdint>
#include <string>

#include "tests/fuzz/stream_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hbk::testing::FuzzStream(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

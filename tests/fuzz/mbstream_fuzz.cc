// Streams in the format of mbstream: any bytes are events that fit each other, or are refused.
#include <cstdint>

#include "tests/fuzz/stream_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hbk::testing::FuzzStream("XBSTCK01", {reinterpret_cast<const char*>(data), size});
  return 0;
}

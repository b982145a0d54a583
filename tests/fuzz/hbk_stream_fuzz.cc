// Streams of our own format. Input that does not begin as one is a row of records, which get the
// checksums that they need: else no mutation would come further than to the first of them.
//
// A record is: type, file, size of the payload (a byte each), number (4 bytes, the highest one
// shifted to the top), payload.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "hbk_stream_format.h"
#include "tests/fuzz/stream_fuzz.h"

namespace {

constexpr size_t kInputHeadBytes = 1 + 1 + 1 + 4;

std::string Sealed(hbk::ByteView input) {
  using namespace hbk::stream;  // NOLINT(google-build-using-namespace)
  uint64_t chain = 0;
  const std::vector<uint8_t> id(kStreamIdBytes);
  std::string stream(hbk::AsText(RenderStreamHead(id, chain)));
  while (input.size() >= kInputHeadBytes) {
    const size_t size = std::min<size_t>(input[2], input.size() - kInputHeadBytes);
    const hbk::ByteView payload = input.subspan(kInputHeadBytes, size);
    RecordHead head;
    head.type = static_cast<RecordType>(input[0]);
    head.file = input[1];
    head.payload_size = static_cast<uint32_t>(size);
    const uint32_t number = hbk::LoadLe32(input, 3);
    head.number = (number & 0xFFFF) | uint64_t{number >> 24} << 56;
    head.payload_hash = PayloadHash(payload);
    stream += hbk::AsText(RenderRecordHead(head, chain));
    stream += hbk::AsText(payload);
    input = input.subspan(kInputHeadBytes + size);
  }
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const hbk::ByteView input(data, size);
  const bool is_stream = hbk::AsText(input).starts_with(hbk::stream::kHbkStreamMagic);
  hbk::testing::FuzzStream(is_stream ? std::string(hbk::AsText(input)) : Sealed(input));
  return 0;
}

// The compression algorithms of page_compressed tables.
//
// Each but zlib can be left out of a build; whoever meets a table that needs it asks IsAvailable()
// and says so by name.
//
// Format   docs/format/innodb-pages.md, "Page compression": the payload of a stored image, without
//          its header.
// Errors   kCorruption: not such a stream, or another length. kUnsupported: not in this build.
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::codec {

// As tablespace flags and page headers number them.
enum class Algorithm : uint8_t {
  kNone = 0,
  kZlib = 1,
  kLz4 = 2,
  kLzo = 3,
  kLzma = 4,
  kBzip2 = 5,
  kSnappy = 6,
};

std::string_view AlgorithmName(Algorithm algorithm);  // "zlib", "lz4", ...
bool IsAvailable(Algorithm algorithm);

// `page` is filled exactly. For zlib, lzma and bzip2, `payload` may have padding behind it.
Status Decompress(Algorithm algorithm, ByteView payload, MutableByteView page);

// The bytes used of `out`; 0 if the result does not fit, which is no error.
Result<size_t> Compress(Algorithm algorithm, ByteView page, MutableByteView out);

}  // namespace hbk::codec

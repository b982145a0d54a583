// Frames of Zstandard and LZ4, each a chunk of a file: its size and a checksum are in the frame.
//
// Format   docs/format/compressed-files.md.
// Units    Sizes are bytes; a chunk has at most kFrameChunkBytesMax.
// Memory   An encoder about 4 MiB (zstd at its usual levels; up to 100 MiB at the highest), a
//          decoder some 100 KiB.
// Errors   kCorruption: no such frame, not all of it, more than it, or another checksum.
//          kUsage: no such method or level.
// Threads  An encoder or decoder belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::codec {

constexpr size_t kFrameChunkBytesMax = 1 << 20;

enum class FrameMethod : uint8_t { kNone, kZstd, kLz4 };

struct FrameChoice {
  FrameMethod method = FrameMethod::kNone;
  int level = 0;
  bool operator==(const FrameChoice&) const = default;
};

// "zstd", "zstd:19", "lz4", "lz4:9", "none". Without a level: the method's usual one.
Result<FrameChoice> ParseFrameChoice(std::string_view text);
// The reverse, always with the level of a method that has levels.
std::string FormatFrameChoice(const FrameChoice& choice);
// ".zst", ".lz4", "".
std::string_view FrameSuffix(FrameMethod method);

class FrameEncoder {
 public:
  // Not kNone.
  static std::unique_ptr<FrameEncoder> Create(const FrameChoice& choice);
  FrameEncoder() = default;
  virtual ~FrameEncoder() = default;
  FrameEncoder(const FrameEncoder&) = delete;
  FrameEncoder& operator=(const FrameEncoder&) = delete;

  // Replaces what is in `frame`. `is_fast`: at the fastest level, for what hardly shrinks.
  virtual Status Encode(ByteView chunk, bool is_fast, std::vector<uint8_t>& frame) = 0;
};

class FrameDecoder {
 public:
  static std::unique_ptr<FrameDecoder> Create(FrameMethod method);
  FrameDecoder() = default;
  virtual ~FrameDecoder() = default;
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  // `frame` is one frame, whole, and `chunk` as long as what is in it.
  virtual Status Decode(ByteView frame, MutableByteView chunk) = 0;
};

}  // namespace hbk::codec

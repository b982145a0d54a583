// Chunks of an mbstream, by themselves: also such as no writer makes.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <zlib.h>

#include "hbk/base/bytes.h"

namespace hbk::testing {

inline std::string LittleEndian(uint64_t number, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(number >> (8 * i) & 0xff);
  return bytes;
}

inline std::string MbChunk(char type, std::string_view path, char flags = 0) {
  return std::string("XBSTCK01") + flags + type + LittleEndian(path.size(), 4) + std::string(path);
}
inline std::string MbPayload(std::string_view path, uint64_t offset, std::string_view bytes,
                             char flags = 0) {
  const ByteView view = AsBytes(bytes);
  return MbChunk('P', path, flags) + LittleEndian(bytes.size(), 8) + LittleEndian(offset, 8) +
         LittleEndian(view.empty() ? 0 : crc32_z(0, view.data(), view.size()), 4) +
         std::string(bytes);
}
inline std::string MbEof(std::string_view path, char flags = 0) {
  return MbChunk('E', path, flags);
}
inline std::string MbSeek(std::string_view path, uint64_t offset) {
  return MbChunk('S', path) + LittleEndian(offset, 8);
}
inline std::string MbRename(std::string_view from, std::string_view to) {
  return MbChunk('R', from) + LittleEndian(to.size(), 4) + std::string(to);
}
inline std::string MbRemove(std::string_view path) {
  return MbChunk('D', path);
}
inline std::string MbFile(std::string_view path, std::string_view bytes) {
  return MbPayload(path, 0, bytes) + MbEof(path);
}

}  // namespace hbk::testing

// The chunks of an mbstream.
//
// Format   docs/format/mbstream.md.
// Source   MariaDB Server 10.11, extra/mariabackup/xbstream.h (read, not copied); checked against
//          mbstream 10.5, 10.11 and 11.8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hbk::stream {

constexpr std::string_view kMbstreamMagic = "XBSTCK01";
constexpr uint8_t kFlagIgnorable = 1;
constexpr uint8_t kFlagRewrite = 2;

constexpr uint8_t kChunkPayload = 'P';
constexpr uint8_t kChunkEof = 'E';
constexpr uint8_t kChunkSeek = 'S';
constexpr uint8_t kChunkRename = 'R';
constexpr uint8_t kChunkRemove = 'D';

constexpr size_t kChunkHeadBytes = 8 + 1 + 1 + 4;      // magic, flags, type, length of the path
constexpr size_t kPayloadHeadBytes = 8 + 8 + 4;        // size, offset, CRC-32
constexpr size_t kMbstreamPayloadBytesMax = 10 << 20;  // that mariadb-backup writes

}  // namespace hbk::stream

// The records of hbk's own archive.
//
// Format   docs/format/hbk-stream.md.
// Units    Offsets and sizes are bytes; numbers are little-endian.
// Threads  A RecordHead and a DataDigest are values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hbk/base/bytes.h"

namespace hbk::stream {

// As that of PNG: a transfer that changes line ends or clears the eighth bit is noticed at once.
constexpr std::string_view kHbkStreamMagic = "\x89HBK\r\n\x1a\n";
constexpr uint32_t kHbkStreamVersion = 1;
constexpr size_t kStreamIdBytes = 16;
constexpr size_t kStreamHeadBytes = 8 + 4 + 4 + kStreamIdBytes + 8;

constexpr uint32_t kRecordMagic = 0x724B4248;  // "HBKr"
constexpr size_t kRecordHeadBytes = 4 + 1 + 3 + 4 + 4 + 8 + 8 + 8;
constexpr uint32_t kRecordPayloadBytesMax = 1 << 20;

enum class RecordType : uint8_t {
  kOpen = 'O',             // payload: path
  kData = 'D',             // number: offset; payload: bytes
  kClose = 'C',            // number: size; payload: digest of what was written
  kRename = 'R',           // number: bytes of the old path; payload: old path, new path
  kRemove = 'X',           // payload: path
  kMakeDirectory = 'M',    // payload: path
  kRemoveDirectory = 'U',  // payload: path
  kEnd = 'E',              // number: records with this one; payload: see EndCounts
};
bool IsRecordType(uint8_t byte);

struct RecordHead {
  RecordType type = RecordType::kEnd;
  uint32_t file = 0;
  uint32_t payload_size = 0;
  uint64_t number = 0;
  uint64_t payload_hash = 0;
};

// `chain` is the check of what is before: each record vouches for all of those before it.
std::array<uint8_t, kRecordHeadBytes> RenderRecordHead(const RecordHead& head, uint64_t& chain);
// nullopt: damaged, or not the one that follows.
std::optional<RecordHead> ParseRecordHead(ByteView bytes, uint64_t& chain);

std::array<uint8_t, kStreamHeadBytes> RenderStreamHead(ByteView stream_id, uint64_t& chain,
                                                       uint32_t version = kHbkStreamVersion);
// The version; nullopt: damaged.
std::optional<uint32_t> ParseStreamHead(ByteView bytes, uint64_t& chain);

uint64_t PayloadHash(ByteView payload);

// What was written to a file, in whatever order.
class DataDigest {
 public:
  void Add(uint64_t offset, uint64_t size, uint64_t payload_hash);
  static constexpr size_t kBytes = 8 + 8;
  [[nodiscard]] std::array<uint8_t, kBytes> Render() const;
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  uint64_t bytes_ = 0;
  uint64_t sum_ = 0;
};

// In the last record: files and directories that there are, and bytes of data in all records.
struct EndCounts {
  static constexpr size_t kBytes = 8 + 8 + 8;
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t data_bytes = 0;
  bool operator==(const EndCounts&) const = default;

  [[nodiscard]] std::array<uint8_t, kBytes> Render() const;
  static EndCounts Parse(ByteView bytes);
};

}  // namespace hbk::stream

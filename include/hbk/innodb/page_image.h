// What the image of a page tells without a key: how it is coded, how much of it is used, and what
// is wrong with a damaged one.
//
// An image is a page as it lies in its file: plain, page_compressed, encrypted, or both.
//
// Format   docs/format/innodb-pages.md, "Page compression"; docs/format/encryption.md.
// Units    Offsets from the start of the image, in bytes.
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/codec/page_codec.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::innodb {

// full_crc32: the type of a compressed image is this bit and the size of the image in units.
constexpr uint16_t kFullCrc32Compressed = 0x8000;
constexpr size_t kFullCrc32SizeUnit = 256;

// Old format: key version 4 and checksum of the encrypted image 4; in a compressed, clear image
// these 8 bytes are the algorithm. Its payload follows a length, and the algorithm if encrypted.
constexpr size_t kOldImageChecksum = kFilKeyVersion + 4;
constexpr size_t kOldAlgorithm = kFilKeyVersion;
constexpr size_t kOldPayloadSize = kFilData;
constexpr size_t kOldEncryptedAlgorithm = kFilData + 2;
constexpr size_t kOldPayload = kFilData + 2;
constexpr size_t kOldEncryptedPayload = kFilData + 2 + 2;

// How an image is coded.
struct PageCoding {
  uint32_t key_version = 0;  // 0: clear
  codec::Algorithm algorithm = codec::Algorithm::kNone;

  [[nodiscard]] bool is_plain() const {
    return key_version == 0 && algorithm == codec::Algorithm::kNone;
  }
  bool operator==(const PageCoding&) const = default;
};

// What the image says of itself, by its header fields. Good for an image that CheckPage accepts;
// the algorithm of an encrypted full_crc32 image is that of its file. An algorithm that there is
// not is kept as its number.
PageCoding CodingOf(ByteView image, const TablespaceFlags& flags, bool has_crypt_data, PageId id);

// Of the key that a good page is encrypted with; 0: it is in plain text. In the old format a page
// of a file without encryption metadata may have anything there.
uint32_t KeyVersionOf(ByteView page, const TablespaceFlags& flags, PageId id);

// True for page 0 and TRX_SYS, what everything else is found with: neither compressed nor
// encrypted. In the old format the place of the key version holds something else there.
bool IsNeverCoded(PageId id);

// Of a page in a full_crc32 file.
bool IsFullCrc32Compressed(ByteView image);
// Its bytes that count, checksum included: the whole page, unless it is compressed. The whole page,
// too, if the type names a size that no compressed image has: none, or not less than the page.
size_t FullCrc32Size(ByteView image);

// Of a page in a file of the old format.
bool IsOldCompressedType(uint16_t type);
// Where the payload of such an image begins.
size_t OldPayloadOffset(uint16_t type);
// The compressed stream of such an image, encrypted or not; nothing if it says that it is longer
// than it can be, or made by no algorithm.
std::optional<ByteView> OldPayloadOf(ByteView image);

// The bytes at the start of a good page that mean something; behind them may be anything. The whole
// page, unless it is a compressed one.
size_t UsedBytes(ByteView page, const TablespaceFlags& flags);

// CheckPage, and more where it is to be had: the page inside of a compressed one whose image has no
// checksum, if this build has the codec.
PageVerdict CheckImage(ByteView page, const TablespaceFlags& flags, PageId id);

// True for a good page that no checksum covers here: old format, compressed, and encrypted or
// without a codec for it in this build.
bool IsUnverifiable(ByteView page, const TablespaceFlags& flags);

// Each check that fails, with what was found: "checksum 0x12345678, computed 0x9abcdef0; LSN ends
// in 0x1 at the head, in 0x2 at the tail; page number 7".
std::string DescribeDamage(ByteView page, const TablespaceFlags& flags, PageId id);

}  // namespace hbk::innodb

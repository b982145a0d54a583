#include "hbk/codec/page_codec.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <zlib.h>

#ifdef HBK_CODEC_LZ4
#include <lz4.h>
#endif
#ifdef HBK_CODEC_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HBK_CODEC_LZMA
#include <lzma.h>
#endif
#ifdef HBK_CODEC_BZIP2
#include <bzlib.h>
#endif
#ifdef HBK_CODEC_SNAPPY
#include <snappy-c.h>
#endif

namespace hbk::codec {
namespace {

// A page and its images are at most 64 KiB: every size below fits every library's type.
constexpr size_t kBytesMax = size_t{1} << 20;

// Both return false for "it cannot be done": bytes that are no such stream, or no room.
using DecompressFunction = bool (*)(ByteView payload, MutableByteView page);
using CompressFunction = size_t (*)(ByteView page, MutableByteView out);

bool DecompressZlib(ByteView payload, MutableByteView page) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  stream.next_in = const_cast<Bytef*>(payload.data());  // NOLINT: zlib only reads it
  stream.avail_in = static_cast<uInt>(payload.size());
  stream.next_out = page.data();
  stream.avail_out = static_cast<uInt>(page.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool is_exact = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return is_exact;
}

size_t CompressZlib(ByteView page, MutableByteView out) {
  uLongf size = out.size();
  // The server's default level.
  constexpr int kLevel = 6;
  return compress2(out.data(), &size, page.data(), page.size(), kLevel) == Z_OK ? size : 0;
}

#ifdef HBK_CODEC_LZ4
bool DecompressLz4(ByteView payload, MutableByteView page) {
  const int size = LZ4_decompress_safe(
      reinterpret_cast<const char*>(payload.data()), reinterpret_cast<char*>(page.data()),
      static_cast<int>(payload.size()), static_cast<int>(page.size()));
  return size >= 0 && static_cast<size_t>(size) == page.size();
}

size_t CompressLz4(ByteView page, MutableByteView out) {
  const int size = LZ4_compress_default(
      reinterpret_cast<const char*>(page.data()), reinterpret_cast<char*>(out.data()),
      static_cast<int>(page.size()), static_cast<int>(out.size()));
  return size > 0 ? static_cast<size_t>(size) : 0;
}
#endif

#ifdef HBK_CODEC_LZO
bool DecompressLzo(ByteView payload, MutableByteView page) {
  lzo_uint size = page.size();
  return lzo1x_decompress_safe(payload.data(), payload.size(), page.data(), &size, nullptr) ==
             LZO_E_OK &&
         size == page.size();
}

size_t CompressLzo(ByteView page, MutableByteView out) {
  // Incompressible bytes grow by this much; the library does not look at the room it has.
  std::vector<uint8_t> room(page.size() + page.size() / 16 + 64 + 3);
  std::vector<uint8_t> work(LZO1X_1_15_MEM_COMPRESS);
  lzo_uint size = room.size();
  if (lzo1x_1_15_compress(page.data(), page.size(), room.data(), &size, work.data()) != LZO_E_OK ||
      size > out.size()) {
    return 0;
  }
  std::copy_n(room.begin(), size, out.begin());
  return size;
}
#endif

#ifdef HBK_CODEC_LZMA
bool DecompressLzma(ByteView payload, MutableByteView page) {
  constexpr uint64_t kMemoryMax = uint64_t{128} << 20;
  uint64_t memory = kMemoryMax;
  size_t read = 0;
  size_t written = 0;
  return lzma_stream_buffer_decode(&memory, 0, nullptr, payload.data(), &read, payload.size(),
                                   page.data(), &written, page.size()) == LZMA_OK &&
         written == page.size();
}

// As lzma_easy_buffer_encode(), which would take some 90 MiB for a dictionary of 8 MiB.
size_t CompressLzma(ByteView page, MutableByteView out) {
  size_t size = 0;
  constexpr uint32_t kLevel = 6;
  lzma_options_lzma options{};
  if (lzma_lzma_preset(&options, kLevel)) return 0;
  options.dict_size = std::max(LZMA_DICT_SIZE_MIN, static_cast<uint32_t>(page.size()));
  std::array<lzma_filter, 2> filters = {
      {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
  return lzma_stream_buffer_encode(filters.data(), LZMA_CHECK_NONE, nullptr, page.data(),
                                   page.size(), out.data(), &size, out.size()) == LZMA_OK
             ? size
             : 0;
}
#endif

#ifdef HBK_CODEC_BZIP2
bool DecompressBzip2(ByteView payload, MutableByteView page) {
  auto size = static_cast<unsigned>(page.size());
  // The library does not write to its input.
  auto* const source = const_cast<char*>(reinterpret_cast<const char*>(payload.data()));  // NOLINT
  return BZ2_bzBuffToBuffDecompress(reinterpret_cast<char*>(page.data()), &size, source,
                                    static_cast<unsigned>(payload.size()), 0, 0) == BZ_OK &&
         size == page.size();
}

size_t CompressBzip2(ByteView page, MutableByteView out) {
  auto size = static_cast<unsigned>(out.size());
  auto* const source = const_cast<char*>(reinterpret_cast<const char*>(page.data()));  // NOLINT
  constexpr int kBlockSize = 1;  // x 100 KiB: more than a page
  return BZ2_bzBuffToBuffCompress(reinterpret_cast<char*>(out.data()), &size, source,
                                  static_cast<unsigned>(page.size()), kBlockSize, 0, 0) == BZ_OK
             ? size
             : 0;
}
#endif

#ifdef HBK_CODEC_SNAPPY
bool DecompressSnappy(ByteView payload, MutableByteView page) {
  size_t size = page.size();
  return snappy_uncompress(reinterpret_cast<const char*>(payload.data()), payload.size(),
                           reinterpret_cast<char*>(page.data()), &size) == SNAPPY_OK &&
         size == page.size();
}

size_t CompressSnappy(ByteView page, MutableByteView out) {
  // The library wants room for the worst case.
  std::vector<char> room(snappy_max_compressed_length(page.size()));
  size_t size = room.size();
  if (snappy_compress(reinterpret_cast<const char*>(page.data()), page.size(), room.data(),
                      &size) != SNAPPY_OK ||
      size > out.size()) {
    return 0;
  }
  std::copy_n(room.begin(), size, out.begin());
  return size;
}
#endif

struct Codec {
  std::string_view name;
  DecompressFunction decompress = nullptr;
  CompressFunction compress = nullptr;
};

constexpr std::array<Codec, 7> kCodecs = {{
    {"none"},
    {"zlib", DecompressZlib, CompressZlib},
#ifdef HBK_CODEC_LZ4
    {"lz4", DecompressLz4, CompressLz4},
#else
    {"lz4"},
#endif
#ifdef HBK_CODEC_LZO
    {"lzo", DecompressLzo, CompressLzo},
#else
    {"lzo"},
#endif
#ifdef HBK_CODEC_LZMA
    {"lzma", DecompressLzma, CompressLzma},
#else
    {"lzma"},
#endif
#ifdef HBK_CODEC_BZIP2
    {"bzip2", DecompressBzip2, CompressBzip2},
#else
    {"bzip2"},
#endif
#ifdef HBK_CODEC_SNAPPY
    {"snappy", DecompressSnappy, CompressSnappy},
#else
    {"snappy"},
#endif
}};

const Codec* Find(Algorithm algorithm) {
  const auto index = static_cast<size_t>(algorithm);
  return index < kCodecs.size() ? &kCodecs[index] : nullptr;
}

Status NotAvailable(Algorithm algorithm) {
  return UnsupportedError("this build has no codec for " + std::string(AlgorithmName(algorithm)));
}

}  // namespace

std::string_view AlgorithmName(Algorithm algorithm) {
  const Codec* const codec = Find(algorithm);
  return codec == nullptr ? "unknown" : codec->name;
}

bool IsAvailable(Algorithm algorithm) {
  const Codec* const codec = Find(algorithm);
  return codec != nullptr && codec->decompress != nullptr;
}

Status Decompress(Algorithm algorithm, ByteView payload, MutableByteView page) {
  HBK_CHECK(payload.size() <= kBytesMax && page.size() <= kBytesMax);
  if (!IsAvailable(algorithm)) return NotAvailable(algorithm);
  if (Find(algorithm)->decompress(payload, page)) return OkStatus();
  return CorruptionError("not a page compressed with " + std::string(AlgorithmName(algorithm)));
}

Result<size_t> Compress(Algorithm algorithm, ByteView page, MutableByteView out) {
  HBK_CHECK(page.size() <= kBytesMax && out.size() <= kBytesMax);
  if (!IsAvailable(algorithm)) return NotAvailable(algorithm);
  return Find(algorithm)->compress(page, out);
}

}  // namespace hbk::codec

#include "hbk/stream/stream_reader.h"

#include <array>
#include <string_view>
#include <utility>

#include "buffered_source.h"
#include "hbk_stream_format.h"
#include "hbk_stream_reader.h"
#include "mbstream_format.h"
#include "mbstream_reader.h"

namespace hbk::stream {
namespace {

struct Packed {
  std::string_view magic;
  std::string_view hint;
};
// What pipelines wrap streams in.
constexpr std::array kPacked = {
    Packed{"\x28\xB5\x2F\xFD", "it is compressed: zstd -dc FILE | hbk extract ..."},
    Packed{"\x1F\x8B", "it is compressed: gzip -dc FILE | hbk extract ..."},
    Packed{"\x04\x22\x4D\x18", "it is compressed: lz4 -dc FILE | hbk extract ..."},
    Packed{"\xFD"
           "7zXZ",
           "it is compressed: xz -dc FILE | hbk extract ..."},
    Packed{"BZh", "it is compressed: bzip2 -dc FILE | hbk extract ..."},
    Packed{"Salted__", "it is encrypted by openssl enc: decrypt it first"},
};

Status UnknownFormat(std::string_view begin) {
  const Status status = CorruptionError(
      begin.empty() ? "the stream is empty"
                    : "the stream is neither an mbstream nor one of hbk, by its first bytes");
  for (const Packed& packed : kPacked)
    if (begin.starts_with(packed.magic)) return status.WithHint(packed.hint);
  return status.WithHint(
      "hbk extract reads what hbk backup --stream and mariadb-backup --stream write");
}

}  // namespace

Result<std::unique_ptr<StreamReader>> StreamReader::Open(std::unique_ptr<io::ByteSource> source) {
  static_assert(kMbstreamMagic.size() == 8 && kHbkStreamMagic.size() == 8);
  auto buffered = std::make_unique<BufferedSource>(std::move(source));
  HBK_ASSIGN_OR_RETURN(const ByteView begin, buffered->Peek(8));
  if (AsText(begin) == kMbstreamMagic)
    return std::unique_ptr<StreamReader>(std::make_unique<MbstreamReader>(std::move(buffered)));
  if (AsText(begin) == kHbkStreamMagic) return HbkStreamReader::Open(std::move(buffered));
  return UnknownFormat(AsText(begin));
}

}  // namespace hbk::stream

#include "hbk/stream/stream_writer.h"

#include <utility>

#include "hbk_stream_writer.h"
#include "mbstream_writer.h"

namespace hbk::stream {

std::string_view StreamFormatName(StreamFormat format) {
  return format == StreamFormat::kMbstream ? "mbstream" : "hbk";
}

std::unique_ptr<StreamWriter> MakeStreamWriter(StreamFormat format,
                                               std::unique_ptr<io::ByteSink> sink) {
  if (format == StreamFormat::kMbstream) return std::make_unique<MbstreamWriter>(std::move(sink));
  return std::make_unique<HbkStreamWriter>(std::move(sink));
}

}  // namespace hbk::stream

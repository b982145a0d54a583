// Reads an archive from front to back, as a row of events, and believes nothing of it.
//
// What an event says has been checked as far as its own bytes go: checksums, names
// (CheckStreamPath), sizes, the order of the data of a file where the format has one, files that
// are not closed. Whether a name fits those that are there already is the caller's to say.
//
// Format   docs/format/mbstream.md, docs/format/hbk-stream.md.
// Units    Offsets and sizes are bytes.
// Memory   1 MiB; of an mbstream also the names of the files that are open.
// Errors   kCorruption: damaged, cut off, or of no format that is known, with the offset in the
//          stream. kUnsupported: a later version. Those of the source.
// Threads  One.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/byte_stream.h"
#include "hbk/stream/stream_writer.h"

namespace hbk::stream {

struct StreamEvent {
  enum class Kind {
    kOpen,             // file, path, replaces
    kData,             // file, offset, data: at most kEventBytesMax
    kClose,            // file, size
    kRename,           // path, to
    kRemove,           // path; of an mbstream also a pattern with *, or a directory with all in it
    kMakeDirectory,    // path
    kRemoveDirectory,  // path
    kEnd,              // the last one; file_count, directory_count of an hbk stream
  };
  static constexpr uint64_t kUnknown = UINT64_MAX;

  Kind kind = Kind::kEnd;
  uint64_t file = 0;  // each once
  std::string path;
  std::string to;
  bool replaces = false;  // a file of that name may be there already
  uint64_t offset = 0;
  uint64_t size = kUnknown;  // of a file of an mbstream: it ends where its data does
  uint64_t file_count = kUnknown;
  uint64_t directory_count = kUnknown;
  std::vector<uint8_t> data;
};
constexpr size_t kEventBytesMax = 1 << 20;

class StreamReader {
 public:
  StreamReader() = default;
  virtual ~StreamReader() = default;
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // Knows the format by its first bytes.
  static Result<std::unique_ptr<StreamReader>> Open(std::unique_ptr<io::ByteSource> source);

  [[nodiscard]] virtual StreamFormat format() const = 0;
  // Not again after kEnd or an error. The memory of `event.data` is used again.
  virtual Status Next(StreamEvent& event) = 0;
};

}  // namespace hbk::stream

// Writes an archive: files, whose bytes come from several threads at once, and what happens to
// their names.
//
// Format   docs/format/mbstream.md, docs/format/hbk-stream.md.
// Units    Offsets and sizes are bytes. A path is relative to the top of the archive. A file has a
//          number that the caller gives, each once, rising.
// Memory   Of an mbstream, whose files must come in order: what was written ahead of its turn, at
//          most kEarlyBytesMax a file.
// Errors   kUnsupported: the format cannot say that, with the path. Those of the sink.
// Threads  Write and SkipHole: any, also for the same file. The other calls for a file from one
//          thread, when its Writes have returned; calls with paths one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/byte_stream.h"

namespace hbk::stream {

enum class StreamFormat { kMbstream, kHbk };
// "mbstream", "hbk".
std::string_view StreamFormatName(StreamFormat format);

constexpr uint64_t kEarlyBytesMax = 16 << 20;

class StreamWriter {
 public:
  StreamWriter() = default;
  // Without Finish the archive is no archive, and readers say so.
  virtual ~StreamWriter() = default;
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  // No file of that path may exist at this moment.
  virtual Status OpenFile(uint32_t file, const std::string& path) = 0;
  // A range may be written again, which costs compatibility: see the formats.
  virtual Status Write(uint32_t file, uint64_t offset, ByteView bytes) = 0;
  // Nothing was or will be written there, it is zeros. Need not be said, but it saves memory.
  virtual Status SkipHole(uint32_t file, uint64_t offset, uint64_t size) = 0;
  // What was not written is zeros. What was written behind `size` is cut off; of an mbstream that
  // may not be more than 4096 bytes.
  virtual Status CloseFile(uint32_t file, uint64_t size) = 0;

  // Of closed files. `to` is replaced if it exists.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  virtual Status MakeDirectory(const std::string& path) = 0;
  virtual Status RemoveDirectory(const std::string& path) = 0;  // an empty one

  // What was said so far is in the archive now, also what the format would say at the end: before
  // the file is written that makes it a backup.
  virtual Status Settle() { return OkStatus(); }
  // Every file must be closed. Called once, when everything is right: the archive is complete then.
  virtual Status Finish() = 0;
};

std::unique_ptr<StreamWriter> MakeStreamWriter(StreamFormat format,
                                               std::unique_ptr<io::ByteSink> sink);

}  // namespace hbk::stream

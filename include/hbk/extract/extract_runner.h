// `hbk extract`: unpacks an archive into a directory, which is then as --target-dir would have made
// it.
//
// Files are written under numbers in DIR/hbk_extracting, and get their names when the archive has
// been read to its end and is right: the manifest, or what else says that a backup is complete,
// last. Until then DIR has the marker hbk_incomplete. A run that fails removes what it has made.
//
// Format   docs/format/mbstream.md, docs/format/hbk-stream.md.
// Units    Sizes are bytes.
// Memory   Some 5 MiB for each thread, and the names of all files.
// Errors   kCorruption: damaged, cut off, hostile, or no complete backup. kTargetInUse: the
// directory is
//          not empty. kUnsupported: a later version. Those of source and file system. kInterrupted.
// Threads  Run is called once, from the main thread.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "hbk/base/status.h"
#include "hbk/io/byte_stream.h"
#include "hbk/io/file_system.h"
#include "hbk/report/reporter.h"
#include "hbk/stream/stream_writer.h"

namespace hbk::extract {

struct ExtractOptions {
  std::string directory;  // absent or empty
  uint32_t parallel = 1;  // threads that write
};

struct ExtractSummary {
  stream::StreamFormat format = stream::StreamFormat::kHbk;
  uint64_t file_count = 0;
  uint64_t bytes = 0;  // sizes of the files
};

// `stop` is also to end reads of `source` that wait.
Result<ExtractSummary> RunExtract(const ExtractOptions& options,
                                  std::unique_ptr<io::ByteSource> source, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop);

}  // namespace hbk::extract

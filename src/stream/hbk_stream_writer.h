// Writes hbk's own archive format.
//
// Nothing waits: data may come in any order, and what was written may be written again until the
// file is closed.
//
// Format   docs/format/hbk-stream.md.
// Errors, threads  See StreamWriter.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hbk/base/mutex.h"
#include "hbk/stream/sink_queue.h"
#include "hbk/stream/stream_writer.h"

#include "hbk_stream_format.h"

namespace hbk::stream {

class HbkStreamWriter final : public StreamWriter {
 public:
  explicit HbkStreamWriter(std::unique_ptr<io::ByteSink> sink);

  Status OpenFile(uint32_t file, const std::string& path) override HBK_EXCLUDES(mutex_);
  Status Write(uint32_t file, uint64_t offset, ByteView bytes) override HBK_EXCLUDES(mutex_);
  Status SkipHole(uint32_t file, uint64_t offset, uint64_t size) override;
  Status CloseFile(uint32_t file, uint64_t size) override HBK_EXCLUDES(mutex_);
  Status Rename(const std::string& from, const std::string& to) override HBK_EXCLUDES(mutex_);
  Status Remove(const std::string& path) override HBK_EXCLUDES(mutex_);
  Status MakeDirectory(const std::string& path) override HBK_EXCLUDES(mutex_);
  Status RemoveDirectory(const std::string& path) override HBK_EXCLUDES(mutex_);
  Status Finish() override HBK_EXCLUDES(mutex_);

 private:
  // The head once, before the first record.
  Status Begin() HBK_REQUIRES(mutex_);
  Status Add(RecordHead head, ByteView payload) HBK_REQUIRES(mutex_);
  Status AddPath(RecordType type, uint32_t file, const std::string& path) HBK_REQUIRES(mutex_);

  SinkQueue queue_;
  Mutex mutex_;  // the order of the records, in which each vouches for those before
  uint64_t chain_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t record_count_ HBK_GUARDED_BY(mutex_) = 0;
  std::map<uint32_t, DataDigest> open_ HBK_GUARDED_BY(mutex_);
  EndCounts counts_ HBK_GUARDED_BY(mutex_);
  std::map<std::string, bool> paths_ HBK_GUARDED_BY(mutex_);  // true: a file
};

}  // namespace hbk::stream

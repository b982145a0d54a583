// Writes the archive format of mbstream.
//
// As long as nothing that was written changes, it has P and E chunks without flags only, which
// every mbstream and xbstream reads. What changes costs chunks that mbstream knows
// from 10.6.17, 10.11.7 and 11.0.5 on; older ones stop there with an error.
//
// The last 4096 bytes of a file that is being written wait until it is closed: the last write may
// have been rounded up.
//
// Format   docs/format/mbstream.md.
// Errors, threads  See StreamWriter.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/stream/sink_queue.h"
#include "hbk/stream/stream_writer.h"

namespace hbk::stream {

class MbstreamWriter final : public StreamWriter {
 public:
  explicit MbstreamWriter(std::unique_ptr<io::ByteSink> sink);
  ~MbstreamWriter() override;

  Status OpenFile(uint32_t file, const std::string& path) override HBK_EXCLUDES(mutex_);
  Status Write(uint32_t file, uint64_t offset, ByteView bytes) override HBK_EXCLUDES(mutex_);
  Status SkipHole(uint32_t file, uint64_t offset, uint64_t size) override HBK_EXCLUDES(mutex_);
  Status CloseFile(uint32_t file, uint64_t size) override HBK_EXCLUDES(mutex_);
  Status Rename(const std::string& from, const std::string& to) override HBK_EXCLUDES(mutex_);
  Status Remove(const std::string& path) override HBK_EXCLUDES(mutex_);
  Status MakeDirectory(const std::string& path) override HBK_EXCLUDES(mutex_);
  Status RemoveDirectory(const std::string& path) override HBK_EXCLUDES(mutex_);
  Status Settle() override HBK_EXCLUDES(mutex_);
  Status Finish() override HBK_EXCLUDES(mutex_);

 private:
  class OpenFileState;

  std::shared_ptr<OpenFileState> FindFile(uint32_t file) HBK_EXCLUDES(mutex_);
  // The receiver makes a directory with the first file in it only.
  Status MaterializeDirectory(const std::string& path) HBK_EXCLUDES(mutex_);
  Status NoteDirectoryOf(const std::string& path) HBK_EXCLUDES(mutex_);

  SinkQueue queue_;
  bool is_finished_ = false;
  Mutex mutex_;
  std::map<uint32_t, std::shared_ptr<OpenFileState>> files_ HBK_GUARDED_BY(mutex_);
  std::set<std::string> used_paths_ HBK_GUARDED_BY(mutex_);
  // Those that the receiver has, and those that were only asked for.
  std::map<std::string, bool> directories_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::stream

// Reads hbk's own archive format.
//
// Format   docs/format/hbk-stream.md.
// Errors, threads  See StreamReader.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hbk/stream/stream_reader.h"

#include "buffered_source.h"
#include "hbk_stream_format.h"

namespace hbk::stream {

class HbkStreamReader final : public StreamReader {
 public:
  // Reads the head of the stream.
  static Result<std::unique_ptr<StreamReader>> Open(std::unique_ptr<BufferedSource> source);

  [[nodiscard]] StreamFormat format() const override { return StreamFormat::kHbk; }
  Status Next(StreamEvent& event) override;

 private:
  struct OpenFile {
    std::string path;
    DataDigest digest;
  };

  HbkStreamReader(std::unique_ptr<BufferedSource> source, uint64_t chain)
      : source_(std::move(source)), chain_(chain) {}

  Status Take(StreamEvent& event);
  Status TakeOpen(StreamEvent& event);
  Status TakeData(StreamEvent& event);
  Status TakeClose(StreamEvent& event);
  Status TakeRename(StreamEvent& event);
  Status TakePath(StreamEvent& event);
  Status TakeEnd(StreamEvent& event);
  [[nodiscard]] Status Error(std::string_view what) const;

  const std::unique_ptr<BufferedSource> source_;
  uint64_t chain_;
  uint64_t record_count_ = 0;
  uint64_t data_bytes_ = 0;
  uint64_t last_file_ = 0;
  std::map<uint32_t, OpenFile> open_;
  // The record that is being read.
  uint64_t record_offset_ = 0;
  RecordHead head_;
};

}  // namespace hbk::stream

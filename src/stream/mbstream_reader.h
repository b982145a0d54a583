// Reads the archive format of mbstream, of mariadb-backup and of hbk.
//
// Strict where mbstream is not: a name that is not allowed, a file that is not closed, and a rename
// or removal of an open file are errors.
//
// Format   docs/format/mbstream.md.
// Errors, threads  See StreamReader.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hbk/stream/stream_reader.h"

#include "buffered_source.h"

namespace hbk::stream {

class MbstreamReader final : public StreamReader {
 public:
  explicit MbstreamReader(std::unique_ptr<BufferedSource> source);

  [[nodiscard]] StreamFormat format() const override { return StreamFormat::kMbstream; }
  Status Next(StreamEvent& event) override;

 private:
  struct OpenFile {
    uint64_t file = 0;
    uint64_t position = 0;  // where its next data belongs
  };
  // The chunk that is being read.
  struct Chunk {
    uint64_t offset = 0;  // in the stream
    uint8_t type = 0;
    uint8_t flags = 0;
    std::string path;
    uint64_t left = 0;  // of the payload
    uint32_t crc = 0;   // that it must have
    uint32_t crc_so_far = 0;
    bool is_skipped = false;
  };

  Status ReadChunkHead();
  // False: the chunk gave no event.
  Result<bool> TakeChunk(StreamEvent& event);
  Result<bool> TakePayload(StreamEvent& event);
  Status ReadPayloadHead();
  Status TakeEof(StreamEvent& event);
  Status TakeSeek();
  Status TakeRename(StreamEvent& event);
  Result<std::string> ReadPath(uint64_t size);
  OpenFile* FindOrOpen(StreamEvent& event);
  [[nodiscard]] Status Error(std::string_view what) const;

  const std::unique_ptr<BufferedSource> source_;
  std::map<std::string, OpenFile> open_;
  uint64_t last_file_ = 0;
  Chunk chunk_;
  // The head was read, its file had to be opened first, what is to be done with it comes next.
  bool is_chunk_pending_ = false;
};

}  // namespace hbk::stream

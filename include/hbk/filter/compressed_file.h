// A file in frames, each a chunk of it: written in any order, read from anywhere, by several
// threads.
//
// Format   docs/format/compressed-files.md.
// Units    Offsets and sizes are bytes; a chunk is kFileChunkBytes of the plain file.
// Memory   A writer or reader: for each thread that is in a call a codec and about 2 MiB; a writer
//          also the frames that came before their turn, which are no more than such threads if
//          chunks are handed out in order.
// Errors   kCorruption: damaged, with the file and the offset in it. Those of the file system.
// Threads  Write, Read: any number. The other calls: one, when all of them have returned.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/filter/seek_table.h"
#include "hbk/io/file_system.h"

namespace hbk::filter {

class CompressedFileWriter {
 public:
  // `append` puts bytes at the end of the stored file; it is called by one thread at a time.
  using Append = std::function<Status(ByteView)>;
  CompressedFileWriter(const codec::FrameChoice& choice, Append append);
  ~CompressedFileWriter();

  // Each chunk once. `chunk` has kFileChunkBytes; the last one may have less, and not nothing.
  Status Write(uint64_t index, ByteView chunk) HBK_EXCLUDES(mutex_);
  // Every chunk must have been written (checked). The size of the stored file.
  Result<uint64_t> Finish() HBK_EXCLUDES(mutex_);

 private:
  struct Frame {
    std::vector<uint8_t> bytes;
    uint32_t chunk_size = 0;
  };
  struct Encoder;  // a codec that no thread is using

  [[nodiscard]] bool IsFastTurn() HBK_REQUIRES(mutex_);
  void NoteShrinking(uint64_t frame_size, uint64_t chunk_size) HBK_REQUIRES(mutex_);
  Status AppendInOrder(uint64_t index, Frame frame) HBK_REQUIRES(mutex_);

  const codec::FrameChoice choice_;
  const Append append_;

  Mutex mutex_;
  std::vector<std::unique_ptr<Encoder>> encoders_ HBK_GUARDED_BY(mutex_);
  std::map<uint64_t, Frame> early_ HBK_GUARDED_BY(mutex_);
  SeekTable table_ HBK_GUARDED_BY(mutex_);
  Status status_ HBK_GUARDED_BY(mutex_);          // of the first append that failed
  uint32_t stubborn_ HBK_GUARDED_BY(mutex_) = 0;  // chunks in a row that hardly shrank
};

class CompressedFileReader {
 public:
  // Reads the seek table.
  static Result<std::unique_ptr<CompressedFileReader>> Open(std::unique_ptr<io::File> file,
                                                            codec::FrameMethod method);
  ~CompressedFileReader();

  // Of the plain file.
  [[nodiscard]] uint64_t size() const { return table_.plain_size(); }
  // Fewer bytes than asked for only at the end of the plain file.
  Result<size_t> Read(uint64_t offset, MutableByteView out) HBK_EXCLUDES(mutex_);

 private:
  struct Decoder;  // a codec that no thread is using, and the chunk that it has decoded last

  CompressedFileReader(std::unique_ptr<io::File> file, codec::FrameMethod method, SeekTable table);
  std::unique_ptr<Decoder> TakeDecoder(uint64_t index) HBK_EXCLUDES(mutex_);
  Status Decode(uint64_t index, Decoder& decoder, MutableByteView chunk);

  const std::unique_ptr<io::File> file_;
  const codec::FrameMethod method_;
  const SeekTable table_;

  Mutex mutex_;
  std::vector<std::unique_ptr<Decoder>> decoders_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::filter

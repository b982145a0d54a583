// A file in frames, each a chunk of it: written in any order, read from anywhere, by several
// threads.
//
// Format   docs/format/compressed-files.md.
// Units    Offsets and sizes are bytes; a chunk is kFileChunkBytes of the plain file.
// Memory   A writer or reader: for each thread that is in a call a codec and about 2 MiB; a writer
//          also the frames that came before their turn: how many, is up to those who write.
// Errors   kCorruption: damaged, with the file and the offset in it. Those of the file system.
// Threads  Write, Read: any number. The other calls: one, when all of them have returned.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/codec/frame_codec.h"
#include "hbk/filter/seek_table.h"
#include "hbk/io/file_system.h"

namespace hbk::filter {

// Encoders that no thread is using: making one costs more than a small file.
//
// Threads  Any.
class FrameEncoderPool {
 public:
  explicit FrameEncoderPool(const codec::FrameChoice& choice) : choice_(choice) {}
  [[nodiscard]] const codec::FrameChoice& choice() const { return choice_; }
  std::unique_ptr<codec::FrameEncoder> Take() HBK_EXCLUDES(mutex_);
  void Return(std::unique_ptr<codec::FrameEncoder> encoder) HBK_EXCLUDES(mutex_);

 private:
  const codec::FrameChoice choice_;
  Mutex mutex_;
  std::vector<std::unique_ptr<codec::FrameEncoder>> encoders_ HBK_GUARDED_BY(mutex_);
};

// Without a method the file is its chunks as they are, without a seek table: what is left is that
// they are brought into their order.
class CompressedFileWriter {
 public:
  // `append` puts bytes at the end of the stored file; it is called by one thread at a time. The
  // pool must outlive the writer.
  using Append = std::function<Status(ByteView)>;
  CompressedFileWriter(FrameEncoderPool& pool, Append append);

  // Each chunk once. `chunk` has kFileChunkBytes; the last one may have less, and not nothing.
  Status Write(uint64_t index, ByteView chunk) HBK_EXCLUDES(mutex_);
  // Every chunk of a file of that size must have been written (checked). The size of the stored
  // file.
  Result<uint64_t> Finish(uint64_t plain_size) HBK_EXCLUDES(mutex_);

 private:
  struct Frame {
    std::vector<uint8_t> bytes;
    uint32_t chunk_size = 0;
  };

  Result<Frame> Encode(ByteView chunk, bool is_fast);
  Status status() HBK_EXCLUDES(mutex_);
  bool TakeAppending(uint64_t index, Frame frame) HBK_EXCLUDES(mutex_);
  std::optional<Frame> TakeNext() HBK_EXCLUDES(mutex_);
  void NoteAppended(const Frame& frame, const Status& status) HBK_EXCLUDES(mutex_);
  [[nodiscard]] bool IsFastTurn() const HBK_REQUIRES(mutex_);
  void NoteShrinking(uint64_t frame_size, uint64_t chunk_size) HBK_REQUIRES(mutex_);
  Status Add(uint64_t index, Frame frame) HBK_EXCLUDES(mutex_);

  FrameEncoderPool& pool_;
  const Append append_;

  Mutex mutex_;
  std::map<uint64_t, Frame> early_ HBK_GUARDED_BY(mutex_);
  SeekTable table_ HBK_GUARDED_BY(mutex_);
  bool is_appending_ HBK_GUARDED_BY(mutex_) = false;  // one of the threads
  Status status_ HBK_GUARDED_BY(mutex_);              // of the first append that failed
  uint32_t stubborn_ HBK_GUARDED_BY(mutex_) = 0;      // chunks in a row that hardly shrank
};

class CompressedFileReader {
 public:
  // Reads the seek table.
  static Result<std::unique_ptr<CompressedFileReader>> Open(std::shared_ptr<io::File> file,
                                                            codec::FrameMethod method);
  ~CompressedFileReader();

  // Of the plain file.
  [[nodiscard]] uint64_t size() const { return table_.plain_size(); }
  // Fewer bytes than asked for only at the end of the plain file.
  Result<size_t> Read(uint64_t offset, MutableByteView out) HBK_EXCLUDES(mutex_);

 private:
  struct Decoder;  // a codec that no thread is using, and the chunk that it has decoded last

  CompressedFileReader(std::shared_ptr<io::File> file, codec::FrameMethod method, SeekTable table);
  std::unique_ptr<Decoder> TakeDecoder(uint64_t index) HBK_EXCLUDES(mutex_);
  Status Decode(uint64_t index, Decoder& decoder, MutableByteView chunk);

  const std::shared_ptr<io::File> file_;
  const codec::FrameMethod method_;
  const SeekTable table_;

  Mutex mutex_;
  std::vector<std::unique_ptr<Decoder>> decoders_ HBK_GUARDED_BY(mutex_);
};

}  // namespace hbk::filter

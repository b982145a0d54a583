// Reads whole fields from a source, and knows where it is.
//
// Errors   kCorruption: the source ended in the middle. Those of the source.
// Threads  One.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/byte_stream.h"

namespace hbk::stream {

class BufferedSource {
 public:
  explicit BufferedSource(std::unique_ptr<io::ByteSource> source) : source_(std::move(source)) {}

  // Of what was read.
  [[nodiscard]] uint64_t offset() const { return offset_; }
  // Whether nothing is left.
  Result<bool> IsAtEnd();
  Status Read(MutableByteView out);
  // The next bytes, which stay to be read; fewer only at the end. At most kPeekBytesMax.
  Result<ByteView> Peek(size_t size);
  static constexpr size_t kPeekBytesMax = 64;

 private:
  Status Fill();

  const std::unique_ptr<io::ByteSource> source_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool has_ended_ = false;
  uint64_t offset_ = 0;
};

}  // namespace hbk::stream

// A ByteSink and a ByteSource in memory.
//
// Threads  One at a time, as ByteSink and ByteSource have it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "hbk/io/byte_stream.h"

namespace hbk::testing {

// What was written; outlives the sink. `fail_at`: from that byte on nothing is taken.
struct SunkBytes {
  std::string bytes;
  bool is_finished = false;
  size_t fail_at = SIZE_MAX;
};

class MemSink final : public io::ByteSink {
 public:
  explicit MemSink(SunkBytes& sunk) : sunk_(sunk) {}
  Status Write(ByteView bytes) override {
    if (sunk_.bytes.size() + bytes.size() > sunk_.fail_at)
      return FailedError("the reader has gone");
    sunk_.bytes += AsText(bytes);
    return OkStatus();
  }
  Status Finish() override {
    sunk_.is_finished = true;
    return OkStatus();
  }

 private:
  SunkBytes& sunk_;
};

class MemSource final : public io::ByteSource {
 public:
  explicit MemSource(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<size_t> Read(MutableByteView out) override {
    const size_t size = std::min(out.size(), bytes_.size() - done_);
    std::copy_n(AsBytes(bytes_).begin() + static_cast<ptrdiff_t>(done_), size, out.begin());
    done_ += size;
    return size;
  }

 private:
  const std::string bytes_;
  size_t done_ = 0;
};

inline std::unique_ptr<io::ByteSink> SinkTo(SunkBytes& sunk) {
  return std::make_unique<MemSink>(sunk);
}
inline std::unique_ptr<io::ByteSource> SourceOf(std::string bytes) {
  return std::make_unique<MemSource>(std::move(bytes));
}

}  // namespace hbk::testing

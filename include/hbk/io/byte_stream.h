// Bytes that only come or go one after the other: pipes, stdin, stdout, and files as such.
//
// A sink or source of the process waits in poll() and not in the transfer where it can (a pipe, a
// file), so that `stop` ends it also while the program at the other end stands still.
//
// Units    Sizes are bytes.
// Errors   As ErrnoStatus() maps them. A reader that has gone (EPIPE; SIGPIPE must be ignored), and
//          a short write are errors. kInterrupted: `stop` was requested. kUsage: a terminal.
// Threads  One at a time.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"

namespace hbk::io {

class ByteSink {
 public:
  ByteSink() = default;
  virtual ~ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  // Takes all of it or fails.
  virtual Status Write(ByteView bytes) = 0;
  // Nothing will follow. Durable where that means something: a file is synced, a pipe is not.
  virtual Status Finish() = 0;
};

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Fills `out`; fewer bytes than asked for mean the end.
  virtual Result<size_t> Read(MutableByteView out) = 0;
};

// Over a descriptor that stays the caller's. `name` is for messages: "stdout".
std::unique_ptr<ByteSink> MakeFdSink(int fd, std::string name, std::stop_token stop);
std::unique_ptr<ByteSource> MakeFdSource(int fd, std::string name, std::stop_token stop);

// Those of the process. A terminal is refused (kUsage): nobody wants to read an archive there, or
// to type one. The caller adds the hint.
Result<std::unique_ptr<ByteSink>> OpenStdout(std::stop_token stop);
Result<std::unique_ptr<ByteSource>> OpenStdin(std::stop_token stop);
// A file, or whatever has a name and can be read.
Result<std::unique_ptr<ByteSource>> OpenSource(const std::string& path, std::stop_token stop);

}  // namespace hbk::io

// Where in the midst of a log a mini-transaction may start, so that several threads can read parts
// of it.
//
// It is a guess. What is stored in a row may look like redo, down to its checksums: a log that was
// put into a table does. So it holds only if whoever reads from a known start arrives there, too.
//
// Format   docs/format/redo-log.md, "Mini-transactions"; a ring.
// Threads  Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "hbk/base/bytes.h"
#include "hbk/redo/log_file.h"

namespace hbk::redo {

// So many bytes are tried; from a start so many mini-transactions must be good, each not longer
// than this: a full page. It bounds the time that long texts take, in which records seem to start
// everywhere.
constexpr size_t kMtrSearchBytes = 64 << 10;
constexpr size_t kMtrSearchRun = 8;
constexpr size_t kMtrSearchMtrBytesMax = 20 << 10;

// The offset in `window`, whose first byte lies at `window_lsn`, from which several good
// mini-transactions follow one another. Nothing: there is none near.
std::optional<size_t> FindMiniTransaction(ByteView window, Lsn window_lsn,
                                          const LogGeometry& geometry, bool is_encrypted);

}  // namespace hbk::redo

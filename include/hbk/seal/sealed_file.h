// A sealed file: encrypted and authenticated in segments, written from front to back, read from
// anywhere.
//
// No bytes are given out that are not those that were sealed into this file at this place: segments
// that were changed, swapped, dropped, repeated or taken from another file are noticed when they
// are read, and an end that is missing when the file is opened.
//
// Format   docs/format/sealed-files.md.
// Units    Offsets and sizes are bytes.
// Memory   A writer: some 1.1 MiB. A reader: as much for each thread that is in a call.
// Errors   kCorruption: damaged, changed or cut off, with the path and the offset in the sealed
// file;
//          or another sealed file than expected. kMissingKey: whole as it seems, and sealed with
//          another data key. kUnsupported: of a later version. Those of the file system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/crypto/aead.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/data_key.h"

namespace hbk::seal {

constexpr size_t kSegmentBytes = 64 * 1024;  // of the plain file; the last one may have less
constexpr size_t kSealedHeaderBytes = 8 + 4 + kFileIdBytes + kKeyCheckBytes + 4;

// Of the sealed file to a plain file of that size.
uint64_t SealedSize(uint64_t plain_size);

// Threads  One at a time.
class SealedWriter {
 public:
  // Puts bytes at the end of the sealed file.
  using AppendFunction = std::function<Status(ByteView)>;

  // Appends nothing yet. `id` is another one for each file, ever: that of NewFileId() unless a test
  // wants to know its bytes.
  static Result<std::unique_ptr<SealedWriter>> Create(const DataKey& key, AppendFunction append);
  static Result<std::unique_ptr<SealedWriter>> Create(const DataKey& key, const FileId& id,
                                                      AppendFunction append);
  ~SealedWriter();
  SealedWriter(const SealedWriter&) = delete;
  SealedWriter& operator=(const SealedWriter&) = delete;

  // Of the plain file, the next ones. Passes on whole segments; up to one is kept back. After an
  // error nothing more may be appended.
  Status Append(ByteView bytes);
  // The last segment, without which the file is not whole. The size of the sealed file.
  Result<uint64_t> Finish();

  [[nodiscard]] const FileId& file_id() const { return id_; }
  [[nodiscard]] uint64_t plain_size() const { return plain_size_; }

 private:
  SealedWriter(const FileId& id, std::vector<uint8_t> header, std::unique_ptr<crypto::Aead> aead,
               AppendFunction append);
  Status SealSegment(ByteView plain, bool is_last);
  Status Flush();

  const FileId id_;
  const std::vector<uint8_t> header_;
  const std::unique_ptr<crypto::Aead> aead_;
  const AppendFunction append_;
  std::vector<uint8_t> plain_;   // less than a segment, or a whole one that may be the last
  std::vector<uint8_t> sealed_;  // not appended yet
  uint64_t segment_count_ = 0;
  uint64_t plain_size_ = 0;
  bool is_finished_ = false;
};

// Whether the file begins as a sealed one.
bool IsSealedFile(ByteView begin);

// What the header says, which nobody has authenticated. kCorruption: it is none.
Result<FileId> ReadSealedFileId(io::File& file);

// The plain file, to be read only: ReadAt and Stat, whose size is the plain one, from any number of
// threads. Reads header and last segment of `below`, which it owns. `expected_id`: what the
// manifest says of the file; another sealed file, even of the same backup, is refused then.
Result<std::unique_ptr<io::File>> OpenSealedFile(std::unique_ptr<io::File> below,
                                                 const DataKey& key,
                                                 const std::optional<FileId>& expected_id);

}  // namespace hbk::seal

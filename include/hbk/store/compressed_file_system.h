// The files of a backup that lie there compressed, as if they were not.
//
// A file system above another one, for the files below one directory: what is written into it is
// compressed on its way, what is read from it decompressed. So the copiers, the readers of deltas
// and logs, prepare and the rest need not know.
//
// A new file is written once: by WriteAt from front to back, when its size is not known; or, when
// Truncate has said it first, by parts of one chunk each (kFileChunkBytes), in any order and by
// several threads, with SkipZeros for those that are zeros, and at the end Truncate once more. It
// is whole when Close has returned; Sync counts from there, too. What is not written whole (Close
// without the last Truncate) cannot be read.
//
// A stored file can be read, renamed, removed and written anew, not changed.
//
// Without a method it only brings the chunks in order, for a file system below that wants that.
//
// Format   docs/format/compressed-files.md, docs/design/0008-stored-files.md.
// Units    Offsets and sizes are bytes, of plain files. What is allocated is said to be the size.
// Memory   See filter/compressed_file.h; and 1 MiB for each file that is being written,
//          3 MiB more if it is a direct one with more than 1 MiB.
// Errors   kCorruption: a stored file is damaged. kUnsupported: what a stored file cannot.
// Threads  As io::FileSystem. `below` must outlive it, and it the files.
#pragma once

#include <memory>
#include <string>

#include "hbk/codec/frame_codec.h"
#include "hbk/filter/compressed_file.h"
#include "hbk/store/stored_directory.h"

namespace hbk::store {

class CompressedFileSystem final : public StoredDirectory {
 public:
  CompressedFileSystem(io::FileSystem& below, std::string directory,
                       const codec::FrameChoice& choice, IsKept is_kept);

 private:
  Result<std::unique_ptr<io::File>> OpenStored(const std::string& path,
                                               const io::OpenOptions& options) override;

  const codec::FrameChoice choice_;
  filter::FrameEncoderPool encoders_;
};

}  // namespace hbk::store

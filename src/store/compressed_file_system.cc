#include "hbk/store/compressed_file_system.h"

#include <utility>

#include "decoding_file.h"
#include "encoding_file.h"

namespace hbk::store {

CompressedFileSystem::CompressedFileSystem(io::FileSystem& below, std::string directory,
                                           const codec::FrameChoice& choice, IsKept is_kept)
    : StoredDirectory(below, {.directory = std::move(directory),
                              .suffix = std::string(codec::FrameSuffix(choice.method)),
                              .is_kept = std::move(is_kept),
                              .takes_plain_files = true}),
      choice_(choice),
      encoders_(choice) {}

Result<std::unique_ptr<io::File>> CompressedFileSystem::OpenStored(const std::string& path,
                                                                   const io::OpenOptions& options) {
  HBK_ASSIGN_OR_RETURN(auto file, below().Open(StoredPath(path), OptionsBelow(options)));
  if (options.create || options.truncate) {
    return std::unique_ptr<io::File>(
        std::make_unique<EncodingFile>(std::move(file), path, encoders_));
  }
  if (choice_.method == codec::FrameMethod::kNone) return file;
  return std::unique_ptr<io::File>(
      std::make_unique<DecodingFile>(std::move(file), path, choice_.method));
}

}  // namespace hbk::store

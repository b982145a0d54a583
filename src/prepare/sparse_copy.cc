#include "sparse_copy.h"

#include <algorithm>

#include "hbk/base/aligned_buffer.h"

namespace hbk::prepare {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr uint32_t kFileMode = 0600;

Result<std::unique_ptr<io::File>> OpenEmpty(io::FileSystem& fs, const std::string& path) {
  auto file = fs.Open(path, {.write = true, .truncate = true});
  if (file.status().code() != StatusCode::kNotFound) return file;
  return fs.Open(path, {.write = true, .create = true, .mode = kFileMode});
}

}  // namespace

Status CopySparse(io::FileSystem& fs, const std::string& from, const std::string& to,
                  uint64_t bytes_max, const std::stop_token& stop, size_t hole_bytes) {
  HBK_ASSIGN_OR_RETURN(const auto source, fs.Open(from, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, source->Stat());
  HBK_ASSIGN_OR_RETURN(const auto target, OpenEmpty(fs, to));
  const uint64_t size = std::min(info.size, bytes_max);
  HBK_RETURN_IF_ERROR(target->Truncate(size));
  AlignedBuffer buffer(kBufferBytes);
  for (uint64_t offset = 0; offset < size;) {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(offset, source->SeekData(offset));
    if (offset >= size) break;
    const MutableByteView out =
        buffer.view().first(static_cast<size_t>(std::min<uint64_t>(kBufferBytes, size - offset)));
    HBK_ASSIGN_OR_RETURN(const size_t done, source->ReadAt(offset, out));
    if (done != out.size()) return FailedError(from + " became shorter while it was read");
    if (source->is_encoded()) {
      HBK_RETURN_IF_ERROR(target->WriteSparse(offset, out, hole_bytes).status());
    } else {
      HBK_RETURN_IF_ERROR(target->WriteAt(offset, out));
    }
    offset += done;
  }
  return target->Close();
}

}  // namespace hbk::prepare

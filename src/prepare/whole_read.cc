#include "whole_read.h"

#include <fmt/format.h>

namespace hbk::prepare {

Status CheckReadToEnd(io::File& file, uint64_t offset, size_t size, size_t wanted) {
  if (size >= wanted) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file.Stat());
  if (info.size <= offset + size) return OkStatus();
  return FailedError(fmt::format("reading {} ended at offset {}, although the file is longer",
                                 file.path(), offset + size));
}

}  // namespace hbk::prepare

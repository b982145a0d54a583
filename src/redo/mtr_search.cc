#include "hbk/redo/mtr_search.h"

#include <algorithm>

#include "hbk/redo/mini_transaction.h"

namespace hbk::redo {
namespace {

bool IsRunOfMtrs(ByteView bytes, Lsn lsn, const LogGeometry& geometry, bool is_encrypted) {
  for (size_t i = 0; i < kMtrSearchRun; ++i) {
    const MtrExtent extent = MeasureMiniTransaction(
        bytes.first(std::min(bytes.size(), kMtrSearchMtrBytesMax)), lsn, geometry, is_encrypted);
    if (extent.outcome != MtrOutcome::kWhole) return false;
    const size_t size = extent.body_bytes + MtrTrailerBytes(is_encrypted);
    bytes = bytes.subspan(size);
    lsn += size;
  }
  return true;
}

}  // namespace

std::optional<size_t> FindMiniTransaction(ByteView window, Lsn window_lsn,
                                          const LogGeometry& geometry, bool is_encrypted) {
  const size_t tried = std::min(window.size(), kMtrSearchBytes);
  for (size_t offset = 0; offset < tried; ++offset)
    if (IsRunOfMtrs(window.subspan(offset), window_lsn + offset, geometry, is_encrypted))
      return offset;
  return std::nullopt;
}

}  // namespace hbk::redo

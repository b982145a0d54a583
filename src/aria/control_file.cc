#include "hbk/aria/control_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include "hbk/base/bytes.h"

namespace hbk::aria {

namespace {

// Offsets in the control file; docs/format/aria.md.
constexpr std::string_view kMagic("\xFE\xFE\x0C\x01", 4);
constexpr size_t kCreateSize = 20;
constexpr size_t kChangeableSize = 22;
constexpr size_t kBlockSize = 24;
constexpr size_t kCheckpointLog = 4;  // in the changeable part, after its CRC: u24
constexpr size_t kLastLog = 11;       // in the changeable part
constexpr size_t kCrcBytes = 4;

uint32_t Crc32(std::string_view bytes) {
  const ByteView view = AsBytes(bytes);
  return static_cast<uint32_t>(crc32(0, view.data(), static_cast<uInt>(view.size())));
}

MutableByteView Mutable(std::string& bytes) {
  return {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<ControlFile> ParseControlFile(std::string_view bytes) {
  const ByteView view = AsBytes(bytes);
  if (bytes.size() < kBlockSize + 2 + kCrcBytes || !bytes.starts_with(kMagic))
    return CorruptionError("aria_log_control does not begin like one");
  const size_t create_size = LoadLe16(view, kCreateSize);
  const size_t changeable_size = LoadLe16(view, kChangeableSize);
  if (create_size < kBlockSize + 2 + kCrcBytes || changeable_size < kLastLog + kCrcBytes ||
      create_size + changeable_size > bytes.size())
    return CorruptionError("aria_log_control has impossible sizes");
  const std::string_view create = bytes.substr(0, create_size);
  const std::string_view changeable = bytes.substr(create_size, changeable_size);
  if (Crc32(create.substr(0, create_size - kCrcBytes)) != LoadLe32(view, create_size - kCrcBytes) ||
      Crc32(changeable.substr(kCrcBytes)) != LoadLe32(view, create_size))
    return CorruptionError("aria_log_control has a wrong checksum");
  ControlFile control;
  control.bytes = bytes.substr(0, create_size + changeable_size);
  control.block_size = LoadLe16(view, kBlockSize);
  control.checkpoint_log = LoadLe32(view, create_size + kCheckpointLog) & 0xFFFFFF;
  control.last_log = LoadLe32(view, create_size + kLastLog);
  return control;
}

std::string RenderControlFile(const ControlFile& control, uint32_t last_log) {
  std::string bytes = control.bytes;
  const size_t create_size = LoadLe16(AsBytes(bytes), kCreateSize);
  StoreLe32(Mutable(bytes), create_size + kLastLog, last_log);
  const uint32_t crc = Crc32(std::string_view(bytes).substr(create_size + kCrcBytes));
  StoreLe32(Mutable(bytes), create_size, crc);
  return bytes;
}

std::string LogFileName(uint32_t number) {
  return fmt::format("aria_log.{:08}", number);
}

}  // namespace hbk::aria

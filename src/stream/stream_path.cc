#include "hbk/stream/stream_path.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::stream {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kShownBytesMax = 300;

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Status Refuse(std::string_view path, std::string_view why) {
  return CorruptionError(fmt::format("a file name in the stream {}: {}", why, QuotedPath(path)));
}

}  // namespace

Status CheckStreamPath(std::string_view path, size_t bytes_max) {
  if (path.empty()) return CorruptionError("a file name in the stream is empty");
  if (path.size() > bytes_max) return Refuse(path, "is too long");
  if (std::ranges::any_of(path, IsControl)) return Refuse(path, "has control characters");
  if (path.front() == '/') return Refuse(path, "is absolute");
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty()) return Refuse(path, "has an empty part");
    if (name == "." || name == "..") return Refuse(path, "leads elsewhere");
    if (name.size() > kNameBytesMax) return Refuse(path, "has too long a part");
    if (slash == std::string_view::npos) return OkStatus();
    path.remove_prefix(slash + 1);
  }
}

std::string QuotedPath(std::string_view path) {
  std::string text = "'";
  for (const char c : path.substr(0, kShownBytesMax)) {
    if (IsControl(c)) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  if (path.size() > kShownBytesMax) text += "...";
  return text + "'";
}

}  // namespace hbk::stream

#include "zero_stretches.h"

#include <algorithm>

namespace hbk::delta {
namespace {

// Stretches begin and end at multiples of this. A smaller one would save little.
constexpr size_t kBlockBytes = 64;
constexpr size_t kHeadBytes = 4;
constexpr size_t kEntryBytes = 8;
constexpr size_t kLeastSaving = 8;  // one part of so many

struct Stretch {
  size_t offset = 0;
  size_t size = 0;
};

// Of what is not zeros.
std::vector<Stretch> FindStretches(ByteView image) {
  std::vector<Stretch> stretches;
  for (size_t offset = 0; offset < image.size(); offset += kBlockBytes) {
    const size_t size = std::min(kBlockBytes, image.size() - offset);
    if (IsAllZero(image.subspan(offset, size))) continue;
    if (!stretches.empty() && stretches.back().offset + stretches.back().size == offset)
      stretches.back().size += size;
    else
      stretches.push_back({offset, size});
  }
  return stretches;
}

Status NotEncoded() {
  return CorruptionError("the list of what is not zeros is impossible");
}

}  // namespace

bool ElideZeros(ByteView image, std::vector<uint8_t>& encoded) {
  const std::vector<Stretch> stretches = FindStretches(image);
  size_t size = kHeadBytes + kEntryBytes * stretches.size();
  for (const Stretch& stretch : stretches)
    size += stretch.size;
  if (size > image.size() - image.size() / kLeastSaving) return false;
  encoded.resize(size);
  StoreLe32(encoded, 0, static_cast<uint32_t>(stretches.size()));
  size_t entry = kHeadBytes;
  auto out =
      encoded.begin() + static_cast<std::ptrdiff_t>(kHeadBytes + kEntryBytes * stretches.size());
  for (const Stretch& stretch : stretches) {
    StoreLe32(encoded, entry, static_cast<uint32_t>(stretch.offset));
    StoreLe32(encoded, entry + 4, static_cast<uint32_t>(stretch.size));
    entry += kEntryBytes;
    const ByteView bytes = image.subspan(stretch.offset, stretch.size);
    out = std::copy(bytes.begin(), bytes.end(), out);
  }
  return true;
}

Status RestoreZeros(ByteView encoded, MutableByteView image) {
  if (encoded.size() < kHeadBytes) return NotEncoded();
  const size_t count = LoadLe32(encoded, 0);
  if (count > (encoded.size() - kHeadBytes) / kEntryBytes) return NotEncoded();
  std::fill(image.begin(), image.end(), uint8_t{0});
  size_t from = kHeadBytes + kEntryBytes * count;
  size_t end = 0;  // of the stretch before
  for (size_t i = 0; i < count; ++i) {
    const size_t offset = LoadLe32(encoded, kHeadBytes + kEntryBytes * i);
    const size_t size = LoadLe32(encoded, kHeadBytes + kEntryBytes * i + 4);
    const bool is_in_order = i == 0 || offset > end;
    if (!is_in_order || size == 0 || offset > image.size() || size > image.size() - offset ||
        size > encoded.size() - from) {
      return NotEncoded();
    }
    std::copy_n(encoded.begin() + static_cast<std::ptrdiff_t>(from), size,
                image.begin() + static_cast<std::ptrdiff_t>(offset));
    from += size;
    end = offset + size;
  }
  return from == encoded.size() ? OkStatus() : NotEncoded();
}

}  // namespace hbk::delta

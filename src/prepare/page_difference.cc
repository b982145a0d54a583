#include "page_difference.h"

namespace hbk::prepare {
namespace {

constexpr size_t kWord = sizeof(uint64_t);

uint64_t WordAt(ByteView bytes, size_t offset) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + offset, kWord);
  return word;
}

}  // namespace

// By words: a range costs 8 bytes to name, so a finer cut would not make the journal smaller.
void FindDifferences(ByteView old_image, ByteView new_image, std::vector<ByteRange>& ranges) {
  HBK_CHECK(old_image.size() == new_image.size() && new_image.size() % kWord == 0);
  ranges.clear();
  for (size_t at = 0; at < new_image.size(); at += kWord) {
    if (WordAt(old_image, at) == WordAt(new_image, at)) continue;
    if (!ranges.empty() && ranges.back().offset + ranges.back().size + kWord >= at) {
      ranges.back().size = static_cast<uint32_t>(at + kWord - ranges.back().offset);
    } else {
      ranges.push_back({static_cast<uint32_t>(at), kWord});
    }
  }
}

}  // namespace hbk::prepare

#include "table_sample.h"

#include <string_view>

namespace hbk::drill {
namespace {

constexpr uint32_t kPercentMax = 100;
constexpr uint64_t kSecondsPerDay = 86400;
// FNV-1a of 64 bits: the parts must be the same in every version.
constexpr uint64_t kHashBasis = 14695981039346656037ULL;
constexpr uint64_t kHashPrime = 1099511628211ULL;

uint64_t HashOf(std::string_view text) {
  uint64_t hash = kHashBasis;
  for (const char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= kHashPrime;
  }
  // Its low bits alone are not well mixed.
  return hash ^ (hash >> 32U);
}

}  // namespace

uint64_t PartCount(uint32_t percent) {
  return percent == 0 || percent >= kPercentMax ? 1 : kPercentMax / percent;
}

bool HasItsTurn(const server::ListedTable& table, uint64_t part_count, uint64_t turn) {
  return HashOf(table.ToString()) % part_count == turn % part_count;
}

uint64_t NextTurn(const std::optional<manifest::DrilledRecord>& last, std::time_t now) {
  if (last && last->sample_turn != 0) return last->sample_turn + 1;
  return static_cast<uint64_t>(now) / kSecondsPerDay;
}

}  // namespace hbk::drill

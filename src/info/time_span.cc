#include "time_span.h"

#include <charconv>
#include <chrono>

namespace hbk::info {
namespace {

constexpr size_t kTimeLength = 19;  // "2026-01-31 16:55:30"

std::optional<uint32_t> NumberAt(std::string_view text, size_t offset, size_t length) {
  uint32_t number = 0;
  const char* begin = text.data() + offset;
  const auto parsed = std::from_chars(begin, begin + length, number);
  if (parsed.ec != std::errc() || parsed.ptr != begin + length) return std::nullopt;
  return number;
}

std::optional<int64_t> SecondsOf(std::string_view text) {
  if (text.size() < kTimeLength) return std::nullopt;
  const auto year = NumberAt(text, 0, 4);
  const auto month = NumberAt(text, 5, 2);
  const auto day = NumberAt(text, 8, 2);
  const auto hour = NumberAt(text, 11, 2);
  const auto minute = NumberAt(text, 14, 2);
  const auto second = NumberAt(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

}  // namespace

std::optional<uint64_t> SecondsBetween(std::string_view begin, std::string_view end) {
  const auto from = SecondsOf(begin);
  const auto to = SecondsOf(end);
  if (!from || !to || *to < *from) return std::nullopt;
  return static_cast<uint64_t>(*to - *from);
}

}  // namespace hbk::info

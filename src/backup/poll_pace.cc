#include "poll_pace.h"

#include <algorithm>

namespace hbk::backup {
namespace {

using std::chrono::microseconds;

constexpr microseconds kPauseMin{1'000};
constexpr microseconds kPauseMax{200'000};
// Hardly any server writes its log faster; a small one is limited by page cleaning long before.
constexpr double kBurstBytesPerS = 400e6;
// After a pause at most this share of the free part may have been written.
constexpr double kShareOfRoom = 1.0 / 16;
constexpr double kShareOfRing = 1.0 / 4;
// A rate is forgotten by half with every call, so a burst is remembered for some looks.
constexpr double kRateDecay = 0.5;
constexpr double kMicrosPerSecond = 1e6;

microseconds Micros(double seconds) {
  const double bounded =
      std::min(seconds * kMicrosPerSecond, static_cast<double>(kPauseMax.count()));
  return microseconds(static_cast<int64_t>(bounded));
}

}  // namespace

microseconds PollPace::Next(uint64_t lag_bytes, uint64_t capacity, uint64_t written_bytes,
                            microseconds elapsed) {
  const double seconds =
      std::max<double>(1, static_cast<double>(elapsed.count())) / kMicrosPerSecond;
  const double rate = static_cast<double>(written_bytes) / seconds;
  rate_bytes_per_s_ = std::max(rate, rate_bytes_per_s_ * kRateDecay);

  const auto ring = static_cast<double>(capacity);
  if (static_cast<double>(lag_bytes) >= ring * kShareOfRing) return microseconds(0);
  const microseconds by_burst = Micros(ring * kShareOfRing / kBurstBytesPerS);
  const double room = ring - static_cast<double>(lag_bytes);
  const microseconds by_rate = Micros(room * kShareOfRoom / std::max(rate_bytes_per_s_, 1.0));
  return std::max(kPauseMin, std::min(by_burst, by_rate));
}

}  // namespace hbk::backup

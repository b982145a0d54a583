#include "progress_meter.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "hbk/report/reporter.h"

namespace hbk::report {
namespace {

// Long enough to be calm, short enough to notice that something slowed down.
constexpr std::chrono::seconds kWindow(10);
// A rate over less than this is noise.
constexpr double kRateSpanMinS = 0.1;

// "1.2 of 2.8 GiB", "900 KiB of 2.8 GiB".
std::string DoneOfTotal(uint64_t done, uint64_t total) {
  std::string first = HumanBytes(done);
  const std::string last = HumanBytes(total);
  const std::string unit = last.substr(last.find(' '));
  if (first.ends_with(unit)) first.resize(first.size() - unit.size());
  return first + " of " + last;
}

}  // namespace

void ProgressMeter::Begin(TimePoint now) {
  done_bytes_ = 0;
  total_bytes_ = 0;
  samples_.assign(1, {now, 0});
}

void ProgressMeter::Update(uint64_t done_bytes, uint64_t total_bytes, TimePoint now) {
  done_bytes_ = std::max(done_bytes_, done_bytes);
  total_bytes_ = total_bytes;
  samples_.push_back({now, done_bytes_});
  while (samples_.size() > 2 && now - samples_[1].time >= kWindow)
    samples_.pop_front();
}

std::optional<double> ProgressMeter::RateBytesPerS() const {
  if (samples_.size() < 2) return std::nullopt;
  const std::chrono::duration<double> span = samples_.back().time - samples_.front().time;
  if (span.count() < kRateSpanMinS) return std::nullopt;
  return static_cast<double>(samples_.back().done_bytes - samples_.front().done_bytes) /
         span.count();
}

std::optional<double> ProgressMeter::EtaS() const {
  const std::optional<double> rate = RateBytesPerS();
  if (!rate || *rate <= 0 || total_bytes_ == 0) return std::nullopt;
  if (done_bytes_ >= total_bytes_) return 0;
  return static_cast<double>(total_bytes_ - done_bytes_) / *rate;
}

std::string ProgressMeter::Line(std::string_view phase) const {
  std::string line(phase);
  if (total_bytes_ > 0) {
    const double share = static_cast<double>(done_bytes_) / static_cast<double>(total_bytes_);
    // Rounded down: 100 % is said when nothing is left.
    line += fmt::format("  {:2} %  {}", static_cast<int>(std::min(share, 1.0) * 100),
                        DoneOfTotal(done_bytes_, total_bytes_));
  } else {
    line += "  " + HumanBytes(done_bytes_);
  }
  if (const auto rate = RateBytesPerS()) {
    line += fmt::format("  {}/s", HumanBytes(static_cast<uint64_t>(*rate)));
  }
  // A part of a second is more than anybody can know.
  if (const auto eta = EtaS()) {
    const double whole = std::max(1.0, std::ceil(*eta));
    line += "  ETA " + (whole < 60 ? fmt::format("{:.0f} s", whole) : HumanSeconds(whole));
  }
  return line;
}

}  // namespace hbk::report

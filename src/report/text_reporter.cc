// Text for people: lines on a log, and on a terminal a progress line below them.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "hbk/base/mutex.h"

#include "progress_meter.h"
#include "renderings.h"

namespace hbk::report {
namespace {

constexpr std::string_view kSuccessLine = "completed OK!";
constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::chrono::milliseconds kRedrawInterval(200);

// Text from elsewhere (file names, the server's messages) made harmless: no control characters,
// further lines indented, and nothing that a script could take for the line of success.
std::string Harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (c == '\n') {
      out += "\n    ";
    } else {
      out += is_control ? '?' : c;
    }
  }
  for (size_t at = out.find(kSuccessLine); at != std::string::npos; at = out.find(kSuccessLine)) {
    out.erase(at + kSuccessLine.size() - 1, 1);
  }
  return out;
}

std::string TextOf(const Fact& fact) {
  // Names say their unit last; a person reads it better with the number.
  const auto named = [&fact](std::string_view unit, const std::string& value) {
    const size_t cut = fact.name.size() - unit.size();
    return cut > 1 ? fact.name.substr(0, cut - 1) + " " + value : value;
  };
  char* end = nullptr;
  switch (UnitOf(fact.name)) {
    case FactUnit::kBytes: {
      const unsigned long long bytes = std::strtoull(fact.value.c_str(), &end, 10);
      if (!fact.value.empty() && *end == '\0') return named("bytes", HumanBytes(bytes));
      break;
    }
    case FactUnit::kSeconds: {
      const double seconds = std::strtod(fact.value.c_str(), &end);
      if (!fact.value.empty() && *end == '\0') return named("s", HumanSeconds(seconds));
      break;
    }
    case FactUnit::kNumber:
      if (fact.name.ends_with("_count")) {
        return fact.name.substr(0, fact.name.size() - 6) + "s " + fact.value;
      }
      break;
    case FactUnit::kNone: break;
  }
  return fact.name + " " + fact.value;
}

std::string InBrackets(const Facts& facts) {
  if (facts.empty()) return "";
  std::string text;
  for (const Fact& fact : facts) {
    text += text.empty() ? " (" : ", ";
    text += TextOf(fact);
  }
  return text + ")";
}

std::string LocalTime(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  (void)localtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return {text.data(), n};
}

// One line whatever the message: it may become the subject of a mail.
std::string ErrorLine(const Status& status, const Facts& facts) {
  std::string line = "error: " + std::string(status.message()) + InBrackets(facts);
  if (!status.hint().empty()) line += fmt::format(" (hint: {})", status.hint());
  std::replace(line.begin(), line.end(), '\n', ' ');
  return Harmless(line) + "\n";
}

class TextReporter final : public Reporter {
 public:
  TextReporter(const ReporterOptions& options, const Surroundings& surroundings)
      : options_(options), around_(surroundings) {}

  void BeginPhase(std::string_view name, const Facts& facts) override {
    const MutexLock lock(mutex_);
    phase_ = Harmless(name);
    meter_.Begin(around_.now());
    Say("", name, facts);
    next_redraw_ns_ = 0;
  }

  void Progress(uint64_t done_bytes, uint64_t total_bytes) override;

  void Info(std::string_view message, const Facts& facts) override {
    const MutexLock lock(mutex_);
    Say("", message, facts);
  }

  void Detail(std::string_view message, const Facts& facts) override {
    if (!options_.verbose) return;
    const MutexLock lock(mutex_);
    Say("", message, facts);
  }

  void Warning(std::string_view message, const Facts& facts) override {
    ++warning_count_;
    const MutexLock lock(mutex_);
    WriteLines(LocalTime(around_.time()) + " warning: " + Harmless(message) +
               Harmless(InBrackets(facts)) + "\n");
  }

  void Finish(const Status& status, const Facts& facts) override;

  [[nodiscard]] uint64_t warning_count() const override { return warning_count_; }

 private:
  // A line with a time stamp, unless quiet.
  void Say(std::string_view prefix, std::string_view message, const Facts& facts)
      HBK_REQUIRES(mutex_) {
    if (options_.quiet) return;
    WriteLines(LocalTime(around_.time()) + " " + std::string(prefix) + Harmless(message) +
               Harmless(InBrackets(facts)) + "\n");
  }

  // In front of the last words: people see when they come, a log must say it.
  std::string Stamp() const HBK_REQUIRES(mutex_) {
    return around_.is_log ? LocalTime(around_.time()) + " " : "";
  }

  // Puts lines where the progress line is. Nothing after the last word.
  void WriteLines(const std::string& lines) HBK_REQUIRES(mutex_) {
    if (is_finished_) return;
    around_.write(is_line_drawn_ ? std::string(kEraseLine) + lines : lines);
    is_line_drawn_ = false;
  }

  const ReporterOptions options_;
  const Surroundings around_;
  std::atomic<uint64_t> warning_count_ = 0;
  // Of the steady clock. Progress looks only at this until the time has come.
  std::atomic<int64_t> next_redraw_ns_ = 0;
  Mutex mutex_;
  std::string phase_ HBK_GUARDED_BY(mutex_);
  ProgressMeter meter_ HBK_GUARDED_BY(mutex_);
  bool is_line_drawn_ HBK_GUARDED_BY(mutex_) = false;
  bool is_finished_ HBK_GUARDED_BY(mutex_) = false;
};

void TextReporter::Progress(uint64_t done_bytes, uint64_t total_bytes) {
  if (options_.quiet || !around_.has_terminal) return;
  const auto now = around_.now();
  const int64_t now_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  int64_t due_ns = next_redraw_ns_.load();
  // One thread draws; the others do not even wait for it.
  if (now_ns < due_ns || !next_redraw_ns_.compare_exchange_strong(
                             due_ns, now_ns + std::chrono::nanoseconds(kRedrawInterval).count())) {
    return;
  }
  const MutexLock lock(mutex_);
  if (is_finished_ || phase_.empty()) return;
  meter_.Update(done_bytes, total_bytes, now);
  std::string line = meter_.Line(phase_);
  // The last column stays free: some terminals go to the next line when it is written.
  const size_t columns = around_.terminal_columns();
  if (columns > 1 && line.size() > columns - 1) line.resize(columns - 1);
  around_.write(std::string(kEraseLine) + line);
  is_line_drawn_ = true;
}

void TextReporter::Finish(const Status& status, const Facts& facts) {
  const MutexLock lock(mutex_);
  HBK_CHECK(!is_finished_);
  if (status.ok()) {
    if (!facts.empty()) Say("done", "", facts);
    const uint64_t warnings = warning_count_;
    if (warnings > 0) {
      Say("",
          fmt::format("there {} {} warning{}", warnings == 1 ? "was" : "were", warnings,
                      warnings == 1 ? "" : "s"),
          {});
    }
    if (!options_.quiet) WriteLines(Stamp() + std::string(kSuccessLine) + "\n");
  } else if (options_.quiet) {
    WriteLines(ErrorLine(status, facts));
  } else {
    std::string lines =
        Stamp() + "error: " + Harmless(status.message()) + Harmless(InBrackets(facts)) + "\n";
    if (!status.hint().empty()) lines += Stamp() + "hint: " + Harmless(status.hint()) + "\n";
    WriteLines(lines);
  }
  is_finished_ = true;
}

}  // namespace

std::unique_ptr<Reporter> MakeTextReporter(const ReporterOptions& options,
                                           const Surroundings& surroundings) {
  return std::make_unique<TextReporter>(options, surroundings);
}

}  // namespace hbk::report

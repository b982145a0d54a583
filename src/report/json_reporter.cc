// JSON for programs: one object a line.
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hbk/base/mutex.h"

#include "progress_meter.h"
#include "renderings.h"

namespace hbk::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kProgressInterval(1);

// RFC 3339 in UTC, with milliseconds.
std::string UtcTime(std::chrono::system_clock::time_point time) {
  using std::chrono::duration_cast;
  using std::chrono::floor;
  const auto whole = floor<std::chrono::seconds>(time);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  (void)gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     duration_cast<std::chrono::milliseconds>(time - whole).count());
}

Json ValueOf(const Fact& fact) {
  const FactUnit unit = UnitOf(fact.name);
  if (unit == FactUnit::kNone || fact.value.empty()) return fact.value;
  char* end = nullptr;
  if (fact.value.find_first_not_of("0123456789") == std::string::npos) {
    return std::strtoull(fact.value.c_str(), nullptr, 10);
  }
  const double number = std::strtod(fact.value.c_str(), &end);
  if (*end == '\0') return number;
  return fact.value;
}

class JsonReporter final : public Reporter {
 public:
  JsonReporter(const ReporterOptions& options, const Surroundings& surroundings)
      : options_(options), around_(surroundings) {}

  void BeginPhase(std::string_view name, const Facts& facts) override {
    const MutexLock lock(mutex_);
    phase_ = name;
    meter_.Begin(around_.now());
    next_progress_ns_ = 0;
    if (!options_.quiet) Write(Event("phase", name, facts));
  }

  void Progress(uint64_t done_bytes, uint64_t total_bytes) override;

  void Info(std::string_view message, const Facts& facts) override {
    if (options_.quiet) return;
    const MutexLock lock(mutex_);
    Write(Event("info", message, facts));
  }

  void Detail(std::string_view message, const Facts& facts) override {
    if (options_.verbose) Info(message, facts);
  }

  void Warning(std::string_view message, const Facts& facts) override {
    ++warning_count_;
    const MutexLock lock(mutex_);
    Write(Event("warning", message, facts));
  }

  void Finish(const Status& status, const Facts& facts) override;

  [[nodiscard]] uint64_t warning_count() const override { return warning_count_; }

 private:
  // A fact cannot take the place of a member that is always there: those are set first.
  Json Event(std::string_view event, std::string_view message, const Facts& facts) const {
    Json json = {{"event", event}, {"time", UtcTime(around_.time())}};
    if (!message.empty()) json["message"] = message;
    AddFacts(facts, &json);
    return json;
  }

  static void AddFacts(const Facts& facts, Json* json) {
    for (const Fact& fact : facts) {
      if (!json->contains(fact.name)) (*json)[fact.name] = ValueOf(fact);
    }
  }

  // Nothing after the last word.
  void Write(const Json& json) HBK_REQUIRES(mutex_) {
    if (is_finished_) return;
    // File names may be no UTF-8; a replacement character is better than no line.
    around_.write(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  const ReporterOptions options_;
  const Surroundings around_;
  std::atomic<uint64_t> warning_count_ = 0;
  std::atomic<int64_t> next_progress_ns_ = 0;
  Mutex mutex_;
  std::string phase_ HBK_GUARDED_BY(mutex_);
  ProgressMeter meter_ HBK_GUARDED_BY(mutex_);
  bool is_finished_ HBK_GUARDED_BY(mutex_) = false;
};

void JsonReporter::Progress(uint64_t done_bytes, uint64_t total_bytes) {
  if (options_.quiet || around_.is_log) return;
  const auto now = around_.now();
  const int64_t now_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  int64_t due_ns = next_progress_ns_.load();
  if (now_ns < due_ns ||
      !next_progress_ns_.compare_exchange_strong(
          due_ns, now_ns + std::chrono::nanoseconds(kProgressInterval).count())) {
    return;
  }
  const MutexLock lock(mutex_);
  meter_.Update(done_bytes, total_bytes, now);
  Json json = Event("progress", "", {});
  json["phase"] = phase_;
  json["done_bytes"] = meter_.done_bytes();
  if (meter_.total_bytes() > 0) json["total_bytes"] = meter_.total_bytes();
  if (const auto rate = meter_.RateBytesPerS()) {
    json["rate_bytes_per_s"] = static_cast<uint64_t>(*rate);
  }
  if (const auto eta = meter_.EtaS()) json["eta_s"] = static_cast<uint64_t>(*eta);
  Write(json);
}

void JsonReporter::Finish(const Status& status, const Facts& facts) {
  const MutexLock lock(mutex_);
  HBK_CHECK(!is_finished_);
  Json json = Event("finish", status.message(), {});
  json["status"] = status.ok() ? "ok" : "error";
  if (!status.ok()) json["code"] = StatusCodeName(status.code());
  if (!status.hint().empty()) json["hint"] = status.hint();
  json["warning_count"] = warning_count_.load();
  AddFacts(facts, &json);
  Write(json);
  is_finished_ = true;
}

}  // namespace

std::unique_ptr<Reporter> MakeJsonReporter(const ReporterOptions& options,
                                           const Surroundings& surroundings) {
  return std::make_unique<JsonReporter>(options, surroundings);
}

}  // namespace hbk::report

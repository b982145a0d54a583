#include "hbk/report/fan_out_reporter.h"

#include <algorithm>

namespace hbk::report {

void FanOutReporter::BeginPhase(std::string_view name, const Facts& facts) {
  for (Reporter* reporter : reporters_)
    reporter->BeginPhase(name, facts);
}

void FanOutReporter::Progress(uint64_t done_bytes, uint64_t total_bytes) {
  for (Reporter* reporter : reporters_)
    reporter->Progress(done_bytes, total_bytes);
}

void FanOutReporter::Info(std::string_view message, const Facts& facts) {
  for (Reporter* reporter : reporters_)
    reporter->Info(message, facts);
}

void FanOutReporter::Warning(std::string_view message, const Facts& facts) {
  for (Reporter* reporter : reporters_)
    reporter->Warning(message, facts);
}

void FanOutReporter::Detail(std::string_view message, const Facts& facts) {
  for (Reporter* reporter : reporters_)
    reporter->Detail(message, facts);
}

void FanOutReporter::Finish(const Status& status, const Facts& facts) {
  for (Reporter* reporter : reporters_)
    reporter->Finish(status, facts);
}

uint64_t FanOutReporter::warning_count() const {
  uint64_t count = 0;
  for (const Reporter* reporter : reporters_)
    count = std::max(count, reporter->warning_count());
  return count;
}

}  // namespace hbk::report

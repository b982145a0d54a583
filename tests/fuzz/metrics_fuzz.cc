// A file of metrics, to which others may have written: what is read of any text is rendered, and
// read back the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/report/metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hbk::report;  // NOLINT(google-build-using-namespace)
  const std::vector<Metric> metrics = ParseMetrics(hbk::AsText({data, size}));
  const std::string text = RenderMetrics(metrics);
  // In the order of the table, which rendering makes.
  const std::vector<Metric> again = ParseMetrics(text);
  HBK_CHECK(again.size() == metrics.size() && RenderMetrics(again) == text);
  for (const Metric& metric : metrics) {
    HBK_CHECK(!metric.value.empty() && metric.value.find('\n') == std::string::npos);
    // Of several labels of one name, the first.
    if (metric.labels.empty()) continue;
    HBK_CHECK(metric.Label(metric.labels[0].first) == metric.labels[0].second);
  }
  return 0;
}

// Text for Prometheus, as the node exporter takes it from a directory of files.
//
// Which metrics there are, and what each means, is one table in metrics.cc.
//
// Format   The text exposition format, version 0.0.4: "# HELP", "# TYPE", name{label="value"}
// number. Units    In the names: _seconds, _bytes, _ratio. Threads  Pure functions and values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hbk::report {

struct Metric {
  std::string name;  // one of the table
  std::vector<std::pair<std::string, std::string>> labels;
  std::string value;  // a number, as it stands in the text
  bool operator==(const Metric&) const = default;

  // Empty if it has no such label.
  [[nodiscard]] std::string Label(std::string_view label) const;
};

// The number so that it can be read back unchanged.
std::string MetricValue(double number);

// Together what has one name, as the format wants it, in the order of the table. Names that are not
// in the table are left out.
std::string RenderMetrics(const std::vector<Metric>& metrics);

// What of a text RenderMetrics could have written; other lines are passed over: somebody else may
// have written to the file, or an older hbk.
std::vector<Metric> ParseMetrics(std::string_view text);

}  // namespace hbk::report

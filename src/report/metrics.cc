#include "hbk/report/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

namespace hbk::report {
namespace {

struct Family {
  std::string_view name;
  std::string_view help;
};

// All are gauges: each run of hbk is a process of its own and counts nothing over time.
constexpr std::array kFamilies = {
    Family{"hbk_last_success_timestamp_seconds", "End of the last run that did its work."},
    Family{"hbk_last_run_timestamp_seconds", "End of the last run, whatever became of it."},
    Family{"hbk_last_run_exit_code", "Exit code of the last run: 0 done, 3 done with warnings."},
    Family{"hbk_last_run_duration_seconds", "Duration of the last run."},
    Family{"hbk_last_run_warnings", "Warnings of the last run."},
    Family{"hbk_last_run_files", "Files that the last run was about."},
    Family{"hbk_last_run_bytes", "Size of these files, not compressed."},
    Family{"hbk_last_run_phase_seconds", "Duration of each phase of the last run."},
    Family{"hbk_backup_stored_bytes", "Size of the files in the directory of the last backup."},
    Family{"hbk_backup_last_lsn", "LSN up to which the last backup has redo."},
    Family{"hbk_backup_stage_wait_seconds", "Wait for each backup stage of the server."},
    Family{"hbk_backup_stage_held_seconds", "Time for which each backup stage was held."},
    Family{"hbk_backup_redo_bytes", "Redo that was copied."},
    Family{"hbk_backup_redo_margin_bytes",
           "Smallest distance of the copy to where the server overwrites its redo."},
    Family{"hbk_backup_redo_margin_ratio", "The same as a share of the server's log."},
};

bool IsKnown(std::string_view name) {
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [name](const Family& family) { return family.name == name; });
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Line(const Metric& metric) {
  std::string line = metric.name;
  for (size_t i = 0; i < metric.labels.size(); ++i) {
    line += fmt::format("{}{}=\"{}\"", i == 0 ? "{" : ",", metric.labels[i].first,
                        Escaped(metric.labels[i].second));
  }
  if (!metric.labels.empty()) line += '}';
  return fmt::format("{} {}\n", line, metric.value);
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsNumber(const std::string& text) {
  if (text.empty() || text.front() == ' ') return false;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() && std::isfinite(number);
}

// One line of the text, from front to back.
class LineParser {
 public:
  explicit LineParser(std::string_view line) : rest_(line) {}

  std::optional<Metric> Run() {
    Metric metric;
    metric.name = TakeName();
    if (!IsKnown(metric.name)) return std::nullopt;
    if (Take('{') && !TakeLabels(metric)) return std::nullopt;
    if (!Take(' ')) return std::nullopt;
    metric.value = rest_;
    if (!IsNumber(metric.value)) return std::nullopt;
    return metric;
  }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string TakeName() {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), IsNameCharacter);
    const std::string name(rest_.begin(), end);
    rest_.remove_prefix(name.size());
    return name;
  }

  bool TakeLabels(Metric& metric) {
    do {
      std::string name = TakeName();
      std::string value;
      if (name.empty() || !Take('=') || !TakeQuoted(value)) return false;
      metric.labels.emplace_back(std::move(name), std::move(value));
    } while (Take(','));
    return Take('}');
  }

  bool TakeQuoted(std::string& value) {
    if (!Take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        value += c;
        continue;
      }
      if (rest_.empty()) return false;
      value += rest_.front() == 'n' ? '\n' : rest_.front();
      rest_.remove_prefix(1);
    }
    return false;
  }

  std::string_view rest_;
};

}  // namespace

std::string Metric::Label(std::string_view label) const {
  for (const auto& each : labels) {
    if (each.first == label) return each.second;
  }
  return {};
}

std::string MetricValue(double number) {
  return fmt::format("{}", number);
}

std::string RenderMetrics(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Family& family : kFamilies) {
    std::string lines;
    for (const Metric& metric : metrics) {
      if (metric.name == family.name) lines += Line(metric);
    }
    if (lines.empty()) continue;
    text += fmt::format("# HELP {} {}\n# TYPE {} gauge\n{}", family.name, family.help, family.name,
                        lines);
  }
  return text;
}

std::vector<Metric> ParseMetrics(std::string_view text) {
  std::vector<Metric> metrics;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    auto metric = LineParser(text.substr(0, end)).Run();
    if (metric) metrics.push_back(std::move(*metric));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return metrics;
}

}  // namespace hbk::report

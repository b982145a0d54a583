#include "html_report.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "hbk/report/reporter.h"

namespace hbk::drill {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr size_t kBarsMax = 16;
constexpr int kBarHeight = 22;
constexpr int kLabelWidth = 230;
constexpr int kBarWidth = 430;
constexpr int kValueWidth = 110;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --line: #d5dae1; --ground: #fff;
  --panel: #f5f7f9; --good: #1a7f4b; --bad: #b3261e; --bar: #3a6ea5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a0aab8; --line: #3a424d;
  --ground: #15191f; --panel: #1d232b; --good: #57c48a; --bad: #ff8a80; --bar: #6ea3d8; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.verdict { border-left: .4rem solid; padding: .6rem 1rem; margin: 1rem 0; background: var(--panel); }
.good { border-color: var(--good); } .bad { border-color: var(--bad); }
.verdict strong { font-size: 1.15rem; } .good strong { color: var(--good); }
.bad strong, td.problem { color: var(--bad); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top;
  padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); } table.facts th { width: 14rem; }
td { overflow-wrap: anywhere; } td.problem { font-weight: 600; }
pre { background: var(--panel); padding: .7rem; overflow-x: auto; font-size: .85rem; }
svg { max-width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg rect { fill: var(--bar); } footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; }
)";

// Bytes of the sequence that begins there; 0: none does.
size_t Utf8Length(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto is_tail = [&byte](size_t i) {
    return (byte(i) & 0xC0U) == 0x80U;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_shortest = first != 0xE0 || byte(1) >= 0xA0;
    const bool is_no_surrogate = first != 0xED || byte(1) < 0xA0;
    return is_tail(1) && is_tail(2) && is_shortest && is_no_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_in_range =
        (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
    return is_tail(1) && is_tail(2) && is_tail(3) && is_in_range ? 4 : 0;
  }
  return 0;
}

std::string_view EntityOf(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return "";
  }
}

bool IsControl(char c) {
  return (static_cast<uint8_t>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

struct Bar {
  std::string label;
  double value = 0;
  std::string text;
};

// A drawing of horizontal bars, the length as the value.
std::string DrawBars(std::string_view title, const std::vector<Bar>& bars) {
  if (bars.empty()) return "";
  double largest = 0;
  for (const Bar& bar : bars)
    largest = std::max(largest, bar.value);
  const size_t count = std::min(bars.size(), kBarsMax);
  const int width = kLabelWidth + kBarWidth + kValueWidth;
  std::string svg =
      fmt::format("<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\">\n",
                  EscapeHtml(title), width, static_cast<int>(count) * kBarHeight, width);
  for (size_t i = 0; i < count; ++i) {
    const Bar& bar = bars[i];
    const int y = static_cast<int>(i) * kBarHeight;
    const double length = largest > 0 ? std::max(1.0, bar.value / largest * kBarWidth) : 1.0;
    svg += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>"
        "<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"></rect>"
        "<text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
        kLabelWidth - 8, y + 15, EscapeHtml(bar.label), kLabelWidth, y + 3, length, kBarHeight - 6,
        kLabelWidth + length + 6, y + 15, EscapeHtml(bar.text));
  }
  svg += "</svg>\n";
  if (bars.size() > count) svg += fmt::format("<p>and {} more</p>\n", bars.size() - count);
  return svg;
}

std::string Section(std::string_view title, const std::string& content) {
  if (content.empty()) return "";
  return fmt::format("<h2>{}</h2>\n{}", EscapeHtml(title), content);
}

std::string FactRow(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", EscapeHtml(name), EscapeHtml(value));
}

std::string Verdict(const DrillReport& report) {
  const uint64_t problems = report.problem_count();
  if (problems != 0) {
    return fmt::format(
        "<div class=\"verdict bad\"><strong>The drill failed: {} problem{}</strong><br>{}</div>\n",
        problems, problems == 1 ? "" : "s",
        "Do not rely on this backup before the problems below are explained.");
  }
  return fmt::format(
      "<div class=\"verdict good\"><strong>The backup was restored</strong><br>A server answered "
      "after {}; {} of {} tables were checked, {} compared, and nothing was found wrong.</div>\n",
      report::HumanSeconds(report.restore_seconds), report.checked_count, report.table_count,
      report.compared_count);
}

std::string Facts(const DrillReport& report) {
  std::string rows;
  rows += FactRow("Drill", report.drilled_at);
  rows += FactRow("Backup", report.backup_dir);
  for (const std::string& dir : report.incremental_dirs)
    rows += FactRow("Increment", dir);
  rows += FactRow("Backup taken", report.backup_time);
  rows += FactRow("Backup's id", report.backup_uuid);
  rows += FactRow("Server of the backup", report.backup_server_version);
  rows += FactRow("Server of the drill", report.server_version);
  rows += FactRow("Its program", report.server_program);
  if (report.restore_seconds > 0)
    rows += FactRow("Time to restore", report::HumanSeconds(report.restore_seconds));
  rows += FactRow("Whole drill", report::HumanSeconds(report.total_seconds));
  std::string checked =
      fmt::format("{} of {}, {}", report.checked_count, report.table_count, report.check_depth);
  if (report.sample_percent != 100) {
    checked +=
        fmt::format(", a sample of {} % (turn {})", report.sample_percent, report.sample_turn);
  }
  rows += FactRow("Tables checked", checked);
  if (!report.compared_with.empty()) {
    rows += FactRow("Tables compared",
                    fmt::format("{}, with {}", report.compared_count, report.compared_with));
  }
  return "<table class=\"facts\">\n" + rows + "</table>\n";
}

std::string Findings(const DrillReport& report) {
  if (report.findings.empty()) return "<p>None.</p>\n";
  std::string rows = "<tr><th>Kind</th><th>Phase</th><th>Table</th><th>What</th></tr>\n";
  for (const Severity severity : {Severity::kProblem, Severity::kRemark}) {
    for (const Finding& finding : report.findings) {
      if (finding.severity != severity) continue;
      rows +=
          fmt::format("<tr><td class=\"{0}\">{0}</td><td>{1}</td><td>{2}</td><td>{3}</td></tr>\n",
                      SeverityName(severity), EscapeHtml(finding.phase), EscapeHtml(finding.table),
                      EscapeHtml(finding.text));
    }
  }
  return "<table>\n" + rows + "</table>\n";
}

std::string PhaseFigure(const DrillReport& report) {
  std::vector<Bar> bars;
  for (const PhaseTime& phase : report.phases)
    bars.push_back({phase.name, phase.seconds, report::HumanSeconds(phase.seconds)});
  return DrawBars("time per phase", bars);
}

std::string SizeFigure(const DrillReport& report) {
  std::vector<Bar> bars = {{"backup, as it lies there", static_cast<double>(report.stored_bytes),
                            report::HumanBytes(report.stored_bytes)},
                           {"restored", static_cast<double>(report.restored_bytes),
                            report::HumanBytes(report.restored_bytes)}};
  for (const DatabaseSize& database : report.databases) {
    bars.push_back({database.name.empty() ? "  beside the databases" : "  " + database.name,
                    static_cast<double>(database.bytes), report::HumanBytes(database.bytes)});
  }
  return DrawBars("sizes", bars);
}

std::string SlowFigure(const DrillReport& report) {
  std::vector<Bar> bars;
  for (const SlowTable& slow : report.slowest_tables)
    bars.push_back({slow.table, slow.seconds, report::HumanSeconds(slow.seconds)});
  return DrawBars("slowest tables", bars);
}

std::string Preformatted(const std::string& text) {
  return text.empty() ? "" : "<pre>" + EscapeHtml(text) + "</pre>\n";
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view entity = EntityOf(text.front());
    if (length == 0 || IsControl(text.front())) {
      escaped += kReplacement;
    } else if (!entity.empty()) {
      escaped += entity;
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return escaped;
}

std::string RenderHtml(const DrillReport& report) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Drill of {}: {}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<h1>Drill of {}</h1>\n",
      EscapeHtml(report.backup_dir), report.is_ok() ? "restored" : "failed", kStyle,
      EscapeHtml(report.backup_dir));
  html += Verdict(report);
  html += Section("Findings", Findings(report));
  html += Section("What was done", Facts(report));
  html += Section("Time per phase", PhaseFigure(report));
  html += Section("Sizes", SizeFigure(report));
  html += Section("Tables that took longest", SlowFigure(report));
  html += Section("Output of " + report.sql_file, Preformatted(report.sql_output));
  html += Section("End of the server's error log", Preformatted(report.error_log));
  html +=
      fmt::format("<footer>hbk {}</footer>\n</body>\n</html>\n", EscapeHtml(report.hbk_version));
  return html;
}

}  // namespace hbk::drill

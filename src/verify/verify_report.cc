#include "verify_report.h"

#include <fmt/format.h>

namespace hbk::verify {
namespace {

report::Facts FactsOf(const Finding& finding) {
  report::Facts facts = {{"kind", std::string(FindingKindName(finding.kind))}};
  const auto add = [&facts](const char* name, std::string value) {
    if (!value.empty()) facts.push_back({name, std::move(value)});
  };
  add("backup", finding.backup_dir);
  add("file", finding.file);
  add("table", TableOf(finding.file));
  if (finding.page) add("page", fmt::format("{}", *finding.page));
  if (finding.offset) add("offset", fmt::format("{}", *finding.offset));
  add("expected", finding.expected);
  add("found", finding.found);
  return facts;
}

}  // namespace

void ReportFindings(const std::vector<Finding>& findings, uint64_t count,
                    report::Reporter& reporter) {
  for (const Finding& finding : findings)
    reporter.Warning("found: " + Describe(finding), FactsOf(finding));
  if (findings.size() == count) return;
  reporter.Warning(
      fmt::format("{} more findings, of files with many, are not listed", count - findings.size()));
}

void ReportCounts(const CheckCounts& counts, const std::string& key_problem,
                  report::Reporter& reporter) {
  const auto pages = [](uint64_t count) {
    return report::Facts{{"pages", fmt::format("{}", count)}};
  };
  if (counts.locked_pages != 0) {
    reporter.Warning("encrypted pages were checked from outside only: " +
                         (key_problem.empty() ? "they cannot be decoded" : key_problem),
                     pages(counts.locked_pages));
  }
  if (counts.listed_pages != 0) {
    reporter.Warning("pages were damaged on the server already, as innodb_corrupted_pages says",
                     pages(counts.listed_pages));
  }
  if (counts.opaque_pages != 0) {
    reporter.Info(
        "tables that were just being made have no first page yet: their pages were not checked",
        pages(counts.opaque_pages));
  }
  if (counts.empty_pages != 0) {
    reporter.Info("pages are allocated and not written yet, as a load leaves them that is at work",
                  pages(counts.empty_pages));
  }
  if (counts.imported_pages != 0) {
    reporter.Info("pages have no LSN: of imported tables", pages(counts.imported_pages));
  }
}

}  // namespace hbk::verify

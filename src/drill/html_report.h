// A drill's report as a page that stands alone: no script, nothing that is loaded from elsewhere;
// figures are drawn as SVG. It can be mailed, and opened in twenty years.
//
// Every text from the backup, the server or the user is escaped.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "drill_report.h"

namespace hbk::drill {

std::string RenderHtml(const DrillReport& report);

// As text or in an attribute: & < > " ' as entities; control characters other than tab and line
// feed, and bytes that are no UTF-8, as U+FFFD.
std::string EscapeHtml(std::string_view text);

}  // namespace hbk::drill

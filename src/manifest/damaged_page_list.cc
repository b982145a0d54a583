#include "hbk/manifest/damaged_page_list.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hbk::manifest {
namespace {

bool ParseNumber(std::string_view text, uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Takes the first line off.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r'))
    line.remove_suffix(1);
  return line;
}

bool ParsePages(std::string_view line, std::set<innodb::PageNo>& pages) {
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    uint32_t page = 0;
    if (end != 0 && !ParseNumber(line.substr(0, end), page)) return false;
    if (end != 0) pages.insert(page);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return true;
}

Status BadList(std::string_view line) {
  return CorruptionError(fmt::format("{}: a line cannot be read: '{}'", kDamagedPagesName, line));
}

}  // namespace

bool DamagedPageList::Contains(innodb::PageId page) const {
  return std::any_of(spaces.begin(), spaces.end(), [&](const Space& space) {
    return space.id == page.space && space.pages.contains(page.page);
  });
}

Result<DamagedPageList> ParseDamagedPageList(std::string_view text) {
  std::map<innodb::SpaceId, DamagedPageList::Space> spaces;
  while (!text.empty()) {
    const std::string_view head = TakeLine(text);
    if (head.empty()) continue;
    const size_t blank = head.rfind(' ');
    uint32_t id = 0;
    if (blank == std::string_view::npos || blank == 0 || !ParseNumber(head.substr(blank + 1), id))
      return BadList(head);
    const std::string_view numbers = TakeLine(text);
    DamagedPageList::Space& space = spaces[id];
    space.name = head.substr(0, blank);
    space.id = id;
    if (!ParsePages(numbers, space.pages)) return BadList(numbers);
  }
  DamagedPageList list;
  for (auto& entry : spaces)
    list.spaces.push_back(std::move(entry.second));
  return list;
}

std::string RenderDamagedPageList(const DamagedPageList& list) {
  std::string text;
  for (const DamagedPageList::Space& space : list.spaces)
    text += fmt::format("{} {}\n{}\n", space.name, space.id, fmt::join(space.pages, " "));
  return text;
}

}  // namespace hbk::manifest

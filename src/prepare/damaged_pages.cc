#include "damaged_pages.h"

#include <charconv>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/xdes.h"

#include "tablespace_io.h"
#include "tablespace_table.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kListBytesMax = 64 << 20;
constexpr uint32_t kListMode = 0640;

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

// One tablespace of the prepared backup.
class PageJudge {
 public:
  PageJudge(io::FileSystem& fs, const BackupSet& set, const Tablespace& space,
            crypto::KeySource* keys)
      : space_(space),
        io_(fs, set),
        coder_(space.id, space.header.flags, space.header.crypt, keys),
        image_(space.header.flags.physical_size()),
        frame_(space.header.flags.physical_size()) {}

  // Why the page counts as damaged; empty if it does not.
  Result<std::string> FaultOf(innodb::PageNo page) {
    HBK_ASSIGN_OR_RETURN(const bool is_free, IsFree(page));
    if (is_free) return std::string();
    HBK_RETURN_IF_ERROR(io_.Read(space_, page, image_.view()));
    const Status decoded = coder_.Decode(image_.view(), {space_.id, page}, frame_.view()).status();
    // Without key or codec the checksum of the image has to do; it was right.
    if (decoded.ok() || decoded.code() != StatusCode::kCorruption) return std::string();
    return decoded.message();
  }

 private:
  Result<bool> IsFree(innodb::PageNo page) {
    const innodb::TablespaceFlags& flags = space_.header.flags;
    const innodb::PageNo descriptor = innodb::DescriptorPageOf(flags, page);
    if (page == descriptor) return false;
    HBK_RETURN_IF_ERROR(io_.Read(space_, descriptor, image_.view()));
    // Never encrypted nor compressed.
    if (innodb::CheckPage(image_.view(), flags, {space_.id, descriptor}) !=
        innodb::PageVerdict::kGood) {
      return false;
    }
    return innodb::IsPageFree(image_.view(), flags, space_.header.free_limit, page);
  }

  const Tablespace& space_;
  TablespaceIo io_;
  innodb::PageCoder coder_;
  AlignedBuffer image_;
  AlignedBuffer frame_;
};

Status BadList(std::string_view line) {
  return CorruptionError(fmt::format("{}: a line cannot be read: '{}'", kDamagedPagesName, line));
}

}  // namespace

Result<DamagedPages> ParseDamagedPages(std::string_view text) {
  DamagedPages damaged;
  while (!text.empty()) {
    const std::string_view head = TakeLine(text);
    if (head.empty()) continue;
    const size_t blank = head.rfind(' ');
    uint32_t id = 0;
    if (blank == std::string_view::npos || blank == 0 || !ParseNumber(head.substr(blank + 1), id))
      return BadList(head);
    const std::string_view numbers = TakeLine(text);
    DamagedPages::Space& space = damaged.spaces[id];
    space.name = head.substr(0, blank);
    if (!ParsePages(numbers, space.pages)) return BadList(numbers);
  }
  return damaged;
}

std::string RenderDamagedPages(const DamagedPages& damaged) {
  std::string text;
  for (const auto& [id, space] : damaged.spaces) {
    text += fmt::format("{} {}\n", space.name, id);
    std::string_view separator;
    for (const innodb::PageNo page : space.pages) {
      text += fmt::format("{}{}", separator, page);
      separator = " ";
    }
    text += '\n';
  }
  return text;
}

Result<DamagedPages> LoadDamagedPages(io::FileSystem& fs, const BackupSet& set) {
  const auto text = io::ReadFile(fs, set.Path(kDamagedPagesName), kListBytesMax);
  if (text.status().code() == StatusCode::kNotFound) return DamagedPages{};
  HBK_RETURN_IF_ERROR(text.status());
  return ParseDamagedPages(*text);
}

Status StoreDamagedPages(io::FileSystem& fs, const BackupSet& set, const DamagedPages& damaged) {
  const std::string path = set.Path(kDamagedPagesName);
  if (!damaged.empty())
    return io::WriteFileAtomically(fs, path, RenderDamagedPages(damaged), kListMode);
  HBK_RETURN_IF_ERROR(fs.Remove(path));
  return fs.SyncDirectory(set.dir);
}

Result<std::vector<std::string>> ForgiveDamagedPages(io::FileSystem& fs, const BackupSet& set,
                                                     crypto::KeySource* keys,
                                                     DamagedPages& damaged) {
  HBK_ASSIGN_OR_RETURN(const auto files, ListTablespaceFiles(fs, set));
  std::vector<std::string> faults;
  for (auto item = damaged.spaces.begin(); item != damaged.spaces.end();) {
    std::set<innodb::PageNo>& pages = item->second.pages;
    const std::optional<Tablespace> space = FindTablespace(files, item->first);
    // A dropped tablespace took its pages along.
    if (!space.has_value()) pages.clear();
    std::optional<PageJudge> judge;
    if (space.has_value()) judge.emplace(fs, set, *space, keys);
    for (auto page = pages.begin(); page != pages.end();) {
      HBK_ASSIGN_OR_RETURN(const std::string fault, judge->FaultOf(*page));
      if (fault.empty()) {
        page = pages.erase(page);
        continue;
      }
      faults.push_back(fmt::format("{}, page {}: {}", TablespaceIo::SegmentOf(*space, *page).name,
                                   *page, fault));
      ++page;
    }
    item = pages.empty() ? damaged.spaces.erase(item) : std::next(item);
  }
  return faults;
}

}  // namespace hbk::prepare

#include "damaged_pages.h"

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/xdes.h"

#include "tablespace_io.h"
#include "tablespace_table.h"

namespace hbk::prepare {
namespace {

using manifest::DamagedPageList;

constexpr uint64_t kListBytesMax = 64 << 20;
constexpr uint32_t kListMode = 0640;

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

}  // namespace

Result<DamagedPageList> LoadDamagedPages(io::FileSystem& fs, const BackupSet& set) {
  const auto text = io::ReadFile(fs, set.Path(manifest::kDamagedPagesName), kListBytesMax);
  if (text.status().code() == StatusCode::kNotFound) return DamagedPageList{};
  HBK_RETURN_IF_ERROR(text.status());
  return manifest::ParseDamagedPageList(*text);
}

Status StoreDamagedPages(io::FileSystem& fs, const BackupSet& set, const DamagedPageList& damaged) {
  const std::string path = set.Path(manifest::kDamagedPagesName);
  if (!damaged.empty())
    return io::WriteFileAtomically(fs, path, manifest::RenderDamagedPageList(damaged), kListMode);
  HBK_RETURN_IF_ERROR(fs.Remove(path));
  return fs.SyncDirectory(set.dir);
}

Result<std::vector<std::string>> ForgiveDamagedPages(io::FileSystem& fs, const BackupSet& set,
                                                     crypto::KeySource* keys,
                                                     DamagedPageList& damaged) {
  HBK_ASSIGN_OR_RETURN(const auto files, ListTablespaceFiles(fs, set));
  std::vector<std::string> faults;
  for (auto item = damaged.spaces.begin(); item != damaged.spaces.end();) {
    std::set<innodb::PageNo>& pages = item->pages;
    const std::optional<Tablespace> space = FindTablespace(files, item->id);
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

#include "link_names.h"

#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/scanner.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kLinkBytesMax = 4096;  // PATH_MAX
constexpr size_t kExtensionBytes = 4;     // of ".isl" and ".ibd"

}  // namespace

Result<LinkNames> ReadLinkNames(io::FileSystem& fs, const BackupSet& set) {
  LinkNames links;
  HBK_ASSIGN_OR_RETURN(const auto root, fs.List(set.dir));
  for (const io::DirectoryEntry& database : root) {
    if (database.type != io::FileType::kDirectory) continue;
    HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(set.Path(database.name)));
    for (const io::DirectoryEntry& entry : entries) {
      if (entry.type != io::FileType::kRegular ||
          datadir::ClassifyDatabaseFile(entry.name) != datadir::FileKind::kTablespaceLink) {
        continue;
      }
      const std::string name = io::JoinPath(database.name, entry.name);
      const std::string table = name.substr(0, name.size() - kExtensionBytes) + ".ibd";
      const Result<std::string> text = io::ReadFile(fs, set.Path(name), kLinkBytesMax);
      if (!text.ok() && text.status().code() == StatusCode::kCorruption) continue;
      HBK_RETURN_IF_ERROR(text.status());
      const Result<std::string> path = datadir::ParseTablespaceLink(text.value(), entry.name);
      if (path.ok()) links.emplace(path.value(), table);
    }
  }
  return links;
}

void UseLinkNames(const LinkNames& links, SpaceLogs& logs) {
  for (auto& [id, log] : logs.spaces) {
    const auto link = links.find(log.last_path);
    // A deletion is of a table that had this path before.
    if (link != links.end() && !log.is_deleted) log.last_name = link->second;
  }
}

}  // namespace hbk::prepare

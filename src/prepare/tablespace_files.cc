// ListTablespaceFiles and its like: the directory, and the first page of every tablespace in it.

#include <algorithm>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/innodb/page.h"

#include "tablespace_table.h"
#include "whole_read.h"

namespace hbk::prepare {
namespace {

class TablespaceLister {
 public:
  TablespaceLister(io::FileSystem& fs, const BackupSet& set)
      : fs_(fs),
        set_(set),
        // One page is enough where the page size is known; there may be very many files.
        head_(set.page_size != 0 ? set.page_size : innodb::kPageSizeMax) {}

  Result<std::vector<FoundFile>> List(bool with_tables) {
    for (const std::string& name : set_.system_files)
      HBK_RETURN_IF_ERROR(Add(name, SpaceKind::kSystem));
    HBK_ASSIGN_OR_RETURN(const auto root, fs_.List(set_.dir));
    for (const io::DirectoryEntry& entry : root) {
      if (entry.type == io::FileType::kRegular) {
        if (datadir::ClassifyRootFile(entry.name) == datadir::FileKind::kUndoTablespace)
          HBK_RETURN_IF_ERROR(Add(entry.name, SpaceKind::kUndo));
      } else if (entry.type == io::FileType::kDirectory && with_tables) {
        HBK_RETURN_IF_ERROR(ListDatabase(entry.name));
      }
    }
    return std::move(files_);
  }

 private:
  Status ListDatabase(const std::string& database) {
    HBK_ASSIGN_OR_RETURN(const auto entries, fs_.List(set_.Path(database)));
    for (const io::DirectoryEntry& entry : entries) {
      if (!entry.name.ends_with(".ibd")) continue;
      const std::string name = io::JoinPath(database, entry.name);
      if (entry.type != io::FileType::kRegular) {
        return CorruptionError(set_.Path(name) + " is no regular file");
      }
      HBK_RETURN_IF_ERROR(Add(name, SpaceKind::kTable));
    }
    return OkStatus();
  }

  Status Add(const std::string& name, SpaceKind kind) {
    auto file = fs_.Open(set_.Path(name), {});
    if (file.status().code() == StatusCode::kNotFound) {
      return CorruptionError(fmt::format("{}: {} is missing", set_.dir, name));
    }
    HBK_RETURN_IF_ERROR(file.status());
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, (*file)->Stat());
    FoundFile& found = files_.emplace_back();
    found.name = name;
    found.kind = kind;
    found.size = info.size;
    // Only the first file of the system tablespace has a first page.
    if (kind == SpaceKind::kSystem && name != set_.system_files.front()) return OkStatus();
    HBK_ASSIGN_OR_RETURN(const size_t size, (*file)->ReadAt(0, head_.view()));
    HBK_RETURN_IF_ERROR(CheckReadToEnd(**file, 0, size, head_.size()));
    found.first_page =
        innodb::ClassifyFirstPage(head_.view().first(size), info.size, set_.page_size);
    found.has_zero_lsn = found.first_page.kind == innodb::FirstPageKind::kValid &&
                         innodb::PageLsn(head_.view()) == 0;
    return OkStatus();
  }

  io::FileSystem& fs_;
  const BackupSet& set_;
  AlignedBuffer head_;
  std::vector<FoundFile> files_;
};

}  // namespace

Result<std::vector<FoundFile>> ListTablespaceFiles(io::FileSystem& fs, const BackupSet& set) {
  return TablespaceLister(fs, set).List(/*with_tables=*/true);
}

Result<std::vector<FoundFile>> ListServerTablespaceFiles(io::FileSystem& fs, const BackupSet& set) {
  return TablespaceLister(fs, set).List(/*with_tables=*/false);
}

}  // namespace hbk::prepare

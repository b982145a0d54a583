#include "flush_lsn.h"

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"

#include "page_journal.h"

namespace hbk::prepare {
namespace {

constexpr size_t kFlushLsn = 26;
constexpr innodb::PageId kFirstPage = {.space = innodb::kSystemSpaceId, .page = 0};

// The first page of the system tablespace, checked.
struct FirstPage {
  std::unique_ptr<io::File> file;
  innodb::TablespaceFlags flags;
  AlignedBuffer image;
};

Result<FirstPage> ReadFirstPage(io::FileSystem& fs, const BackupSet& set, bool write) {
  const std::string path = set.Path(set.system_files.front());
  FirstPage page;
  HBK_ASSIGN_OR_RETURN(page.file, fs.Open(path, {.write = write}));
  page.image = AlignedBuffer(set.page_size);
  HBK_ASSIGN_OR_RETURN(const size_t size, page.file->ReadAt(0, page.image.view()));
  if (size != page.image.size())
    return CorruptionError(fmt::format("{} has only {} bytes", path, size));
  const ByteView image = page.image.view();
  auto flags = innodb::TablespaceFlags::Decode(LoadBe32(image, innodb::kFspFlags));
  if (!flags.ok()) return flags.status().WithContext(path);
  page.flags = *flags;
  if (page.flags.physical_size() != image.size())
    return CorruptionError(
        fmt::format("{} has pages of {} bytes, and the backup says that they have {}", path,
                    page.flags.physical_size(), image.size()));
  const innodb::PageVerdict verdict = innodb::CheckPage(image, page.flags, kFirstPage);
  if (verdict != innodb::PageVerdict::kGood)
    return CorruptionError(
        fmt::format("{}: page 0 has a {}", path, innodb::PageVerdictName(verdict)));
  return page;
}

}  // namespace

Result<innodb::Lsn> ReadFlushLsn(io::FileSystem& fs, const BackupSet& set) {
  HBK_ASSIGN_OR_RETURN(const FirstPage page, ReadFirstPage(fs, set, /*write=*/false));
  const innodb::Lsn lsn = LoadBe64(page.image.view(), kFlushLsn);
  if (lsn == 0)
    return CorruptionError(
        fmt::format("{}: the redo log is empty, and {} does not say at which LSN", set.dir,
                    set.system_files.front()));
  return lsn;
}

Status StoreFlushLsn(io::FileSystem& fs, const BackupSet& set, innodb::Lsn lsn) {
  HBK_ASSIGN_OR_RETURN(FirstPage page, ReadFirstPage(fs, set, /*write=*/true));
  const MutableByteView image = page.image.view();
  if (LoadBe64(image, kFlushLsn) == lsn) return page.file->Close();
  AlignedBuffer old_image(image.size());
  std::copy(image.begin(), image.end(), old_image.view().begin());
  StoreBe64(image, kFlushLsn, lsn);
  innodb::SealPage(image, page.flags, kFirstPage);
  PageJournal journal(fs, set.dir, 0, 2 * image.size());
  HBK_RETURN_IF_ERROR(journal.Add({.name = set.system_files.front(),
                                   .offset = 0,
                                   .lsn = innodb::PageLsn(image),
                                   .old_image = old_image.view(),
                                   .new_image = image}));
  HBK_RETURN_IF_ERROR(journal.Commit());
  HBK_RETURN_IF_ERROR(page.file->WriteAt(0, image));
  HBK_RETURN_IF_ERROR(page.file->Sync());
  HBK_RETURN_IF_ERROR(page.file->Close());
  return RemoveJournals(fs, set.dir);
}

}  // namespace hbk::prepare

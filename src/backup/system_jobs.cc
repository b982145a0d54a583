#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hbk/backup/file_copier.h"
#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/trx_sys.h"

#include "page_reader.h"

namespace hbk::backup {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;

Result<innodb::TablespaceHeader> ReadHeader(io::File& file, uint64_t file_size, uint32_t page_size,
                                            AlignedBuffer& scratch) {
  HBK_ASSIGN_OR_RETURN(const innodb::FirstPage first,
                       ReadFirstPage(file, file_size, page_size, scratch, kPatience, SleepForReal,
                                     std::stop_token()));
  if (first.kind != innodb::FirstPageKind::kValid) {
    return CorruptionError(first.reason.empty() ? "page 0 is all zero" : first.reason);
  }
  if (first.header.space_id != innodb::kSystemSpaceId) {
    return CorruptionError(
        fmt::format("page 0 names the space id {}, not that of the system "
                    "tablespace",
                    first.header.space_id));
  }
  return first.header;
}

Result<std::optional<innodb::DoublewriteBuffer>> ReadDoublewrite(
    io::File& file, const innodb::TablespaceFlags& flags, AlignedBuffer& scratch) {
  AlignedBuffer page(flags.physical_size());
  const uint64_t offset = uint64_t{innodb::kTrxSysPageNo} * page.size();
  HBK_ASSIGN_OR_RETURN(const size_t got, file.ReadAt(offset, page.view()));
  if (got < page.size()) return CorruptionError(fmt::format("it ends at byte {}", offset + got));
  PageReader reader(file, PageLayout{innodb::kSystemSpaceId, 0, flags, std::nullopt}, SleepForReal);
  PageNotes notes;
  HBK_ASSIGN_OR_RETURN(const auto fault,
                       reader.HealPages(offset, page.view(), scratch, std::stop_token(), notes));
  if (fault) return CorruptionError(Describe(*fault));
  return innodb::ParseDoublewriteBuffer(page.view());
}

Result<SystemFilePart> ReadFirstPart(io::FileSystem& fs, const std::string& path,
                                     uint32_t page_size) {
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(path, {.direct = true, .follow = true}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  AlignedBuffer scratch(PageReader::kScratchBytes);
  SystemFilePart part;
  HBK_ASSIGN_OR_RETURN(const innodb::TablespaceHeader header,
                       ReadHeader(*file, info.size, page_size, scratch));
  part.flags = header.flags;
  if (header.crypt && header.crypt->type != 0) part.key_id = header.crypt->key_id;
  HBK_ASSIGN_OR_RETURN(part.doublewrite, ReadDoublewrite(*file, part.flags, scratch));
  return part;
}

}  // namespace

Result<std::vector<CopyJob>> MakeSystemJobs(io::FileSystem& fs,
                                            const std::vector<SystemFileSource>& files,
                                            uint32_t page_size) {
  HBK_CHECK(!files.empty());
  auto part = ReadFirstPart(fs, files.front().source_path, page_size);
  if (!part.ok()) return part.status().WithContext("reading " + files.front().source_path);
  std::vector<CopyJob> jobs;
  for (const SystemFileSource& file : files) {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(file.source_path, true));
    CopyJob job;
    job.name = file.name;
    job.source_path = file.source_path;
    job.method = CopyMethod::kSystem;
    job.size_hint = info.size;
    job.follow_symlink = true;
    job.system = *part;
    jobs.push_back(std::move(job));
    part->first_page_no += static_cast<innodb::PageNo>(info.size / part->flags.physical_size());
  }
  return jobs;
}

}  // namespace hbk::backup

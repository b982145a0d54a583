#include "tablespace_io.h"

#include <algorithm>
#include <utility>

#include "whole_read.h"

namespace hbk::prepare {
namespace {

constexpr size_t kOpenFilesMax = 64;
constexpr size_t kHoleGranularity = 4096;

}  // namespace

const Segment& TablespaceIo::SegmentOf(const Tablespace& space, innodb::PageNo page) {
  auto after = std::upper_bound(
      space.segments.begin(), space.segments.end(), page,
      [](innodb::PageNo wanted, const Segment& segment) { return wanted < segment.first_page; });
  return *std::prev(after);
}

uint64_t TablespaceIo::OffsetOf(const Tablespace& space, const Segment& segment,
                                innodb::PageNo page) {
  return uint64_t{page - segment.first_page} * space.header.flags.physical_size();
}

Result<io::File*> TablespaceIo::Open(const std::string& name) {
  const auto open = files_.find(name);
  if (open != files_.end()) return open->second.get();
  if (files_.size() >= kOpenFilesMax) HBK_RETURN_IF_ERROR(Close());
  HBK_ASSIGN_OR_RETURN(auto file, fs_.Open(set_.Path(name), {.write = true}));
  return files_.emplace(name, std::move(file)).first->second.get();
}

Status TablespaceIo::Read(const Tablespace& space, innodb::PageNo page, MutableByteView out) {
  const Segment& segment = SegmentOf(space, page);
  HBK_ASSIGN_OR_RETURN(io::File* const file, Open(segment.name));
  const uint64_t offset = OffsetOf(space, segment, page);
  HBK_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(offset, out));
  HBK_RETURN_IF_ERROR(CheckReadToEnd(*file, offset, size, out.size()));
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(size), out.end(), uint8_t{0});
  return OkStatus();
}

Status TablespaceIo::WillRead(const Tablespace& space, innodb::PageNo page, uint64_t size) {
  const Segment& segment = SegmentOf(space, page);
  HBK_ASSIGN_OR_RETURN(io::File* const file, Open(segment.name));
  file->WillRead(OffsetOf(space, segment, page), size);
  return OkStatus();
}

Status TablespaceIo::Write(const Tablespace& space, innodb::PageNo page, ByteView bytes) {
  const Segment& segment = SegmentOf(space, page);
  HBK_ASSIGN_OR_RETURN(io::File* const file, Open(segment.name));
  changed_.insert(segment.name);
  const uint64_t offset = OffsetOf(space, segment, page);
  HBK_RETURN_IF_ERROR(file->WriteAt(offset, bytes));
  file->StartWriteBack(offset, bytes.size());
  return OkStatus();
}

Status TablespaceIo::WriteShort(const Tablespace& space, innodb::PageNo page, ByteView image,
                                size_t size) {
  const Segment& segment = SegmentOf(space, page);
  HBK_ASSIGN_OR_RETURN(io::File* const file, Open(segment.name));
  changed_.insert(segment.name);
  const uint64_t offset = OffsetOf(space, segment, page);
  const size_t written =
      std::min(image.size(), (size + kHoleGranularity - 1) / kHoleGranularity * kHoleGranularity);
  if (written != 0) HBK_RETURN_IF_ERROR(file->WriteAt(offset, image.first(written)));
  if (written == image.size()) return OkStatus();
  // The end of the file is where GrowFiles put it: before the hole, if this is the last page.
  return file->PunchHole(offset + written, image.size() - written);
}

Status TablespaceIo::SyncFile(const std::string& name) {
  HBK_ASSIGN_OR_RETURN(io::File* const file, Open(name));
  return file->Sync();
}

std::set<std::string> TablespaceIo::TakeChangedFiles() {
  return std::exchange(changed_, {});
}

Status TablespaceIo::Close() {
  for (auto& [name, file] : files_)
    HBK_RETURN_IF_ERROR(file->Close());
  files_.clear();
  return OkStatus();
}

}  // namespace hbk::prepare

#include <algorithm>

#include <fmt/format.h>

#include "hbk/io/file_system.h"

namespace hbk::io {
namespace {

constexpr size_t kReadStepBytes = 64 * 1024;

MutableByteView MutableBytes(std::string& text, size_t offset) {
  return {reinterpret_cast<uint8_t*>(text.data()) + offset, text.size() - offset};
}

Status WriteAndClose(File& file, std::string_view bytes) {
  HBK_RETURN_IF_ERROR(file.WriteAt(0, AsBytes(bytes)));
  HBK_RETURN_IF_ERROR(file.Sync());
  return file.Close();
}

}  // namespace

Result<bool> File::CloneFrom(File& /*source*/) {
  return false;
}

Result<uint64_t> File::WriteSparse(uint64_t offset, ByteView data, size_t hole_bytes) {
  uint64_t written_bytes = 0;
  size_t begin = 0;
  while (begin < data.size()) {
    size_t end = begin;
    while (end < data.size()) {
      const size_t piece = std::min(hole_bytes, data.size() - end);
      if (IsAllZero(data.subspan(end, piece))) break;
      end += piece;
    }
    if (end > begin) {
      HBK_RETURN_IF_ERROR(WriteAt(offset + begin, data.subspan(begin, end - begin)));
      written_bytes += end - begin;
    }
    begin = end + hole_bytes;
  }
  return written_bytes;
}

// For files that have no holes.
Status File::PunchHole(uint64_t offset, uint64_t size) {
  HBK_ASSIGN_OR_RETURN(const FileInfo info, Stat());
  if (offset >= info.size) return OkStatus();
  size = std::min(size, info.size - offset);
  const std::vector<uint8_t> zeros(std::min<uint64_t>(size, kReadStepBytes));
  for (uint64_t done = 0; done < size; done += zeros.size()) {
    const size_t step = std::min<uint64_t>(zeros.size(), size - done);
    HBK_RETURN_IF_ERROR(WriteAt(offset + done, ByteView(zeros).first(step)));
  }
  return OkStatus();
}

Result<std::unique_ptr<WholeSync>> FileSystem::BeginWholeSync(const std::string& /*path*/) {
  return std::unique_ptr<WholeSync>();
}

Result<std::vector<FileEntry>> FileSystem::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  HBK_ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, List(path));
  std::vector<FileEntry> files;
  for (const DirectoryEntry& entry : entries) {
    if (!is_wanted(entry.name)) continue;
    const auto info = Stat(JoinPath(path, entry.name), /*follow=*/false);
    if (info.status().code() == StatusCode::kNotFound) continue;
    HBK_RETURN_IF_ERROR(info.status());
    files.push_back({{entry.name, info->type}, *info});
  }
  return files;
}

Result<std::vector<std::optional<FileInfo>>> FileSystem::StatAll(
    const std::string& dir, const std::vector<const std::string*>& names) {
  std::vector<std::optional<FileInfo>> infos(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto info = Stat(JoinPath(dir, *names[i]), /*follow=*/true);
    if (info.status().code() == StatusCode::kNotFound) continue;
    HBK_RETURN_IF_ERROR(info.status());
    infos[i] = *info;
  }
  return infos;
}

Result<std::string> ReadFile(FileSystem& fs, const std::string& path, uint64_t bytes_max) {
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(path, {.follow = true}));
  HBK_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  std::string bytes;
  // The size is only a first guess: files of /proc say 0, others grow.
  size_t step = info.size == 0 ? kReadStepBytes : std::min(info.size, bytes_max) + 1;
  while (true) {
    const size_t have = bytes.size();
    bytes.resize(have + step);
    HBK_ASSIGN_OR_RETURN(const size_t n, file->ReadAt(have, MutableBytes(bytes, have)));
    bytes.resize(have + n);
    if (bytes.size() > bytes_max) {
      return CorruptionError(
          fmt::format("reading {}: it is larger than {} bytes, which no such "
                      "file should be",
                      path, bytes_max));
    }
    if (n < step) break;
    step = kReadStepBytes;
  }
  // Of a file that somebody makes shorter meanwhile it would be true all the same.
  HBK_ASSIGN_OR_RETURN(const FileInfo now, file->Stat());
  if (bytes.size() < std::min(info.size, now.size)) {
    return FailedError(fmt::format("reading {} ended at offset {}, although the file is longer",
                                   path, bytes.size()));
  }
  HBK_RETURN_IF_ERROR(file->Close());
  return bytes;
}

Status WriteNewFile(FileSystem& fs, const std::string& path, std::string_view bytes,
                    uint32_t mode) {
  HBK_ASSIGN_OR_RETURN(const auto file,
                       fs.Open(path, {.write = true, .create = true, .mode = mode}));
  Status status = WriteAndClose(*file, bytes);
  // Half a file under this name would look like a whole one. The first error is the one to tell.
  if (!status.ok()) (void)fs.Remove(path).ok();
  return status;
}

Status WriteFileAtomically(FileSystem& fs, const std::string& path, std::string_view bytes,
                           uint32_t mode) {
  const std::string temporary = path + ".tmp";
  // Left by a run that was killed; nothing can need it.
  Status removed = fs.Remove(temporary);
  if (!removed.ok() && removed.code() != StatusCode::kNotFound) return removed;
  HBK_RETURN_IF_ERROR(WriteNewFile(fs, temporary, bytes, mode));
  Status renamed = fs.Rename(temporary, path);
  if (!renamed.ok()) {
    (void)fs.Remove(temporary).ok();
    return renamed;
  }
  return fs.SyncDirectory(DirName(path));
}

Status MakeDirectories(FileSystem& fs, const std::string& path, uint32_t mode) {
  const Result<FileInfo> found = fs.Stat(path, true);
  if (found.ok()) {
    if (found->type == FileType::kDirectory) return OkStatus();
    return {StatusCode::kAlreadyExists,
            "creating directory " + path + ": there is something that is no directory"};
  }
  if (found.status().code() != StatusCode::kNotFound) return found.status();
  const std::string parent = DirName(path);
  if (parent != path) HBK_RETURN_IF_ERROR(MakeDirectories(fs, parent, mode));
  Status made = fs.MakeDirectory(path, mode);
  // Another thread may have been faster.
  if (made.code() == StatusCode::kAlreadyExists) {
    HBK_ASSIGN_OR_RETURN(const FileInfo now, fs.Stat(path, true));
    if (now.type == FileType::kDirectory) return OkStatus();
  }
  return made;
}

Result<bool> Exists(FileSystem& fs, const std::string& path) {
  const Result<FileInfo> info = fs.Stat(path, false);
  if (info.ok()) return true;
  if (info.status().code() == StatusCode::kNotFound) return false;
  return info.status();
}

}  // namespace hbk::io

#include "scratch_place.h"

#include <random>

#include <fmt/format.h>

#include "hbk/io/places.h"

namespace hbk::drill {
namespace {

constexpr uint32_t kDirectoryMode = 0700;
constexpr size_t kSocketPathMax = 107;
constexpr std::string_view kShortRoot = "/tmp";
constexpr int kNameAttempts = 16;

Status CheckEmpty(io::FileSystem& fs, const std::string& dir) {
  const auto info = fs.Stat(dir, /*follow=*/false);
  if (info.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(info.status());
  if (info->type != io::FileType::kDirectory)
    return Status(StatusCode::kTargetInUse, dir + " is not a directory");
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(dir));
  if (entries.empty()) return OkStatus();
  return Status(StatusCode::kTargetInUse,
                fmt::format("{} is not empty: it holds {}", dir, entries.front().name))
      .WithHint(
          "another drill works there, or one that was killed has left it: then remove it; or "
          "give another --scratch-dir");
}

}  // namespace

Status RemoveTree(io::FileSystem& fs, const std::string& dir) {
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(dir));
  for (const io::DirectoryEntry& entry : entries) {
    const std::string path = io::JoinPath(dir, entry.name);
    HBK_RETURN_IF_ERROR(entry.type == io::FileType::kDirectory ? RemoveTree(fs, path)
                                                               : fs.Remove(path));
  }
  return fs.RemoveDirectory(dir);
}

Result<std::unique_ptr<ScratchPlace>> ScratchPlace::Make(io::FileSystem& fs, Plan plan) {
  HBK_ASSIGN_OR_RETURN(const std::string above, io::FindAbove(fs, plan.dir, plan.backups));
  if (!above.empty()) {
    return UsageError(fmt::format("--scratch-dir={} is, or lies inside, the backup {}, which must "
                                  "stay as it is",
                                  plan.dir, above))
        .WithHint("give a directory of its own");
  }
  HBK_RETURN_IF_ERROR(CheckEmpty(fs, plan.dir));
  std::unique_ptr<ScratchPlace> place(new ScratchPlace(fs, std::move(plan.dir), plan.is_kept));
  HBK_RETURN_IF_ERROR(place->MakeDirectories());
  HBK_RETURN_IF_ERROR(place->MakeSocketDirectory());
  return place;
}

// NOLINTNEXTLINE(bugprone-exception-escape): only want of memory throws, and ends the process
ScratchPlace::~ScratchPlace() {
  (void)Remove().ok();
}

Status ScratchPlace::MakeDirectories() {
  HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, dir_, kDirectoryMode));
  is_made_ = true;
  return fs_.MakeDirectory(tmp_dir(), kDirectoryMode);
}

// The name is not to be foreseen, and a directory that is there is not taken: in /tmp others could
// have put it there.
Status ScratchPlace::MakeSocketDirectory() {
  if (socket_path().size() <= kSocketPathMax) return OkStatus();
  std::random_device random;
  for (int i = 0; i < kNameAttempts; ++i) {
    const std::string dir =
        fmt::format("{}/hbk-drill-{:08x}{:08x}", kShortRoot, random(), random());
    const Status made = fs_.MakeDirectory(dir, kDirectoryMode);
    if (made.code() == StatusCode::kAlreadyExists) continue;
    HBK_RETURN_IF_ERROR(made);
    socket_dir_ = dir;
    return OkStatus();
  }
  return FailedError(fmt::format("no new directory for a socket below {}", kShortRoot));
}

std::vector<std::string> ScratchPlace::writable() const {
  if (socket_dir_.empty()) return {dir_};
  return {dir_, socket_dir_};
}

Status ScratchPlace::Remove() {
  Status status;
  if (!socket_dir_.empty()) status = RemoveTree(fs_, socket_dir_);
  socket_dir_.clear();
  if (!is_made_ || is_kept_) return status;
  is_made_ = false;
  const Status removed = RemoveTree(fs_, dir_);
  return status.ok() ? removed : status;
}

}  // namespace hbk::drill

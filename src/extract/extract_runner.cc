#include "hbk/extract/extract_runner.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hbk/manifest/backup_manifest.h"
#include "hbk/stream/stream_path.h"
#include "hbk/stream/stream_reader.h"

#include "complete_backup.h"
#include "extracted_names.h"
#include "file_writers.h"

namespace hbk::extract {
namespace {

using stream::StreamEvent;

constexpr uint32_t kDirectoryMode = 0700;
constexpr uint32_t kFileMode = 0600;

class ExtractRun {
 public:
  ExtractRun(const ExtractOptions& options, std::unique_ptr<io::ByteSource> source,
             io::FileSystem& fs, report::Reporter& reporter, std::stop_token stop)
      : options_(options),
        source_(std::move(source)),
        fs_(fs),
        reporter_(reporter),
        stop_(std::move(stop)) {}

  Result<ExtractSummary> Run() {
    const Status status = RunSteps();
    if (status.ok()) return summary_;
    writers_.reset();
    if (has_begun_) TakeBack();
    return status;
  }

 private:
  Status RunSteps() {
    reporter_.BeginPhase("check");
    HBK_RETURN_IF_ERROR(CheckDirectory());
    HBK_ASSIGN_OR_RETURN(reader_, stream::StreamReader::Open(std::move(source_)));
    summary_.format = reader_->format();
    reporter_.BeginPhase("extract", {{"format", std::string(StreamFormatName(summary_.format))},
                                     {"threads", std::to_string(std::max(1U, options_.parallel))}});
    HBK_RETURN_IF_ERROR(Begin());
    HBK_RETURN_IF_ERROR(ReadAll());
    // What was written last may just be on its way to the disk.
    HBK_RETURN_IF_ERROR(writers_->Finish());
    summary_.bytes = writers_->bytes();
    summary_.file_count = names_.files().size();
    reporter_.BeginPhase("name files");
    HBK_RETURN_IF_ERROR(NameAll());
    return Commit();
  }

  [[nodiscard]] std::string InDirectory(std::string_view name) const {
    return io::JoinPath(options_.directory, name);
  }
  [[nodiscard]] std::string WorkDirectory() const { return InDirectory(kWorkDirectoryName); }

  // Absent or empty; "lost+found" is nobody's.
  Status CheckDirectory() {
    const auto entries = fs_.List(options_.directory);
    if (entries.status().code() == StatusCode::kNotFound) return OkStatus();
    HBK_RETURN_IF_ERROR(entries.status());
    for (const io::DirectoryEntry& entry : *entries) {
      if (entry.name == "lost+found") continue;
      const Status status(StatusCode::kTargetInUse, fmt::format("{} is not empty: there is {}",
                                                                options_.directory, entry.name));
      if (entry.name != kWorkDirectoryName && entry.name != manifest::kIncompleteMarkerName)
        return status.WithHint("hbk extract makes a new directory, or takes an empty one");
      return status.WithHint("an extract that was killed has left it: remove the directory");
    }
    return OkStatus();
  }

  Status Begin() {
    const auto found = fs_.Stat(options_.directory, /*follow=*/true);
    is_directory_new_ = found.status().code() == StatusCode::kNotFound;
    HBK_RETURN_IF_ERROR(io::MakeDirectories(fs_, options_.directory, kDirectoryMode));
    has_begun_ = true;
    HBK_RETURN_IF_ERROR(io::WriteNewFile(
        fs_, InDirectory(manifest::kIncompleteMarkerName),
        "This backup is not complete: hbk extract is at work, or was ended before it was done.\n",
        kFileMode));
    HBK_RETURN_IF_ERROR(fs_.MakeDirectory(WorkDirectory(), kDirectoryMode));
    // Before any file: the marker speaks for what a power cut leaves.
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(options_.directory));
    writers_ = std::make_unique<FileWriters>(fs_, WorkDirectory(), options_.parallel);
    return OkStatus();
  }

  Status ReadAll() {
    StreamEvent event;
    uint64_t done_bytes = 0;
    do {
      if (stop_.stop_requested()) return InterruptedError();
      HBK_RETURN_IF_ERROR(reader_->Next(event));
      if (event.kind == StreamEvent::Kind::kData) {
        done_bytes += event.data.size();
        reporter_.Progress(done_bytes, 0);
      }
      HBK_RETURN_IF_ERROR(Take(event));
    } while (event.kind != StreamEvent::Kind::kEnd);
    return OkStatus();
  }

  Status Take(StreamEvent& event) {
    using Kind = StreamEvent::Kind;
    switch (event.kind) {
      case Kind::kOpen: {
        HBK_RETURN_IF_ERROR(Drop(names_.Open(event.path, event.file, event.replaces)));
        return writers_->Open(event.file);
      }
      case Kind::kData: return writers_->Write(event.file, event.offset, event.data);
      case Kind::kClose: {
        names_.Close(event.file);
        const bool is_known = event.size != StreamEvent::kUnknown;
        return writers_->Close(event.file, is_known ? std::optional(event.size) : std::nullopt);
      }
      case Kind::kRename: return Drop(names_.Rename(event.path, event.to));
      case Kind::kRemove: {
        const bool may_be_missing = summary_.format == stream::StreamFormat::kMbstream;
        return Drop(names_.Remove(event.path, may_be_missing));
      }
      case Kind::kMakeDirectory: return names_.MakeDirectory(event.path);
      case Kind::kRemoveDirectory: return names_.RemoveDirectory(event.path);
      case Kind::kEnd: return TakeEnd(event);
    }
    return OkStatus();
  }

  Status Drop(const Result<ExtractedNames::Dropped>& dropped) {
    HBK_RETURN_IF_ERROR(dropped.status());
    for (const uint64_t file : *dropped)
      HBK_RETURN_IF_ERROR(writers_->Remove(file));
    return OkStatus();
  }

  Status TakeEnd(const StreamEvent& event) {
    // An mbstream has no end: it is complete if what is written last is there.
    if (event.file_count == StreamEvent::kUnknown) return CheckComplete(names_.files());
    if (event.file_count == names_.files().size() &&
        event.directory_count == names_.directories().size())
      return OkStatus();
    return CorruptionError(fmt::format(
        "the stream says that it has {} files in {} directories, but {} in {} are there",
        event.file_count, event.directory_count, names_.files().size(),
        names_.directories().size()));
  }

  // Every file is complete and on disk; now they get their names.
  Status NameAll() {
    for (const std::string& directory : names_.directories()) {
      // Of names in order, that above comes first.
      HBK_RETURN_IF_ERROR(fs_.MakeDirectory(InDirectory(directory), kDirectoryMode));
      made_directories_.push_back(InDirectory(directory));
    }
    for (const NameTurn turn : {NameTurn::kContent, NameTurn::kMetadata, NameTurn::kManifest}) {
      for (const auto& [path, file] : names_.files()) {
        if (TurnOf(path) != turn) continue;
        if (stop_.stop_requested()) return InterruptedError();
        HBK_RETURN_IF_ERROR(NameFile(path, file));
      }
      HBK_RETURN_IF_ERROR(SyncDirectories(turn));
    }
    return OkStatus();
  }

  Status NameFile(const std::string& path, uint64_t file) {
    const std::string target = InDirectory(path);
    // Directories are new, but this one may have got something since it was looked at.
    if (path.find('/') == std::string::npos) {
      HBK_ASSIGN_OR_RETURN(const bool is_taken, io::Exists(fs_, target));
      if (is_taken)
        return {StatusCode::kTargetInUse, fmt::format("{} was made by somebody else", target)};
    }
    HBK_RETURN_IF_ERROR(fs_.Rename(writers_->PathOf(file), target));
    named_files_.push_back(target);
    return OkStatus();
  }

  Status SyncDirectories(NameTurn turn) {
    if (turn == NameTurn::kContent) {
      for (const std::string& directory : made_directories_)
        HBK_RETURN_IF_ERROR(fs_.SyncDirectory(directory));
    }
    return fs_.SyncDirectory(options_.directory);
  }

  Status Commit() {
    HBK_RETURN_IF_ERROR(fs_.RemoveDirectory(WorkDirectory()));
    HBK_RETURN_IF_ERROR(fs_.Remove(InDirectory(manifest::kIncompleteMarkerName)));
    HBK_RETURN_IF_ERROR(fs_.SyncDirectory(options_.directory));
    return fs_.SyncDirectory(io::DirName(options_.directory));
  }

  // What cannot be removed stays, with the marker.
  void TakeBack() {
    bool is_clean = true;
    const auto note = [&is_clean](const Status& status) {
      if (!status.ok() && status.code() != StatusCode::kNotFound) is_clean = false;
    };
    for (auto path = named_files_.rbegin(); path != named_files_.rend(); ++path)
      note(fs_.Remove(*path));
    for (auto path = made_directories_.rbegin(); path != made_directories_.rend(); ++path)
      note(fs_.RemoveDirectory(*path));
    const auto entries = fs_.List(WorkDirectory());
    note(entries.status());
    if (entries.ok()) {
      for (const io::DirectoryEntry& entry : *entries)
        note(fs_.Remove(io::JoinPath(WorkDirectory(), entry.name)));
    }
    note(fs_.RemoveDirectory(WorkDirectory()));
    if (is_clean) note(fs_.Remove(InDirectory(manifest::kIncompleteMarkerName)));
    if (is_clean && is_directory_new_) note(fs_.RemoveDirectory(options_.directory));
    if (!is_clean) {
      reporter_.Warning(
          fmt::format("{} could not be cleared: it is no backup, remove it", options_.directory));
    }
  }

  const ExtractOptions& options_;
  std::unique_ptr<io::ByteSource> source_;
  io::FileSystem& fs_;
  report::Reporter& reporter_;
  const std::stop_token stop_;
  ExtractSummary summary_;
  std::unique_ptr<stream::StreamReader> reader_;
  ExtractedNames names_;
  std::unique_ptr<FileWriters> writers_;
  bool has_begun_ = false;
  bool is_directory_new_ = false;
  std::vector<std::string> named_files_;
  std::vector<std::string> made_directories_;
};

}  // namespace

Result<ExtractSummary> RunExtract(const ExtractOptions& options,
                                  std::unique_ptr<io::ByteSource> source, io::FileSystem& fs,
                                  report::Reporter& reporter, std::stop_token stop) {
  return ExtractRun(options, std::move(source), fs, reporter, std::move(stop)).Run();
}

}  // namespace hbk::extract

#include "hbk_increment.h"

#include <fmt/format.h>

#include "parallel.h"
#include "stored_digest.h"

namespace hbk::prepare {
namespace {

using manifest::FileContent;
using manifest::ManifestFile;

class HbkPages final : public PageSource {
 public:
  explicit HbkPages(std::unique_ptr<delta::DeltaReader> reader) : reader_(std::move(reader)) {}
  Status Read(const delta::DeltaRun& run, MutableByteView out) override {
    return reader_->ReadRun(run, out);
  }

 private:
  const std::unique_ptr<delta::DeltaReader> reader_;
};

std::string DeltaName(const std::string& name) {
  return name + std::string(delta::kDeltaSuffix);
}

// What is not there was there when the increment was made.
Status DamagedIfMissing(const Status& status, const std::string& path) {
  if (status.code() != StatusCode::kNotFound) return status;
  return CorruptionError(path + " is missing");
}

}  // namespace

Status HbkIncrement::Verify(uint32_t worker_count, const std::stop_token& stop) {
  const std::vector<ManifestFile>& files = manifest_.files;
  std::vector<std::vector<delta::DeltaRun>> runs(files.size());
  const auto verify = [&](uint32_t, size_t item) -> Status {
    if (stop.stop_requested()) return InterruptedError();
    const ManifestFile& file = files[item];
    switch (file.content) {
      case FileContent::kBase: return OkStatus();
      case FileContent::kWhole: return VerifyWhole(file, stop);
      case FileContent::kDelta: return VerifyDelta(file, stop, runs[item]);
    }
    return OkStatus();
  };
  HBK_RETURN_IF_ERROR(RunParallel(worker_count, files.size(), verify));
  for (size_t i = 0; i < files.size(); ++i)
    if (!runs[i].empty()) runs_.emplace(files[i].name, std::move(runs[i]));
  return OkStatus();
}

Status HbkIncrement::VerifyDelta(const ManifestFile& file, const std::stop_token& stop,
                                 std::vector<delta::DeltaRun>& runs) const {
  if (file.delta_size == 0) return OkStatus();
  const std::string path = PathOf(DeltaName(file.name));
  const auto info = fs_.Stat(path, false);
  if (!info.ok()) return DamagedIfMissing(info.status(), path);
  if (info->size != file.delta_size) {
    return CorruptionError(
        fmt::format("{} has {} bytes, the manifest says {}", path, info->size, file.delta_size));
  }
  // A whole delta file that is not the one that was made would be found by nothing else.
  HBK_RETURN_IF_ERROR(CheckDigest(file, path, stop));
  HBK_ASSIGN_OR_RETURN(const auto reader, delta::DeltaReader::Open(fs_, path));
  if (file.space.has_value() && (reader->header().space_id != file.space->space_id ||
                                 reader->header().page_size != file.space->page_size)) {
    return CorruptionError(fmt::format(
        "{} has pages of {} bytes of tablespace {}, the manifest says {} bytes, tablespace {}",
        path, reader->header().page_size, reader->header().space_id, file.space->page_size,
        file.space->space_id));
  }
  HBK_ASSIGN_OR_RETURN(runs, reader->ReadIndex(stop));
  return OkStatus();
}

Status HbkIncrement::VerifyWhole(const ManifestFile& file, const std::stop_token& stop) const {
  const std::string path = PathOf(file.name);
  const auto info = fs_.Stat(path, false);
  if (!info.ok()) return DamagedIfMissing(info.status(), path);
  if (info->size != file.size) {
    return CorruptionError(
        fmt::format("{} has {} bytes, the manifest says {}", path, info->size, file.size));
  }
  return CheckDigest(file, path, stop);
}

Status HbkIncrement::CheckDigest(const ManifestFile& file, const std::string& path,
                                 const std::stop_token& stop) const {
  if (file.digest.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const FileDigest now, DigestFile(fs_, path, stop));
  if (now.digest == file.digest) return OkStatus();
  return CorruptionError(
      fmt::format("{} is not what was copied: its digest is {}, the manifest says {}", path,
                  now.digest, file.digest));
}

Result<std::unique_ptr<PageSource>> HbkIncrement::OpenPages(const std::string& name) const {
  HBK_ASSIGN_OR_RETURN(auto reader, delta::DeltaReader::Open(fs_, PathOf(DeltaName(name))));
  return std::unique_ptr<PageSource>(new HbkPages(std::move(reader)));
}

}  // namespace hbk::prepare

#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "hbk/delta/delta_file.h"
#include "hbk/extract/extract_runner.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/seal/key_slots.h"
#include "hbk/verify/verify_runner.h"

#include "digesting_file_system.h"
#include "finding_list.h"
#include "verify_report.h"

namespace hbk::verify {
namespace {

using manifest::BackupManifest;
using manifest::FileContent;
using manifest::ManifestFile;

// What findings call it, and where it is extracted to, which is nowhere.
constexpr std::string_view kArchive = "archive";
constexpr std::string_view kRoot = "/archive";
constexpr uint64_t kFindingsMax = 1000;

class StreamVerifier {
 public:
  StreamVerifier(report::Reporter& reporter, std::stop_token stop)
      : reporter_(reporter), stop_(std::move(stop)) {}

  Result<VerifySummary> Run(std::unique_ptr<io::ByteSource> source) {
    const auto extracted = extract::RunExtract({.directory = std::string(kRoot), .parallel = 1},
                                               std::move(source), fs_, reporter_, stop_);
    VerifySummary summary;
    if (extracted.ok()) {
      summary.file_count = extracted->file_count;
      summary.bytes = extracted->bytes;
      CompareWithManifest();
    } else if (extracted.status().code() == StatusCode::kCorruption) {
      Add(FindingKind::kUnreadable, "", extracted.status().message());
    } else {
      return extracted.status();
    }
    summary.finding_count = findings_.count();
    summary.bad_file_count = findings_.FileCount();
    summary.findings = findings_.Take();
    ReportFindings(summary.findings, summary.finding_count, reporter_);
    return summary;
  }

 private:
  void Add(FindingKind kind, const std::string& file, std::string what, std::string expected = "",
           std::string found = "") {
    findings_.Add({.kind = kind,
                   .backup_dir = std::string(kArchive),
                   .file = file,
                   .what = std::move(what),
                   .expected = std::move(expected),
                   .found = std::move(found)});
  }

  void CompareWithManifest() {
    for (auto& [path, file] : fs_.files())
      files_.emplace(path.substr(kRoot.size() + 1), file);
    const auto found = files_.find(std::string(manifest::kManifestFileName));
    if (found == files_.end()) {
      const bool is_hidden = files_.contains(std::string(manifest::kSealedManifestFileName));
      reporter_.Info(is_hidden ? "the manifest is sealed: files were checked by the archive only"
                               : "no manifest of hbk: files were checked by the archive only");
      return;
    }
    const auto manifest = manifest::ParseManifest(found->second->content());
    if (!manifest.ok()) {
      Add(FindingKind::kManifest, found->first, manifest.status().message());
      return;
    }
    for (const ManifestFile& file : manifest->files)
      CompareFile(file, *manifest);
    for (const auto& [name, file] : files_) {
      if (known_.contains(name) || manifest::IsNeverSealed(name)) continue;
      Add(FindingKind::kUnknownFile, name, "the manifest does not list it");
    }
    reporter_.Info("compared with the manifest",
                   {{"digests", fmt::format("{}", compared_)},
                    {"others", fmt::format("{}", known_.size() - compared_)}});
  }

  void CompareFile(const ManifestFile& file, const BackupManifest& manifest) {
    const bool is_delta = file.content == FileContent::kDelta;
    if (file.content == FileContent::kBase || (is_delta && file.delta_size == 0)) return;
    const std::string name = is_delta ? file.name + std::string(delta::kDeltaSuffix) : file.name;
    std::string stored = manifest::NameBeneathCompression(name, manifest.compression);
    const bool is_sealed = manifest.is_sealed && !manifest::IsNeverSealed(name);
    if (is_sealed) stored += store::kSealedSuffix;
    known_.insert(stored);
    const auto found = files_.find(stored);
    if (found == files_.end()) {
      Add(FindingKind::kMissingFile, stored, "it is missing");
      return;
    }
    if (is_sealed || stored != name) return;  // the digest is of what is inside
    const DigestedFile& there = *found->second;
    const uint64_t size = is_delta ? file.delta_size : file.size;
    if (there.size() != size) {
      Add(FindingKind::kSize, stored, "it has another size", fmt::format("{} bytes", size),
          fmt::format("{} bytes", there.size()));
      return;
    }
    if (file.digest.empty() || there.digest().empty()) return;
    ++compared_;
    if (there.digest() != file.digest)
      Add(FindingKind::kDigest, stored, "it is not what was there", file.digest, there.digest());
  }

  report::Reporter& reporter_;
  const std::stop_token stop_;
  DigestingFileSystem fs_;
  FindingList findings_{kFindingsMax};
  std::map<std::string, std::shared_ptr<DigestedFile>> files_;  // by name in the backup
  std::set<std::string> known_;
  uint64_t compared_ = 0;
};

}  // namespace

Result<VerifySummary> RunVerifyStream(std::unique_ptr<io::ByteSource> source,
                                      report::Reporter& reporter, std::stop_token stop) {
  return StreamVerifier(reporter, std::move(stop)).Run(std::move(source));
}

}  // namespace hbk::verify

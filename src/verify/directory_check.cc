#include "directory_check.h"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "hbk/datadir/file_kind.h"
#include "hbk/delta/delta_file.h"
#include "hbk/manifest/drill_record.h"
#include "hbk/manifest/verify_record.h"
#include "hbk/seal/key_slots.h"

namespace hbk::verify {
namespace {

using manifest::BackupManifest;
using manifest::FileContent;
using manifest::ManifestFile;

// In the root, and in no manifest.
constexpr std::array<std::string_view, 7> kOwnNames = {manifest::kManifestFileName,
                                                       manifest::kSealedManifestFileName,
                                                       manifest::kChunkHashesName,
                                                       manifest::kVerifyRecordName,
                                                       manifest::kDrilledRecordName,
                                                       seal::kKeySlotsFileName,
                                                       "lost+found"};

// Empty: nothing of it lies there.
std::string NameThere(const ManifestFile& file) {
  if (file.content == FileContent::kWhole) return file.name;
  if (file.content == FileContent::kBase || file.delta_size == 0) return {};
  return file.name + std::string(delta::kDeltaSuffix);
}

class DirectoryChecker {
 public:
  DirectoryChecker(const BackupFacts& facts, io::FileSystem& raw, manifest::SealingKeyRing& keys,
                   CheckContext& context)
      : facts_(facts), raw_(raw), keys_(keys), context_(context) {}

  Status Check() {
    HBK_RETURN_IF_ERROR(ListExpected());
    HBK_ASSIGN_OR_RETURN(const auto entries, raw_.List(facts_.dir));
    std::set<std::string> found;
    for (const io::DirectoryEntry& entry : entries) {
      if (entry.type == io::FileType::kDirectory && directories_.contains(entry.name)) {
        found.insert(entry.name);
        HBK_RETURN_IF_ERROR(CheckInside(entry.name));
        continue;
      }
      CheckEntry(entry.name, entry.name, entry.type);
    }
    for (const std::string& directory : needed_directories_) {
      if (!found.contains(directory))
        Add(FindingKind::kMissingFile, directory, "the directory is missing");
    }
    return OkStatus();
  }

 private:
  Status ListExpected() {
    const BackupManifest& manifest = *facts_.manifest;
    std::optional<seal::DataKey> data_key;
    if (manifest.has_sealed_names) {
      HBK_ASSIGN_OR_RETURN(auto opened, manifest::OpenManifest(raw_, facts_.dir, keys_));
      data_key = std::move(opened.data_key);
    }
    for (const ManifestFile& file : manifest.files) {
      const std::string name = NameThere(file);
      if (!name.empty()) HBK_RETURN_IF_ERROR(AddExpected(name, manifest, data_key));
    }
    if (manifest.has_sealed_names) return OkStatus();
    for (const std::string& database : manifest.databases) {
      directories_.insert(database);
      // An increment has only the directories that it has files in.
      if (!facts_.is_increment) needed_directories_.insert(database);
    }
    return OkStatus();
  }

  Status AddExpected(const std::string& name, const BackupManifest& manifest,
                     const std::optional<seal::DataKey>& data_key) {
    std::string stored = manifest::NameBeneathCompression(name, manifest.compression);
    const bool is_sealed = manifest.is_sealed && !manifest::IsNeverSealed(name);
    if (is_sealed) stored += store::kSealedSuffix;
    if (is_sealed && data_key) {
      HBK_ASSIGN_OR_RETURN(stored, manifest::SealedNameOf(*data_key, stored));
    }
    files_.insert(stored);
    // Of one that was decompressed by half: the readers take it, and its digest is checked.
    if (!manifest.is_sealed) files_.insert(name);
    if (stored.find('/') != std::string::npos) directories_.insert(io::DirName(stored));
    return OkStatus();
  }

  Status CheckInside(const std::string& directory) {
    HBK_ASSIGN_OR_RETURN(const auto entries, raw_.List(io::JoinPath(facts_.dir, directory)));
    for (const io::DirectoryEntry& entry : entries)
      CheckEntry(io::JoinPath(directory, entry.name), "", entry.type);
    return OkStatus();
  }

  // `own_name`: as which it may be one of hbk itself; empty: as none.
  void CheckEntry(const std::string& name, std::string_view own_name, io::FileType type) {
    if (type == io::FileType::kSymlink) {
      Add(FindingKind::kUnknownFile, name, "it is a symlink: no backup has such");
      return;
    }
    if (type == io::FileType::kRegular && files_.contains(name)) return;
    for (const std::string_view own : kOwnNames) {
      if (!own_name.empty() && own == own_name) return;
    }
    // Where a file of the manifest should be, its own check says what is wrong.
    if (files_.contains(name)) return;
    Add(FindingKind::kUnknownFile, name,
        type == io::FileType::kDirectory ? "the manifest knows no such directory"
                                         : "the manifest does not list it");
  }

  void Add(FindingKind kind, const std::string& file, std::string what) {
    context_.findings.Add(
        {.kind = kind, .backup_dir = facts_.dir, .file = file, .what = std::move(what)});
  }

  const BackupFacts& facts_;
  io::FileSystem& raw_;
  manifest::SealingKeyRing& keys_;
  CheckContext& context_;
  std::set<std::string> files_;  // as they lie there
  std::set<std::string> directories_;
  std::set<std::string> needed_directories_;
};

}  // namespace

Status CheckDirectory(const BackupFacts& facts, io::FileSystem& raw, manifest::SealingKeyRing& keys,
                      CheckContext& context) {
  return DirectoryChecker(facts, raw, keys, context).Check();
}

}  // namespace hbk::verify

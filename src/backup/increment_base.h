// What an increment asks of its base: which pages of a tablespace it needs, and which other files
// the base has already.
//
// The rules and why they are right: docs/design/0007-increments.md. base_backup.h reads a base.
//
// Units    An Lsn is a byte position in the log stream.
// Threads  Any number may ask at once; SetReadPolicy and SetChangedPages come before.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_identity.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"

#include "changed_pages.h"

namespace hbk::backup {

using innodb::Lsn;
using innodb::SpaceId;

// A tablespace file of the server, open.
struct SpaceFile {
  std::string_view name;  // in the backup
  SpaceId space_id = 0;
  innodb::TablespaceFlags flags;
  io::FileIdentity identity;
};

// Which pages of a tablespace file belong into the increment. Pages that are all zeros never do.
struct PageChoice {
  Lsn above_lsn = 0;            // those with a higher LSN
  bool takes_lsn_zero = false;  // and those without one, which IMPORT TABLESPACE has written
  bool replaces_base = false;   // all
};

// Whether a file need be read at all.
enum class ReadChoice {
  kRead,
  kSample,  // its times say that it is as the base has it: read to see whether they are right
  kSkip,    // the same, believed
  kNamed,   // the pages that the redo log names, and a share of the others to see if it is right
};

// What may be left unread.
struct ReadPolicy {
  bool reads_all = false;     // --incremental-force-scan
  bool trusts_times = false;  // --trust-file-times
  std::string boot_id;        // of now
  std::string backup_uuid;    // chooses the sample
  uint64_t hour = 0;          // of the increment, since the epoch: chooses the share
};

class IncrementBase {
 public:
  // After so many increments that have not read a file, it is read.
  static constexpr uint32_t kSkipCountMax = 10;
  // One of so many files that could be skipped is read.
  static constexpr uint32_t kSampleRate = 50;
  // Of a file of which the named pages are read, one of so many chunks is read besides, another one
  // in each hour: after as many increments all of it has been read, whether they are made every
  // hour, day or week, since none of these is a multiple of it.
  static constexpr uint32_t kShareRate = 17;

  // A base of which nothing but its end is known.
  explicit IncrementBase(manifest::BaseBackup base);
  // One of ours.
  explicit IncrementBase(manifest::BackupManifest manifest);
  IncrementBase(const IncrementBase&) = delete;
  IncrementBase& operator=(const IncrementBase&) = delete;

  void SetReadPolicy(ReadPolicy policy) { policy_ = std::move(policy); }
  // From the end of the base to where the redo of the increment begins.
  void SetChangedPages(ChangedPages changed) { changed_ = std::move(changed); }

  [[nodiscard]] const manifest::BaseBackup& base() const { return base_; }
  [[nodiscard]] Lsn last_lsn() const { return base_.last_lsn; }
  // Of the server that the base is of. Nothing of a base of which only the end is known.
  [[nodiscard]] const std::optional<manifest::BackupManifest>& manifest() const {
    return manifest_;
  }
  // True if the base has tablespaces whose ids only its redo can tell: the redo of the increment
  // must then begin at the checkpoint.
  [[nodiscard]] bool HasUnknownSpaces() const { return has_facts_ && has_unknown_spaces_; }
  // Tablespaces with a file of their own, by id: the name in the base.
  [[nodiscard]] const std::map<SpaceId, std::string>& tables() const { return tables_; }

  // True if the base has copied this very file with its first page.
  [[nodiscard]] bool HasFirstPageOf(const io::FileIdentity& file) const;

  [[nodiscard]] PageChoice ChoosePages(const SpaceFile& file) const;
  // Of a table's tablespace, whose page 0 has that LSN; it is written by some server on this
  // machine. `keeps_times`: FileSystem::KeepsFileTimes() of its place.
  [[nodiscard]] ReadChoice ChooseReading(const SpaceFile& file, Lsn first_page_lsn,
                                         bool keeps_times) const;

  // What SetChangedPages() said of it: where the choice is kNamed.
  [[nodiscard]] std::vector<PageNo> NamedPagesOf(const SpaceFile& file) const;
  // Whether a chunk of kCopyBufferBytes is read, though no page of it is named.
  [[nodiscard]] bool IsInShare(SpaceId space, uint64_t chunk) const {
    return (chunk + space + policy_.hour) % kShareRate == 0;
  }
  // Changes from here on are in the redo of the increment.
  [[nodiscard]] Lsn named_to() const { return changed_ ? changed_->to : 0; }

  // A file that is no tablespace, if the base has one of that name with a known digest.
  [[nodiscard]] const manifest::ManifestFile* FindFile(std::string_view name) const;
  [[nodiscard]] ReadChoice ChooseReading(const manifest::ManifestFile& known,
                                         const io::FileIdentity& identity, bool keeps_times) const;
  // False where ChooseReading could not say anything else than kRead: of a file that is no
  // tablespace, and of any file.
  [[nodiscard]] bool MayTrustTimes() const;
  [[nodiscard]] bool MaySkipPages() const;
  // Increments in a row that have not read the file, or not all of it; this one not counted.
  [[nodiscard]] uint32_t SkipCountOf(const SpaceFile& file) const;

 private:
  [[nodiscard]] const manifest::ManifestFile* FindSpace(const SpaceFile& file) const;
  [[nodiscard]] bool IsInRedo(SpaceId space) const;
  [[nodiscard]] bool IsNamed(const manifest::ManifestFile& known, const SpaceFile& file,
                             Lsn first_page_lsn, bool keeps_times) const;
  [[nodiscard]] bool IsInSample(const manifest::ManifestFile& known) const;

  manifest::BaseBackup base_;
  std::optional<manifest::BackupManifest> manifest_;
  ReadPolicy policy_;
  std::optional<ChangedPages> changed_;
  bool has_facts_ = false;
  bool has_unknown_spaces_ = false;
  std::map<SpaceId, const manifest::ManifestFile*> spaces_;  // with an id other than 0
  std::map<std::string_view, const manifest::ManifestFile*> system_files_;
  std::map<std::string_view, const manifest::ManifestFile*> files_;  // others
  std::map<SpaceId, std::string> tables_;
  std::set<std::pair<uint64_t, int64_t>> copied_;  // inode and birth of tablespace files
};

// What the manifest is to say of the file of the server that was copied, or was not read.
manifest::SourceFile SourceOf(const io::FileIdentity& file, bool is_at_rest, uint32_t skip_count);

}  // namespace hbk::backup

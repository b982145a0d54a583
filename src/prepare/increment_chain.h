// The increments that a prepare lays onto its base, from opening them to the manifest of the sum.
//
// docs/design/0007-increments.md says what belongs where, docs/design/0002-restartable-prepare.md
// why all of it can be done again after a kill.
//
// Errors   kChainBroken: the increments do not fit; before anything is changed. kCorruption: one of
//          them is damaged; likewise. kMissingKey: likewise. kUnsupported: mariadb-backup has lost
//          something that cannot be had from elsewhere; likewise.
// Threads  One; workers are started inside.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/crypto/key_source.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/report/reporter.h"

#include "backup_set.h"
#include "chain_plan.h"
#include "delta_layer.h"
#include "increment_set.h"
#include "laying_state.h"

namespace hbk::prepare {

class IncrementChain {
 public:
  // Null if there are no increments to be laid: none are given, or an earlier run has finished
  // with them. If it has not, only the same ones are accepted.
  static Result<std::unique_ptr<IncrementChain>> Open(io::FileSystem& fs, const BackupSet& base,
                                                      const std::vector<std::string>& dirs);

  [[nodiscard]] const IncrementList& increments() const { return increments_; }
  [[nodiscard]] const ChainFilter& filter() const { return *filter_; }
  // The base is being changed by an earlier run.
  [[nodiscard]] bool is_begun() const { return state_.has_value(); }

  // What the increments have in files, about.
  [[nodiscard]] uint64_t bytes() const;
  // What the newest increment recorded of the server, for its keys; `otherwise` if nothing.
  [[nodiscard]] const keys::Settings& SettingsOr(const keys::Settings& otherwise) const;

  // Reads all of the increments, and asks for each key that the chain names.
  Status Verify(const BackupSet& base, crypto::KeySource& keys, uint32_t worker_count,
                const std::stop_token& stop);
  // From what lies in the base. After this filter() can be used.
  Status Plan(io::FileSystem& fs, const BackupSet& base);
  // Refuses what the redo shows to be lost. Before anything is changed.
  [[nodiscard]] Status CheckRedo(const BackupSet& base, const SpaceLogs& logs) const;
  // Files of tables by the ids of their tablespaces, as they are named once they are laid.
  [[nodiscard]] std::map<innodb::SpaceId, std::string> KnownFiles() const;
  // Adds pages that increments list as damaged, and takes away those that they have anew.
  Status MergeDamagedPages(io::FileSystem& fs, manifest::DamagedPageList& damaged) const;
  // Changes the base: files, names, pages; all durable when it returns.
  Result<LayCounts> Lay(io::FileSystem& fs, const BackupSet& base, const SpaceLogs& logs,
                        uint32_t worker_count, report::Reporter& reporter,
                        const std::stop_token& stop);
  // The base with the increments in it, not prepared. `changed_files`: what the manifest of the
  // base says of them does not count.
  [[nodiscard]] BackupSet Sum(const BackupSet& base,
                              const std::set<std::string>& changed_files) const;

 private:
  [[nodiscard]] Status CheckNewTablespaces(const SpaceLogs& logs) const;
  [[nodiscard]] Status CheckForeignEngines(const std::vector<BaseFile>& files) const;
  explicit IncrementChain(IncrementList increments) : increments_(std::move(increments)) {}
  [[nodiscard]] LayingState NewState() const;
  Status SetPhase(io::FileSystem& fs, const BackupSet& base, LayingPhase phase);
  [[nodiscard]] manifest::BackupManifest SumManifest(
      const BackupSet& base, const std::set<std::string>& changed_files) const;

  const IncrementList increments_;
  std::optional<LayingState> state_;
  ChainPlan plan_;
  std::unique_ptr<ChainFilter> filter_;
};

}  // namespace hbk::prepare

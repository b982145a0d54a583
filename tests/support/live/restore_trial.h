// What becomes of a damaged backup whose user does not verify it: it is prepared and copied back.
//
// A good end is an error before there is a data directory, or a result that is the same, byte for
// byte, as that of the undamaged backup. Prepare and copy-back of one backup always end in the same
// bytes, so that nothing need be left out of the comparison but what is told below.
//
// Errors   Those of the trial itself: a directory that cannot be copied, say.
// Threads  One.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hbk/base/status.h"

namespace hbk::testing {

struct TrialResult {
  enum class End : uint8_t {
    kFound,     // by an error of `step`; nothing is restored
    kHarmless,  // the result is what it should be
    kLie,       // "completed OK!" and another result, or not what has to follow after an error
  };
  End end = End::kLie;
  std::string step = {};  // "extract", "prepare", "copy-back"
  int exit_code = 0;      // of the step
  std::string what = {};  // kLie: what is wrong; else the last line of the step
};

class RestoreTrial {
 public:
  // Works in directories of its own below `dir`, which is made.
  explicit RestoreTrial(std::string dir) : dir_(std::move(dir)) {}

  // To be called once, with what is undamaged. The result of a second time must be the same.
  Status MakeReference(const std::string& base, const std::vector<std::string>& increments);
  Status MakeArchiveReference(const std::string& archive);

  // The backup is left as it is.
  Result<TrialResult> Restore(const std::string& base, const std::vector<std::string>& increments);
  Result<TrialResult> RestoreArchive(const std::string& archive);

 private:
  [[nodiscard]] std::string Sub(const std::string& name) const { return dir_ + "/" + name; }
  // Exit code of hbk, whose words go to the log.
  Result<int> Run(const std::vector<std::string>& arguments);
  [[nodiscard]] std::string LastLine() const;
  Status Clear();
  Result<TrialResult> RestoreBackup(const std::vector<std::string>& increments);
  Result<TrialResult> FoundByPrepare(const std::vector<std::string>& prepare, int exit_code);
  Result<TrialResult> CompareWithReference();
  Status KeepAsReference(const TrialResult& first);

  const std::string dir_;
  bool has_reference_ = false;
};

// How many of each kind of damage came to which end.
class TrialTally {
 public:
  void Add(const std::string& kind, const std::string& file, const TrialResult& result);
  // A line for each kind, and of those that were harmless, which files they were in.
  [[nodiscard]] std::string Render(const std::string& title) const;

 private:
  std::map<std::string, std::map<std::string, uint64_t>> ends_;  // by kind of damage
  std::map<std::string, uint64_t> harmless_;                     // by kind and file
};

}  // namespace hbk::testing

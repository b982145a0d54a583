// Which copies of files that rest under BLOCK_DDL still count, and what becomes of the others.
//
// The files are those of definitions and of tables without a log of their own. What was copied in
// an earlier stage is compared with the data directory as it is now, by identity: names move, and
// are used again.
//
// Threads  Pure function.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hbk/datadir/scanner.h"
#include "hbk/io/file_identity.h"

namespace hbk::backup {

// A copy in the target, or what stands for it.
struct CopiedFile {
  io::FileIdentity source;  // as it was copied
  bool is_trusted = false;  // it did not change meanwhile, and a later change shows
  // False: the base has the same under the same name, and nothing is in the target.
  bool is_in_target = true;
};
using CopiedFiles = std::map<std::string, CopiedFile>;  // by name in the target

struct SettlePlan {
  std::vector<std::string> removes;  // copies; first of all
  // Copies, from and to; as one step: names may be swapped.
  std::vector<std::pair<std::string, std::string>> renames;
  std::vector<const datadir::DataFile*> copies;  // of `found`; a copy of that name is replaced
};

// `found` are the files of the data directory now, sorted by name. `must_copy`: those whose copies
// do not count, whatever their identity is.
SettlePlan PlanSettling(const CopiedFiles& copied,
                        const std::vector<const datadir::DataFile*>& found,
                        const std::function<bool(const datadir::DataFile&)>& must_copy);

}  // namespace hbk::backup

// What is written into a base while increments are being laid onto it: which ones, and how far.
//
// From the first change on, until the base is prepared, the directory is neither the base nor the
// sum: the next run may go on with the same increments only.
//
// Format   hbk_prepare.increments, lines of text: "phase begun|named|laid", then for each increment
//          "increment UUID DIR". Only ever read by the version that wrote it.
// Errors   kCorruption: a file that cannot be read.
// Threads  Values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

constexpr std::string_view kLayingStateName = "hbk_prepare.increments";

enum class LayingPhase {
  kBegun,  // files may have been removed and renamed; the pages in them are the base's
  kNamed,  // all files of the base have their last names; pages may have been laid
  kLaid,   // everything is laid: what is left is as with a full backup
};

struct LayingState {
  struct Increment {
    std::string uuid;
    std::string dir;
  };
  LayingPhase phase = LayingPhase::kBegun;
  std::vector<Increment> increments;

  // The command that goes on with it.
  [[nodiscard]] std::string Command(const std::string& dir) const;
  [[nodiscard]] std::vector<std::string> Uuids() const;
};

// Nothing if there is none.
Result<std::optional<LayingState>> LoadLayingState(io::FileSystem& fs, const std::string& dir);
// Durable when it returns.
Status StoreLayingState(io::FileSystem& fs, const std::string& dir, const LayingState& state);
Status RemoveLayingState(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::prepare

// Options of mariadb-backup that hbk does not have, and what to say to somebody who gives one.
//
// Threads  Constant data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hbk::cli {

enum class ForeignKind : uint8_t {
  kCommand,       // --backup: a command here
  kRenamed,       // the same thing has another name or form here
  kNoEffect,      // does nothing in mariadb-backup either
  kNotYet,        // hbk of this version cannot do it
  kServerTuning,  // a setting of the server which a backup does not need
  kIgnored,       // with a value; taken without a word, as hbk needs no plugins of the server
};

struct ForeignOption {
  std::string_view name;
  ForeignKind kind = ForeignKind::kNotYet;
  std::string_view hint;  // empty: made from the kind
};

// nullptr: mariadb-backup has no such option. `name` with dashes, without loose-.
const ForeignOption* FindForeignOption(std::string_view name);
// The advice: "--no-backup-locks does nothing in mariadb-backup either: remove it".
std::string ForeignHint(const ForeignOption& option);

}  // namespace hbk::cli

// Where the keys that seal and open a backup come from: key files, passphrases, a command.
//
// Not to be mixed up with the keys of an encrypted server: those are module keys.
//
// Format   A key is 32 bytes: as they are (a file or a command's output of exactly 32 bytes), as 64
//          hex digits, or in base64; white space around the text does not count. A passphrase in a
//          file ends before the line ends at the end of the file, and has 1 to 1024 bytes.
// Errors   kMissingKey: a source has no usable key; no message holds any of it. kMissingPrivilege:
// a
//          file that may not be read. kFailed: a command that cannot be run or hangs. kInterrupted.
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/key_slots.h"

namespace hbk::seal {

struct SealingKeyOptions {
  std::vector<std::string> key_files;
  std::vector<std::string> passphrase_files;
  Secret key;         // as text: from the environment, say
  Secret passphrase;  // given or typed
  Secret command;     // for the shell; its output is a key. A secret, as it may hold one
  uint32_t command_timeout_s = 30;

  [[nodiscard]] bool HasSource() const {
    return !key_files.empty() || !passphrase_files.empty() || !key.empty() || !passphrase.empty() ||
           !command.empty();
  }
};

// A key for each source, in the order of the struct: key files, key, command, passphrase files,
// passphrase. Nothing for no sources. `stop` ends waiting for the command.
Result<std::vector<SealingKey>> OpenSealingKeys(const SealingKeyOptions& options,
                                                io::FileSystem& fs, std::stop_token stop = {});

// What is worth a warning, as a key file that everybody may read.
std::vector<std::string> SealingKeyWarnings(const SealingKeyOptions& options, io::FileSystem& fs);

// The bytes of a key, in any of its forms. kMissingKey.
Result<Secret> ParseSealingKey(std::string_view text);

}  // namespace hbk::seal

// Key files of the plugin file_key_management.
//
// Format   docs/encryption.md, "Key file".
// Source   Verified with MariaDB 10.11: what it takes and refuses is taken and refused here.
// Errors   kMissingKey: a file that the server would not take, or that is not there.
// Threads  As for key_fetcher.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"

#include "key_fetcher.h"

namespace hbk::keys {

using KeysById = std::map<uint32_t, Secret>;

// Of a plain or decrypted file. Messages name the line, never what is in it.
Result<KeysById> ParseKeyFile(std::string_view text);

// kUsage for an unknown digest and the like. The file is read when the first key is wanted. `fs`
// outlives it.
Result<std::unique_ptr<KeyFetcher>> MakeKeyFileFetcher(const KeyOptions& options,
                                                       io::FileSystem& fs);

}  // namespace hbk::keys

// Makes the key source that the options describe.
//
// Nothing is read, run or asked before the first key is wanted: a backup of a server with a key
// plugin but no encrypted page needs no keys.
//
// Errors   kUsage: options that contradict each other, an unknown algorithm, a Vault without TLS.
//          Of GetKey(), apart from kMissingKey: kMissingPrivilege and kCannotConnect of a Vault,
//          kFailed of a command that hangs.
// Threads  The source: any number at a time. No lock is held while a source is asked.
#pragma once

#include <memory>
#include <stop_token>

#include "hbk/base/status.h"
#include "hbk/crypto/key_source.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"

namespace hbk::keys {

// Without a source in `options`: one that has no key, and says which options there are. `fs`
// outlives the source. `stop` ends waiting for a command or a Vault, with kInterrupted.
Result<std::unique_ptr<crypto::KeySource>> OpenKeySource(const KeyOptions& options,
                                                         io::FileSystem& fs,
                                                         std::stop_token stop = {});

}  // namespace hbk::keys

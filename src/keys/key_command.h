// Keys that a command prints.
//
// Protocol docs/encryption.md. The command gets two more words: the id of the key, and its version
//          or "newest". It prints the key in hex digits; for "newest" the version, a blank and the
//          key. It may print the version in front of every key.
// Errors   kMissingKey: it failed, or printed something else. kFailed: it cannot be run, hangs, or
//          a signal ended it. Messages hold what it wrote to stderr, never its text or stdout.
// Threads  As for key_fetcher.h.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/io/child_process.h"
#include "hbk/keys/key_options.h"

#include "key_fetcher.h"

namespace hbk::keys {

using RunCommand =
    std::function<Result<io::ChildResult>(const std::vector<std::string>& arguments)>;

// `run` is what runs the command; tests have their own.
std::unique_ptr<KeyFetcher> MakeCommandFetcher(RunCommand run);
std::unique_ptr<KeyFetcher> MakeCommandFetcher(const KeyOptions& options, std::stop_token stop);

}  // namespace hbk::keys

// Keys in a HashiCorp Vault: a KV store of version 2, as the plugin hashicorp_key_management has
// them.
//
// Format   GET URL/data/ID?version=N answers {"data": {"data": {"data": HEX}, "metadata":
//          {"version": N}}}; without ?version the newest one. docs/encryption.md.
// Source   Verified with the plugin of MariaDB 10.11 against tests/support/vault_server.py.
// Errors   kMissingKey: 404, or no key in the answer. kMissingPrivilege: 403. kCannotConnect: as
//          http_client.h. Messages hold the URL, never the token.
// Threads  As for key_fetcher.h.
#pragma once

#include <memory>
#include <stop_token>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/keys/key_options.h"

#include "http_client.h"
#include "key_fetcher.h"

namespace hbk::keys {

// kUsage: a URL that is none, or not https. `fs` outlives the fetcher.
Result<std::unique_ptr<KeyFetcher>> MakeVaultFetcher(const KeyOptions& options, io::FileSystem& fs,
                                                     std::unique_ptr<HttpClient> client);
Result<std::unique_ptr<KeyFetcher>> MakeVaultFetcher(const KeyOptions& options, io::FileSystem& fs,
                                                     std::stop_token stop);

}  // namespace hbk::keys

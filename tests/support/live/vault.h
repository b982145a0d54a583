// A Vault of the test's own (tests/support/vault_server.py), for servers whose keys get new
// versions.
//
// Needs the plugin hashicorp_key_management in the tree of the server; kNotFound without it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/process.h"
#include "tests/support/live/server_tree.h"

namespace hbk::testing {

class VaultServer {
 public:
  // Holds keys 1, 2 and 3. Its token is put into VAULT_TOKEN, for all programs of this test.
  static Result<std::unique_ptr<VaultServer>> Start(const std::string& dir);

  // Of a server that takes its keys from here; it notices new versions within a second.
  [[nodiscard]] std::vector<std::string> PluginOptions() const;
  // A new key under that id.
  Status AddKeyVersion(uint32_t id) const;

 private:
  VaultServer(std::string dir, std::string port, std::unique_ptr<Process> process);

  std::string dir_;
  std::string port_;
  std::unique_ptr<Process> process_;
};

}  // namespace hbk::testing

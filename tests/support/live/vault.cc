#include "tests/support/live/vault.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "tests/support/live/scratch_dir.h"

namespace hbk::testing {
namespace {

constexpr const char* kToken = "test-token";
constexpr milliseconds kStartLimit{30'000};

std::string RandomKey() {
  std::random_device random;
  std::string digits;
  for (int word = 0; word < 8; ++word)
    digits += fmt::format("{:08x}", random());
  return digits;
}

}  // namespace

VaultServer::VaultServer(std::string dir, std::string port, std::unique_ptr<Process> process)
    : dir_(std::move(dir)), port_(std::move(port)), process_(std::move(process)) {}

Result<std::unique_ptr<VaultServer>> VaultServer::Start(const std::string& dir) {
  HBK_RETURN_IF_ERROR(MakeDirectory(dir));
  {
    std::ofstream keys(dir + "/keys.json");
    keys << fmt::format(R"({{"1": ["{}"], "2": ["{}"], "3": ["{}"]}})", RandomKey(),
                        RandomKey().substr(0, 32), RandomKey());
  }
  HBK_ASSIGN_OR_RETURN(
      std::unique_ptr<Process> process,
      Process::Start({"python3", HBK_SOURCE_DIR "/tests/support/vault_server.py",
                      "--certificate-dir", dir, "--keys", dir + "/keys.json", "--port-file",
                      dir + "/port", "--token", kToken, "--log-file", dir + "/requests.log"},
                     {.output_path = dir + "/vault.log"}));
  const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
  auto port = ReadWholeFile(dir + "/port");
  while (!port.ok()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return FailedError("the vault did not start, see " + dir + "/vault.log");
    }
    std::this_thread::sleep_for(milliseconds(20));
    port = ReadWholeFile(dir + "/port");
  }
  setenv("VAULT_TOKEN", kToken, 1);  // NOLINT(concurrency-mt-unsafe): before there are threads
  return std::unique_ptr<VaultServer>(new VaultServer(dir, port.value(), std::move(process)));
}

std::vector<std::string> VaultServer::PluginOptions() const {
  return {"--plugin-load-add=hashicorp_key_management.so",
          fmt::format("--hashicorp-key-management-vault-url=https://127.0.0.1:{}/v1/hbk", port_),
          "--hashicorp-key-management-vault-ca=" + dir_ + "/ca.pem",
          "--hashicorp-key-management-cache-version-timeout=200"};
}

Status VaultServer::AddKeyVersion(uint32_t id) const {
  constexpr const char* kClient =
      "import ssl, sys, urllib.request as r\n"
      "c = ssl.create_default_context(cafile=sys.argv[1])\n"
      "q = r.Request(sys.argv[2], sys.argv[3].encode(), {'X-Vault-Token': sys.argv[4]},\n"
      "              method='PUT')\n"
      "r.urlopen(q, context=c).read()\n";
  HBK_ASSIGN_OR_RETURN(
      const ProcessEnd end,
      RunProcess({"python3", "-c", kClient, dir_ + "/ca.pem",
                  fmt::format("https://127.0.0.1:{}/v1/hbk/data/{}", port_, id),
                  fmt::format(R"({{"data": {{"data": "{}"}}}})", RandomKey()), kToken},
                 {.output_path = dir_ + "/put.log"}));
  return end.succeeded() ? OkStatus() : FailedError("a new key version: " + end.Describe());
}

}  // namespace hbk::testing

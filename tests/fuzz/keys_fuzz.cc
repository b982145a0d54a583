// What sources of keys answer: a key file, plain or encrypted, the output of a command, a Vault's
// JSON. Any bytes give a key of 16, 24 or 32 bytes, or are refused without showing one.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/crypto/password_file.h"
#include "hbk/io/file_system.h"

#include "../../src/keys/key_command.h"
#include "../../src/keys/key_file.h"
#include "../../src/keys/vault.h"

namespace {

using hbk::Result;
using hbk::Secret;
using hbk::StatusCode;

void CheckKey(const Result<Secret>& key) {
  if (!key.ok()) {
    HBK_CHECK(key.status().code() == StatusCode::kMissingKey);
    return;
  }
  const size_t size = key->Reveal().size();
  HBK_CHECK(size == 16 || size == 24 || size == 32);
}

void CheckKeyFile(std::string_view text) {
  const Result<hbk::keys::KeysById> keys = hbk::keys::ParseKeyFile(text);
  if (!keys.ok()) return CheckKey(keys.status());
  HBK_CHECK(keys->contains(1) && !keys->contains(0));
  for (const auto& [id, key] : *keys)
    CheckKey(key);
}

void CheckCommand(const std::string& text) {
  const auto fetcher = hbk::keys::MakeCommandFetcher(
      [&text](const std::vector<std::string>&) -> Result<hbk::io::ChildResult> {
        hbk::io::ChildResult result;
        result.out = Secret(text);
        return result;
      });
  CheckKey(fetcher->Fetch(1, 1));
  const auto newest = fetcher->FetchNewest(1);
  HBK_CHECK(!newest.ok() || newest->version != 0);
}

class OneAnswer final : public hbk::keys::HttpClient {
 public:
  OneAnswer(long status, std::string_view body) : status_(status), body_(body) {}
  Result<hbk::keys::HttpReply> Get(const std::string&, const Secret&) override {
    hbk::keys::HttpReply reply;
    reply.status = status_;
    reply.body = Secret(body_);
    return reply;
  }

 private:
  const long status_;
  const std::string body_;
};

void CheckVault(long status, std::string_view body) {
  hbk::keys::KeyOptions options;
  options.vault_url = "https://vault/v1/hbk";
  options.vault_token = Secret("token");
  const auto fetcher = hbk::keys::MakeVaultFetcher(options, hbk::io::PosixFileSystem(),
                                                   std::make_unique<OneAnswer>(status, body));
  HBK_CHECK(fetcher.ok());
  CheckKey((*fetcher)->Fetch(1, 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const hbk::ByteView bytes(data, size);
  const std::string_view text = hbk::AsText(bytes);
  CheckKeyFile(text);
  CheckCommand(std::string(text));
  CheckVault(200, text);
  CheckVault(404, text);
  const auto plain = hbk::crypto::DecryptPasswordFile(bytes, Secret("secretpass"), {});
  if (plain.ok()) CheckKeyFile(plain->Reveal());
  return 0;
}

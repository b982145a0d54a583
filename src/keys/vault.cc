#include "vault.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hex_key.h"

namespace hbk::keys {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kTokenBytesMax = 4096;
constexpr size_t kShownErrorsMax = 200;

// Nothing that a header cannot hold, nor a second header.
bool IsToken(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// Member of nested objects; nullptr if there is none.
Json* Find(Json& json, std::initializer_list<const char*> path) {
  Json* found = &json;
  for (const char* name : path) {
    if (!found->is_object()) return nullptr;
    const auto member = found->find(name);
    if (member == found->end()) return nullptr;
    found = &*member;
  }
  return found;
}

Json ParseJson(const Secret& body) {
  return Json::parse(body.Reveal(), nullptr, /*allow_exceptions=*/false);
}

// What the Vault says of an error: {"errors": ["permission denied"]}.
std::string ErrorsOf(const HttpReply& reply) {
  Json json = ParseJson(reply.body);
  const Json* errors = Find(json, {"errors"});
  std::string text;
  if (errors != nullptr && errors->is_array()) {
    for (const Json& error : *errors) {
      if (!error.is_string()) continue;
      text += fmt::format("{}{}", text.empty() ? ": " : ", ", error.get<std::string>());
    }
  }
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return text.substr(0, kShownErrorsMax);
}

Result<VersionedKey> ParseReply(const HttpReply& reply) {
  const auto bad = [](std::string_view why) {
    return Status(StatusCode::kMissingKey, fmt::format("the answer {}", why))
        .WithHint(
            "the URL must lead to a KV store of version 2: https://HOST:PORT/v1/MOUNT, where each "
            "key is a secret named by its id with a member 'data' of hex digits");
  };
  Json json = ParseJson(reply.body);
  if (json.is_discarded()) return bad("is not JSON");
  const Json* version = Find(json, {"data", "metadata", "version"});
  if (version == nullptr || !version->is_number_unsigned() || version->get<uint64_t>() == 0 ||
      version->get<uint64_t>() > std::numeric_limits<uint32_t>::max()) {
    return bad("has no data.metadata.version");
  }
  Json* digits = Find(json, {"data", "data", "data"});
  if (digits == nullptr || !digits->is_string()) return bad("has no text in data.data.data");
  auto& text = digits->get_ref<std::string&>();
  Result<Secret> key = ParseHexKey(text);
  std::fill(text.begin(), text.end(), '\0');
  if (!key.ok()) return key.status();
  return VersionedKey{version->get<uint32_t>(), std::move(*key)};
}

Status StatusOfReply(const HttpReply& reply) {
  const std::string said = fmt::format("HTTP status {}{}", reply.status, ErrorsOf(reply));
  if (reply.status == 404) {
    Json json = ParseJson(reply.body);
    const bool was_there = Find(json, {"data", "metadata", "version"}) != nullptr;
    return Status(StatusCode::kMissingKey,
                  was_there ? said + ", this version was deleted" : said + ", no such key")
        .WithHint(was_there ? "'vault kv undelete' brings back what was not destroyed"
                            : "compare the mount in the URL, and the versions that the Vault "
                              "keeps of this secret");
  }
  if (reply.status == 401 || reply.status == 403) {
    return Status(StatusCode::kMissingPrivilege, said)
        .WithHint(
            "the token must be valid, and have a policy with 'read' on MOUNT/data/*; it is given "
            "by --hashicorp-key-management-token-file or VAULT_TOKEN");
  }
  if (reply.status >= 300 && reply.status < 400) {
    return Status(StatusCode::kCannotConnect, said + ", a redirection, is not followed")
        .WithHint("give the URL of the node that answers itself");
  }
  return {StatusCode::kCannotConnect, said};
}

class VaultFetcher final : public KeyFetcher {
 public:
  VaultFetcher(const KeyOptions& options, std::string url, io::FileSystem& fs,
               std::unique_ptr<HttpClient> client)
      : url_(std::move(url)),
        token_(options.vault_token),
        token_file_(options.vault_token_file),
        fs_(fs),
        client_(std::move(client)) {}

  Result<Secret> Fetch(uint32_t id, uint32_t version) override {
    HBK_ASSIGN_OR_RETURN(VersionedKey key, Get(fmt::format("{}?version={}", id, version)));
    if (key.version != version) {
      return Status(StatusCode::kMissingKey,
                    fmt::format("the Vault {} answers with version {}", url_, key.version));
    }
    return std::move(key.key);
  }

  Result<VersionedKey> FetchNewest(uint32_t id) override { return Get(std::to_string(id)); }

 private:
  Result<VersionedKey> Get(const std::string& name) {
    HBK_ASSIGN_OR_RETURN(const Secret token, Token());
    const std::string url = fmt::format("{}/data/{}", url_, name);
    const std::string what = fmt::format("asking the Vault {}", url_);
    const Result<HttpReply> reply = client_->Get(url, token);
    if (!reply.ok()) return reply.status().WithContext(what);
    if (reply->status != 200) return StatusOfReply(*reply).WithContext(what);
    Result<VersionedKey> key = ParseReply(*reply);
    if (!key.ok()) return key.status().WithContext(what);
    return key;
  }

  Result<Secret> Token() {
    if (!token_.empty()) return CheckToken(token_, "the token");
    if (token_file_.empty()) {
      return Status(StatusCode::kMissingPrivilege,
                    fmt::format("no token for the Vault {} is given", url_))
          .WithHint("--hashicorp-key-management-token-file=FILE, or VAULT_TOKEN");
    }
    Result<std::string> text = io::ReadFile(fs_, token_file_, kTokenBytesMax);
    if (!text.ok()) {
      return Status(StatusCode::kMissingPrivilege, text.status().message())
          .WithContext("reading the token for the Vault");
    }
    const Secret token(text->substr(0, text->find_first_of("\r\n")));
    std::fill(text->begin(), text->end(), '\0');
    return CheckToken(token, fmt::format("the first line of {}", token_file_));
  }

  static Result<Secret> CheckToken(const Secret& token, const std::string& what) {
    if (IsToken(token.Reveal())) return token;
    return Status(StatusCode::kMissingPrivilege, what + " cannot be a token of a Vault");
  }

  const std::string url_;  // without '/' at the end
  const Secret token_;
  const std::string token_file_;
  io::FileSystem& fs_;
  const std::unique_ptr<HttpClient> client_;
};

// The URL without '/' at its end.
Result<std::string> CheckUrl(const KeyOptions& options) {
  const std::string& url = options.vault_url;
  constexpr std::string_view kHint = "--hashicorp-key-management-vault-url=https://HOST/v1/MOUNT";
  const bool has_odd_characters = std::any_of(url.begin(), url.end(), [](char c) {
    return c <= ' ' || c >= '\x7f' || c == '?' || c == '#';
  });
  if (has_odd_characters)
    return UsageError("the Vault's URL has characters of no URL").WithHint(kHint);
  if (url.starts_with("http://")) {
    if (!options.vault_allow_http) {
      return UsageError(fmt::format("the Vault's URL {} has no TLS: token and keys could be read "
                                    "on the way",
                                    url))
          .WithHint(kHint);
    }
  } else if (!url.starts_with("https://")) {
    return UsageError(fmt::format("the Vault's URL '{}' does not begin with https://", url))
        .WithHint(kHint);
  }
  const std::string_view rest = std::string_view(url).substr(url.find("//") + 2);
  // A user and a password in it would end in messages.
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) {
    return UsageError("the Vault's URL names a user; a Vault takes a token").WithHint(kHint);
  }
  const size_t mount = rest.find("/v1/");
  if (mount == 0 || mount == std::string_view::npos || mount != rest.find('/') ||
      rest.find_first_not_of('/', mount + 3) == std::string_view::npos) {
    return UsageError(fmt::format("the Vault's URL {} has no /v1/MOUNT", url)).WithHint(kHint);
  }
  return url.substr(0, url.find_last_not_of('/') + 1);
}

}  // namespace

Result<std::unique_ptr<KeyFetcher>> MakeVaultFetcher(const KeyOptions& options, io::FileSystem& fs,
                                                     std::unique_ptr<HttpClient> client) {
  HBK_ASSIGN_OR_RETURN(std::string url, CheckUrl(options));
  return std::unique_ptr<KeyFetcher>(
      std::make_unique<VaultFetcher>(options, std::move(url), fs, std::move(client)));
}

Result<std::unique_ptr<KeyFetcher>> MakeVaultFetcher(const KeyOptions& options, io::FileSystem& fs,
                                                     std::stop_token stop) {
  HttpOptions http;
  http.ca_file = options.vault_ca;
  http.timeout_s = options.vault_timeout_s;
  http.max_retries = options.vault_max_retries;
  http.allow_http = options.vault_allow_http;
  return MakeVaultFetcher(options, fs, MakeHttpClient(http, std::move(stop)));
}

}  // namespace hbk::keys

#include "hbk/keys/open_key_source.h"

#include <utility>

#include <fmt/format.h>

#include "key_command.h"
#include "key_fetcher.h"
#include "key_file.h"
#include "vault.h"

namespace hbk::keys {
namespace {

Result<crypto::CipherMode> ModeOf(const KeyOptions& options) {
  const std::string& name = options.encryption_algorithm;
  if (name.empty() || name == "aes_cbc") return crypto::CipherMode::kCbc;
  if (name == "aes_ctr") return crypto::CipherMode::kCtr;
  return UsageError(fmt::format("encryption algorithm '{}'", name))
      .WithHint("the algorithms are aes_cbc and aes_ctr");
}

// Knows no key, but who might.
class NoKeySource final : public crypto::KeySource {
 public:
  NoKeySource(crypto::CipherMode mode, std::string plugin)
      : mode_(mode), plugin_(std::move(plugin)) {}

  Result<Secret> GetKey(uint32_t id, uint32_t version) override {
    return Missing(fmt::format("encryption key {} version {} is needed", id, version));
  }
  Result<uint32_t> NewestVersion(uint32_t id) override {
    return Missing(fmt::format("encryption key {} is needed", id));
  }
  [[nodiscard]] crypto::CipherMode mode() const override { return mode_; }

 private:
  [[nodiscard]] Status Missing(const std::string& need) const {
    const std::string by =
        plugin_.empty() ? "" : fmt::format("; the server had it from its plugin {}", plugin_);
    return Status(StatusCode::kMissingKey, need + ", and no source of keys is given" + by)
        .WithHint(
            "give --file-key-management-filename=FILE, --key-command=COMMAND or "
            "--hashicorp-key-management-vault-url=URL");
  }

  const crypto::CipherMode mode_;
  const std::string plugin_;
};

}  // namespace

Result<std::unique_ptr<crypto::KeySource>> OpenKeySource(const KeyOptions& options,
                                                         io::FileSystem& fs, std::stop_token stop) {
  HBK_ASSIGN_OR_RETURN(const crypto::CipherMode mode, ModeOf(options));
  if (!options.HasSource()) {
    return std::unique_ptr<crypto::KeySource>(std::make_unique<NoKeySource>(mode, options.plugin));
  }
  if (!options.command.empty()) return CacheKeys(MakeCommandFetcher(options, stop), mode);
  if (!options.vault_url.empty()) {
    HBK_ASSIGN_OR_RETURN(std::unique_ptr<KeyFetcher> vault, MakeVaultFetcher(options, fs, stop));
    return CacheKeys(std::move(vault), crypto::CipherMode::kCbc);  // its plugin has no other
  }
  HBK_ASSIGN_OR_RETURN(std::unique_ptr<KeyFetcher> file, MakeKeyFileFetcher(options, fs));
  return CacheKeys(std::move(file), mode);
}

}  // namespace hbk::keys

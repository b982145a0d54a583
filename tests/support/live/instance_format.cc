#include "tests/support/live/instance_format.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"

namespace hbk::testing {
namespace {

constexpr const char* kSecret = "a secret of a test";

std::string_view CipherName(PageCipher cipher) {
  return cipher == PageCipher::kCtr ? "aes_ctr" : "aes_cbc";
}

// A key that others may read is worth a warning.
Status HideFromOthers(const std::string& path) {
  std::error_code error;
  std::filesystem::permissions(path, std::filesystem::perms(0600), error);
  return error ? FailedError("permissions of " + path + ": " + error.message()) : OkStatus();
}

Status WriteSecret(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  return out ? HideFromOthers(path) : FailedError("writing " + path);
}

Result<std::vector<std::string>> KeyOptions(const InstanceFormat& format,
                                            const std::string& key_dir) {
  HBK_RETURN_IF_ERROR(MakeDirectory(key_dir));
  const std::string plain = key_dir + "/keys.txt";
  std::string text = "# id;key\n";
  for (const auto& [id, key] : KeysOf(format).keys) {
    text += fmt::format("{};{:02x}\n", id.first, fmt::join(key, ""));
  }
  HBK_RETURN_IF_ERROR(WriteSecret(plain, text));
  const std::string algorithm =
      fmt::format("--file-key-management-encryption-algorithm={}", CipherName(format.cipher));
  if (format.cipher == PageCipher::kCbc) {
    return std::vector<std::string>{"--file-key-management-filename=" + plain, algorithm};
  }
  const std::string secret = key_dir + "/secret.txt";
  const std::string encrypted = key_dir + "/keys.enc";
  HBK_RETURN_IF_ERROR(WriteSecret(secret, kSecret));
  HBK_ASSIGN_OR_RETURN(const ProcessEnd end,
                       RunProcess({"openssl", "enc", "-aes-256-cbc", "-md", "sha1", "-pass",
                                   "file:" + secret, "-in", plain, "-out", encrypted},
                                  {.output_path = key_dir + "/openssl.log"}));
  if (!end.succeeded()) return FailedError("openssl enc: " + end.Describe());
  HBK_RETURN_IF_ERROR(HideFromOthers(encrypted));
  return std::vector<std::string>{"--file-key-management-filename=" + encrypted,
                                  "--file-key-management-filekey=FILE:" + secret, algorithm};
}

}  // namespace

std::string InstanceFormat::Describe() const {
  return fmt::format("{}, {}k, {}, {}", tree.series.empty() ? "installed" : tree.series, page_kib,
                     checksum, cipher == PageCipher::kNone ? "clear" : CipherName(cipher));
}

std::vector<std::string> InstallOptions(const InstanceFormat& format) {
  return {fmt::format("--innodb-page-size={}k", format.page_kib),
          "--innodb-checksum-algorithm=" + format.checksum};
}

Result<std::vector<std::string>> ServerOptions(const InstanceFormat& format,
                                               const std::string& key_dir) {
  if (format.tree.dir.empty()) return std::vector<std::string>();
  std::vector<std::string> options = PluginOptions(
      format.tree,
      {"provider_lz4", "provider_lzo", "provider_lzma", "provider_bzip2", "provider_snappy"});
  if (format.cipher == PageCipher::kNone) return options;
  HBK_ASSIGN_OR_RETURN(const std::vector<std::string> keys, KeyOptions(format, key_dir));
  options.insert(options.end(), keys.begin(), keys.end());
  options.insert(options.end(),
                 {"--plugin-load-add=file_key_management.so", "--innodb-encrypt-tables=ON",
                  "--innodb-encrypt-log=ON", "--innodb-encryption-threads=2"});
  return options;
}

PageKeys KeysOf(const InstanceFormat& format) {
  PageKeys keys{.cipher = format.cipher, .keys = {}};
  if (format.cipher == PageCipher::kNone) return keys;
  constexpr uint32_t kIds = 3;
  for (uint32_t id = 1; id <= kIds; ++id) {
    std::vector<uint8_t> key(40 - 8 * id);
    for (size_t i = 0; i < key.size(); ++i) {
      key[i] = static_cast<uint8_t>(i * 29 + id * 71 + 5);
    }
    keys.keys[{id, 1}] = std::move(key);
  }
  return keys;
}

}  // namespace hbk::testing

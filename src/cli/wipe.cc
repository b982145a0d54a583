#include "wipe.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace hbk::cli {
namespace {

void WipeArgument(char* value) {
  const size_t length = std::strlen(value);
  if (length == 0) return;
  explicit_bzero(value, length);
  *value = 'x';
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsPasswordName(std::string_view name) {
  if (Contains(name, "passphrase") && name.ends_with("file")) return false;
  return Contains(name, "pas");  // also --pasword
}

// --encrypt-key, --new-key, and the commands that print such a key.
bool IsSealingKeyName(std::string_view name) {
  return (Contains(name, "encrypt") || Contains(name, "new")) && Contains(name, "key") &&
         !Contains(name, "management") && !name.ends_with("file") && !name.ends_with("timeout");
}

}  // namespace

void WipeText(std::string& text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

bool IsSecretName(std::string_view name) {
  return IsPasswordName(name) || IsSealingKeyName(name) || Contains(name, "filekey") ||
         Contains(name, "token") || Contains(name, "failure");
}

void WipePasswordArguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* word = argv[i];
    const std::string_view text(word);
    if (text.starts_with("-p")) {
      WipeArgument(word + 2);
    } else if (text.starts_with("--")) {
      const size_t equals = text.find('=');
      if (!IsSecretName(text.substr(0, equals))) continue;
      if (equals != std::string_view::npos) {
        WipeArgument(word + equals + 1);
      } else if (!IsPasswordName(text) && i + 1 < argc) {
        WipeArgument(argv[++i]);  // a password takes no separate word
      }
    }
  }
}

void WipeEnvironment(const char* name) {
  char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before the first thread
  if (value == nullptr) return;
  explicit_bzero(value, std::strlen(value));
  unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace hbk::cli

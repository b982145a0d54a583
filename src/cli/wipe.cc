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

}  // namespace

void WipeText(std::string& text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

void WipePasswordArguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* word = argv[i];
    const std::string_view text(word);
    if (text.starts_with("-p")) {
      WipeArgument(word + 2);
    } else if (text.starts_with("--")) {
      const size_t equals = text.find('=');
      if (equals == std::string_view::npos) continue;
      if (text.substr(0, equals).find("pas") == std::string_view::npos) continue;  // also --pasword
      WipeArgument(word + equals + 1);
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

// Option files: any text splits into settings that lie in it, or is a usage error.
#include <cstdint>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"

#include "../../src/cli/option_file.h"
#include "../../src/cli/option_table.h"
#include "../../src/cli/option_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = hbk::AsText({data, size});
  const auto lines = hbk::cli::ParseOptionFile(text, "fuzz.cnf");
  if (!lines.ok()) {
    HBK_CHECK(lines.status().code() == hbk::StatusCode::kUsage);
    return 0;
  }
  hbk::cli::OptionValues values;
  for (const hbk::cli::OptionFileLine& line : *lines) {
    HBK_CHECK(line.line > 0 && line.key.size() <= size);
    const hbk::cli::OptionName name = hbk::cli::ResolveOptionName(line.key);
    if (name.spec == nullptr) {
      (void)hbk::cli::NearestOptionName(name.normalized);
      continue;
    }
    const hbk::Status status = values.Set(*name.spec, line.value, name.is_negated,
                                          hbk::cli::SettingRank::kOtherGroup, "fuzz.cnf");
    HBK_CHECK(status.ok() || status.code() == hbk::StatusCode::kUsage);
  }
  return 0;
}

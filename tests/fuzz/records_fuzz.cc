// hbk_verified.json and hbk_drilled.json: any text is a record that can be written and read again,
// or it is refused.
#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/manifest/drill_record.h"
#include "hbk/manifest/verify_record.h"

namespace {

using namespace hbk::manifest;

void CheckVerify(std::string_view text) {
  const auto record = ParseVerifyRecord(text);
  if (!record.ok()) {
    HBK_CHECK(record.status().code() == hbk::StatusCode::kCorruption);
    return;
  }
  const std::string rendered = RenderVerifyRecord(*record);
  const auto again = ParseVerifyRecord(rendered);
  HBK_CHECK(again.ok() && RenderVerifyRecord(*again) == rendered);
}

void CheckDrill(std::string_view text) {
  const auto record = ParseDrilledRecord(text);
  if (!record.ok()) {
    HBK_CHECK(record.status().code() == hbk::StatusCode::kCorruption);
    return;
  }
  const std::string rendered = RenderDrilledRecord(*record);
  const auto again = ParseDrilledRecord(rendered);
  HBK_CHECK(again.ok() && RenderDrilledRecord(*again) == rendered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = hbk::AsText({data, size});
  CheckVerify(text);
  CheckDrill(text);
  return 0;
}

// hbk_manifest.json: any text is a manifest whose names stay in the backup, or it is refused.
//
// The digest at the end would stop every change before the parser. So the text is read as it is,
// and again with a digest that fits.
#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"

namespace {

void Check(std::string_view text) {
  const auto manifest = hbk::manifest::ParseManifest(text);
  if (!manifest.ok()) {
    HBK_CHECK(manifest.status().code() == hbk::StatusCode::kCorruption ||
              manifest.status().code() == hbk::StatusCode::kUnsupported);
    return;
  }
  for (const hbk::manifest::ManifestFile& file : manifest.value().files)
    HBK_CHECK(hbk::manifest::IsSafeFileName(file.name));
  const std::string rendered = hbk::manifest::RenderManifest(manifest.value());
  const auto again = hbk::manifest::ParseManifest(rendered);
  HBK_CHECK(again.ok());
  HBK_CHECK(hbk::manifest::RenderManifest(again.value()) == rendered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = hbk::AsText({data, size});
  Check(text);
  const std::string body(text.substr(0, text.rfind("  \"manifest_digest\"")));
  Check(body + "  \"manifest_digest\": \"" + hbk::filter::DigestOf(hbk::AsBytes(body)) + "\"\n}\n");
  return 0;
}

// The small texts a backup or a server's option brings: mariadb-backup's metadata files, its list
// of damaged pages, .isl files, innodb_data_file_path. Any text reads, and what was read renders
// and reads again, or is refused.
#include <cstdint>
#include <string>
#include <string_view>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/datadir/layout.h"
#include "hbk/datadir/scanner.h"
#include "hbk/manifest/damaged_page_list.h"
#include "hbk/manifest/mariadb_backup_files.h"

namespace {

using hbk::StatusCode;

void CheckCheckpoints(std::string_view text) {
  const auto checkpoints = hbk::manifest::ParseCheckpoints(text);
  if (!checkpoints.ok()) {
    HBK_CHECK(checkpoints.status().code() == StatusCode::kCorruption);
    return;
  }
  HBK_CHECK(
      hbk::manifest::ParseCheckpoints(hbk::manifest::RenderCheckpoints(checkpoints.value())).ok());
}

void CheckConfig(std::string_view text) {
  const auto config = hbk::manifest::ParseBackupConfig(text);
  if (!config.ok()) {
    HBK_CHECK(config.status().code() == StatusCode::kCorruption);
    return;
  }
  HBK_CHECK(
      hbk::manifest::ParseBackupConfig(hbk::manifest::RenderBackupConfig(config.value())).ok());
}

void CheckDamagedPages(std::string_view text) {
  const auto list = hbk::manifest::ParseDamagedPageList(text);
  if (!list.ok()) {
    HBK_CHECK(list.status().code() == StatusCode::kCorruption);
    return;
  }
  for (const auto& space : list->spaces) {
    for (const hbk::innodb::PageNo page : space.pages)
      HBK_CHECK(list->Contains({.space = space.id, .page = page}));
  }
  const std::string rendered = hbk::manifest::RenderDamagedPageList(*list);
  const auto again = hbk::manifest::ParseDamagedPageList(rendered);
  HBK_CHECK(again.ok() && hbk::manifest::RenderDamagedPageList(*again) == rendered);
}

void CheckDataFilePath(std::string_view text) {
  const auto files = hbk::datadir::ParseDataFilePath(text);
  if (!files.ok()) {
    HBK_CHECK(files.status().code() == StatusCode::kUsage ||
              files.status().code() == StatusCode::kUnsupported);
    return;
  }
  HBK_CHECK(hbk::datadir::ParseDataFilePath(hbk::datadir::FlatDataFilePath(files.value())).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = hbk::AsText({data, size});
  CheckCheckpoints(text);
  CheckConfig(text);
  CheckDamagedPages(text);
  CheckDataFilePath(text);
  (void)hbk::manifest::ParseBackupInfo(text);
  (void)hbk::manifest::MetadataNamesFor(text);
  const auto link = hbk::datadir::ParseTablespaceLink(text, "t.isl");
  HBK_CHECK(!link.ok() || (link.value().starts_with('/') && link.value().ends_with("/t.ibd")));
  (void)hbk::datadir::ClassifyRootFile(text);
  (void)hbk::datadir::ClassifyDatabaseFile(text);
  HBK_CHECK(!hbk::datadir::IsSafeNameComponent(text) || text.find('/') == std::string_view::npos);
  return 0;
}

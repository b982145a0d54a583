#include "tests/integration/matrix_scenario.h"

#include <fmt/format.h>

#include "tests/integration/redo_backup_scenario.h"

namespace hbk::testing {
namespace {

// A codec that the server did not load would leave a hole in the matrix. Servers of 10.5 have the
// codecs that they were built with.
Status CheckAlgorithms(const std::string& dir, const ServerTree& tree) {
  for (const std::string& algorithm : CompressionAlgorithms()) {
    if (tree.HasPlugin("provider_" + algorithm) &&
        !ReadWholeFile(fmt::format("{}/{}/{}.ibd", dir, kPageCompressedKind, algorithm)).ok()) {
      return FailedError("the server has no tables compressed by " + algorithm);
    }
  }
  return OkStatus();
}

// An empty cell may be the server's doing only: all that it can have must have been compared, and
// as the kind says.
Status CheckCells(const KindOptions& options, const PageComparison& pages) {
  for (const std::string& kind : KindDatabases(options)) {
    const auto share = pages.by_database.find(kind);
    if (share == pages.by_database.end() || share->second.page_count == 0)
      return FailedError("no page of the kind was compared: " + kind);
    const bool is_plain = kind == kPlainKind || kind == kZipKind;
    if (!is_plain && share->second.encoded_page_count == 0)
      return FailedError("no page of the kind was encrypted or compressed: " + kind);
  }
  return OkStatus();
}

}  // namespace

std::vector<InstanceFormat> MatrixFormats(const ServerTree& tree) {
  std::vector<InstanceFormat> formats;
  for (const uint32_t page_kib : {4U, 8U, 16U, 32U, 64U}) {
    for (const char* checksum : {"full_crc32", "crc32"}) {
      for (const PageCipher cipher : {PageCipher::kCbc, PageCipher::kCtr}) {
        formats.push_back(
            {.tree = tree, .page_kib = page_kib, .checksum = checksum, .cipher = cipher});
      }
    }
  }
  return formats;
}

Result<DifferentialResult> RunDifferential(const DifferentialConfig& config) {
  HBK_ASSIGN_OR_RETURN(ScratchDir scratch, ScratchDir::Make());
  const std::string made = scratch.Sub("made");
  const std::string theirs = scratch.Sub("theirs");
  const std::vector<std::string> install_options = InstallOptions(config.format);
  HBK_ASSIGN_OR_RETURN(const std::vector<std::string> server_options,
                       ServerOptions(config.format, scratch.Sub("keys")));
  const ServerTree& tree = config.format.tree;
  std::optional<KindOptions> kinds;
  if (config.has_kinds) kinds = config.format.kinds();
  DifferentialResult result;
  const auto run = [&]() -> Status {
    HBK_ASSIGN_OR_RETURN(result.redo_bytes, MakeRedoBackup({.seed = config.seed,
                                                            .tool = config.maker,
                                                            .redo_mib = config.redo_mib,
                                                            .has_ddl = false,
                                                            .install_options = install_options,
                                                            .server_options = server_options,
                                                            .tree = tree,
                                                            .kinds = kinds},
                                                           scratch.Sub("source"), made));
    if (kinds) HBK_RETURN_IF_ERROR(CheckAlgorithms(made, tree));
    HBK_RETURN_IF_ERROR(CopyTree(made, theirs));
    HBK_RETURN_IF_ERROR(RunToSuccess(PrepareCommand(BackupTool::kMariadbBackup, theirs, {}, tree),
                                     scratch.Sub("theirs.log"))
                            .status());
    HBK_RETURN_IF_ERROR(
        RunToSuccess(PrepareCommand(config.compared, made, {}, tree), scratch.Sub("compared.log"))
            .status());
    HBK_ASSIGN_OR_RETURN(result.pages, ComparePages(theirs, made, KeysOf(config.format)));
    if (kinds) HBK_RETURN_IF_ERROR(CheckCells(*kinds, result.pages));
    const std::string& set = config.restorer == config.compared ? made : theirs;
    const std::string data = scratch.Sub("data");
    HBK_RETURN_IF_ERROR(MakeDirectory(data));
    HBK_RETURN_IF_ERROR(RunToSuccess(CopyBackCommand(config.restorer, set, data, {}, tree),
                                     scratch.Sub("copy-back.log"))
                            .status());
    return CheckRestoredData(scratch.Sub("restored"), data, install_options, server_options, tree)
        .WithContext("restored server");
  };
  const Status status = run();
  if (!status.ok() || result.pages.difference_count > 0) scratch.Keep();
  HBK_RETURN_IF_ERROR(status);
  return result;
}

std::map<std::string, std::string> CellsOf(const DifferentialConfig& config,
                                           const DifferentialResult& result) {
  std::map<std::string, std::string> cells;
  const KindOptions options{.page_kib = 4, .is_encrypted = true, .algorithms = {}};
  for (const std::string& kind : KindDatabases(options)) {
    const auto share = result.pages.by_database.find(kind);
    cells[kind] =
        share == result.pages.by_database.end()
            ? fmt::format("not with {}k pages", config.format.page_kib)
            : fmt::format("{} pages ({} encoded), {} differ", share->second.page_count,
                          share->second.encoded_page_count, share->second.difference_count);
  }
  return cells;
}

}  // namespace hbk::testing

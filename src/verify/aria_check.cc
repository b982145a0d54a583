#include "aria_check.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "hbk/aria/control_file.h"
#include "hbk/aria/table_header.h"

namespace hbk::verify {
namespace {

constexpr std::string_view kIndexExtension = ".MAI";
constexpr uint32_t kBlockBytesMin = 1024;
constexpr uint32_t kBlockBytesMax = 65536;
// A control file that named more would be one that a server never reaches.
constexpr uint32_t kLogsMax = 1 << 20;

}  // namespace

Result<std::unique_ptr<ContentCheck>> AriaCheck::Make(const BackupFacts& facts,
                                                      const std::string& name,
                                                      CheckContext& context) {
  std::unique_ptr<ContentCheck> none;
  const std::string index_name = name.substr(0, name.rfind('.')) + std::string(kIndexExtension);
  const auto file = context.fs.Open(facts.Path(index_name), {});
  // A file that is missing or cannot be read is found by itself.
  if (!file.ok()) return none;
  std::array<uint8_t, aria::kTableHeadBytes> head{};
  const auto got = (*file)->ReadAt(0, head);
  if (!got.ok()) return none;
  const auto header = aria::ParseTableHeader(ByteView(head).first(*got));
  // The server can have such a table, too; it was copied as it was.
  if (!header.ok() || !header->IsCopyableOnline()) return none;
  const bool is_possible = header->block_bytes >= kBlockBytesMin &&
                           header->block_bytes <= kBlockBytesMax &&
                           std::has_single_bit(header->block_bytes);
  if (!is_possible) return none;
  const auto part =
      name.ends_with(kIndexExtension) ? aria::AriaFile::kIndex : aria::AriaFile::kData;
  return std::unique_ptr<ContentCheck>(
      new AriaCheck(facts, name, aria::RulesOf(*header, part), context));
}

Status AriaCheck::Check(uint64_t offset, ByteView bytes, CheckScratch& /*scratch*/) {
  const size_t block = rules_.block_bytes;
  for (size_t index = 0; index + block <= bytes.size(); index += block) {
    const uint64_t page = (offset + index) / block;
    if (aria::CheckPage(rules_, page, bytes.subspan(index, block)) != aria::PageState::kBad)
      continue;
    context_.findings.Add({.kind = FindingKind::kAria,
                           .backup_dir = facts_.dir,
                           .file = name_,
                           .what = "bad checksum",
                           .page = page,
                           .offset = offset + index});
  }
  context_.counts.pages += bytes.size() / block;
  return OkStatus();
}

Status AriaCheck::Finish(bool /*is_whole*/, CheckScratch& /*scratch*/) {
  return OkStatus();
}

Status CheckAriaLogs(const BackupFacts& facts, CheckContext& context) {
  const std::string control_name(aria::kControlFileName);
  const auto add = [&](std::string file, std::string what) {
    context.findings.Add({.kind = FindingKind::kAria,
                          .backup_dir = facts.dir,
                          .file = std::move(file),
                          .what = std::move(what)});
    return OkStatus();
  };
  const auto text = io::ReadFile(context.fs, facts.Path(control_name), aria::kControlFileBytesMax);
  if (text.status().code() == StatusCode::kNotFound) return OkStatus();
  if (text.status().code() == StatusCode::kInterrupted) return text.status();
  if (!text.ok()) return add(control_name, text.status().message());
  const auto control = aria::ParseControlFile(*text);
  if (!control.ok()) return add(control_name, control.status().message());
  if (control->last_log == 0) return OkStatus();
  const uint32_t first = std::max<uint32_t>(control->checkpoint_log, 1);
  if (control->last_log < first || control->last_log - first > kLogsMax) {
    return add(control_name, fmt::format("its checkpoint is in log {}, its last log is {}",
                                         control->checkpoint_log, control->last_log));
  }
  for (uint32_t number = first; number <= control->last_log; ++number) {
    const std::string name = aria::LogFileName(number);
    HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(context.fs, facts.Path(name)));
    if (is_there) continue;
    HBK_RETURN_IF_ERROR(add(name, fmt::format("it is missing: {} needs the logs {} to {}",
                                              aria::kControlFileName, first, control->last_log)));
  }
  return OkStatus();
}

}  // namespace hbk::verify

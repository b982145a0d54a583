#include "aria_tables.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "copy_plan.h"
#include "target_files.h"

namespace hbk::backup {

namespace {

using aria::AriaFile;
using datadir::FileKind;

constexpr std::string_view kIndexExtension = ".MAI";
constexpr std::string_view kDataExtension = ".MAD";

std::string_view StemOf(std::string_view name) {
  return name.substr(0, name.rfind('.'));
}

bool IsUnderLock(CopyStage stage) {
  return stage == CopyStage::kBlockDdl || stage == CopyStage::kBlockCommit;
}

CopyJob MakeJob(const datadir::DataFile& file, const aria::TableHeader& header, AriaFile part,
                CopyStage stage) {
  CopyJob job;
  job.name = file.name;
  job.source_path = file.source_path;
  job.method = CopyMethod::kAria;
  job.size_hint = file.info.size;
  job.ddl_may_run = !IsUnderLock(stage);
  job.under_lock = IsUnderLock(stage);
  job.replace = true;
  job.follow_symlink = true;
  job.aria = aria::RulesOf(header, part);
  return job;
}

}  // namespace

Result<std::optional<aria::TableHeader>> AriaTables::ReadHeader(const std::string& path,
                                                                bool may_vanish) {
  const auto file = fs_.Open(path, {.follow = true});
  if (!file.ok() && may_vanish && file.status().code() == StatusCode::kNotFound)
    return std::optional<aria::TableHeader>();
  HBK_RETURN_IF_ERROR(file.status());
  std::array<uint8_t, aria::kTableHeadBytes> head{};
  HBK_ASSIGN_OR_RETURN(const size_t got, (*file)->ReadAt(0, head));
  const auto header = aria::ParseTableHeader(ByteView(head).first(got));
  if (header.ok()) return std::optional<aria::TableHeader>(*header);
  // One that is just being made, or is damaged: then the server cannot use it either.
  if (!may_vanish) {
    record_.warnings.push_back(
        fmt::format("{}: {}: the table is copied as it is", path, header.status().message()));
  }
  return std::optional<aria::TableHeader>();
}

// Nothing was written to the index file since its header was read.
bool AriaTables::IsHeaderKnown(const Table& table, const io::FileInfo& info) {
  const io::FileIdentity seen = io::IdentityOf(table.index.info);
  return seen == io::IdentityOf(info) && io::IsAtRest(seen, table.looked_ns);
}

// The copy is of this inode, under this name, of this generation.
bool AriaTables::IsCopyOf(const Table& table) {
  return table.copied_generation == table.header.generation &&
         io::IsSameInode(table.copied_index, io::IdentityOf(table.index.info)) &&
         io::IsSameInode(table.copied_data, io::IdentityOf(table.data.info));
}

Status AriaTables::Forget(Table& table) {
  if (!table.copied_generation) return OkStatus();
  table.copied_generation.reset();
  for (const std::string& name : {table.index.name, table.data.name}) {
    if (record_.files.count(name) != 0)
      HBK_RETURN_IF_ERROR(RemoveCopy(fs_, target_dir_, name, record_));
  }
  return OkStatus();
}

Status AriaTables::LookAt(const datadir::DataFile& index, const datadir::DataFile& data,
                          CopyStage stage, bool must_copy, Tables& tables) {
  const std::string stem(StemOf(index.name));
  auto known = tables_.extract(stem);
  if (!known.empty() && !must_copy && IsHeaderKnown(known.mapped(), index.info)) {
    known.mapped().data = data;
    if (IsCopyOf(known.mapped())) {
      tables.insert(std::move(known));
      return OkStatus();
    }
  }
  const int64_t looked_ns = io::FileClockNow();
  HBK_ASSIGN_OR_RETURN(const auto header, ReadHeader(index.source_path, !IsUnderLock(stage)));
  const bool is_online = header && header->IsCopyableOnline();
  Table table;
  if (!known.empty()) table = std::move(known.mapped());
  table.index = index;
  table.data = data;
  table.looked_ns = looked_ns;
  if (is_online) table.header = *header;
  if (!is_online || must_copy || !IsCopyOf(table)) HBK_RETURN_IF_ERROR(Forget(table));
  if (is_online) tables.emplace(stem, std::move(table));
  return OkStatus();
}

Status AriaTables::Look(const datadir::Scan& scan, CopyStage stage,
                        const std::function<bool(const datadir::DataFile&)>& must_copy) {
  Tables tables;
  // Sorted by name, so the data file of a table stands before its index file.
  const datadir::DataFile* data = nullptr;
  for (const datadir::DataFile& file : scan.files) {
    if (file.kind != FileKind::kAriaTable ||
        RuleOf(file.kind, file.name).settled != CopyStage::kBlockDdl)
      continue;
    if (file.name.ends_with(kDataExtension)) {
      data = &file;
    } else if (data != nullptr && StemOf(data->name) == StemOf(file.name)) {
      HBK_RETURN_IF_ERROR(
          LookAt(file, *data, stage, must_copy(file), tables)
              .WithContext(fmt::format("looking at the Aria table {}", StemOf(file.name))));
    }
  }
  // What is left has no files any more, or only one of them.
  for (auto& [stem, table] : tables_)
    HBK_RETURN_IF_ERROR(Forget(table));
  tables_ = std::move(tables);
  return OkStatus();
}

bool AriaTables::Owns(std::string_view name) const {
  if (!name.ends_with(kIndexExtension) && !name.ends_with(kDataExtension)) return false;
  return tables_.find(StemOf(name)) != tables_.end();
}

Status AriaTables::Copy(CopyStage stage, std::stop_token stop) {
  std::vector<Table*> wanted;
  for (auto& [stem, table] : tables_)
    if (!table.copied_generation) wanted.push_back(&table);
  // The index file first: its header must not be newer than the rows.
  HBK_RETURN_IF_ERROR(CopyFiles(wanted, AriaFile::kIndex, stage, stop));
  std::erase_if(wanted, [](const Table* table) { return !table->copied_generation; });
  return CopyFiles(wanted, AriaFile::kData, stage, stop);
}

Status AriaTables::CopyFiles(const std::vector<Table*>& tables, AriaFile file, CopyStage stage,
                             std::stop_token stop) {
  std::vector<CopyJob> jobs;
  for (const Table* table : tables) {
    const datadir::DataFile& source = file == AriaFile::kIndex ? table->index : table->data;
    jobs.push_back(MakeJob(source, table->header, file, stage));
  }
  if (jobs.empty()) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto results, copier_.Copy(std::move(jobs), std::move(stop)));
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].outcome == CopyOutcome::kCopied) {
      Note(*tables[i], file, stage, results[i]);
    } else {
      // Vanished or renamed meanwhile. BLOCK_DDL will see what became of it.
      HBK_RETURN_IF_ERROR(Forget(*tables[i]));
    }
  }
  return OkStatus();
}

void AriaTables::Note(Table& table, AriaFile file, CopyStage stage, const CopyResult& result) {
  record_.AddCopied(FileKind::kAriaTable, stage, result);
  for (const DamagedPage& page : result.damaged_pages)
    record_.warnings.push_back(page.text);
  if (file == AriaFile::kData) {
    table.copied_data = io::IdentityOf(result.before);
    return;
  }
  table.copied_index = io::IdentityOf(result.before);
  // That of the bytes in the copy, whatever was looked at before. Of a page that was kept although
  // it is damaged there may be none: then the copy counts as it is.
  const auto header = aria::ParseTableHeader(result.head);
  table.copied_generation = header.ok() ? header->generation : table.header.generation;
}

Status AriaTables::CopyChangedSince(std::stop_token stop) {
  for (auto& [stem, table] : tables_) {
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs_.Stat(table.index.source_path, true));
    if (IsHeaderKnown(table, info)) continue;
    table.index.info = info;
    table.looked_ns = io::FileClockNow();
    HBK_ASSIGN_OR_RETURN(const auto header, ReadHeader(table.index.source_path, false));
    if (header) table.header = *header;
    if (header && IsCopyOf(table)) continue;
    HBK_RETURN_IF_ERROR(Forget(table));
    ++copied_again_count_;
  }
  return Copy(CopyStage::kBlockCommit, std::move(stop));
}

}  // namespace hbk::backup

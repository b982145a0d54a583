#include "mariadb_backup_increment.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/version.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_image.h"
#include "hbk/innodb/trx_sys.h"

#include "image_check.h"
#include "parallel.h"

namespace hbk::prepare {
namespace {

using innodb::FirstPage;
using innodb::FirstPageKind;
using innodb::PageVerdict;
using manifest::FileContent;
using manifest::ManifestFile;

constexpr uint64_t kInfoBytesMax = 1 << 20;
constexpr uint64_t kListBytesMax = 64 << 20;
constexpr size_t kUuidBytesMax = 64;
constexpr uint32_t kExtentBytes = 1 << 20;
constexpr uint32_t kExtentPagesMin = 64;
constexpr std::string_view kDefaultDataFilePath = "ibdata1:12M:autoextend";

class MariadbBackupPages final : public PageSource {
 public:
  explicit MariadbBackupPages(std::unique_ptr<delta::MariadbBackupDelta> reader)
      : reader_(std::move(reader)) {}
  Status Read(const delta::DeltaRun& run, MutableByteView out) override {
    return reader_->ReadRun(run, out);
  }

 private:
  const std::unique_ptr<delta::MariadbBackupDelta> reader_;
};

bool IsUuid(std::string_view text) {
  return !text.empty() && text.size() <= kUuidBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// Looks at the pages of one tablespace file, one after the other.
class PageInspector {
 public:
  struct Limits {
    innodb::Lsn above_lsn = 0;  // of each page
    innodb::Lsn last_lsn = 0;
  };

  PageInspector(std::string path, ImageCheck check, innodb::SpaceId space,
                innodb::PageNo first_page, Limits limits, const manifest::DamagedPageList& damaged)
      : path_(std::move(path)),
        check_(std::move(check)),
        space_(space),
        first_page_(first_page),
        limits_(limits),
        damaged_(damaged) {}

  // Of these tablespaces the keys are noted that pages name.
  void SetCrypt(const innodb::CryptData& crypt) { key_id_ = crypt.key_id; }
  // Where a server has the doublewrite buffer, unless page 5 says otherwise.
  void AssumeDoublewrite(uint32_t page_size) {
    const auto extent =
        static_cast<innodb::PageNo>(std::max<uint32_t>(kExtentBytes / page_size, kExtentPagesMin));
    doublewrite_ = {.first = {extent, 2 * extent}, .block_pages = extent};
  }
  [[nodiscard]] const std::set<manifest::EncryptionKeyUse>& keys() const { return keys_; }

  Status Inspect(uint32_t page, ByteView image) {
    const innodb::PageId id{space_, page + first_page_};
    // It was damaged on the server, and is taken as it is.
    if (damaged_.Contains(id)) return OkStatus();
    if (id == innodb::PageId{innodb::kSystemSpaceId, innodb::kTrxSysPageNo})
      doublewrite_ = innodb::ParseDoublewriteBuffer(image);
    const PageVerdict verdict = check_.Check(image, id);
    // Copies of other pages, from some time: nobody reads them.
    if (doublewrite_.has_value() && doublewrite_->Contains(id.page)) return OkStatus();
    if (verdict == PageVerdict::kZero) return OkStatus();
    if (verdict != PageVerdict::kGood) {
      return Damaged(page, fmt::format("{}: {}", innodb::PageVerdictName(verdict),
                                       innodb::DescribeDamage(image, check_.likely_flags(), id)));
    }
    const innodb::Lsn lsn = innodb::PageLsn(image);
    if (lsn > limits_.last_lsn || (limits_.above_lsn != 0 && lsn <= limits_.above_lsn)) {
      return Damaged(page, fmt::format("its LSN is {}, in an increment from LSN {} to LSN {}", lsn,
                                       limits_.above_lsn, limits_.last_lsn));
    }
    NoteKey(image, id);
    return OkStatus();
  }

 private:
  [[nodiscard]] Status Damaged(uint32_t page, std::string_view what) const {
    return CorruptionError(fmt::format("{}, page {}: {}", path_, page, what));
  }

  void NoteKey(ByteView image, innodb::PageId id) {
    if (!key_id_.has_value()) return;
    const uint32_t version = innodb::KeyVersionOf(image, check_.likely_flags(), id);
    if (version != 0) keys_.insert({*key_id_, version});
  }

  const std::string path_;
  ImageCheck check_;
  const innodb::SpaceId space_;
  const innodb::PageNo first_page_;
  const Limits limits_;
  const manifest::DamagedPageList& damaged_;
  std::optional<innodb::DoublewriteBuffer> doublewrite_;
  std::optional<uint32_t> key_id_;
  std::set<manifest::EncryptionKeyUse> keys_;
};

}  // namespace

Result<std::unique_ptr<IncrementSource>> MariadbBackupIncrement::Open(
    io::FileSystem& fs, const std::string& dir, const manifest::MariadbBackupSet& metadata) {
  const std::string& path = metadata.config.data_file_path;
  auto system_files =
      datadir::ParseDataFilePath(path.empty() ? kDefaultDataFilePath : std::string_view(path));
  if (!system_files.ok()) return system_files.status().WithContext(dir);
  std::vector<std::string> names;
  for (const datadir::SystemFile& file : *system_files)
    names.emplace_back(io::BaseName(file.path));
  HBK_ASSIGN_OR_RETURN(MariadbBackupListing listing, ListMariadbBackupIncrement(fs, dir, names));
  std::unique_ptr<MariadbBackupIncrement> increment(
      new MariadbBackupIncrement(fs, dir, std::move(listing)));
  increment->system_files_ = std::move(*system_files);
  increment->DescribeServer(metadata);
  HBK_RETURN_IF_ERROR(increment->ReadInfo(metadata));
  const auto list = io::ReadFile(fs, io::JoinPath(dir, manifest::kDamagedPagesName), kListBytesMax);
  if (list.ok()) {
    HBK_ASSIGN_OR_RETURN(increment->damaged_, manifest::ParseDamagedPageList(*list));
  } else if (list.status().code() != StatusCode::kNotFound) {
    return list.status();
  }
  for (const ListedTablespace& space : increment->listing_.tablespaces)
    increment->spaces_.emplace(space.name, &space);
  return std::unique_ptr<IncrementSource>(std::move(increment));
}

void MariadbBackupIncrement::DescribeServer(const manifest::MariadbBackupSet& metadata) {
  const manifest::Checkpoints& checkpoints = metadata.checkpoints;
  manifest_.hbk_version = kVersion;
  manifest_.base = {
      .backup_uuid = "", .origin = "mariadb-backup", .last_lsn = checkpoints.from_lsn};
  manifest_.to_lsn = checkpoints.to_lsn;
  // Old ones do not say where their redo ends.
  manifest_.last_lsn = checkpoints.last_lsn != 0 ? checkpoints.last_lsn : checkpoints.to_lsn;
  manifest_.server.version = metadata.server_version;
  manifest_.server.page_size = metadata.config.page_size;
  manifest_.server.data_file_path = datadir::FlatDataFilePath(system_files_);
  manifest_.server.undo_tablespaces = fmt::format("{}", metadata.config.undo_tablespaces);
  manifest_.server.settings = metadata.config.key_settings;
  manifest_.databases = listing_.databases;
}

Status MariadbBackupIncrement::ReadInfo(const manifest::MariadbBackupSet& metadata) {
  manifest_.backup_uuid = fmt::format("mariadb-backup-{}-{}-{}", manifest_.base->last_lsn,
                                      manifest_.to_lsn, manifest_.last_lsn);
  const std::string path = io::JoinPath(dir_, metadata.names.info);
  const auto text = io::ReadFile(fs_, path, kInfoBytesMax);
  if (text.status().code() == StatusCode::kNotFound) return OkStatus();
  HBK_RETURN_IF_ERROR(text.status());
  auto info = manifest::ParseBackupInfo(*text);
  if (!info.ok()) return info.status().WithContext(path);
  if (IsUuid((*info)["uuid"])) manifest_.backup_uuid = (*info)["uuid"];
  is_partial_ = (*info)["partial"] == "Y";
  return OkStatus();
}

innodb::PageNo MariadbBackupIncrement::FirstPageOf(const ListedTablespace& space) const {
  if (space.kind != datadir::FileKind::kSystemTablespace) return 0;
  uint64_t first_page = 0;
  for (const datadir::SystemFile& file : system_files_) {
    if (io::BaseName(file.path) == space.name) break;
    first_page += file.size / manifest_.server.page_size;
  }
  return static_cast<innodb::PageNo>(first_page);
}

bool MariadbBackupIncrement::IsLastSystemFile(const ListedTablespace& space) const {
  return io::BaseName(system_files_.back().path) == space.name;
}

Status MariadbBackupIncrement::Verify(uint32_t worker_count, const std::stop_token& stop) {
  const std::vector<ListedTablespace>& spaces = listing_.tablespaces;
  std::vector<Verified> verified(spaces.size());
  const auto verify = [&](uint32_t, size_t item) -> Status {
    if (stop.stop_requested()) return InterruptedError();
    return spaces[item].is_whole ? VerifyWhole(spaces[item], stop, verified[item])
                                 : VerifyDelta(spaces[item], stop, verified[item]);
  };
  HBK_RETURN_IF_ERROR(RunParallel(worker_count, spaces.size(), verify));
  std::set<manifest::EncryptionKeyUse> keys;
  manifest_.files.clear();
  runs_.clear();
  for (Verified& space : verified) {
    if (!space.runs.empty()) runs_.emplace(space.file.name, std::move(space.runs));
    keys.merge(space.keys);
    manifest_.files.push_back(std::move(space.file));
  }
  manifest_.encryption_keys.assign(keys.begin(), keys.end());
  for (const datadir::DataFile& file : listing_.others) {
    ManifestFile& listed = manifest_.files.emplace_back();
    listed.name = file.name;
    listed.kind = datadir::FileKindName(file.kind);
    listed.size = file.info.size;
  }
  std::sort(manifest_.files.begin(), manifest_.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.name < b.name; });
  return OkStatus();
}

// The first page that the delta or the file has; kDeferred if it has none.
Result<FirstPage> MariadbBackupIncrement::ReadFirstPage(const ListedTablespace& space) const {
  constexpr uint64_t kAnySize = uint64_t{1} << 46;  // of the file: the delta does not tell
  AlignedBuffer head(innodb::kPageSizeMax);
  if (space.is_whole) {
    HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(space.path, {}));
    HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
    HBK_ASSIGN_OR_RETURN(const size_t count, file->ReadAt(0, head.view()));
    return innodb::ClassifyFirstPage(head.view().first(count), info.size,
                                     manifest_.server.page_size);
  }
  if (FirstPageOf(space) != 0) return FirstPage{};
  HBK_ASSIGN_OR_RETURN(const auto reader,
                       delta::MariadbBackupDelta::Open(fs_, space.path, space.meta.page_size));
  HBK_ASSIGN_OR_RETURN(const bool has_page, reader->ReadFirst(head.view()));
  if (!has_page) return FirstPage{};
  return innodb::ClassifyFirstPage(head.view().first(space.meta.page_size), kAnySize,
                                   manifest_.server.page_size);
}

uint64_t MariadbBackupIncrement::LeastSize(const ListedTablespace& space,
                                           const std::vector<delta::DeltaRun>& runs,
                                           const FirstPage& first) const {
  const uint64_t page_size = space.meta.page_size;
  uint64_t page_count = 0;
  if (!runs.empty()) page_count = uint64_t{runs.back().first_page} + runs.back().page_count;
  const bool is_system = space.kind == datadir::FileKind::kSystemTablespace;
  if (is_system && !IsLastSystemFile(space)) {
    const auto file =
        std::find_if(system_files_.begin(), system_files_.end(),
                     [&](const auto& item) { return io::BaseName(item.path) == space.name; });
    return file->size;
  }
  // By it the file of a table is extended; that of several files is for the redo to extend.
  if (first.kind == FirstPageKind::kValid && FirstPageOf(space) == 0)
    page_count = std::max<uint64_t>(page_count, first.header.size_pages);
  return page_count * page_size;
}

Status MariadbBackupIncrement::VerifyDelta(const ListedTablespace& space,
                                           const std::stop_token& stop, Verified& verified) const {
  HBK_ASSIGN_OR_RETURN(const FirstPage first, ReadFirstPage(space));
  const bool has_first = first.kind == FirstPageKind::kValid;
  const bool is_zip = space.meta.zip_size != 0;
  const bool is_known_size = is_zip || space.meta.page_size == manifest_.server.page_size;
  const bool is_of_first =
      !has_first || (first.header.flags.physical_size() == space.meta.page_size &&
                     first.header.space_id == space.meta.space_id);
  if (!is_known_size || !is_of_first) {
    return CorruptionError(fmt::format(
        "{}: the file beside it says that it is of tablespace {}, with pages of {} bytes",
        space.path, space.meta.space_id, space.meta.page_size));
  }
  PageInspector inspector(space.path,
                          has_first ? ImageCheck(first.header.flags)
                                    : ImageCheck(manifest_.server.page_size, space.meta.zip_size),
                          space.meta.space_id, FirstPageOf(space),
                          {manifest_.base->last_lsn, manifest_.last_lsn}, damaged_);
  if (space.kind == datadir::FileKind::kSystemTablespace)
    inspector.AssumeDoublewrite(space.meta.page_size);
  if (has_first && first.header.crypt.has_value()) inspector.SetCrypt(*first.header.crypt);
  HBK_ASSIGN_OR_RETURN(const auto reader,
                       delta::MariadbBackupDelta::Open(fs_, space.path, space.meta.page_size));
  HBK_ASSIGN_OR_RETURN(
      verified.runs,
      reader->ReadIndex(
          [&](uint32_t page, ByteView image) { return inspector.Inspect(page, image); }, stop));
  verified.keys = inspector.keys();
  verified.file.name = space.name;
  verified.file.kind = datadir::FileKindName(space.kind);
  verified.file.content = FileContent::kDelta;
  verified.file.size = LeastSize(space, verified.runs, first);
  verified.file.space = manifest::SpaceFacts{.space_id = space.meta.space_id,
                                             .page_size = space.meta.page_size,
                                             .flags = has_first ? first.header.flags.raw() : 0};
  return OkStatus();
}

Status MariadbBackupIncrement::VerifyWhole(const ListedTablespace& space,
                                           const std::stop_token& stop, Verified& verified) const {
  HBK_ASSIGN_OR_RETURN(const FirstPage first, ReadFirstPage(space));
  HBK_ASSIGN_OR_RETURN(const auto file, fs_.Open(space.path, {}));
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file->Stat());
  verified.file.name = space.name;
  verified.file.kind = datadir::FileKindName(space.kind);
  verified.file.size = info.size;
  // All of it comes from the redo.
  if (first.kind == FirstPageKind::kDeferred) return OkStatus();
  if (first.kind == FirstPageKind::kDamaged)
    return CorruptionError(fmt::format("{}: {}", space.path, first.reason));
  const uint32_t page_size = first.header.flags.physical_size();
  // It may have fewer pages than page 0 says, which was read while the table grew.
  if (info.size % page_size != 0) {
    return CorruptionError(
        fmt::format("{} has {} bytes, which are not whole pages of {}: it is cut off", space.path,
                    info.size, page_size));
  }
  verified.file.space = manifest::SpaceFacts{
      .space_id = first.header.space_id, .page_size = page_size, .flags = first.header.flags.raw()};
  PageInspector inspector(space.path, ImageCheck(first.header.flags), first.header.space_id, 0,
                          {0, manifest_.last_lsn}, damaged_);
  if (first.header.crypt.has_value()) inspector.SetCrypt(*first.header.crypt);
  AlignedBuffer buffer(delta::kRunBytesMax);
  for (uint64_t offset = 0; offset < info.size; offset += buffer.size()) {
    if (stop.stop_requested()) return InterruptedError();
    HBK_ASSIGN_OR_RETURN(const size_t count, file->ReadAt(offset, buffer.view()));
    for (size_t at = 0; at + page_size <= count; at += page_size) {
      HBK_RETURN_IF_ERROR(inspector.Inspect(static_cast<uint32_t>((offset + at) / page_size),
                                            buffer.view().subspan(at, page_size)));
    }
  }
  verified.keys = inspector.keys();
  return OkStatus();
}

Result<std::unique_ptr<PageSource>> MariadbBackupIncrement::OpenPages(
    const std::string& name) const {
  const ListedTablespace& space = *spaces_.at(name);
  HBK_ASSIGN_OR_RETURN(auto reader,
                       delta::MariadbBackupDelta::Open(fs_, space.path, space.meta.page_size));
  return std::unique_ptr<PageSource>(new MariadbBackupPages(std::move(reader)));
}

std::string MariadbBackupIncrement::PathOf(const std::string& name) const {
  const auto found = spaces_.find(name);
  return found == spaces_.end() ? io::JoinPath(dir_, name) : found->second->path;
}

}  // namespace hbk::prepare

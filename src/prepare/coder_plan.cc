#include "coder_plan.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/aligned_buffer.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/trx_sys.h"

#include "parallel.h"
#include "whole_read.h"

namespace hbk::prepare {
namespace {

using codec::Algorithm;
using innodb::PageCoder;
using innodb::PageCoding;

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kNamesMax = 10;
constexpr std::string_view kPluginWithoutVersions = "file_key_management";

bool HasAllCodecs() {
  for (auto number = static_cast<int>(Algorithm::kZlib);
       number <= static_cast<int>(Algorithm::kSnappy); ++number) {
    if (!codec::IsAvailable(static_cast<Algorithm>(number))) return false;
  }
  return true;
}

// The version that all pages with this key have, where that is known.
std::optional<uint32_t> OnlyVersionOf(const BackupSet& set, uint32_t key_id) {
  const auto plugin = set.settings.find(std::string(keys::kEncryptionPluginSetting));
  if (plugin != set.settings.end() && plugin->second == kPluginWithoutVersions) return 1;
  std::optional<uint32_t> only;
  if (!set.manifest.has_value()) return only;
  for (const manifest::EncryptionKeyUse& use : set.manifest->encryption_keys) {
    if (use.key_id != key_id) continue;
    if (only.has_value() && *only != use.key_version) return std::nullopt;
    only = use.key_version;
  }
  return only;
}

// Looks at the pages of one tablespace.
class SpaceScan {
 public:
  SpaceScan(const CoderInput& input, const Tablespace& space)
      : input_(input),
        space_(space),
        coder_(*space.coder),
        page_size_(space.header.flags.physical_size()),
        only_version_(space.header.crypt.has_value()
                          ? OnlyVersionOf(input.set, space.header.crypt->key_id)
                          : std::nullopt),
        frame_(page_size_) {}

  // Adds the algorithms that this build has not to `missing`.
  Status Run(std::set<Algorithm>& missing) {
    HBK_RETURN_IF_ERROR(CheckNewPages());
    if (!space_.is_new || space_.has_pages) {
      AlignedBuffer buffer(kReadBytes);
      for (const Segment& segment : space_.segments)
        HBK_RETURN_IF_ERROR(ScanSegment(segment, buffer));
    }
    missing = std::move(missing_);
    return OkStatus();
  }

 private:
  // The keys that pages may be written with.
  Status CheckNewPages() {
    HBK_ASSIGN_OR_RETURN(const uint32_t version, coder_.NewPageVersion());
    if (version == 0) return OkStatus();
    HBK_RETURN_IF_ERROR(coder_.CheckKey(version));
    const uint32_t lowest = coder_.crypt()->min_key_version;
    return lowest == 0 ? OkStatus() : coder_.CheckKey(lowest);
  }

  Status ScanSegment(const Segment& segment, AlignedBuffer& buffer) {
    HBK_ASSIGN_OR_RETURN(const auto file, input_.fs.Open(input_.set.Path(segment.name), {}));
    uint64_t offset = 0;
    while (!is_done_) {
      if (input_.stop.stop_requested()) return InterruptedError();
      HBK_ASSIGN_OR_RETURN(const uint64_t data, file->SeekData(offset));
      offset = std::max(offset, data - data % page_size_);
      HBK_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(offset, buffer.view()));
      HBK_RETURN_IF_ERROR(CheckReadToEnd(*file, offset, size, buffer.size()));
      if (size < page_size_) break;
      for (size_t at = 0; size - at >= page_size_ && !is_done_; at += page_size_) {
        const auto index = static_cast<innodb::PageNo>((offset + at) / page_size_);
        HBK_RETURN_IF_ERROR(
            Look(buffer.view().subspan(at, page_size_), segment.first_page + index));
      }
      offset += size - size % page_size_;
    }
    return OkStatus();
  }

  Status Look(ByteView image, innodb::PageNo number) {
    const innodb::PageId id{space_.id, number};
    if (space_.id == innodb::kSystemSpaceId) {
      if (number == innodb::kTrxSysPageNo) doublewrite_ = innodb::ParseDoublewriteBuffer(image);
      // Copies of pages of other tablespaces, with their keys.
      if (doublewrite_.has_value() && doublewrite_->Contains(number)) return OkStatus();
    }
    const PageCoding coding = innodb::CodingOf(image, coder_.flags(), true, id);
    const bool is_known = coding.key_version == 0 || coder_.IsProven(coding.key_version);
    const bool has_codec = coding.algorithm == Algorithm::kNone || seen_.contains(coding.algorithm);
    if (is_known && has_codec) return OkStatus();
    const auto decoded = coder_.Decode(image, id, frame_.view());
    if (decoded.status().code() == StatusCode::kMissingKey)
      return decoded.status().WithContext(fmt::format("page {}", number));
    if (decoded.status().code() == StatusCode::kUnsupported) missing_.insert(coding.algorithm);
    if (decoded.ok()) Note(*decoded);
    return OkStatus();
  }

  void Note(const PageCoding& coding) {
    if (coding.algorithm != Algorithm::kNone) {
      if (seen_.empty() && !coder_.flags().is_full_crc32()) coder_.SetAlgorithm(coding.algorithm);
      seen_.insert(coding.algorithm);
    }
    const innodb::TablespaceFlags& flags = coder_.flags();
    const bool has_keys = !coder_.crypt().has_value() ||
                          (only_version_.has_value() && coder_.IsProven(*only_version_));
    // In full_crc32 the file names its algorithm.
    const bool has_codecs =
        flags.is_full_crc32() || !flags.is_page_compressed() || (has_all_codecs_ && !seen_.empty());
    is_done_ = has_keys && has_codecs;
  }

  const CoderInput& input_;
  const Tablespace& space_;
  PageCoder& coder_;
  const uint32_t page_size_;
  const std::optional<uint32_t> only_version_;
  AlignedBuffer frame_;
  std::optional<innodb::DoublewriteBuffer> doublewrite_;
  std::set<Algorithm> seen_;
  std::set<Algorithm> missing_;
  const bool has_all_codecs_ = HasAllCodecs();
  bool is_done_ = false;
};

bool NeedsScan(const Tablespace& space) {
  const innodb::TablespaceHeader& header = space.header;
  const bool may_be_encrypted = header.crypt.has_value() && !header.crypt->IsNever();
  return may_be_encrypted || (header.flags.is_page_compressed() && !header.flags.is_full_crc32());
}

// All that is encrypted may be new, made by the redo alone: then no page shows whether the keys are
// the server's.
void WarnOfUntriedKeys(const std::vector<Tablespace*>& spaces, TablespaceTable& table) {
  const Tablespace* untried = nullptr;
  for (const Tablespace* space : spaces) {
    if (space->coder->HasProvenKey()) return;
    if (space->header.crypt.has_value() && space->header.crypt->IsOn()) untried = space;
  }
  if (untried == nullptr) return;
  table.warnings.push_back(
      fmt::format("nothing in the backup shows whether key {} is the right one: all that {} has is "
                  "made by the redo",
                  untried->header.crypt->key_id, untried->final_name));
}

Status NoCodecs(const std::vector<std::string>& tables) {
  std::string names;
  for (size_t i = 0; i < std::min(tables.size(), kNamesMax); ++i)
    names += (i == 0 ? "" : ", ") + tables[i];
  if (tables.size() > kNamesMax) names += fmt::format(" and {} more", tables.size() - kNamesMax);
  return UnsupportedError(
             "the redo changes page_compressed tables whose algorithm this build of "
             "hbk has no codec for: " +
             names)
      .WithHint("prepare with a build of hbk that has it");
}

}  // namespace

Status PlanCoders(const CoderInput& input, TablespaceTable& table) {
  std::vector<Tablespace*> spaces;
  for (auto& [id, space] : table.spaces) {
    const auto log = input.logs.spaces.find(id);
    if (log == input.logs.spaces.end() || log->second.entry_count == 0) continue;
    const innodb::TablespaceHeader& header = space.header;
    if (!PageCoder::IsNeeded(header.flags, header.crypt)) continue;
    space.coder = std::make_unique<PageCoder>(id, header.flags, header.crypt, input.keys);
    spaces.push_back(&space);
  }
  std::vector<std::set<Algorithm>> missing(spaces.size());
  const auto scan = [&](uint32_t, size_t item) -> Status {
    const Tablespace& space = *spaces[item];
    const auto algorithm = static_cast<Algorithm>(space.header.flags.compression_algorithm());
    if (algorithm != Algorithm::kNone && !space.is_new && !codec::IsAvailable(algorithm))
      missing[item].insert(algorithm);
    if (!missing[item].empty() || !NeedsScan(space)) return OkStatus();
    return SpaceScan(input, space).Run(missing[item]).WithContext(space.final_name);
  };
  const Status scanned = RunParallel(input.worker_count, spaces.size(), scan);
  if (scanned.code() == StatusCode::kMissingKey)
    return scanned.WithHint("give the keys that the server had");
  HBK_RETURN_IF_ERROR(scanned);
  std::vector<std::string> tables;
  for (size_t i = 0; i < spaces.size(); ++i) {
    for (const Algorithm algorithm : missing[i]) {
      tables.push_back(
          fmt::format("{} ({})", spaces[i]->final_name, codec::AlgorithmName(algorithm)));
    }
  }
  if (!tables.empty()) return NoCodecs(tables);
  if (!input.is_redo_encrypted) WarnOfUntriedKeys(spaces, table);
  return OkStatus();
}

}  // namespace hbk::prepare

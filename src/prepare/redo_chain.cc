#include "redo_chain.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "prepared_state.h"
#include "redo_reader.h"

namespace hbk::prepare {

Result<std::unique_ptr<RedoChain>> RedoChain::Open(io::FileSystem& fs, const BackupSet& base,
                                                   const IncrementList& increments,
                                                   bool base_is_begun, crypto::KeySource* keys) {
  std::unique_ptr<RedoChain> chain(new RedoChain(fs, base, keys));
  HBK_RETURN_IF_ERROR(chain->AddBase(base_is_begun));
  if (base_is_begun && !increments.empty()) {
    redo::Lsn& end = chain->parts_.front().last_lsn;
    end = std::min<redo::Lsn>(end, increments.front()->manifest().base->last_lsn);
  }
  for (const auto& increment : increments)
    HBK_RETURN_IF_ERROR(chain->AddIncrement(*increment));
  return chain;
}

Status RedoChain::AddBase(bool is_begun) {
  Part& part = parts_.emplace_back();
  part.path = base_.Path(kLogFileName);
  const auto info = fs_.Stat(part.path, false);
  if (info.status().code() == StatusCode::kNotFound)
    return CorruptionError(fmt::format("{}: {} is missing", base_.dir, kLogFileName));
  HBK_RETURN_IF_ERROR(info.status());
  part.bytes = info->size;
  part.last_lsn = base_.last_lsn;
  // What a base says of itself that an earlier run was finishing is already about the sum.
  if (!is_begun) {
    to_lsn_ = base_.manifest.has_value() && !base_.is_prepared_elsewhere
                  ? base_.manifest->to_lsn
                  : base_.metadata->checkpoints.to_lsn;
  }
  part.is_done = is_begun && info->size == 0;
  if (part.is_done) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto reader, OpenLog(fs_, base_, 0, keys_));
  part.header = reader->header();
  part.start_lsn = reader->checkpoint().checkpoint_lsn;
  HBK_ASSIGN_OR_RETURN(const redo::Lsn checkpoint_end, FindFileCheckpoint(*reader));
  part.needed_lsn = std::max(base_.last_lsn, checkpoint_end);
  return OkStatus();
}

Status RedoChain::AddIncrement(const IncrementSource& increment) {
  Part& part = parts_.emplace_back();
  part.path = increment.PathOf(std::string(kLogFileName));
  const auto info = fs_.Stat(part.path, false);
  if (info.status().code() == StatusCode::kNotFound)
    return CorruptionError(fmt::format("{}: {} is missing", increment.dir(), kLogFileName));
  HBK_RETURN_IF_ERROR(info.status());
  part.bytes = info->size;
  part.from_lsn = increment.manifest().base->last_lsn;
  part.last_lsn = increment.manifest().last_lsn;
  HBK_ASSIGN_OR_RETURN(const auto reader, RedoReader::Open(fs_, part.path, 0, keys_));
  part.header = reader->header();
  part.start_lsn = reader->checkpoint().checkpoint_lsn;
  HBK_RETURN_IF_ERROR(CheckHistory(increment, part));
  HBK_ASSIGN_OR_RETURN(const redo::Lsn checkpoint_end, FindFileCheckpoint(*reader));
  part.needed_lsn = std::max(increment.manifest().last_lsn, checkpoint_end);
  to_lsn_ = increment.manifest().to_lsn;
  return OkStatus();
}

// Checkpoints of one server never go back. mariadb-backup does not say which server it was.
Status RedoChain::CheckHistory(const IncrementSource& increment, const Part& part) const {
  if (part.start_lsn >= to_lsn_) return OkStatus();
  return Status(
             StatusCode::kChainBroken,
             fmt::format("{}: its redo begins at a checkpoint at LSN {}, before that of the backup "
                         "before it, LSN {}: the server had another history",
                         increment.dir(), part.start_lsn, to_lsn_))
      .WithHint(
          "was the server restored between the two? Increments of it go on from a backup that "
          "was taken since");
}

bool RedoChain::is_encrypted() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.header.is_encrypted; });
}

uint64_t RedoChain::bytes() const {
  uint64_t sum = 0;
  for (const Part& part : parts_)
    sum += part.bytes;
  return sum;
}

redo::Lsn RedoChain::start_lsn() const {
  const Part& base = parts_.front();
  if (parts_.size() == 1) return base.start_lsn;
  // The empty log of a prepared base may be that of an earlier run, at the end of everything.
  const redo::Lsn first = parts_[1].start_lsn;
  return base.is_done ? first : std::min(base.start_lsn, first);
}

redo::Lsn RedoChain::last_start_lsn() const {
  return std::max(parts_.back().start_lsn, BeginOf(parts_.size() - 1));
}

redo::Lsn RedoChain::BeginOf(size_t part) const {
  return part == 0 ? 0 : parts_[part - 1].last_lsn;
}

redo::Lsn RedoChain::EndOf(size_t part) const {
  return part + 1 == parts_.size() ? UINT64_MAX : parts_[part].last_lsn;
}

uint64_t RedoChain::RedoBytes(size_t part) const {
  if (parts_[part].is_done) return 0;
  const redo::Lsn end = std::min(parts_[part].needed_lsn, EndOf(part));
  return end > parts_[part].start_lsn ? end - parts_[part].start_lsn : 0;
}

Result<std::unique_ptr<RedoReader>> RedoChain::OpenPart(size_t part, size_t window_bytes) const {
  return part == 0 ? OpenLog(fs_, base_, window_bytes, keys_)
                   : RedoReader::Open(fs_, parts_[part].path, window_bytes, keys_);
}

Result<std::vector<RedoPlace>> RedoChain::FindBegins(uint32_t count) const {
  uint64_t total = 0;
  for (size_t part = 0; part < parts_.size(); ++part)
    total += RedoBytes(part);
  std::vector<RedoPlace> begins = {{}};
  uint64_t before = 0;
  for (size_t part = 0; part < parts_.size(); ++part) {
    const uint64_t bytes = RedoBytes(part);
    while (begins.size() < count && total / count * begins.size() < before + bytes) {
      const uint64_t wanted = total / count * begins.size();
      const redo::Lsn lsn = parts_[part].start_lsn + (wanted > before ? wanted - before : 0);
      HBK_ASSIGN_OR_RETURN(const auto reader, OpenPart(part, 0));
      HBK_ASSIGN_OR_RETURN(const auto found, reader->FindStartFrom(lsn));
      const bool is_usable = found && *found < parts_[part].start_lsn + bytes;
      if (!is_usable) {
        // Fewer, and so larger ones.
        --count;
        continue;
      }
      begins.push_back({part, *found});
    }
    before += bytes;
  }
  return begins;
}

Result<RedoScan> RedoChain::Scan(const ChainFilter* filter, size_t window_bytes,
                                 PartitionStore& store, report::Reporter& reporter,
                                 const std::stop_token& stop) const {
  RedoScan empty;
  uint64_t total = 0;
  for (size_t part = 0; part < parts_.size(); ++part) {
    if (parts_.size() > 1) empty.logs.part_starts.push_back(BeginOf(part));
    total += RedoBytes(part);
  }
  if (filter != nullptr) empty.logs.oldest_parts = filter->OldestParts();
  HBK_ASSIGN_OR_RETURN(const auto begins, FindBegins(store.section_count()));
  ScanWatch watch(reporter, total, stop);
  return ReadSections(begins, empty, store, watch,
                      [&](PartitionStore::Section& section, const RedoPlace& begin,
                          const std::optional<RedoPlace>& end, RedoScan& scan) {
                        return ReadFrom(begin, end, filter, window_bytes, section, scan, watch);
                      });
}

Result<RedoPlace> RedoChain::ReadFrom(const RedoPlace& begin, const std::optional<RedoPlace>& end,
                                      const ChainFilter* filter, size_t window_bytes,
                                      PartitionStore::Section& section, RedoScan& scan,
                                      ScanWatch& watch) const {
  for (size_t number = begin.log; number < parts_.size(); ++number) {
    const Part& part = parts_[number];
    if (part.is_done) continue;
    HBK_ASSIGN_OR_RETURN(const auto reader, OpenPart(number, window_bytes));
    std::optional<PartFilter> part_filter;
    if (filter != nullptr)
      part_filter.emplace(*filter, static_cast<uint32_t>(number), BeginOf(number), part.from_lsn);
    const bool ends_here = end.has_value() && end->log == number;
    const RedoPart redo{.start = number == begin.log ? begin.lsn : 0,
                        .end_max = ends_here ? end->lsn : EndOf(number),
                        .filter = part_filter.has_value() ? &*part_filter : nullptr};
    HBK_RETURN_IF_ERROR(ScanRedo(*reader, redo, section, scan, watch));
    if (ends_here) return RedoPlace{number, scan.end_lsn};
    const redo::Lsn needed = std::min(part.needed_lsn, redo.end_max);
    if (scan.end_lsn < needed) {
      return CorruptionError(fmt::format("{}: the log ends at LSN {} ({}), the backup needs LSN {}",
                                         part.path, scan.end_lsn, reader->end_reason(), needed));
    }
  }
  return RedoPlace{parts_.size() - 1, scan.end_lsn};
}

}  // namespace hbk::prepare

#include "space_change_scan.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace hbk::backup {
namespace {

using redo::RecordKind;

void ApplyRecord(const redo::RedoRecord& record, Lsn lsn, SpaceChange& change) {
  if (record.kind < RecordKind::kFileCreate) {
    change.has_pages = true;
    const bool is_first_page = record.kind == RecordKind::kInitPage && record.page.page == 0;
    if (!is_first_page) return;
    change.has_first_page = true;
  }
  change.last_lsn = lsn;
  switch (record.kind) {
    case RecordKind::kFileDelete: change.is_deleted = true; break;
    case RecordKind::kFileCreate:
      change.is_created = true;
      change.last_path = std::string(record.path());
      break;
    case RecordKind::kFileModify:
      change.is_modified = true;
      change.last_path = std::string(record.path());
      break;
    case RecordKind::kFileRename:
      change.is_renamed = true;
      change.last_path = std::string(record.new_path());
      break;
    default: break;
  }
}

}  // namespace

Status ScanSpaceChanges(const redo::MiniTransaction& mtr, bool are_payloads_encrypted,
                        SpaceChanges& changes) {
  redo::RecordReader reader(mtr.body, are_payloads_encrypted);
  redo::RedoRecord record;
  // Neighbouring records mostly belong to one tablespace.
  SpaceChange* last = nullptr;
  SpaceId last_space = 0;
  while (true) {
    const Result<bool> more = reader.Next(record);
    if (!more.ok()) {
      return more.status().WithContext(
          fmt::format("the mini-transaction at LSN {}", mtr.start_lsn));
    }
    if (!*more) return OkStatus();
    if (record.is_same_page || record.kind == RecordKind::kFileCheckpoint) continue;
    if (last == nullptr || last_space != record.page.space) {
      last = &changes[record.page.space];
      last_space = record.page.space;
    }
    ApplyRecord(record, mtr.start_lsn, *last);
  }
}

void MergeSpaceChanges(const SpaceChanges& later, SpaceChanges& changes) {
  for (const auto& [space, change] : later) {
    SpaceChange& known = changes[space];
    known.has_pages |= change.has_pages;
    known.is_created |= change.is_created;
    known.has_first_page |= change.has_first_page;
    known.is_deleted |= change.is_deleted;
    known.is_renamed |= change.is_renamed;
    known.is_modified |= change.is_modified;
    if (!change.last_path.empty()) known.last_path = change.last_path;
    known.last_lsn = std::max(known.last_lsn, change.last_lsn);
  }
}

}  // namespace hbk::backup

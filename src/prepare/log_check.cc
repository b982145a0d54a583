#include "hbk/prepare/log_check.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "hbk/manifest/backup_manifest.h"
#include "hbk/manifest/mariadb_backup_files.h"

#include "backup_set.h"
#include "increment_set.h"
#include "increment_source.h"
#include "prepared_state.h"
#include "redo_reader.h"

namespace hbk::prepare {
namespace {

constexpr uint64_t kStopMtrs = 4096;  // mini-transactions between two looks at `stop`
// So much is asked of the disk ahead of what is parsed.
constexpr size_t kWindowBytes = 8 << 20;

// Manifest or checkpoints file say so; of what is no backup at all the opener will tell.
Result<bool> IsIncrement(io::FileSystem& fs, const std::string& dir) {
  const auto manifest = manifest::LoadManifest(fs, dir);
  if (manifest.ok()) return manifest->base.has_value();
  if (manifest.status().code() != StatusCode::kNotFound) return manifest.status();
  const auto metadata = manifest::LoadMariadbBackupSet(fs, dir);
  if (metadata.status().code() == StatusCode::kNotFound) return false;
  HBK_RETURN_IF_ERROR(metadata.status());
  return metadata->checkpoints.backup_type == "incremental";
}

// Counts the records of a mini-transaction, each of which must be well-formed.
Status CountRecords(const redo::MiniTransaction& mtr, uint64_t& count) {
  redo::RecordReader records(mtr.body);
  redo::RedoRecord record;
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const bool has_record, records.Next(record));
    if (!has_record) return OkStatus();
    ++count;
  }
}

Status ReadMtrs(RedoReader& reader, CheckedLog& log, const std::stop_token& stop) {
  redo::MiniTransaction mtr;
  for (;;) {
    HBK_ASSIGN_OR_RETURN(const bool has_mtr, reader.Next(mtr));
    if (!has_mtr) return OkStatus();
    const Status counted = CountRecords(mtr, log.record_count);
    if (!counted.ok()) {
      return reader.BadContent(
          counted.WithContext(fmt::format("{}, LSN {}", log.path, mtr.start_lsn)));
    }
    if (++log.mtr_count % kStopMtrs == 0 && stop.stop_requested()) return InterruptedError();
  }
}

Result<CheckedLog> ReadToEnd(RedoReader& reader, redo::Lsn last_lsn, const std::stop_token& stop) {
  CheckedLog log;
  log.path = reader.path();
  log.start_lsn = reader.checkpoint().checkpoint_lsn;
  HBK_ASSIGN_OR_RETURN(const redo::Lsn checkpoint_end, FindFileCheckpoint(reader));
  log.needed_lsn = std::max(last_lsn, checkpoint_end);
  reader.Seek(log.start_lsn);
  HBK_RETURN_IF_ERROR(ReadMtrs(reader, log, stop));
  log.end_lsn = reader.position();
  if (log.end_lsn >= log.needed_lsn) return log;
  return CorruptionError(fmt::format("{}: the log ends at LSN {} ({}), the backup needs LSN {}",
                                     log.path, log.end_lsn, reader.end_reason(), log.needed_lsn));
}

}  // namespace

Result<CheckedLog> CheckBackupLog(io::FileSystem& fs, const std::string& backup_dir,
                                  crypto::KeySource* keys, const std::stop_token& stop) {
  HBK_ASSIGN_OR_RETURN(const bool is_increment, IsIncrement(fs, backup_dir));
  const std::string path = io::JoinPath(backup_dir, kLogFileName);
  HBK_ASSIGN_OR_RETURN(const bool is_there, io::Exists(fs, path));
  if (!is_there) return CorruptionError(path + " is missing");
  if (is_increment) {
    HBK_ASSIGN_OR_RETURN(const auto increment, OpenIncrement(fs, backup_dir));
    HBK_ASSIGN_OR_RETURN(const auto reader, RedoReader::Open(fs, path, kWindowBytes, keys));
    return ReadToEnd(*reader, increment->manifest().last_lsn, stop);
  }
  HBK_ASSIGN_OR_RETURN(const BackupSet set, OpenBackupSet(fs, backup_dir));
  if (set.is_prepared || set.is_prepared_elsewhere) {
    HBK_ASSIGN_OR_RETURN(const redo::Lsn end, CheckPreparedLog(fs, set, keys));
    return CheckedLog{.path = path, .start_lsn = end, .end_lsn = end, .needed_lsn = end};
  }
  HBK_ASSIGN_OR_RETURN(const auto reader, OpenLog(fs, set, kWindowBytes, keys));
  return ReadToEnd(*reader, set.last_lsn, stop);
}

Status CheckChainOrder(io::FileSystem& fs, const std::string& base_dir,
                       const std::vector<std::string>& incremental_dirs) {
  HBK_ASSIGN_OR_RETURN(const BackupSet base, OpenBackupSet(fs, base_dir));
  IncrementList increments;
  for (const std::string& dir : incremental_dirs) {
    HBK_ASSIGN_OR_RETURN(auto increment, OpenIncrement(fs, dir));
    increments.push_back(std::move(increment));
  }
  return CheckChain(base, increments);
}

Status CheckIncrementFiles(io::FileSystem& fs, const std::string& dir, uint32_t worker_count,
                           const std::stop_token& stop) {
  HBK_ASSIGN_OR_RETURN(const auto increment, OpenIncrement(fs, dir));
  return increment->Verify(worker_count, stop);
}

}  // namespace hbk::prepare

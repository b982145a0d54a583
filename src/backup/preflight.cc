#include "preflight.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hbk/io/places.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/redo/log_file.h"
#include "hbk/report/reporter.h"

namespace hbk::backup {

namespace {

using server::ServerFacts;

constexpr uint64_t kPidFileBytesMax = 64;
constexpr int kCheckpointTries = 5;
constexpr std::string_view kRightsHint =
    "run hbk as root or as the user that the server runs as (often mysql)";

struct SaidDirectory {
  std::string_view option;
  std::string said;
  std::string actual;
};

Status CheckSaidDirectory(io::FileSystem& fs, const SaidDirectory& place,
                          const std::string& datadir) {
  // Without MyRocks, what is said of its directories means nothing.
  if (place.said.empty() || place.actual.empty()) return OkStatus();
  // The datadir itself is relative to where we are, everything else to the datadir.
  const bool is_datadir = place.option == "--datadir";
  const std::string said = is_datadir ? place.said : io::JoinPath(datadir, place.said);
  const auto said_info = fs.Stat(said, /*follow=*/true);
  const auto actual_info = fs.Stat(place.actual, /*follow=*/true);
  if (said_info.ok() && actual_info.ok() && io::IsSameDirectory(*said_info, *actual_info))
    return OkStatus();
  return UsageError(fmt::format("{}={} is not what the server uses: it says {}", place.option,
                                place.said, place.actual))
      .WithHint("is this the right server? leave the option out to take the server's word");
}

// The pid in the server's pid file; 0 if that cannot be read.
int64_t PidOfServer(io::FileSystem& fs, const ServerFacts& facts, const datadir::Layout& layout) {
  const std::string path = io::JoinPath(layout.datadir, facts.Variable("pid_file"));
  const auto text = io::ReadFile(fs, path, kPidFileBytesMax);
  int64_t pid = 0;
  if (text.ok()) std::from_chars(text->data(), text->data() + text->size(), pid);
  return pid;
}

Result<std::string> ReadLogHead(io::FileSystem& fs, const datadir::Layout& layout) {
  const std::string path = io::JoinPath(layout.redo_dir, "ib_logfile0");
  HBK_ASSIGN_OR_RETURN(const auto file, fs.Open(path, {}));
  std::string head(redo::kLogHeadBytes, '\0');
  HBK_ASSIGN_OR_RETURN(const size_t got,
                       file->ReadAt(0, {reinterpret_cast<uint8_t*>(head.data()), head.size()}));
  if (got != head.size())
    return UnsupportedError(fmt::format("{} is too short for a redo log", path));
  return head;
}

// Where locks cannot be seen (another pid namespace), the newest checkpoint can: no other server
// has this one, now.
bool HasCheckpointOf(io::FileSystem& fs, server::ServerSession& session,
                     const datadir::Layout& layout) {
  for (int i = 0; i < kCheckpointTries; ++i) {
    const auto head = ReadLogHead(fs, layout);
    if (!head.ok()) return false;
    const auto header = redo::ParseLogFileHeader(AsBytes(*head));
    if (!header.ok()) return false;
    const auto checkpoint = redo::NewestCheckpoint(AsBytes(*head), header->first_lsn);
    const auto said = session.ReadLsn();
    if (!checkpoint.ok() || !said.ok()) return false;
    if (checkpoint->checkpoint_lsn == said->last_checkpoint) return true;
  }
  return false;
}

// Of the tables of MyRocks. Compaction removes files while they are listed.
Result<uint64_t> AllocatedBytes(io::FileSystem& fs, const std::string& rocksdb_dir) {
  uint64_t bytes = 0;
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(rocksdb_dir));
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.name.ends_with(".sst")) continue;
    const auto info = fs.Stat(io::JoinPath(rocksdb_dir, entry.name), /*follow=*/true);
    if (info.ok()) bytes += std::min(info->allocated_bytes, info->size);
  }
  return bytes;
}

Status CheckOutside(io::FileSystem& fs, const std::string& target_dir,
                    const datadir::Layout& layout) {
  HBK_ASSIGN_OR_RETURN(const std::string above, io::FindAbove(fs, target_dir, layout.Roots()));
  if (above.empty()) return OkStatus();
  return UsageError(fmt::format("the target {} lies inside {}, a directory of the server",
                                target_dir, above))
      .WithHint("choose a --target-dir outside of the server's directories");
}

}  // namespace

Status CheckPrivileges(server::ServerSession& session, const ServerFacts& facts,
                       const server::ProbeOptions& options) {
  HBK_ASSIGN_OR_RETURN(const auto missing, session.ProbePrivileges(options));
  if (missing.empty()) return OkStatus();
  std::vector<std::string> names;
  std::vector<std::string> reasons;
  bool has_way_out = false;
  for (const server::MissingPrivilege& one : missing) {
    has_way_out |= one.privilege == "SUPER";
    names.push_back(one.privilege);
    reasons.push_back(fmt::format("{} (for {})", one.privilege, one.needed_for));
  }
  const std::string account = server::QuoteAccount(facts.current_user);
  return Status(StatusCode::kMissingPrivilege,
                fmt::format("{} lacks {}", account, fmt::join(reasons, ", ")))
      .WithHint(fmt::format("GRANT {} ON *.* TO {};{}", fmt::join(names, ", "), account,
                            has_way_out ? "  (or --skip-rocksdb-backup: without the rows of "
                                          "MyRocks tables, and without SUPER)"
                                        : ""));
}

Result<datadir::Layout> LayoutOfServer(const ServerFacts& facts) {
  datadir::LayoutOptions options;
  options.datadir = facts.Variable("datadir");
  options.innodb_data_home_dir = facts.Variable("innodb_data_home_dir");
  options.innodb_data_file_path = facts.Variable("innodb_data_file_path");
  options.innodb_undo_directory = facts.Variable("innodb_undo_directory");
  options.innodb_log_group_home_dir = facts.Variable("innodb_log_group_home_dir");
  options.aria_log_dir_path = facts.Variable("aria_log_dir_path");
  const bool has_rocksdb = facts.HasActivePlugin("ROCKSDB");
  if (has_rocksdb) {
    options.rocksdb_datadir = facts.Variable("rocksdb_datadir");
    options.rocksdb_wal_dir = facts.Variable("rocksdb_wal_dir");
  }
  auto layout = datadir::MakeLayout(options);
  if (!layout.ok()) return layout.status().WithContext("the directories that the server says");
  layout->SetHasRocksdb(has_rocksdb);
  return layout;
}

Status CheckSaidLayout(io::FileSystem& fs, const datadir::LayoutOptions& said,
                       const datadir::Layout& layout) {
  const SaidDirectory places[] = {
      {"--datadir", said.datadir, layout.datadir},
      {"--innodb-data-home-dir", said.innodb_data_home_dir, layout.innodb_data_home},
      {"--innodb-undo-directory", said.innodb_undo_directory, layout.undo_dir},
      {"--innodb-log-group-home-dir", said.innodb_log_group_home_dir, layout.redo_dir},
      {"--aria-log-dir-path", said.aria_log_dir_path, layout.aria_log_dir},
      {"--rocksdb-datadir", said.rocksdb_datadir, layout.rocksdb_dir},
      {"--rocksdb-wal-dir", said.rocksdb_wal_dir, layout.rocksdb_wal_dir},
  };
  for (const SaidDirectory& place : places)
    HBK_RETURN_IF_ERROR(CheckSaidDirectory(fs, place, layout.datadir));
  if (said.innodb_data_file_path.empty()) return OkStatus();

  HBK_ASSIGN_OR_RETURN(const auto files, datadir::ParseDataFilePath(said.innodb_data_file_path));
  const bool is_same =
      std::equal(files.begin(), files.end(), layout.system_files.begin(), layout.system_files.end(),
                 [](const auto& a, const auto& b) { return a.path == b.path && a.size == b.size; });
  if (is_same) return OkStatus();
  return UsageError(fmt::format("--innodb-data-file-path={} is not what the server uses",
                                said.innodb_data_file_path))
      .WithHint("is this the right server? leave the option out to take the server's word");
}

Status CheckLocality(io::FileSystem& fs, server::ServerSession& session, const ServerFacts& facts,
                     const datadir::Layout& layout) {
  const std::string locked[] = {layout.SystemFilePath(layout.system_files.front()),
                                io::JoinPath(layout.aria_log_dir, "aria_log_control")};
  const std::string elsewhere = fmt::format(
      "the server's files are not on this machine, or not visible in this container (the server "
      "says that it is {} and that they are in {})",
      facts.Variable("hostname"), layout.datadir);
  const int64_t server_pid = PidOfServer(fs, facts, layout);
  for (const std::string& path : locked) {
    const auto holder = fs.LockHolder(path);
    if (!holder.ok() && holder.status().code() == StatusCode::kNotFound)
      return UnsupportedError(fmt::format("{}: {} is missing", elsewhere, path))
          .WithHint("run hbk on the machine of the server");
    HBK_RETURN_IF_ERROR(holder.status().WithHint(kRightsHint));
    if (*holder == 0) {
      if (HasCheckpointOf(fs, session, layout)) continue;
      return UnsupportedError(fmt::format("{}: no server holds {}", elsewhere, path))
          .WithHint("run hbk on the machine of the server");
    }
    if (server_pid > 0 && *holder > 0 && *holder != server_pid &&
        !HasCheckpointOf(fs, session, layout)) {
      return UnsupportedError(fmt::format("{} belongs to the server with pid {}, but we are "
                                          "connected to the one with pid {}",
                                          path, *holder, server_pid))
          .WithHint("check --socket, --host and --port");
    }
  }
  return OkStatus();
}

Result<redo::LogHead> CheckRedoLog(io::FileSystem& fs, const datadir::Layout& layout) {
  for (int tries = 1;; ++tries) {
    const auto head = ReadLogHead(fs, layout);
    HBK_RETURN_IF_ERROR(head.status().WithHint(kRightsHint));
    auto parsed = redo::ParseLogHead(AsBytes(*head));
    // The server may be writing a checkpoint.
    const bool is_torn = parsed.status().code() == StatusCode::kCorruption;
    if (parsed.ok() || !is_torn || tries == kCheckpointTries) {
      HBK_RETURN_IF_ERROR(parsed.status().WithContext(
          fmt::format("reading {}", io::JoinPath(layout.redo_dir, "ib_logfile0"))));
      return parsed;
    }
  }
}

Status CheckTarget(io::FileSystem& fs, const std::string& target_dir,
                   const datadir::Layout& layout) {
  const auto info = fs.Stat(target_dir, /*follow=*/true);
  const bool is_there = info.ok() || info.status().code() != StatusCode::kNotFound;
  if (is_there) HBK_RETURN_IF_ERROR(info.status());
  if (is_there && info->type != io::FileType::kDirectory) {
    return Status(StatusCode::kTargetInUse,
                  fmt::format("the target {} is not a directory", target_dir));
  }
  HBK_RETURN_IF_ERROR(CheckOutside(fs, target_dir, layout));
  if (!is_there) return OkStatus();
  HBK_ASSIGN_OR_RETURN(const auto entries, fs.List(target_dir));
  bool is_leftover = false;
  std::string first;
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.name == "lost+found") continue;  // of a file system of its own
    is_leftover |= entry.name == manifest::kIncompleteMarkerName;
    if (first.empty()) first = entry.name;
  }
  if (first.empty()) return OkStatus();
  const Status status(StatusCode::kTargetInUse,
                      fmt::format("the target {} is not empty: it holds {}", target_dir, first));
  if (is_leftover)
    return status.WithHint("it is what an unfinished backup left: remove it, it is of no use");
  return status.WithHint("give every backup a directory of its own");
}

Status CheckTargetApart(io::FileSystem& fs, const std::string& target_dir,
                        const std::string& base_dir) {
  HBK_ASSIGN_OR_RETURN(const std::string above, io::FindAbove(fs, target_dir, {base_dir}));
  if (above.empty()) return OkStatus();
  return UsageError(
             fmt::format("the target {} is, or lies inside, the base {}", target_dir, base_dir))
      .WithHint("give every backup a directory of its own");
}

Status CheckSpace(io::FileSystem& fs, const std::string& target_dir, const datadir::Scan& scan,
                  const std::string& rocksdb_dir, uint64_t redo_bytes) {
  uint64_t needed = redo_bytes;
  if (!rocksdb_dir.empty()) {
    HBK_ASSIGN_OR_RETURN(const uint64_t rocksdb_bytes, AllocatedBytes(fs, rocksdb_dir));
    needed += rocksdb_bytes;
  }
  for (const datadir::DataFile& file : scan.files)
    needed += std::min(file.info.allocated_bytes, file.info.size);
  HBK_ASSIGN_OR_RETURN(const uint64_t free, fs.FreeBytes(io::ExistingAncestor(fs, target_dir)));
  if (needed <= free) return OkStatus();
  return Status(StatusCode::kNoSpace,
                fmt::format("the backup needs about {} (of that {} for redo), the target {} has {} "
                            "free",
                            report::HumanBytes(needed), report::HumanBytes(redo_bytes), target_dir,
                            report::HumanBytes(free)))
      .WithHint("free space there, or choose another --target-dir");
}

}  // namespace hbk::backup

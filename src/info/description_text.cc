// Descriptions for people.
#include <algorithm>

#include <fmt/format.h>

#include "hbk/info/description_renderings.h"
#include "hbk/report/reporter.h"

namespace hbk::info {
namespace {

using report::HumanBytes;
using report::HumanSeconds;

constexpr double kMsPerSecond = 1000;
constexpr double kPercent = 100;

// Names and what servers say, without what a terminal would obey.
std::string Harmless(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f'; },
      '?');
  return text;
}

// Rows of a name and a text; further lines of a text stand below its first one.
class Rows {
 public:
  void Add(std::string_view name, const std::string& text) {
    if (text.empty()) return;
    rows_ += fmt::format("  {:<15} ", name);
    for (const char c : Harmless(text)) {
      rows_ += c;
      if (c == '\n') rows_ += std::string(18, ' ');
    }
    rows_ += '\n';
  }
  [[nodiscard]] const std::string& text() const { return rows_; }

 private:
  std::string rows_;
};

std::string KindText(const BackupDescription& backup) {
  if (backup.tool == BackupTool::kUnknown) return {};
  std::string text;
  if (backup.state != DirectoryState::kClosed && backup.state != DirectoryState::kUnreadable)
    text = backup.base ? "increment, " : "full backup, ";
  text += backup.tool == BackupTool::kHbk ? "of hbk" : "of mariadb-backup";
  return backup.tool_version.empty() ? text : text + " " + backup.tool_version;
}

std::string StateText(const BackupDescription& backup) {
  switch (backup.state) {
    case DirectoryState::kNoBackup: return "no backup";
    case DirectoryState::kIncomplete: return "INCOMPLETE: it cannot be used";
    case DirectoryState::kClosed: return "closed: a key is needed to read more";
    case DirectoryState::kUnreadable: return "UNREADABLE";
    case DirectoryState::kMetadataOnly: return "metadata only: a base for increments";
    case DirectoryState::kUnprepared: return "not prepared";
    case DirectoryState::kPrepareInterrupted: return "prepare was interrupted: run it again";
    case DirectoryState::kPrepared: break;
  }
  std::string text = "prepared";
  if (!backup.prepared_by.empty())
    text += fmt::format(", by hbk {} at {}", backup.prepared_by, backup.prepared_time);
  return text;
}

std::string BaseText(const BackupDescription& backup, const std::vector<BackupDescription>& all,
                     const ChainLink& link) {
  if (!backup.base) return {};
  std::string text = fmt::format("ends at LSN {}", backup.base->last_lsn);
  if (!backup.base->backup_uuid.empty()) text += ", uuid " + backup.base->backup_uuid;
  if (!link.parent) return text + "\nnot among the directories given";
  return all[*link.parent].directory + (link.is_by_lsn ? " (by its LSN)" : "") + "\n" + text;
}

std::string LsnText(const BackupDescription& backup) {
  if (backup.to_lsn == 0 && backup.last_lsn == 0) return {};
  std::string text;
  if (backup.start_checkpoint_lsn != 0)
    text = fmt::format("from {}, ", backup.start_checkpoint_lsn);
  text += fmt::format("checkpoint {}", backup.to_lsn);
  return backup.last_lsn == 0 ? text : text + fmt::format(", end {}", backup.last_lsn);
}

std::string TimeText(const BackupDescription& backup) {
  if (backup.start_time.empty() && backup.end_time.empty()) return {};
  std::string text = fmt::format("{} to {}", backup.start_time, backup.end_time);
  if (backup.duration_s)
    text += fmt::format(" ({})", HumanSeconds(static_cast<double>(*backup.duration_s)));
  return text;
}

std::string SizeText(const BackupDescription& backup) {
  std::string text = fmt::format("{} in {} files lie there", HumanBytes(backup.stored_bytes),
                                 backup.stored_file_count);
  if (backup.disk_bytes < backup.stored_bytes)
    text += fmt::format(", and take up {}", HumanBytes(backup.disk_bytes));
  if (backup.file_count && backup.logical_bytes) {
    text += fmt::format("\n{} in {} files when they are restored",
                        HumanBytes(*backup.logical_bytes), *backup.file_count);
  }
  return text;
}

std::string ServerText(const BackupDescription& backup) {
  const manifest::ServerDescription& server = backup.server;
  std::string text = server.version;
  if (!server.hostname.empty()) text += fmt::format(" on {}", server.hostname);
  if (server.server_id != 0) text += fmt::format(", server_id {}", server.server_id);
  if (!server.uid.empty()) text += ", uid " + server.uid;
  if (server.page_size != 0)
    text += fmt::format("{}pages of {}", text.empty() ? "" : ", ", HumanBytes(server.page_size));
  return text;
}

std::string BinlogText(const BackupDescription& backup) {
  if (!backup.binlog) return backup.binlog_text;
  std::string text = fmt::format("{} position {}", backup.binlog->file, backup.binlog->position);
  if (!backup.binlog->gtid.empty()) text += ", GTID " + backup.binlog->gtid;
  return text;
}

std::string ReplicaText(const BackupDescription& backup) {
  if (!backup.replica) return backup.replica_text;
  std::string text;
  if (!backup.replica->gtid_slave_pos.empty())
    text = "gtid_slave_pos " + backup.replica->gtid_slave_pos;
  for (const manifest::SourceConnection& source : backup.replica->connections) {
    if (!text.empty()) text += '\n';
    if (!source.name.empty()) text += fmt::format("'{}': ", source.name);
    text += fmt::format("{} port {}, ", source.host, source.port);
    text +=
        source.uses_gtid ? "by GTID" : fmt::format("{} position {}", source.file, source.position);
  }
  return text;
}

std::string GaleraText(const BackupDescription& backup) {
  if (!backup.galera) return backup.galera_text;
  return fmt::format("cluster {}, seqno {}", backup.galera->cluster_uuid, backup.galera->seqno);
}

std::string StagesText(const BackupDescription& backup) {
  std::string text;
  for (const manifest::StageTime& stage : backup.stages) {
    text += fmt::format("{}{:<13} waited {}, held {}", text.empty() ? "" : "\n", stage.stage,
                        HumanSeconds(static_cast<double>(stage.wait_ms) / kMsPerSecond),
                        HumanSeconds(static_cast<double>(stage.held_ms) / kMsPerSecond));
    if (stage.file_count > 0) text += fmt::format(", files {}", stage.file_count);
  }
  return text;
}

std::string RedoText(const BackupDescription& backup) {
  if (!backup.redo_bytes) return {};
  std::string text = HumanBytes(*backup.redo_bytes) + " copied";
  if (backup.redo_margin && backup.redo_margin_bytes) {
    text += fmt::format("; margin {:.0f} % of the log, {}", *backup.redo_margin * kPercent,
                        HumanBytes(*backup.redo_margin_bytes));
  }
  return text;
}

std::string SealText(const BackupDescription& backup) {
  if (!backup.is_sealed) return {};
  std::string text = backup.has_sealed_names ? "files, their names and the manifest" : "files";
  if (backup.key_slot_count) text += fmt::format("; key slots {}", *backup.key_slot_count);
  if (backup.seal_check == SealCheck::kGenuine)
    return text + "; the manifest is by somebody with a key";
  if (backup.state == DirectoryState::kClosed) return text;
  return text + "\nno key was given: what is said here may be by somebody without one";
}

std::string KeysText(const BackupDescription& backup) {
  std::string text;
  for (const manifest::EncryptionKeyUse& key : backup.encryption_keys)
    text += fmt::format("{}{} version {}", text.empty() ? "" : ", ", key.key_id, key.key_version);
  return text;
}

constexpr std::string_view kOfAnother =
    "\nof what was here before: the manifest is another one now";

std::string VerifiedText(const BackupDescription& backup) {
  if (!backup.verified.problem.empty()) return "unreadable: " + backup.verified.problem;
  if (!backup.verified.record) return "never";
  const manifest::VerifyRecord& record = *backup.verified.record;
  std::string text = fmt::format("{} ({}{}): ", record.time, record.mode,
                                 record.resume ? ", not to its end yet" : "");
  text += record.finding_count == 0 ? "nothing found"
                                    : fmt::format("FINDINGS {}", record.finding_count);
  if (!backup.verified.is_of_this) text += kOfAnother;
  return text;
}

std::string DrilledText(const BackupDescription& backup) {
  if (!backup.drilled.problem.empty()) return "unreadable: " + backup.drilled.problem;
  if (!backup.drilled.record) return "never";
  const manifest::DrilledRecord& record = *backup.drilled.record;
  std::string text = fmt::format("{}: {}, restored in {}, server {}", record.drilled_at,
                                 record.ok ? "passed" : "FAILED",
                                 HumanSeconds(record.restore_seconds), record.server_version);
  if (!backup.drilled.is_of_this) text += kOfAnother;
  return text;
}

std::string OneText(const BackupDescription& backup, const std::vector<BackupDescription>& all,
                    const ChainLink& link) {
  Rows rows;
  rows.Add("what", KindText(backup));
  rows.Add("state", StateText(backup));
  if (!backup.status.ok()) rows.Add("error", backup.status.message());
  if (backup.state == DirectoryState::kNoBackup) return rows.text();
  rows.Add("uuid", backup.backup_uuid);
  rows.Add("base", BaseText(backup, all, link));
  rows.Add("laid together", fmt::format("{}", fmt::join(backup.merged, "\n")));
  rows.Add("made", TimeText(backup));
  rows.Add("LSN", LsnText(backup));
  rows.Add("size", SizeText(backup));
  rows.Add("compression", backup.compression);
  rows.Add("sealed", SealText(backup));
  rows.Add("server", ServerText(backup));
  rows.Add("server's keys", KeysText(backup));
  rows.Add("binlog", BinlogText(backup));
  rows.Add("replica", ReplicaText(backup));
  rows.Add("Galera", GaleraText(backup));
  rows.Add("stages", StagesText(backup));
  rows.Add("redo", RedoText(backup));
  rows.Add("warnings", fmt::format("{}", fmt::join(backup.warnings, "\n")));
  rows.Add("last verify", VerifiedText(backup));
  rows.Add("last drill", DrilledText(backup));
  return rows.text();
}

std::string ChainText(const std::vector<BackupDescription>& backups,
                      const std::vector<ChainLink>& links) {
  std::string text = "chain\n";
  for (const ChainLink& link : links) {
    const BackupDescription& backup = backups[link.index];
    const std::string indent(2 + 3 * link.depth, ' ');
    const bool has_lost_base = backup.base && !link.parent;
    text += fmt::format("{}{}{}  {}{}{}\n", indent, link.depth == 0 ? "" : "`- ",
                        Harmless(backup.directory), DirectoryStateName(backup.state),
                        backup.last_lsn == 0 ? "" : fmt::format(", to LSN {}", backup.last_lsn),
                        has_lost_base ? ", its base is not among these" : "");
  }
  return text;
}

}  // namespace

std::string DescriptionText(const std::vector<BackupDescription>& backups) {
  const std::vector<ChainLink> links = OrderChains(backups);
  std::string text;
  for (const ChainLink& link : links) {
    const BackupDescription& backup = backups[link.index];
    if (!text.empty()) text += '\n';
    text += Harmless(backup.directory) + "\n" + OneText(backup, backups, link);
  }
  if (backups.size() > 1) text += "\n" + ChainText(backups, links);
  return text;
}

}  // namespace hbk::info

#include "increment_set.h"

#include <algorithm>

#include <fmt/format.h>

namespace hbk::prepare {
namespace {

using manifest::BackupManifest;

// A backup of the chain, as the next one speaks of it.
struct Link {
  std::string dir;
  std::string uuid;  // empty: not one of ours
  std::vector<std::string> merged;
  innodb::Lsn last_lsn = 0;
  innodb::Lsn to_lsn = 0;
  std::string server_uid;      // empty: not known
  std::string server_version;  // likewise
  uint32_t page_size = 0;
  bool is_partial = false;
};

// "10.11" of "10.11.19-MariaDB".
std::string_view SeriesOf(std::string_view version) {
  const size_t dot = version.find('.');
  return dot == std::string_view::npos ? version : version.substr(0, version.find('.', dot + 1));
}

// mariadb-backup has applied increments of its own to a backup of ours.
bool IsMergedElsewhere(const BackupSet& base) {
  return base.is_prepared_elsewhere &&
         base.metadata->checkpoints.last_lsn != base.manifest->last_lsn;
}

Link LinkOf(const BackupSet& base) {
  Link link;
  link.dir = base.dir;
  link.page_size = base.page_size;
  link.is_partial = base.is_partial;
  if (base.metadata.has_value()) link.server_version = base.metadata->server_version;
  if (base.manifest.has_value()) {
    link.server_uid = base.manifest->server.uid;
    link.server_version = base.manifest->server.version;
  }
  if (base.manifest.has_value() && !IsMergedElsewhere(base)) {
    const BackupManifest& manifest = *base.manifest;
    link.uuid = manifest.backup_uuid;
    link.merged = manifest.merged;
    link.last_lsn = manifest.last_lsn;
    link.to_lsn = manifest.to_lsn;
  } else {
    link.last_lsn = std::max(base.last_lsn, base.metadata->checkpoints.last_lsn);
    link.to_lsn = base.metadata->checkpoints.to_lsn;
  }
  return link;
}

Link LinkOf(const IncrementSource& increment) {
  const BackupManifest& manifest = increment.manifest();
  return {.dir = increment.dir(),
          .uuid = manifest.backup_uuid,
          .merged = {},
          .last_lsn = manifest.last_lsn,
          .to_lsn = manifest.to_lsn,
          .server_uid = manifest.server.uid,
          .server_version = manifest.server.version,
          .page_size = manifest.server.page_size,
          .is_partial = increment.is_partial()};
}

Status Broken(std::string message) {
  return {StatusCode::kChainBroken, std::move(message)};
}

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

class ChainChecker {
 public:
  ChainChecker(const BackupSet& base, const IncrementList& increments)
      : base_(LinkOf(base)), increments_(increments) {}

  Status Check() {
    HBK_RETURN_IF_ERROR(CheckEachOnce());
    Link before = base_;
    for (const auto& increment : increments_) {
      HBK_RETURN_IF_ERROR(CheckServer(before, *increment));
      HBK_RETURN_IF_ERROR(CheckLink(before, *increment));
      before = LinkOf(*increment);
    }
    return OkStatus();
  }

 private:
  Status CheckEachOnce() {
    for (size_t i = 0; i < increments_.size(); ++i) {
      const std::string& uuid = increments_[i]->manifest().backup_uuid;
      if (uuid.empty()) continue;
      if (uuid == base_.uuid || Contains(base_.merged, uuid)) {
        return Broken(fmt::format("{} is in {} already", increments_[i]->dir(), base_.dir))
            .WithHint("leave it out");
      }
      for (size_t other = 0; other < i; ++other) {
        if (increments_[other]->manifest().backup_uuid != uuid) continue;
        return Broken(fmt::format("{} and {} are the same increment", increments_[other]->dir(),
                                  increments_[i]->dir()))
            .WithHint("give each once");
      }
    }
    return OkStatus();
  }

  static Status CheckServer(const Link& before, const IncrementSource& increment) {
    const manifest::ServerDescription& server = increment.manifest().server;
    if (!before.server_uid.empty() && !server.uid.empty() && before.server_uid != server.uid) {
      return Broken(fmt::format("{} is of the server {}, and {} of the server {}", increment.dir(),
                                server.uid, before.dir, before.server_uid))
          .WithHint("give increments of one server");
    }
    if (!before.server_version.empty() && !server.version.empty() &&
        SeriesOf(before.server_version) != SeriesOf(server.version)) {
      return Broken(
                 fmt::format("{} is of a server {}, and {} of one {}: redo of two series cannot be "
                             "laid together",
                             increment.dir(), server.version, before.dir, before.server_version))
          .WithHint("take a full backup after each upgrade of the server");
    }
    if (increment.is_partial() != before.is_partial) {
      return Broken(fmt::format("{} is of {} tables, and {} of {}", increment.dir(),
                                increment.is_partial() ? "chosen" : "all", before.dir,
                                before.is_partial ? "chosen ones" : "all"))
          .WithHint("give increments that were made with the same choice of tables as their base");
    }
    if (server.page_size == before.page_size) return OkStatus();
    return Broken(fmt::format("{} has an innodb_page_size of {}, and {} one of {}", increment.dir(),
                              server.page_size, before.dir, before.page_size))
        .WithHint("give increments of one server");
  }

  Status CheckLink(const Link& before, const IncrementSource& increment) {
    const manifest::BaseBackup& base = *increment.manifest().base;
    if (!base.backup_uuid.empty() && base.backup_uuid != before.uuid)
      return WrongBase(before, increment);
    // Where nothing is written between two backups, the LSNs at which they begin do not tell them
    // apart.
    if (increment.manifest().last_lsn < before.last_lsn) {
      return Broken(fmt::format("{} ends at LSN {}, before {}, which ends at LSN {}",
                                increment.dir(), increment.manifest().last_lsn, before.dir,
                                before.last_lsn))
          .WithHint("give the increments in the order in which they were made");
    }
    // By an LSN alone an increment can also be to the last checkpoint of the backup before.
    if (base.last_lsn == before.last_lsn ||
        (base.backup_uuid.empty() && base.last_lsn == before.to_lsn)) {
      return OkStatus();
    }
    if (base.backup_uuid.empty()) {
      const Status by_lsn = WrongLsn(before, increment);
      if (!by_lsn.ok()) return by_lsn;
      if (before.to_lsn != before.last_lsn) {
        return Broken(
                   fmt::format("{} begins at LSN {}, and the newest checkpoint of {} is at LSN {}, "
                               "its end at LSN {}",
                               increment.dir(), base.last_lsn, before.dir, before.to_lsn,
                               before.last_lsn))
            .WithHint("give the increments in the order in which they were made, all of them");
      }
    }
    return Broken(fmt::format("{} begins at LSN {}, and {} ends at LSN {}", increment.dir(),
                              base.last_lsn, before.dir, before.last_lsn))
        .WithHint("give the increments in the order in which they were made, all of them");
  }

  // It may be that only the order is wrong.
  [[nodiscard]] Status WrongLsn(const Link& before, const IncrementSource& increment) const {
    const innodb::Lsn from = increment.manifest().base->last_lsn;
    for (const auto& other : increments_) {
      const BackupManifest& manifest = other->manifest();
      if (other.get() == &increment || (manifest.last_lsn != from && manifest.to_lsn != from))
        continue;
      return Broken(fmt::format("{} begins at LSN {}, where {} ends, and is given after {}",
                                increment.dir(), from, other->dir(), before.dir))
          .WithHint("give the increments in the order in which they were made");
    }
    return OkStatus();
  }

  [[nodiscard]] Status WrongBase(const Link& before, const IncrementSource& increment) const {
    const std::string& wanted = increment.manifest().base->backup_uuid;
    for (const auto& other : increments_) {
      if (other->manifest().backup_uuid != wanted) continue;
      return Broken(fmt::format("{} is an increment to {}, and is given after {}", increment.dir(),
                                other->dir(), before.dir))
          .WithHint("give the increments in the order in which they were made");
    }
    if (wanted == base_.uuid || Contains(base_.merged, wanted)) {
      return Broken(fmt::format("{} is an increment to the backup {}, which {} is no more: it goes "
                                "on to {}",
                                increment.dir(), wanted, base_.dir, before.uuid))
          .WithHint("increments to one backup are alternatives: only one of them can be applied");
    }
    return Broken(fmt::format("{} is an increment to the backup {}, and {} is the backup {}",
                              increment.dir(), wanted, before.dir,
                              before.uuid.empty() ? "without a uuid" : before.uuid))
        .WithHint(fmt::format("an increment is missing, or it is of another chain: look for \"{}\" "
                              "as backup_uuid in the {} of your backups",
                              wanted, manifest::kManifestFileName));
  }

  const Link base_;
  const IncrementList& increments_;
};

}  // namespace

Status CheckChain(const BackupSet& base, const IncrementList& increments) {
  return ChainChecker(base, increments).Check();
}

}  // namespace hbk::prepare

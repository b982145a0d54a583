#include "position_reader.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace hbk::backup {

namespace {

using server::ReplicaConnection;

std::string DescribeBinlog(const std::optional<server::BinlogCoordinates>& binlog,
                           const server::GtidPositions& gtids) {
  const std::string gtid = fmt::format("GTID '{}'", gtids.binlog_pos);
  return binlog ? fmt::format("{}:{} ({})", binlog->file, binlog->position, gtid) : gtid;
}

manifest::ReplicaPosition MakeReplica(const std::vector<ReplicaConnection>& connections,
                                      const server::GtidPositions& gtids) {
  manifest::ReplicaPosition position;
  position.gtid_slave_pos = gtids.slave_pos;
  for (const ReplicaConnection& connection : connections) {
    position.connections.push_back({.name = connection.name,
                                    .host = connection.source_host,
                                    .port = static_cast<uint16_t>(connection.source_port),
                                    .uses_gtid = connection.uses_gtid,
                                    .file = connection.file,
                                    .position = connection.position});
  }
  return position;
}

}  // namespace

Result<uint64_t> PositionReader::Begin() {
  HBK_ASSIGN_OR_RETURN(first_, Read());
  first_at_ = std::chrono::steady_clock::now();
  if (first_.galera && !first_.galera->IsMember()) {
    return FailedError(
        fmt::format("the Galera node has no position in its cluster: its state is "
                    "{}",
                    first_.galera->state));
  }
  // First the LSN, then the flush: everything up to it is then in the log file.
  HBK_ASSIGN_OR_RETURN(const server::LsnTriple lsn, session_.ReadLsn());
  HBK_RETURN_IF_ERROR(session_.FlushEngineLogs());
  return lsn.current;
}

Result<Positions> PositionReader::Finish() {
  HBK_ASSIGN_OR_RETURN(Reading last, Read());
  HBK_RETURN_IF_ERROR(Settle(last));
  HBK_RETURN_IF_ERROR(CheckNothingMoved(last));

  Positions positions;
  if (first_.binlog) {
    // The first coordinates: if the operator has rotated the binlog since, they still hold.
    positions.binlog = manifest::BinlogPosition{.file = first_.binlog->file,
                                                .position = first_.binlog->position,
                                                .gtid = last.gtids.current_pos,
                                                .gtid_binlog_pos = last.gtids.binlog_pos,
                                                .gtid_slave_pos = last.gtids.slave_pos,
                                                .gtid_binlog_state = last.gtids.binlog_state};
  }
  if (!last.replica.empty()) positions.replica = MakeReplica(last.replica, last.gtids);
  if (last.galera) {
    positions.galera =
        manifest::GaleraPosition{.cluster_uuid = last.galera->cluster_uuid,
                                 .seqno = static_cast<uint64_t>(last.galera->last_committed),
                                 .gtid_domain_id = choice_.wsrep_gtid_domain_id};
  }
  return positions;
}

Result<PositionReader::Reading> PositionReader::Read() {
  Reading reading;
  if (choice_.binlog) {
    HBK_ASSIGN_OR_RETURN(reading.binlog, session_.ReadBinlogPosition());
  }
  HBK_ASSIGN_OR_RETURN(reading.gtids, session_.ReadGtids());
  if (choice_.replica) {
    HBK_ASSIGN_OR_RETURN(reading.replica, session_.ReadReplicaConnections());
  }
  if (choice_.galera) {
    HBK_ASSIGN_OR_RETURN(reading.galera, session_.ReadGaleraStatus());
  }
  return reading;
}

Status PositionReader::Settle(Reading& last) {
  const bool is_moving = std::any_of(last.replica.begin(), last.replica.end(),
                                     [](const auto& one) { return one.has_sql_thread; });
  if (!is_moving) return OkStatus();
  const auto is_same = [](const Reading& a, const Reading& b) {
    return a.replica == b.replica && a.gtids.slave_pos == b.gtids.slave_pos;
  };
  const auto now = [] {
    return std::chrono::steady_clock::now();
  };
  if (is_same(first_, last) && now() - first_at_ >= choice_.settle_pause) return OkStatus();
  const auto deadline = now() + choice_.settle_limit;
  for (;;) {
    std::this_thread::sleep_for(choice_.settle_pause);
    HBK_ASSIGN_OR_RETURN(Reading next, Read());
    const bool has_settled = is_same(last, next);
    last = std::move(next);
    // What still moves then are positions behind events that change nothing: binlogs rotated by
    // the source, events that are filtered out. Any of them is right.
    if (has_settled || now() >= deadline) return OkStatus();
  }
}

Status PositionReader::CheckNothingMoved(const Reading& last) const {
  // An operator may rotate the binlog at any time; GTIDs tell whether that was all.
  const bool is_same_binlog = first_.binlog.has_value() == last.binlog.has_value() &&
                              first_.gtids.binlog_pos == last.gtids.binlog_pos &&
                              (!first_.binlog || first_.binlog->file != last.binlog->file ||
                               first_.binlog->position == last.binlog->position);
  if (!is_same_binlog) {
    return FailedError(fmt::format("the binlog went on from {} to {} although commits are blocked",
                                   DescribeBinlog(first_.binlog, first_.gtids),
                                   DescribeBinlog(last.binlog, last.gtids)));
  }
  if (first_.galera && (first_.galera->cluster_uuid != last.galera->cluster_uuid ||
                        first_.galera->last_committed != last.galera->last_committed)) {
    return FailedError(
        fmt::format("the Galera node went on from {}:{} to {}:{} although commits "
                    "are blocked",
                    first_.galera->cluster_uuid, first_.galera->last_committed,
                    last.galera->cluster_uuid, last.galera->last_committed));
  }
  return OkStatus();
}

}  // namespace hbk::backup

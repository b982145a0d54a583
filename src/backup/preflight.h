// What is refused before the first byte is written: one function per reason, each with its own
// message, code and hint.
//
// Errors   kUnsupported: server, format or feature. kMissingPrivilege: SQL or file rights. kUsage:
//          options that contradict the server. kTargetInUse, kNoSpace: the target.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/datadir/scanner.h"
#include "hbk/io/file_system.h"
#include "hbk/redo/log_file.h"
#include "hbk/server/server_facts.h"
#include "hbk/server/server_session.h"

namespace hbk::backup {

// Every right that is missing, in one message, with the GRANT that gives them.
Status CheckPrivileges(server::ServerSession& session, const server::ServerFacts& facts,
                       const server::ProbeOptions& options);

// Where the server says its files are.
Result<datadir::Layout> LayoutOfServer(const server::ServerFacts& facts);

// What the user said must be the same places; spelling does not matter, directories do.
Status CheckSaidLayout(io::FileSystem& fs, const datadir::LayoutOptions& said,
                       const datadir::Layout& layout);

// That the files here are those the server has open: it holds locks on two of them.
Status CheckLocality(io::FileSystem& fs, server::ServerSession& session,
                     const server::ServerFacts& facts, const datadir::Layout& layout);

// That the redo log has a format that this build can prepare; what its head says.
Result<redo::LogHead> CheckRedoLog(io::FileSystem& fs, const datadir::Layout& layout);

// That the target is absent or empty, and no part of the server's directories.
Status CheckTarget(io::FileSystem& fs, const std::string& target_dir,
                   const datadir::Layout& layout);

// That the target is neither the directory of the base nor in it.
Status CheckTargetApart(io::FileSystem& fs, const std::string& target_dir,
                        const std::string& base_dir);

// That these files, those of MyRocks if `rocksdb_dir` is not empty, and redo while they are copied,
// fit.
Status CheckSpace(io::FileSystem& fs, const std::string& target_dir, const datadir::Scan& scan,
                  const std::string& rocksdb_dir, uint64_t redo_bytes);

}  // namespace hbk::backup

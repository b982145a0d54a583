// The base of an increment: found, read, and compared with the server before anything is copied.
//
// Of one of our backups only the manifest is needed: the directory may hold nothing else, and the
// backup may be full or an increment, prepared or not. Of one that mariadb-backup made, or of an
// LSN, no more than the end is known.
//
// Errors   kChainBroken, each with a hint: there is no base, it is incomplete, or it is not one of
//          this server and its history. kCorruption, kUnsupported: what cannot be read of it.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hbk/base/status.h"
#include "hbk/datadir/layout.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/stored_backup.h"
#include "hbk/server/server_facts.h"
#include "hbk/server/server_session.h"

#include "increment_base.h"

namespace hbk::backup {

struct LoadedBase {
  std::unique_ptr<IncrementBase> increment;
  std::string label;           // for messages: "the base /backup/full"
  std::string server_version;  // of the server that it is of; empty: not known
  uint32_t page_size = 0;      // 0: not known
  Lsn to_lsn = 0;              // newest checkpoint at its end
};

// What a sealed one says of itself is believed only if somebody with a key of it wrote it.
Result<LoadedBase> LoadBase(io::FileSystem& fs, const std::string& dir,
                            manifest::SealingKeyRing& keys);
// `label` says where the LSN comes from.
LoadedBase BaseOfLsn(Lsn lsn, std::string label);

// That the server is the one of the base, and its log goes on where the base ends. `now` is what
// the server says.
Status CheckBase(io::FileSystem& fs, const LoadedBase& base, const server::ServerFacts& facts,
                 const datadir::Layout& layout, const server::LsnTriple& now);

// The id of this machine's boot; empty where that cannot be read.
std::string ReadBootId(io::FileSystem& fs);

}  // namespace hbk::backup

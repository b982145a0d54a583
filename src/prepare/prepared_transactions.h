// Transactions that the server had prepared, for two phases of its own, when the backup was taken.
//
// No server starts on those without being told what to become of them. None of them is in a
// position that the backup recorded, so they are made active, and the first start of a server rolls
// them back. What users have prepared (XA PREPARE) stays:
// docs/design/0006-prepared-transactions.md.
//
// Errors   kCorruption: a page of a rollback segment that is damaged, unless that is known already;
//          with file and page. kInterrupted.
// Threads  One.
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>

#include "hbk/crypto/key_source.h"
#include "hbk/manifest/damaged_page_list.h"

#include "backup_set.h"

namespace hbk::prepare {

struct ActivatedTransactions {
  uint64_t transaction_count = 0;
  std::set<std::string> changed_files;
  // Their pages are encrypted, and there is no key: whether they have such transactions is not
  // known. The redo changes none of them, or prepare would have ended long before.
  std::set<std::string> unread_files;
};

// Once all redo is applied and synced. Pages are written through a journal; they keep their LSNs,
// so that the redo, read again after a kill, leaves them alone. Synced; when this is done there are
// no journals. `keys`: null if there are none.
Result<ActivatedTransactions> ActivatePreparedTransactions(io::FileSystem& fs, const BackupSet& set,
                                                           crypto::KeySource* keys,
                                                           const manifest::DamagedPageList& damaged,
                                                           const std::stop_token& stop);

}  // namespace hbk::prepare

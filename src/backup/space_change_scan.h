// Reads from mini-transactions what happens to tablespace files: SpaceChanges.
//
// Errors   kCorruption: a record that no server writes.
// Threads  Pure functions.
#pragma once

#include "hbk/backup/log_tailer.h"
#include "hbk/base/status.h"
#include "hbk/redo/mini_transaction.h"

namespace hbk::backup {

// Adds what `mtr` says to `changes`. Its payloads may be encrypted, its file records not.
Status ScanSpaceChanges(const redo::MiniTransaction& mtr, bool are_payloads_encrypted,
                        SpaceChanges& changes);

// Adds what later mini-transactions said.
void MergeSpaceChanges(const SpaceChanges& later, SpaceChanges& changes);

}  // namespace hbk::backup

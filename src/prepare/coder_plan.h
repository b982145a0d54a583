// Coders for the tablespaces whose pages are encrypted or page_compressed, and the proof, before
// anything is changed, that every key and codec that they will want is there.
//
// The pages of such files are read over once: each key version that occurs has to decrypt one of
// them. Where the backup knows that there is one version only, the first page that it decrypts is
// enough.
//
// Errors   kMissingKey: a missing or wrong key, with id, version and table. kUnsupported: codecs
//          that this build has not, with their tables. kInterrupted. Damaged pages are none of its
//          business: whether they matter is seen when redo is applied.
// Threads  One; files are read by several.
#pragma once

#include <stop_token>

#include "hbk/crypto/key_source.h"

#include "backup_set.h"
#include "tablespace_table.h"

namespace hbk::prepare {

struct CoderInput {
  io::FileSystem& fs;
  const BackupSet& set;
  const SpaceLogs& logs;
  crypto::KeySource* keys = nullptr;  // null: there are none. Outlives the table.
  uint32_t worker_count = 1;
  std::stop_token stop;
  bool is_redo_encrypted = false;  // and has been read: the source has a right key
};

// Sets `coder` of each tablespace whose pages the redo changes and that needs one. After
// PlanHeaders: what is written follows what page 0 says in the end. Warns in `table` if pages will
// be encrypted and nothing has shown that the source's keys are those of the server.
Status PlanCoders(const CoderInput& input, TablespaceTable& table);

}  // namespace hbk::prepare

// `hbk key`: add, remove, list and test the keys that open a sealed backup.
//
// The sealed files stay as they are. A change replaces hbk_keys.json whole; one hbk at a time does.
//
// Errors   kMissingKey: no key is given, or one that fits no slot. kUsage: no such slot, or the
// last
//          one, or nothing to add. kCorruption: the file is damaged or was changed. kFailed: no
//          sealed backup there. kTargetInUse: another hbk is changing it.
// Threads  RunKeySlots: one at a time for a backup.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/status.h"
#include "hbk/crypto/key_derivation.h"
#include "hbk/io/file_system.h"
#include "hbk/report/reporter.h"
#include "hbk/seal/key_slots.h"
#include "hbk/seal/sealing_keys.h"

namespace hbk::seal {

enum class KeySlotAction : uint8_t {
  kAdd,     // a slot for each of new_keys
  kRemove,  // the slot slot_id
  kList,    // with a key, also checks the file
  kTest,    // each of keys must open a slot
};

struct KeySlotOptions {
  std::string target_dir;
  KeySlotAction action = KeySlotAction::kList;
  SealingKeyOptions keys;      // of slots that are there
  SealingKeyOptions new_keys;  // kAdd
  std::string label;           // kAdd; empty: says where the key came from
  uint32_t slot_id = 0;        // kRemove
  crypto::ScryptCost scrypt;   // kAdd of a passphrase
};

struct KeySlotSummary {
  std::vector<KeySlot> slots;  // as they are now
  bool is_checked = false;     // a key was given, and nobody without one changed the slots
  std::vector<uint32_t> added_ids;
};

Result<KeySlotSummary> RunKeySlots(const KeySlotOptions& options, io::FileSystem& fs,
                                   report::Reporter& reporter, std::stop_token stop);

// UTC, now, as slots have it.
std::string SlotTimeNow();

}  // namespace hbk::seal

// From option values to the plain structs that the operations take.
//
// Errors   kUsage: something needed was not given; says what and shows how.
// Threads  One thread at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "hbk/backup/backup_runner.h"
#include "hbk/base/status.h"
#include "hbk/drill/drill_runner.h"
#include "hbk/extract/extract_runner.h"
#include "hbk/prepare/prepare_runner.h"
#include "hbk/prepare/unpack_runner.h"
#include "hbk/report/reporter.h"
#include "hbk/restore/restore_runner.h"
#include "hbk/seal/key_slot_runner.h"
#include "hbk/seal/sealing_keys.h"
#include "hbk/stream/stream_writer.h"
#include "hbk/verify/verify_runner.h"

#include "option_values.h"
#include "run_outlets.h"

namespace hbk::cli {

// What the command cannot do without.
Status CheckNeeded(const OptionValues& values, Command command);

// `password` is the one to use: given, asked for, or from the environment. `core_count` chooses
// the number of threads where nobody said it.
Result<backup::BackupOptions> MakeBackupOptions(const OptionValues& values, Secret password,
                                                uint32_t core_count);
// `vault_token` is for a Vault, unless an option gives another.
Result<prepare::PrepareOptions> MakePrepareOptions(const OptionValues& values, Secret vault_token,
                                                   uint32_t core_count);
// The same; `random_seed` chooses the share of --sample unless --seed does.
Result<verify::VerifyOptions> MakeVerifyOptions(const OptionValues& values, Secret vault_token,
                                                uint32_t core_count, uint64_t random_seed);
// It is an archive that is to be verified.
bool VerifiesStream(const OptionValues& values);
// Of decompress and decrypt.
Result<prepare::UnpackOptions> MakeUnpackOptions(const OptionValues& values, Command command,
                                                 Secret passphrase, uint32_t core_count);
Result<restore::RestoreOptions> MakeRestoreOptions(const OptionValues& values, Command command,
                                                   uint32_t core_count);
// `password` is for the server of --compare-with; `search_path` as PATH.
Result<drill::DrillOptions> MakeDrillOptions(const OptionValues& values, Secret vault_token,
                                             Secret password, std::string search_path,
                                             uint32_t core_count);
// Where the keys of the backup are. `passphrase` was typed; empty: an option may have one.
seal::SealingKeyOptions MakeSealingKeyOptions(const OptionValues& values, Secret passphrase);
// Both passphrases as above.
Result<seal::KeySlotOptions> MakeKeySlotOptions(const OptionValues& values,
                                                seal::KeySlotAction action, Secret passphrase,
                                                Secret new_passphrase);
// What the action of hbk key cannot do without, and what it has no use for.
Status CheckKeyAction(const OptionValues& values, seal::KeySlotAction action);
Result<extract::ExtractOptions> MakeExtractOptions(const OptionValues& values, uint32_t core_count);
// Of a backup that goes to stdout; nullopt: it does not.
std::optional<stream::StreamFormat> ChosenStream(const OptionValues& values);
// --backup-mode: of new files; nullopt: what they have without it.
Result<std::optional<uint32_t>> ChosenBackupMode(const OptionValues& values);
// --nice and --ionice, of this process. Before the first thread is started.
Status ApplyPriority(const OptionValues& values);
report::ReporterOptions MakeReporterOptions(const OptionValues& values);
Result<OutletOptions> MakeOutletOptions(const OptionValues& values, Command command);

// --parallel, or one thread per core but 8 at most: more than that waits for the disk.
uint32_t ChosenThreads(const OptionValues& values, uint32_t core_count);

}  // namespace hbk::cli

// Makes a plain backup one that was made with --compress, or with --compress and --encrypt.
#pragma once

#include <string>

#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/seal/key_slots.h"

namespace hbk::testing {

// `dir` must have a manifest.
Status CompressBackup(io::FileSystem& fs, const std::string& dir);
// `seals_names`: and --encrypt-manifest.
Status SealBackup(io::FileSystem& fs, const std::string& dir, const seal::SealingKey& key,
                  bool seals_names = false);

}  // namespace hbk::testing

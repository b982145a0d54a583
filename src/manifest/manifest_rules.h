// What a manifest must hold to: applied to what is read and to what is about to be written.
#pragma once

#include <cstdint>

#include "hbk/base/status.h"
#include "hbk/manifest/backup_manifest.h"

namespace hbk::manifest {

// A million tables take about 300 MiB.
constexpr uint64_t kManifestBytesMax = uint64_t{1} << 30;

// kCorruption for names that lead out of the backup, for names that are there twice, and for fields
// that contradict each other.
Status CheckManifest(const BackupManifest& manifest);

}  // namespace hbk::manifest

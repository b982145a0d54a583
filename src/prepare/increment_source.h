// An increment, whoever made it: what it lists, its pages, its whole files and its redo.
//
// Nothing of an increment is ever changed.
//
// Errors   kCorruption: it is damaged, with backup and file named. kChainBroken: no increment.
// Threads  Verify: one; then any.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/delta/delta_file.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"

#include "chain_plan.h"

namespace hbk::prepare {

// The pages that an increment has of one tablespace file.
class PageSource {
 public:
  PageSource() = default;
  virtual ~PageSource() = default;
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  // `out` has run.byte_count bytes.
  virtual Status Read(const delta::DeltaRun& run, MutableByteView out) = 0;
};

class IncrementSource {
 public:
  IncrementSource() = default;
  virtual ~IncrementSource() = default;
  IncrementSource(const IncrementSource&) = delete;
  IncrementSource& operator=(const IncrementSource&) = delete;

  [[nodiscard]] virtual const std::string& dir() const = 0;
  // Of one that has none, what it would be; its files after Verify.
  [[nodiscard]] virtual const manifest::BackupManifest& manifest() const = 0;
  // See ChainPart.
  [[nodiscard]] virtual bool has_open_sizes() const = 0;
  // Its manifest says which tablespaces there were, and which of them replace those of the base.
  [[nodiscard]] virtual bool tells_spaces() const = 0;

  // Made of chosen tables only.
  [[nodiscard]] virtual bool is_partial() const = 0;

  // Reads every file with every checksum there is.
  virtual Status Verify(uint32_t worker_count, const std::stop_token& stop) = 0;
  // After Verify: of each tablespace file that pages are here of.
  [[nodiscard]] virtual const DeltaRuns& runs() const = 0;
  virtual Result<std::unique_ptr<PageSource>> OpenPages(const std::string& name) const = 0;
  // Of a whole file.
  [[nodiscard]] virtual std::string PathOf(const std::string& name) const = 0;
};

// The increment in `dir`. Reads its description only.
Result<std::unique_ptr<IncrementSource>> OpenIncrement(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::prepare

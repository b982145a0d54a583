// The pages that an increment of ours has of a tablespace file: each run by its checksum, each page
// by its own.
//
// The delta file is read a second time for that; its digest is that of the first time.
//
// Threads  As ContentCheck.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "backup_facts.h"
#include "content_check.h"

namespace hbk::verify {

class DeltaCheck final : public ContentCheck {
 public:
  // `file` is one of the manifest, with a delta; both outlive the check.
  DeltaCheck(const BackupFacts& facts, const manifest::ManifestFile& file, CheckContext& context)
      : facts_(facts), file_(file), context_(context) {}

  Status Check(uint64_t offset, ByteView bytes, CheckScratch& scratch) override;
  Status Finish(bool is_whole, CheckScratch& scratch) override;

 private:
  void Add(std::string what, std::optional<uint64_t> page = std::nullopt,
           std::optional<uint64_t> offset = std::nullopt, std::string expected = "",
           std::string found = "");
  void CheckPages(uint32_t first_page, ByteView pages, uint64_t offset);

  const BackupFacts& facts_;
  const manifest::ManifestFile& file_;
  CheckContext& context_;
};

}  // namespace hbk::verify

// A copy of a tablespace file in an increment: only the pages that it needs.
//
// Format   docs/format/delta.md.
// Threads  See CopyTarget.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/delta/delta_file.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

#include "copy_target.h"
#include "increment_base.h"

namespace hbk::backup {

class DeltaTarget final : public CopyTarget {
 public:
  struct Options {
    std::string path;  // of the delta; must not exist. It is made if a page is needed
    SpaceId space_id = 0;
    innodb::TablespaceFlags flags;
    PageChoice choice;
    // If set, pages with an LSN up to checked_to that are wanted must be among them: the redo log
    // was said to name them all.
    std::optional<std::vector<PageNo>> named_pages = std::nullopt;
    Lsn checked_to = 0;
  };
  DeltaTarget(io::FileSystem& fs, Options options);

  Status Write(const FileChunk& chunk) override;
  Status SkipHole(uint64_t) override { return OkStatus(); }
  Status Finish(uint64_t size, CopyResult& result) override;
  Status Discard() override;

  // A page that was not among named_pages. Asked before Finish.
  [[nodiscard]] std::optional<PageNo> unnamed_page() const;

 private:
  void CheckNamed(PageNo page, Lsn lsn);
  [[nodiscard]] bool IsWanted(ByteView page) const;
  Status Append(const FileChunk& chunk, size_t begin, size_t end);

  io::FileSystem& fs_;
  const Options options_;
  delta::DeltaWriter writer_;
  std::atomic<uint64_t> written_bytes_ = 0;
  std::atomic<uint64_t> unnamed_page_ = UINT64_MAX;  // none
};

}  // namespace hbk::backup

// What makes writing pages in place safe: their changes are on disk elsewhere before.
//
// A kill or a power cut in the middle of a write leaves a page of which some sectors are old and
// some new. Redo cannot mend that. The journal holds, for each page about to be written, the bytes
// in which the new image differs from the old one. Where they are equal it does not matter which
// of the two a sector is; so laying the differences over any mixture gives the new page.
// docs/design/0002-restartable-prepare.md has the whole argument.
//
// One journal for each worker, "hbk_prepare.journal.<n>", of batches one after the other. A batch
// counts when all of it is there; pages of a batch are written in place only after it is synced.
//
// Format   batch: magic 8, number 8, payload size 4, CRC-32C of payload 4, CRC-32C of these 24: 4,
//          then the payload: for each page name size 2, name, file offset 8, page size 4, LSN 8,
//          CRC-32C of the new page 4, range count 4, for each range offset 4 and size 4, then the
//          bytes of the ranges. Little-endian; only ever read by the version that wrote it.
// Threads  A journal: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

constexpr std::string_view kJournalPrefix = "hbk_prepare.journal.";

struct JournalPage {
  std::string_view name;  // of the file, relative to the backup
  uint64_t offset = 0;
  innodb::Lsn lsn = 0;
  ByteView old_image;  // empty: not known, the whole new image is kept
  ByteView new_image;
};

class PageJournal {
 public:
  // `buffer_bytes` of memory; a fuller batch is written in parts.
  PageJournal(io::FileSystem& fs, std::string dir, uint32_t number, size_t buffer_bytes);

  Status Add(const JournalPage& page);
  // All pages added are safe to be written once this returns.
  Status Commit();
  // Bytes in the file.
  [[nodiscard]] uint64_t bytes() const { return file_bytes_; }
  // All pages written so far are synced in place: the journal starts again.
  Status Restart();

 private:
  Status Open();
  Status WriteBatch();

  io::FileSystem& fs_;
  const std::string dir_;
  const std::string path_;
  const size_t buffer_bytes_;
  std::unique_ptr<io::File> file_;
  std::vector<uint8_t> buffer_;
  uint64_t file_bytes_ = 0;
  uint64_t batch_number_ = 0;
  bool is_dirty_ = false;  // written, not synced
};

// Finishes what killed runs had begun to write, and syncs it. True if there was anything. The
// journals are still there afterwards: they can be replayed again.
Result<bool> ReplayJournals(io::FileSystem& fs, const std::string& dir);
// Once all data files are synced.
Status RemoveJournals(io::FileSystem& fs, const std::string& dir);

}  // namespace hbk::prepare

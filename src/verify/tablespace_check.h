// The pages of a tablespace, or of one file of the system tablespace.
//
// What may be in a good copy depends on its state. Of a backup that is not prepared, pages are of
// different times: each must be whole, in its place, and not newer than the end of the redo. A
// prepared one is what a server would find after a crash: what is in use is also there.
//
// Not looked at, since a bulk load that was at work leaves such: that the neighbours of an index
// page point back at it, and a page that is allocated and empty, unless pages behind it show that
// it was written (docs/verify.md).
//
// Threads  Make: one. A check as ContentCheck.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/datadir/file_kind.h"
#include "hbk/innodb/page_coder.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/types.h"

#include "backup_facts.h"
#include "content_check.h"

namespace hbk::verify {

class TablespaceCheck final : public ContentCheck {
 public:
  // `file` is open; `listed` is what the manifest says of it, or null.
  static Result<std::unique_ptr<ContentCheck>> Make(const BackupFacts& facts,
                                                    const std::string& name, datadir::FileKind kind,
                                                    io::File& file, uint64_t file_size,
                                                    const manifest::SpaceFacts* listed,
                                                    CheckContext& context);

  Status Check(uint64_t offset, ByteView bytes, CheckScratch& scratch) override;
  Status Finish(bool is_whole, CheckScratch& scratch) override;

 private:
  TablespaceCheck(const BackupFacts& facts, std::string name, io::File& file, uint64_t file_size,
                  CheckContext& context)
      : facts_(facts),
        name_(std::move(name)),
        file_(file),
        file_size_(file_size),
        context_(context) {}

  Status Open(datadir::FileKind kind, const manifest::SpaceFacts* listed);
  void OpenSystemFile();
  Status OpenTable(const manifest::SpaceFacts* listed);
  void CheckHeader(const innodb::TablespaceHeader& header, uint64_t page_count);
  [[nodiscard]] Status CheckOne(uint64_t offset, ByteView page, CheckScratch& scratch);
  void CheckZero(innodb::PageId id, uint64_t offset, CheckScratch& scratch);
  void CheckAge(innodb::PageId id, uint64_t offset, ByteView page, CheckScratch& scratch);
  void CheckType(innodb::PageId id, uint64_t offset, ByteView page);
  [[nodiscard]] Status CheckDecoded(innodb::PageId id, uint64_t offset, ByteView page,
                                    CheckScratch& scratch);
  // Nothing uses it, or it cannot be told.
  bool IsFree(innodb::PageNo page, CheckScratch& scratch);
  [[nodiscard]] bool IsReferenced(innodb::PageNo page, CheckScratch& scratch);
  [[nodiscard]] innodb::PageId IdAt(uint64_t offset) const;
  void Add(FindingKind kind, std::string what, std::optional<uint64_t> page,
           std::optional<uint64_t> offset, std::string expected = "", std::string found = "");

  const BackupFacts& facts_;
  const std::string name_;
  io::File& file_;
  const uint64_t file_size_;
  CheckContext& context_;

  // Nothing: no page can be checked, since the first one does not say how.
  std::optional<innodb::TablespaceFlags> flags_;
  innodb::SpaceId space_id_ = 0;
  innodb::PageNo first_page_no_ = 0;  // of the file
  innodb::PageNo free_limit_ = 0;
  bool is_undo_ = false;
  bool has_header_ = false;  // page 0 is there, and good
  std::unique_ptr<innodb::PageCoder> coder_;

  Mutex mutex_;
  std::vector<innodb::PageNo> lost_ HBK_GUARDED_BY(mutex_);  // in use, and all zero
  bool has_content_ HBK_GUARDED_BY(mutex_) = false;          // without a first page
};

}  // namespace hbk::verify

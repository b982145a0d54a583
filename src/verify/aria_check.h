// Aria: the pages of tables whose pages have checksums, the control file, and the logs.
//
// Tables are looked at that are copied while they are written
// (aria::TableHeader::IsCopyableOnline): each of their pages was whole when it was copied, and
// prepare changes none.
//
// Threads  As ContentCheck; the functions: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hbk/aria/page_check.h"

#include "backup_facts.h"
#include "content_check.h"

namespace hbk::verify {

class AriaCheck final : public ContentCheck {
 public:
  // Null: the table has no pages that can be checked, or its header is not there. `name` ends in
  // ".MAI" or ".MAD".
  static Result<std::unique_ptr<ContentCheck>> Make(const BackupFacts& facts,
                                                    const std::string& name, CheckContext& context);

  Status Check(uint64_t offset, ByteView bytes, CheckScratch& scratch) override;
  Status Finish(bool is_whole, CheckScratch& scratch) override;

 private:
  AriaCheck(const BackupFacts& facts, std::string name, const aria::PageRules& rules,
            CheckContext& context)
      : facts_(facts), name_(std::move(name)), rules_(rules), context_(context) {}

  const BackupFacts& facts_;
  const std::string name_;
  const aria::PageRules rules_;
  CheckContext& context_;
};

// Checksums of the control file; the logs from its checkpoint on to its last one are there. A
// backup without a control file has no Aria log.
Status CheckAriaLogs(const BackupFacts& facts, CheckContext& context);

}  // namespace hbk::verify

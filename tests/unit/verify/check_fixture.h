// What checks of single files need around them: a file system in memory, and what a backup says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hbk/innodb/page.h"
#include "hbk/keys/open_key_source.h"

#include "backup_facts.h"
#include "content_check.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/page_builder.h"
#include "tests/support/small_backup.h"

namespace hbk::verify {

constexpr uint32_t kPage = testing::kSmallBackupPageSize;

class CheckFixture {
 public:
  CheckFixture() {
    facts.dir = "/b";
    facts.page_size = kPage;
    facts.lsn_max = testing::kSmallBackupPageLsn;
    facts.system_files = {"ibdata1"};
    fs.PutDirectory("/b");
  }

  // A file of 16 pages of which all are in use.
  static std::string UsedTablespace(innodb::SpaceId space) {
    std::string file = testing::MakeSmallTablespace(space, 16);
    std::string first = file.substr(0, kPage);
    StoreBe32(testing::MutableBytes(first), innodb::kFspFreeLimit, 16);
    testing::PutSmallPage(file, first);
    return file;
  }

  // Takes what was found so far.
  std::vector<std::string> Found() {
    std::vector<std::string> texts;
    for (const Finding& finding : findings.Take())
      texts.push_back(Describe(finding));
    return texts;
  }

  testing::MemFileSystem fs;
  BackupFacts facts;
  FindingList findings{100};
  CheckCounts counts;
  SpaceIds space_ids;
  std::unique_ptr<crypto::KeySource> keys = keys::OpenKeySource({}, fs).value();
  CheckContext context{.fs = fs,
                       .keys = *keys,
                       .findings = findings,
                       .counts = counts,
                       .space_ids = space_ids,
                       .stop = {}};
  CheckScratch scratch{.page = AlignedBuffer(innodb::kPageSizeMax),
                       .frame = AlignedBuffer(innodb::kPageSizeMax)};
};

}  // namespace hbk::verify

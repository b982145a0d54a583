// Compares two backup directories that were prepared from the same one.
//
// Errors   kFailed: a file cannot be read. Differences are results, not errors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hbk/base/status.h"

#include "tests/support/live/page_decoder.h"

namespace hbk::testing {

struct PageComparison {
  uint64_t file_count = 0;
  uint64_t page_count = 0;        // compared
  uint64_t freed_page_count = 0;  // differ, but free by their extent descriptor in both: never read
  std::vector<std::string>
      differences;  // what is left: "db/t.ibd page 7: bytes 16..23", at most 100
  uint64_t difference_count = 0;

  // The same by database, "" for what is in the directory itself.
  struct Share {
    uint64_t page_count = 0;          // that are not all zero
    uint64_t encoded_page_count = 0;  // stored encrypted or compressed in one of the two
    uint64_t difference_count = 0;
  };
  std::map<std::string, Share> by_database;
};

// Every page of every .ibd, ibdata and undo file, byte by byte; files that only one side has are
// differences. The doublewrite buffer in the system tablespace is left out: the server rewrites
// it, and nobody reads it after a clean prepare. Pages that are stored encrypted or compressed are
// compared as they are decoded, which has to succeed for both.
Result<PageComparison> ComparePages(const std::string& expected_dir, const std::string& actual_dir,
                                    const PageKeys& keys = {});

// Names and bytes of all files below both directories, but for the names in `ignored`. Empty: they
// are the same.
Result<std::vector<std::string>> CompareFiles(const std::string& expected_dir,
                                              const std::string& actual_dir,
                                              const std::vector<std::string>& ignored);

}  // namespace hbk::testing

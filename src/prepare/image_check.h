// Whether pages are whole whose tablespace may not have shown its first page: then the format of
// the file is what all its pages agree to.
//
// Threads  One per file.
#pragma once

#include <optional>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/types.h"

namespace hbk::prepare {

class ImageCheck {
 public:
  // The flags are known.
  explicit ImageCheck(const innodb::TablespaceFlags& flags) : formats_{flags} {}
  // Any that a file of such pages can have. `zip_size` 0: not ROW_FORMAT=COMPRESSED.
  ImageCheck(uint32_t logical_page_size, uint32_t zip_size);

  // The verdict of the format that the pages before have left.
  [[nodiscard]] innodb::PageVerdict Check(ByteView image, innodb::PageId id);
  // Known only if one is left, or was given.
  [[nodiscard]] const innodb::TablespaceFlags& likely_flags() const { return formats_.front(); }

 private:
  std::vector<innodb::TablespaceFlags> formats_;
};

}  // namespace hbk::prepare

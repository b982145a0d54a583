// Makes sure that pages read from the file of an Aria table in use are whole: a bad one is read
// again, for about half a second.
//
// Pages that no checksum tells about (the header; pages of encrypted tables) are read until two
// reads agree, the second a little after the first.
//
// Units    Offsets and sizes are bytes.
// Threads  HealPages from any number of threads, each with a scratch of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "hbk/aria/page_check.h"
#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"

#include "page_reader.h"

namespace hbk::backup {

// A page that stayed bad.
struct AriaPageFault {
  uint64_t page_no = 0;
  uint64_t offset = 0;
  bool is_gone = false;  // the file ends before the page now
};

// "page 17 at offset 139264: bad checksum".
std::string Describe(const AriaPageFault& fault);

class AriaPageReader {
 public:
  // `file` must outlive the reader.
  AriaPageReader(io::File& file, aria::PageRules rules, Sleep sleep);

  // `pages`: whole pages read from `offset`. Replaces bad ones, adds to `retried_pages` those that
  // were good when read again. The first that stayed bad, or nothing.
  Result<std::optional<AriaPageFault>> HealPages(uint64_t offset, MutableByteView pages,
                                                 AlignedBuffer& scratch,
                                                 const std::stop_token& stop,
                                                 uint64_t& retried_pages);

  [[nodiscard]] const aria::PageRules& rules() const { return rules_; }

 private:
  // An empty view: the file ends before the page.
  Result<ByteView> ReadAgain(uint64_t offset, AlignedBuffer& scratch);
  Result<std::optional<AriaPageFault>> HealPage(uint64_t offset, MutableByteView page,
                                                AlignedBuffer& scratch,
                                                const std::stop_token& stop);

  io::File& file_;
  const aria::PageRules rules_;
  const Sleep sleep_;
};

}  // namespace hbk::backup

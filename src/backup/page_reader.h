// Makes sure that pages read from a running server's file are whole: a bad one is read again.
//
// A read that meets a write of the server gets half of each: the checksum tells, and the next read,
// or one a little later, is whole. A page that stays bad for 5 seconds (far longer than a write
// through the doublewrite buffer takes) is damaged; after some of those the others of the file get
// less time. Where no checksum covers the image, as it is with old pages that are both compressed
// and encrypted, two reads that agree must do.
//
// Threads  HealPages from any number of threads, each with a scratch of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/page.h"
#include "hbk/innodb/page_checksum.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/tablespace_header.h"
#include "hbk/innodb/trx_sys.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::backup {

// Waits; a test only counts.
using Sleep = std::function<void(std::chrono::microseconds)>;
void SleepForReal(std::chrono::microseconds duration);

struct PageLayout {
  innodb::SpaceId space_id = 0;
  innodb::PageNo first_page_no = 0;  // of the file
  innodb::TablespaceFlags flags;
  std::optional<innodb::DoublewriteBuffer> doublewrite;
};

// A page that stayed bad.
struct PageFault {
  innodb::PageId page;
  uint64_t offset = 0;
  innodb::PageVerdict verdict = innodb::PageVerdict::kGood;
  bool is_gone = false;  // the file ends before the page now
  std::string detail;    // innodb::DescribeDamage() of the last image
};

// "page 5:17 at offset 278528: bad checksum (...)".
std::string Describe(const PageFault& fault);

// What was seen on the way.
struct PageNotes {
  uint64_t retried_pages = 0;          // that were good when read again
  std::vector<uint32_t> key_versions;  // of encrypted pages, each once
};

class PageReader {
 public:
  // Large enough for one page between multiples of the alignment of direct I/O.
  static constexpr size_t kScratchBytes = innodb::kPageSizeMax + io::kDirectAlignment;

  // `file` must outlive the reader.
  PageReader(io::File& file, PageLayout layout, Sleep sleep);

  // `pages`: whole pages read from `offset`. Replaces bad ones, zeroes those of the doublewrite
  // buffer and what compressed pages do not use, adds to `notes`. The first that stayed bad (its
  // last image is in `pages`), or nothing.
  Result<std::optional<PageFault>> HealPages(uint64_t offset, MutableByteView pages,
                                             AlignedBuffer& scratch, const std::stop_token& stop,
                                             PageNotes& notes);

  [[nodiscard]] const PageLayout& layout() const { return layout_; }

 private:
  [[nodiscard]] PageFault At(uint64_t offset) const;
  Result<std::optional<PageFault>> HealPage(PageFault fault, MutableByteView page,
                                            AlignedBuffer& scratch, const std::stop_token& stop);
  Result<std::optional<PageFault>> SettlePage(PageFault fault, MutableByteView page,
                                              AlignedBuffer& scratch, const std::stop_token& stop);
  Result<ByteView> ReadAgain(uint64_t offset, size_t page_bytes, AlignedBuffer& scratch);

  io::File& file_;
  const PageLayout layout_;
  const Sleep sleep_;
  std::atomic<uint32_t> damaged_count_ = 0;
};

// Page 0 of an open file. One that is damaged is read again for up to `patience`.
Result<innodb::FirstPage> ReadFirstPage(io::File& file, uint64_t file_size,
                                        uint32_t logical_page_size, AlignedBuffer& scratch,
                                        std::chrono::microseconds patience, const Sleep& sleep,
                                        const std::stop_token& stop);

}  // namespace hbk::backup

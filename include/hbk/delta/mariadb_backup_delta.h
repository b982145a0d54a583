// The pages of one tablespace file in an increment of mariadb-backup: NAME.delta, and what it is of
// in NAME.meta.
//
// There are no checksums in it but those of the pages themselves, which the reader of the index is
// shown one by one.
//
// Format   docs/format/mariadb-backup-deltas.md.
// Units    Sizes and offsets are bytes. Pages are counted in their file.
// Memory   A reader: about 1 MiB; an index: 24 bytes a run.
// Errors   kCorruption: not such a file, cut off, or something that mariadb-backup never
//          writes; the message names file and offset.
// Threads  ReadRun: any number; ReadIndex: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/delta/delta_file.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"

namespace hbk::delta {

constexpr std::string_view kMariadbBackupDeltaSuffix = ".delta";
constexpr std::string_view kMariadbBackupMetaSuffix = ".meta";

struct MariadbBackupMeta {
  uint32_t page_size = 0;  // of an image in the file: zip_size, if there is one
  uint32_t zip_size = 0;   // of ROW_FORMAT=COMPRESSED, else 0
  innodb::SpaceId space_id = 0;
  bool operator==(const MariadbBackupMeta&) const = default;
};
Result<MariadbBackupMeta> ParseMariadbBackupMeta(std::string_view text);

class MariadbBackupDelta {
 public:
  using PageVisitor = std::function<Status(uint32_t page, ByteView image)>;

  // `page_size` as the .meta file has it.
  static Result<std::unique_ptr<MariadbBackupDelta>> Open(io::FileSystem& fs,
                                                          const std::string& path,
                                                          uint32_t page_size);

  // Page 0, if the delta has it; `out` is as long as a page, or longer.
  Result<bool> ReadFirst(MutableByteView out);
  // Reads the whole file, shows each page, and returns the runs, by page. The first status that is
  // not ok ends it. A page whose end is zeros (page_compressed) is a run of its own, without them.
  Result<std::vector<DeltaRun>> ReadIndex(const PageVisitor& visit, const std::stop_token& stop);
  // `out` has byte_count bytes. What is read is not checked once more.
  Status ReadRun(const DeltaRun& run, MutableByteView out);

 private:
  struct Block {
    std::vector<uint32_t> pages;
    bool is_last = false;
  };

  MariadbBackupDelta(std::unique_ptr<io::File> file, uint32_t page_size, uint64_t size)
      : file_(std::move(file)), page_size_(page_size), size_(size) {}
  [[nodiscard]] Status Damaged(uint64_t offset, std::string_view what) const;
  Status ReadAll(uint64_t offset, MutableByteView out);
  Result<Block> ReadHead(uint64_t offset, MutableByteView buffer, const DeltaRun* last);
  void AddPage(uint32_t page, ByteView image, uint64_t offset, std::vector<DeltaRun>& runs) const;

  const std::unique_ptr<io::File> file_;
  const uint32_t page_size_;
  const uint64_t size_;
};

}  // namespace hbk::delta

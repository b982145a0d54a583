// Copies files of a running server into the backup: a pool of workers, biggest file first.
//
// Tablespaces are copied page by page checked: a page that fails is read again, alone, for at least
// 5 seconds (a torn read heals within one write of the server), then it is corruption. A huge file
// is cut into ranges, which idle workers take over from each other. All-zero stretches are not
// written: holes stay holes. Of the pages of a page_compressed file only what they use is written:
// behind it the server leaves whatever was there, and the copy has zeros, in holes where a block of
// the file system is free. Large files do not stay in the page cache.
// The first error stops all workers within one buffer.
//
// Pages are copied as they lie there, encrypted or compressed, and checked without a key.
//
// Of an increment (FileCopierOptions::base) the pages of a tablespace that the base has go nowhere,
// and the others into a delta; of another file that is as the base has it, nothing is written.
//
// Files of Aria tables that are written meanwhile are checked page by page, too
// (aria_page_reader.h); what is written later, the Aria log has.
//
// Memory   kCopyBufferBytes and a page for each thread, 4 a worker at most; of an encoded target
//          also what comes before its turn, at most 32 MiB a file that is being written.
// Units    Sizes are bytes.
// Errors   kCorruption: a page that stays bad (names table, file, page, offset and what is wrong
//          with it), unless keep_damaged_pages; a file whose times say that it was not changed
//          since the base, and that was. kNotFound: vanished where that is an error.
//          kInterrupted: stop was requested.
// Threads  Every call from one thread at a time; the workers live inside Copy() and SyncAll().
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/aria/page_check.h"
#include "hbk/base/bytes.h"
#include "hbk/base/status.h"
#include "hbk/innodb/tablespace_flags.h"
#include "hbk/innodb/trx_sys.h"
#include "hbk/innodb/types.h"
#include "hbk/io/file_system.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/report/reporter.h"

namespace hbk::io {
class RateLimiter;
}

namespace hbk::backup {

class IncrementBase;

constexpr uint64_t kCopyBufferBytes = 1 << 20;

enum class CopyMethod {
  kPlain,       // the bytes as they are
  kTablespace,  // .ibd: pages checked; a file that ends early has vanished
  kUndo,        // the same, but it may shrink at any time: its end is where reading ends
  kSystem,      // a file of the system tablespace: `system` is set
  kAria,        // a file of an Aria table in use: `aria` is set; pages checked, the end as kUndo
};

// One file of the system tablespace: only the first has a header, page numbers run on.
struct SystemFilePart {
  innodb::PageNo first_page_no = 0;
  innodb::TablespaceFlags flags;
  // Written as zeros: copies of pages of other files, in whatever state.
  std::optional<innodb::DoublewriteBuffer> doublewrite;
  uint32_t key_id = 1;  // of encrypted pages
};

struct CopyJob {
  std::string name = {};         // in the backup: "db/t.ibd"; missing directories are made
  std::string source_path = {};  // a symlink is refused, unless follow_symlink
  CopyMethod method = CopyMethod::kPlain;
  uint64_t size_hint = 0;  // for order and progress
  // DDL is not blocked yet: a file that vanishes, or is rewritten by IMPORT, is an outcome. Else it
  // is an error.
  bool ddl_may_run = false;
  bool under_lock = false;  // no limiter applies
  bool replace = false;     // the target may exist from an earlier stage: overwrite it
  bool follow_symlink = false;
  bool is_mapped = false;  // its owner writes it through a memory map: its times say nothing
  std::optional<SystemFilePart> system = std::nullopt;  // kSystem
  std::optional<aria::PageRules> aria = std::nullopt;   // kAria
};

enum class CopyOutcome {
  kCopied,
  kVanished,  // no target file. Only with ddl_may_run
  kDeferred,  // page 0 not written yet: no target file, redo rebuilds it
  kUnstable,  // being rewritten (IMPORT), or another table's file by now (Aria): no target file,
              // copy it again under BLOCK_DDL. Only with ddl_may_run
};

// An encryption key that pages name.
struct KeyUse {
  uint32_t id = 0;
  uint32_t version = 0;
  auto operator<=>(const KeyUse&) const = default;
};

// A page that stayed bad and was copied all the same.
struct DamagedPage {
  uint32_t page_no = 0;  // in its tablespace, or file
  std::string text;      // "page 5:17 at offset 278528: bad checksum (...)"
};

struct CopyResult {
  std::string name;
  CopyOutcome outcome = CopyOutcome::kCopied;
  // Of the file. Of a tablespace in an increment, the length that it is to get.
  uint64_t size = 0;
  std::string digest;  // of what is in the target, filter::TreeDigest. kBase: see ManifestFile
  // What the digest is made of, where that was at hand: of large files that were copied whole.
  std::vector<uint8_t> chunk_hashes;
  manifest::FileContent content = manifest::FileContent::kWhole;
  uint64_t delta_size = 0;        // kDelta: of the delta file
  uint64_t delta_page_count = 0;  // kDelta
  bool replaces_base = false;     // kDelta
  bool is_skipped = false;        // kBase: it was not read, its times were believed
  bool is_read_in_part = false;   // of a tablespace only the pages that the redo log names
  innodb::SpaceId space_id = 0;   // tablespaces
  // Tablespaces; with the id of the first file of a system tablespace.
  std::optional<manifest::SpaceFacts> space;
  manifest::SourceFile source;
  uint64_t retried_pages = 0;              // that were good when read again
  uint64_t written_bytes = 0;              // without holes
  std::vector<KeyUse> keys;                // sorted
  std::vector<DamagedPage> damaged_pages;  // by page number
  std::vector<uint8_t> head;               // kAria: the first aria::kTableHeadBytes, as copied
  // Of the source, on the open file before the first and after the last read. Equal: it did not
  // change meanwhile.
  io::FileInfo before;
  io::FileInfo after;
};

struct FileCopierOptions {
  std::string target_dir;
  uint32_t workers = 1;    // see CopyThreads (src/backup/copy_pool.h)
  uint32_t page_size = 0;  // innodb_page_size, 0: not known
  // Not owned; null: no limit. Of reads of kCopyBufferBytes at most, and of bytes read.
  io::RateLimiter* read_limiter = nullptr;
  io::RateLimiter* byte_limiter = nullptr;
  // A page that stays bad is copied as it is and noted in the result.
  bool keep_damaged_pages = false;
  // Of an increment; not owned, must outlive the copier. Null: a full backup.
  const IncrementBase* base = nullptr;
  // What a user calls the table of a file ("`db`.`t`"), for messages. Called from any thread.
  std::function<std::string(const std::string& name)> table_of = {};
};

class FileCopier {
 public:
  FileCopier(io::FileSystem& fs, report::Reporter& reporter, FileCopierOptions options);
  ~FileCopier() = default;
  FileCopier(const FileCopier&) = delete;
  FileCopier& operator=(const FileCopier&) = delete;

  // Results in the order of the jobs. Progress goes to the reporter. Nothing is synced: SyncAll()
  // does that, for all that was copied before a stage in which others wait, and at the end.
  Result<std::vector<CopyResult>> Copy(std::vector<CopyJob> jobs, std::stop_token stop);

  // Null: of a full backup.
  [[nodiscard]] const IncrementBase* base() const { return options_.base; }

  // One plain file, by the calling thread. Not synced either.
  Result<CopyResult> CopyOne(CopyJob job, std::stop_token stop);

  // A new file with these bytes; `replace` overwrites one of an earlier stage. Synced unless
  // under_lock.
  Result<CopyResult> WriteBytes(std::string_view name, ByteView bytes, bool replace,
                                bool under_lock);

  // Data of these files, which are names in the target, but for those in `synced`; then every
  // directory that holds one.
  Status SyncAll(const std::vector<std::string>& names, const std::set<std::string>& synced,
                 std::stop_token stop);

 private:
  // Before the first byte is written: later it would not tell of all errors.
  Status BeginSync();
  Status SyncFiles(const std::vector<std::string>& names, const std::stop_token& stop);

  io::FileSystem& fs_;
  report::Reporter& reporter_;
  FileCopierOptions options_;
  std::optional<std::unique_ptr<io::WholeSync>> whole_sync_;  // of the target; nothing: not begun
};

// A file of the system tablespace, in the order of innodb_data_file_path.
struct SystemFileSource {
  std::string name;  // in the backup
  std::string source_path;
};

// The jobs of the whole system tablespace: reads page 0 and the doublewrite descriptor of the
// first file (again and again while it is torn).
Result<std::vector<CopyJob>> MakeSystemJobs(io::FileSystem& fs,
                                            const std::vector<SystemFileSource>& files,
                                            uint32_t page_size);

}  // namespace hbk::backup

// What is looked at in the content of a file beyond its digest, and what a run is about.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <utility>

#include "hbk/base/aligned_buffer.h"
#include "hbk/base/bytes.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/crypto/key_source.h"
#include "hbk/io/file_system.h"

#include "finding_list.h"

namespace hbk::verify {

// What was looked at. Any thread adds.
struct CheckCounts {
  std::atomic<uint64_t> bytes = 0;
  std::atomic<uint64_t> pages = 0;
  std::atomic<uint64_t> listed_pages = 0;    // damaged on the server already, and listed
  std::atomic<uint64_t> imported_pages = 0;  // without an LSN: of an imported table
  std::atomic<uint64_t> locked_pages = 0;    // encrypted, and there is no key
  std::atomic<uint64_t> opaque_pages = 0;    // of files whose first page is not there yet
  std::atomic<uint64_t> empty_pages = 0;     // allocated and never written
};

// Which file has which tablespace: in a prepared backup no two have the same.
class SpaceIds {
 public:
  // The file that has it already; empty if none has.
  std::string Add(const std::string& backup_dir, uint32_t id, const std::string& file)
      HBK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto [known, is_new] = files_.try_emplace({backup_dir, id}, file);
    return is_new || known->second == file ? std::string() : known->second;
  }

 private:
  Mutex mutex_;
  std::map<std::pair<std::string, uint32_t>, std::string> files_ HBK_GUARDED_BY(mutex_);
};

// Outlives all checks of a run.
struct CheckContext {
  io::FileSystem& fs;  // shows stored files as plain ones
  crypto::KeySource& keys;
  FindingList& findings;
  CheckCounts& counts;
  SpaceIds& space_ids;
  std::stop_token stop;
};

// Of one worker.
struct CheckScratch {
  AlignedBuffer page;   // for a page that is read besides
  AlignedBuffer frame;  // for a page that is decoded
};

// Findings go into the list; a status ends the run.
class ContentCheck {
 public:
  ContentCheck() = default;
  virtual ~ContentCheck() = default;
  ContentCheck(const ContentCheck&) = delete;
  ContentCheck& operator=(const ContentCheck&) = delete;

  // A part of the file; any thread, in any order. Parts begin at multiples of 1 MiB, and end at
  // such, or with the file.
  virtual Status Check(uint64_t offset, ByteView bytes, CheckScratch& scratch) = 0;
  // When no other thread is in Check. `is_whole`: all parts were shown.
  virtual Status Finish(bool is_whole, CheckScratch& scratch) = 0;
};

}  // namespace hbk::verify

// Holds redo records by partition, in memory as far as it reaches, the rest in a temporary file.
//
// The redo is read in sections, each by one thread, which appends to all partitions. Afterwards any
// thread reads any partition, from its start: section after section, each in the order in which it
// was appended.
//
// The bytes are kept in blocks. When nearly all blocks are taken, the oldest full one moves to a
// file that has no name any more, so that nothing is left behind by a kill. A thread of the store's
// own writes it, a few blocks behind whoever appends. Its bytes on the disk can be hidden by a
// cipher whose key is nowhere else.
//
// Threads  Append: one a section. Drop and Finish: when nobody appends. Then: each partition by one
//          thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hbk/base/bounded_queue.h"
#include "hbk/base/bytes.h"
#include "hbk/base/huge_memory.h"
#include "hbk/base/mutex.h"
#include "hbk/base/status.h"
#include "hbk/crypto/cipher.h"
#include "hbk/io/file_system.h"

namespace hbk::prepare {

struct PartitionStoreOptions {
  uint32_t partition_count = 1;
  uint32_t section_count = 1;
  size_t block_bytes = 256 << 10;
  // In memory at most. Each section keeps one open of each partition, so this is more than both
  // multiplied.
  size_t block_count = 16;
  std::string spill_path;       // of the temporary file; a left-over one is replaced
  bool encrypts_spill = false;  // for redo that the backup has encrypted
};

class PartitionStore {
 public:
  PartitionStore(io::FileSystem& fs, PartitionStoreOptions options);
  ~PartitionStore();
  PartitionStore(const PartitionStore&) = delete;
  PartitionStore& operator=(const PartitionStore&) = delete;

  class Section;
  [[nodiscard]] Section& section(uint32_t number) { return *sections_[number]; }
  // What was appended to this section and the later ones is forgotten.
  Status DropFrom(uint32_t number) HBK_EXCLUDES(mutex_);
  // After the last Append, and before the first Read.
  Status Finish() HBK_EXCLUDES(mutex_);

  [[nodiscard]] uint32_t partition_count() const { return options_.partition_count; }
  [[nodiscard]] uint32_t section_count() const { return options_.section_count; }
  [[nodiscard]] uint64_t bytes(uint32_t partition) const;
  [[nodiscard]] uint64_t spilled_bytes() const HBK_EXCLUDES(mutex_);
  // Blocks in memory at this moment, for tests of the limit.
  [[nodiscard]] size_t block_count() const HBK_EXCLUDES(mutex_);

  // Fills `out` with the bytes of the partition from `offset` on. All of them must be there.
  Status Read(uint32_t partition, uint64_t offset, MutableByteView out) const;

 private:
  static constexpr uint64_t kInMemory = UINT64_MAX;

  struct Block {
    uint8_t* memory = nullptr;  // null once it is spilled
    uint64_t spill_offset = kInMemory;
    size_t used = 0;
  };
  struct Partition {
    std::deque<Block> blocks;
    uint64_t bytes = 0;
  };
  // On its way to the file.
  struct SpilledBlock {
    uint8_t* memory = nullptr;
    size_t used = 0;
    uint64_t offset = 0;
  };
  // So many at most for each section.
  static constexpr size_t kSpilledAheadMax = 8;

  // Memory for the block that comes after `full`, which is null for the first one.
  Result<uint8_t*> NextBlock(Block* full) HBK_EXCLUDES(mutex_);
  Status SpillOldest() HBK_REQUIRES(mutex_);
  void WriteSpilled() HBK_EXCLUDES(mutex_);
  Status WriteBlock(const SpilledBlock& block);
  Status OpenSpillFile();
  Status WriterStatus() HBK_EXCLUDES(mutex_);
  // Encrypts or decrypts what is at `offset` of the file.
  Status CryptSpill(uint64_t offset, MutableByteView bytes) const;

  io::FileSystem& fs_;
  PartitionStoreOptions options_;
  HugeMemory memory_;  // of all blocks
  std::vector<std::unique_ptr<Section>> sections_;
  std::unique_ptr<io::File> spill_file_;  // of the writer, until it has ended
  crypto::Block spill_key_{};

  const size_t ahead_max_;
  std::thread writer_;
  // Both have room for all blocks: nobody waits to push.
  BoundedQueue<SpilledBlock> spilled_;
  BoundedQueue<uint8_t*> free_;  // memory of blocks that are in the file
  mutable Mutex mutex_;
  std::deque<Block*> full_blocks_ HBK_GUARDED_BY(mutex_);  // in memory, oldest first
  size_t blocks_taken_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t spill_bytes_ HBK_GUARDED_BY(mutex_) = 0;
  Status status_ HBK_GUARDED_BY(mutex_);  // of the writer
};

// What one thread appends.
class PartitionStore::Section {
 public:
  Section(PartitionStore& store, uint32_t number)
      : store_(store),
        number_(number),
        block_bytes_(store.options_.block_bytes),
        partitions_(store.options_.partition_count) {}

  // Adds the bytes of `head` and `body` to the partition. An error may be that of an earlier call.
  Status Append(uint32_t partition, ByteView head, ByteView body);

  [[nodiscard]] uint32_t number() const { return number_; }
  [[nodiscard]] uint32_t partition_count() const {
    return static_cast<uint32_t>(partitions_.size());
  }

 private:
  friend class PartitionStore;

  Status AppendBytes(uint32_t partition, ByteView bytes);
  Status ReadPart(uint32_t partition, uint64_t offset, MutableByteView out) const;

  PartitionStore& store_;
  const uint32_t number_;
  const size_t block_bytes_;
  std::vector<Partition> partitions_;
};

}  // namespace hbk::prepare

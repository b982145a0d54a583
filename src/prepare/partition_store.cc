#include "partition_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "unnamed_file.h"

namespace hbk::prepare {

PartitionStore::PartitionStore(io::FileSystem& fs, PartitionStoreOptions options)
    : fs_(fs),
      options_(std::move(options)),
      memory_(options_.block_bytes * options_.block_count),
      partitions_(options_.partition_count),
      ahead_max_(
          std::min<size_t>(kSpilledAheadMax, options_.block_count - options_.partition_count)),
      spilled_(ahead_max_),
      free_(options_.block_count) {
  HBK_CHECK(options_.block_count > options_.partition_count);
}

PartitionStore::~PartitionStore() {
  (void)Finish();
}

Status PartitionStore::Append(uint32_t partition, ByteView head, ByteView body) {
  Partition& target = partitions_[partition];
  const size_t size = head.size() + body.size();
  // Nearly always.
  if (!target.blocks.empty() && options_.block_bytes - target.blocks.back().used >= size) {
    Block& block = target.blocks.back();
    uint8_t* const to = block.memory + block.used;
    std::ranges::copy(body, std::ranges::copy(head, to).out);
    block.used += size;
    target.bytes += size;
    return OkStatus();
  }
  HBK_RETURN_IF_ERROR(AppendBytes(partition, head));
  return AppendBytes(partition, body);
}

Status PartitionStore::AppendBytes(uint32_t partition, ByteView bytes) {
  Partition& target = partitions_[partition];
  target.bytes += bytes.size();
  while (!bytes.empty()) {
    if (target.blocks.empty() || target.blocks.back().used == options_.block_bytes) {
      if (!target.blocks.empty()) full_blocks_.push_back({partition, target.blocks.size() - 1});
      HBK_ASSIGN_OR_RETURN(uint8_t* const memory, TakeBlock());
      target.blocks.emplace_back().memory = memory;
    }
    Block& block = target.blocks.back();
    const size_t size = std::min(bytes.size(), options_.block_bytes - block.used);
    std::memcpy(block.memory + block.used, bytes.data(), size);
    block.used += size;
    bytes = bytes.subspan(size);
  }
  return OkStatus();
}

// Each partition has one block that is not full, so one that is, or is on its way to the file, is
// there when all are taken.
Result<uint8_t*> PartitionStore::TakeBlock() {
  if (blocks_taken_ + ahead_max_ > options_.block_count && !full_blocks_.empty())
    HBK_RETURN_IF_ERROR(SpillOldest());
  if (blocks_taken_ < options_.block_count)
    return memory_.data() + options_.block_bytes * blocks_taken_++;
  auto memory = free_.Pop();
  if (!memory) return WriterStatus();
  return *memory;
}

Status PartitionStore::SpillOldest() {
  if (spill_file_ == nullptr) {
    HBK_RETURN_IF_ERROR(OpenSpillFile());
    writer_ = std::thread([this] { WriteSpilled(); });
  }
  const FullBlock oldest = full_blocks_.front();
  full_blocks_.pop_front();
  Block& block = partitions_[oldest.partition].blocks[oldest.index];
  block.spill_offset = spill_bytes_;
  spill_bytes_ += block.used;
  const bool is_taken =
      spilled_.Push({std::exchange(block.memory, nullptr), block.used, block.spill_offset});
  return is_taken ? OkStatus() : WriterStatus();
}

void PartitionStore::WriteSpilled() {
  while (auto block = spilled_.Pop()) {
    const MutableByteView bytes{block->memory, block->used};
    Status written = CryptSpill(block->offset, bytes);
    if (written.ok()) written = spill_file_->WriteAt(block->offset, bytes);
    if (!written.ok()) {
      {
        const MutexLock lock(mutex_);
        status_ = written.WithContext("keeping redo in a temporary file");
      }
      spilled_.Close();
      free_.Close();
      return;
    }
    // There is room for all blocks.
    if (!free_.Push(block->memory)) return;
  }
}

// Of a writer that has ended. While bytes are appended, only an error ends it.
Status PartitionStore::WriterStatus() {
  const MutexLock lock(mutex_);
  HBK_CHECK(!status_.ok());
  return status_;
}

Status PartitionStore::Finish() {
  spilled_.Close();
  if (writer_.joinable()) writer_.join();
  free_.Close();
  while (free_.Pop())
    --blocks_taken_;
  const MutexLock lock(mutex_);
  return status_;
}

Status PartitionStore::OpenSpillFile() {
  if (options_.encrypts_spill && getentropy(spill_key_.data(), spill_key_.size()) != 0)
    return ErrnoStatus(errno, "making a key for a temporary file");
  HBK_ASSIGN_OR_RETURN(spill_file_, OpenUnnamedFile(fs_, options_.spill_path));
  return OkStatus();
}

// Counter mode: nothing is written twice at one place with one key.
Status PartitionStore::CryptSpill(uint64_t offset, MutableByteView bytes) const {
  if (!options_.encrypts_spill) return OkStatus();
  const size_t skipped = offset % crypto::kBlockBytes;
  crypto::Block counter{};
  StoreBe64(counter, 8, offset / crypto::kBlockBytes);
  // Begins within a block: its front is made up.
  crypto::Block first{};
  const size_t in_first = skipped == 0 ? 0 : std::min(bytes.size(), first.size() - skipped);
  if (in_first != 0) {
    const MutableByteView part = MutableByteView(first).subspan(skipped, in_first);
    std::copy_n(bytes.begin(), in_first, part.begin());
    HBK_RETURN_IF_ERROR(
        crypto::Encrypt(crypto::CipherMode::kCtr, spill_key_, counter, first, first));
    std::copy_n(part.begin(), in_first, bytes.begin());
    StoreBe64(counter, 8, offset / crypto::kBlockBytes + 1);
  }
  const MutableByteView rest = bytes.subspan(in_first);
  return crypto::Encrypt(crypto::CipherMode::kCtr, spill_key_, counter, rest, rest);
}

Status PartitionStore::Read(uint32_t partition, uint64_t offset, MutableByteView out) const {
  const Partition& source = partitions_[partition];
  HBK_CHECK(!writer_.joinable() && offset + out.size() <= source.bytes);
  while (!out.empty()) {
    // All blocks before the last one are full.
    const Block& block = source.blocks[offset / options_.block_bytes];
    const size_t start = offset % options_.block_bytes;
    const size_t size = std::min(out.size(), block.used - start);
    if (block.spill_offset == kInMemory) {
      std::memcpy(out.data(), block.memory + start, size);
    } else {
      HBK_ASSIGN_OR_RETURN(const size_t done,
                           spill_file_->ReadAt(block.spill_offset + start, out.first(size)));
      if (done != size)
        return FailedError("the temporary file of the redo is shorter than written");
      HBK_RETURN_IF_ERROR(CryptSpill(block.spill_offset + start, out.first(size)));
    }
    out = out.subspan(size);
    offset += size;
  }
  return OkStatus();
}

}  // namespace hbk::prepare

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
      ahead_max_(std::min<size_t>(
          kSpilledAheadMax * options_.section_count,
          options_.block_count - size_t{options_.partition_count} * options_.section_count)),
      spilled_(options_.block_count),
      free_(options_.block_count) {
  HBK_CHECK(options_.block_count > size_t{options_.partition_count} * options_.section_count);
  for (uint32_t i = 0; i < options_.section_count; ++i)
    sections_.push_back(std::make_unique<Section>(*this, i));
}

PartitionStore::~PartitionStore() {
  (void)Finish();
}

Status PartitionStore::Section::Append(uint32_t partition, ByteView head, ByteView body) {
  Partition& target = partitions_[partition];
  const size_t size = head.size() + body.size();
  // Nearly always.
  if (!target.blocks.empty() && block_bytes_ - target.blocks.back().used >= size) {
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

Status PartitionStore::Section::AppendBytes(uint32_t partition, ByteView bytes) {
  Partition& target = partitions_[partition];
  target.bytes += bytes.size();
  while (!bytes.empty()) {
    if (target.blocks.empty() || target.blocks.back().used == block_bytes_) {
      // It stays where it is while others are added.
      Block* const full = target.blocks.empty() ? nullptr : &target.blocks.back();
      HBK_ASSIGN_OR_RETURN(uint8_t* const memory, store_.NextBlock(full));
      target.blocks.emplace_back().memory = memory;
    }
    Block& block = target.blocks.back();
    const size_t size = std::min(bytes.size(), block_bytes_ - block.used);
    std::memcpy(block.memory + block.used, bytes.data(), size);
    block.used += size;
    bytes = bytes.subspan(size);
  }
  return OkStatus();
}

// Each section has one block of each partition that is not full, so one that is, or is on its way
// to the file, is there when all are taken. Whoever has to wait has sent one there before.
Result<uint8_t*> PartitionStore::NextBlock(Block* full) {
  {
    const MutexLock lock(mutex_);
    if (full != nullptr) full_blocks_.push_back(full);
    if (blocks_taken_ + ahead_max_ > options_.block_count && !full_blocks_.empty())
      HBK_RETURN_IF_ERROR(SpillOldest());
    if (blocks_taken_ < options_.block_count)
      return memory_.data() + options_.block_bytes * blocks_taken_++;
  }
  auto memory = free_.Pop();
  if (!memory) return WriterStatus();
  return *memory;
}

Status PartitionStore::SpillOldest() {
  if (!writer_.joinable()) writer_ = std::thread([this] { WriteSpilled(); });
  Block& block = *full_blocks_.front();
  full_blocks_.pop_front();
  block.spill_offset = spill_bytes_;
  spill_bytes_ += block.used;
  const bool is_taken =
      spilled_.Push({std::exchange(block.memory, nullptr), block.used, block.spill_offset});
  if (is_taken) return OkStatus();
  HBK_CHECK(!status_.ok());
  return status_;
}

Status PartitionStore::DropFrom(uint32_t number) {
  const MutexLock lock(mutex_);
  for (uint32_t i = number; i < options_.section_count; ++i) {
    for (Partition& partition : sections_[i]->partitions_) {
      for (Block& block : partition.blocks) {
        if (block.memory == nullptr) continue;
        std::erase(full_blocks_, &block);
        // Closed by a writer that has failed.
        if (!free_.Push(block.memory)) return status_;
      }
      partition = {};
    }
  }
  return OkStatus();
}

void PartitionStore::WriteSpilled() {
  while (auto block = spilled_.Pop()) {
    const Status written = WriteBlock(*block);
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

Status PartitionStore::WriteBlock(const SpilledBlock& block) {
  if (spill_file_ == nullptr) HBK_RETURN_IF_ERROR(OpenSpillFile());
  const MutableByteView bytes{block.memory, block.used};
  HBK_RETURN_IF_ERROR(CryptSpill(block.offset, bytes));
  return spill_file_->WriteAt(block.offset, bytes);
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
  const MutexLock lock(mutex_);
  while (free_.Pop())
    --blocks_taken_;
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

uint64_t PartitionStore::bytes(uint32_t partition) const {
  uint64_t sum = 0;
  for (const auto& section : sections_)
    sum += section->partitions_[partition].bytes;
  return sum;
}

uint64_t PartitionStore::spilled_bytes() const {
  const MutexLock lock(mutex_);
  return spill_bytes_;
}

size_t PartitionStore::block_count() const {
  const MutexLock lock(mutex_);
  return blocks_taken_;
}

Status PartitionStore::Read(uint32_t partition, uint64_t offset, MutableByteView out) const {
  HBK_CHECK(!writer_.joinable() && offset + out.size() <= bytes(partition));
  for (const auto& section : sections_) {
    const uint64_t there = section->partitions_[partition].bytes;
    if (offset < there) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(out.size(), there - offset));
      HBK_RETURN_IF_ERROR(section->ReadPart(partition, offset, out.first(size)));
      out = out.subspan(size);
      offset += size;
    }
    if (out.empty()) break;
    offset -= there;
  }
  return OkStatus();
}

Status PartitionStore::Section::ReadPart(uint32_t partition, uint64_t offset,
                                         MutableByteView out) const {
  const Partition& source = partitions_[partition];
  while (!out.empty()) {
    // All blocks before the last one are full.
    const Block& block = source.blocks[offset / block_bytes_];
    const size_t start = offset % block_bytes_;
    const size_t size = std::min(out.size(), block.used - start);
    if (block.spill_offset == kInMemory) {
      std::memcpy(out.data(), block.memory + start, size);
    } else {
      HBK_ASSIGN_OR_RETURN(const size_t done,
                           store_.spill_file_->ReadAt(block.spill_offset + start, out.first(size)));
      if (done != size)
        return FailedError("the temporary file of the redo is shorter than written");
      HBK_RETURN_IF_ERROR(store_.CryptSpill(block.spill_offset + start, out.first(size)));
    }
    out = out.subspan(size);
    offset += size;
  }
  return OkStatus();
}

}  // namespace hbk::prepare

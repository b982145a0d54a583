#include "partition_store.h"

#include <algorithm>
#include <cstring>

#include "unnamed_file.h"

namespace hbk::prepare {

PartitionStore::PartitionStore(io::FileSystem& fs, PartitionStoreOptions options)
    : fs_(fs), options_(std::move(options)), partitions_(options_.partition_count) {
  HBK_CHECK(options_.block_count > options_.partition_count);
}

Status PartitionStore::Append(uint32_t partition, ByteView head, ByteView body) {
  HBK_RETURN_IF_ERROR(AppendBytes(partition, head));
  return AppendBytes(partition, body);
}

Status PartitionStore::AppendBytes(uint32_t partition, ByteView bytes) {
  Partition& target = partitions_[partition];
  target.bytes += bytes.size();
  while (!bytes.empty()) {
    if (target.blocks.empty() || target.blocks.back().used == options_.block_bytes) {
      if (!target.blocks.empty()) full_blocks_.push_back({partition, target.blocks.size() - 1});
      HBK_ASSIGN_OR_RETURN(auto memory, TakeBlock());
      target.blocks.emplace_back().memory = std::move(memory);
    }
    Block& block = target.blocks.back();
    const size_t size = std::min(bytes.size(), options_.block_bytes - block.used);
    std::memcpy(block.memory.get() + block.used, bytes.data(), size);
    block.used += size;
    bytes = bytes.subspan(size);
  }
  return OkStatus();
}

Result<std::unique_ptr<uint8_t[]>> PartitionStore::TakeBlock() {
  std::unique_ptr<uint8_t[]> memory;
  if (blocks_taken_ < options_.block_count) {
    ++blocks_taken_;
    // Not zeroed: each byte is written before it is read.
    memory.reset(new uint8_t[options_.block_bytes]);
    return memory;
  }
  HBK_RETURN_IF_ERROR(SpillOldest(memory));
  return memory;
}

Status PartitionStore::SpillOldest(std::unique_ptr<uint8_t[]>& memory) {
  if (spill_file_ == nullptr) {
    HBK_ASSIGN_OR_RETURN(spill_file_, OpenUnnamedFile(fs_, options_.spill_path));
  }
  // There are more blocks than partitions, so one of them is full.
  HBK_CHECK(!full_blocks_.empty());
  const FullBlock oldest = full_blocks_.front();
  full_blocks_.pop_front();
  Block& block = partitions_[oldest.partition].blocks[oldest.index];
  const Status written = spill_file_->WriteAt(spill_bytes_, {block.memory.get(), block.used});
  if (!written.ok()) return written.WithContext("keeping redo in a temporary file");
  block.spill_offset = spill_bytes_;
  spill_bytes_ += block.used;
  memory = std::move(block.memory);
  return OkStatus();
}

Status PartitionStore::Read(uint32_t partition, uint64_t offset, MutableByteView out) const {
  const Partition& source = partitions_[partition];
  HBK_CHECK(offset + out.size() <= source.bytes);
  while (!out.empty()) {
    // All blocks before the last one are full.
    const Block& block = source.blocks[offset / options_.block_bytes];
    const size_t start = offset % options_.block_bytes;
    const size_t size = std::min(out.size(), block.used - start);
    if (block.spill_offset == kInMemory) {
      std::memcpy(out.data(), block.memory.get() + start, size);
    } else {
      HBK_ASSIGN_OR_RETURN(const size_t done,
                           spill_file_->ReadAt(block.spill_offset + start, out.first(size)));
      if (done != size)
        return FailedError("the temporary file of the redo is shorter than written");
    }
    out = out.subspan(size);
    offset += size;
  }
  return OkStatus();
}

void PartitionStore::Release(uint32_t partition) {
  partitions_[partition].blocks.clear();
}

}  // namespace hbk::prepare

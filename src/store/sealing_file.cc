#include "sealing_file.h"

#include <utility>

#include <fmt/format.h>

namespace hbk::store {

Result<std::unique_ptr<SealingFile>> SealingFile::Create(std::unique_ptr<io::File> below,
                                                         std::string path, const seal::DataKey& key,
                                                         const seal::FileId& id) {
  std::unique_ptr<SealingFile> file(new SealingFile(std::move(below), std::move(path)));
  HBK_ASSIGN_OR_RETURN(file->writer_,
                       seal::SealedWriter::Create(key, id, [&file = *file](ByteView bytes) {
                         return file.AppendSealed(bytes);
                       }));
  return file;
}

SealingFile::SealingFile(std::unique_ptr<io::File> below, std::string path)
    : path_(std::move(path)), below_(std::move(below)) {}

Status SealingFile::Cannot(std::string_view what) const {
  return UnsupportedError(fmt::format("{} is sealed and cannot be {}", path_, what));
}

Result<size_t> SealingFile::ReadAt(uint64_t /*offset*/, MutableByteView /*out*/) {
  return Cannot("read while it is written");
}

Status SealingFile::WriteAt(uint64_t offset, ByteView data) {
  if (offset != writer_->plain_size()) return Cannot("written but from front to back");
  return writer_->Append(data);
}

Status SealingFile::AppendSealed(ByteView bytes) {
  HBK_RETURN_IF_ERROR(below_->WriteAt(sealed_bytes_, bytes));
  sealed_bytes_ += bytes.size();
  return OkStatus();
}

Status SealingFile::Truncate(uint64_t size) {
  return size == writer_->plain_size() ? OkStatus() : Cannot("made shorter or longer");
}

Status SealingFile::PunchHole(uint64_t /*offset*/, uint64_t /*size*/) {
  return Cannot("changed");
}

Status SealingFile::Sync() {
  wants_sync_ = true;
  return OkStatus();
}

Status SealingFile::Close() {
  if (std::exchange(is_closed_, true)) return OkStatus();
  HBK_RETURN_IF_ERROR(writer_->Finish().status());
  if (wants_sync_) HBK_RETURN_IF_ERROR(below_->Sync());
  return below_->Close();
}

}  // namespace hbk::store

#include "unsealing_file.h"

#include <utility>

#include "hbk/seal/sealed_file.h"

namespace hbk::store {

UnsealingFile::UnsealingFile(std::unique_ptr<io::File> below, std::string path,
                             const seal::DataKey& key, const seal::FileId& id)
    : path_(std::move(path)), key_(key), id_(id), below_(std::move(below)) {}

Status UnsealingFile::Cannot() const {
  return UnsupportedError(path_ + " is sealed and cannot be changed");
}

Result<io::File*> UnsealingFile::Opened() {
  const MutexLock lock(mutex_);
  if (below_) {
    HBK_ASSIGN_OR_RETURN(opened_, seal::OpenSealedFile(std::move(below_), key_, id_));
  }
  if (!opened_) return FailedError(path_ + " could not be opened before");
  return opened_.get();
}

Result<io::File*> UnsealingFile::Any() {
  const MutexLock lock(mutex_);
  io::File* file = below_ ? below_.get() : opened_.get();
  if (file == nullptr) return FailedError(path_ + " could not be opened before");
  return file;
}

Result<size_t> UnsealingFile::ReadAt(uint64_t offset, MutableByteView out) {
  HBK_ASSIGN_OR_RETURN(io::File * file, Opened());
  return file->ReadAt(offset, out);
}

Status UnsealingFile::WriteAt(uint64_t /*offset*/, ByteView /*data*/) {
  return Cannot();
}

Status UnsealingFile::Truncate(uint64_t /*size*/) {
  return Cannot();
}

Status UnsealingFile::PunchHole(uint64_t /*offset*/, uint64_t /*size*/) {
  return Cannot();
}

Status UnsealingFile::Sync() {
  HBK_ASSIGN_OR_RETURN(io::File * file, Any());
  return file->Sync();
}

Result<io::FileInfo> UnsealingFile::Stat() {
  HBK_ASSIGN_OR_RETURN(io::File * file, Opened());
  HBK_ASSIGN_OR_RETURN(io::FileInfo info, file->Stat());
  info.allocated_bytes = info.size;
  return info;
}

Status UnsealingFile::SetOwner(uint32_t uid, uint32_t gid) {
  HBK_ASSIGN_OR_RETURN(io::File * file, Any());
  return file->SetOwner(uid, gid);
}

Status UnsealingFile::SetMode(uint32_t mode) {
  HBK_ASSIGN_OR_RETURN(io::File * file, Any());
  return file->SetMode(mode);
}

Status UnsealingFile::Close() {
  const MutexLock lock(mutex_);
  if (below_) return below_->Close();
  return opened_ ? opened_->Close() : OkStatus();
}

}  // namespace hbk::store

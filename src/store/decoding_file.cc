#include "decoding_file.h"

#include <utility>

namespace hbk::store {

DecodingFile::DecodingFile(std::unique_ptr<io::File> below, std::string path,
                           codec::FrameMethod method)
    : below_(std::move(below)), path_(std::move(path)), method_(method) {}

Status DecodingFile::Cannot() const {
  return UnsupportedError(path_ + " is stored encoded and cannot be changed");
}

Result<filter::CompressedFileReader*> DecodingFile::Reader() {
  const MutexLock lock(mutex_);
  if (!reader_) {
    HBK_ASSIGN_OR_RETURN(reader_, filter::CompressedFileReader::Open(below_, method_));
  }
  return reader_.get();
}

Result<size_t> DecodingFile::ReadAt(uint64_t offset, MutableByteView out) {
  HBK_ASSIGN_OR_RETURN(filter::CompressedFileReader * reader, Reader());
  return reader->Read(offset, out);
}

Status DecodingFile::WriteAt(uint64_t /*offset*/, ByteView /*data*/) {
  return Cannot();
}

Status DecodingFile::Truncate(uint64_t /*size*/) {
  return Cannot();
}

Status DecodingFile::PunchHole(uint64_t /*offset*/, uint64_t /*size*/) {
  return Cannot();
}

Result<io::FileInfo> DecodingFile::Stat() {
  HBK_ASSIGN_OR_RETURN(io::FileInfo info, below_->Stat());
  HBK_ASSIGN_OR_RETURN(const filter::CompressedFileReader* reader, Reader());
  info.size = reader->size();
  info.allocated_bytes = info.size;
  return info;
}

}  // namespace hbk::store

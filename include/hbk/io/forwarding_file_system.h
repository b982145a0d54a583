// A file and a file system that hand everything on to another one: for those that want to see or
// change some of it.
//
// Errors   Those of the other one.
// Threads  As io::File and io::FileSystem.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hbk/io/file_system.h"

namespace hbk::io {

class ForwardingFile : public File {
 public:
  explicit ForwardingFile(std::unique_ptr<File> below) : below_(std::move(below)) {}

  [[nodiscard]] File& below() { return *below_; }

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override {
    return below_->ReadAt(offset, out);
  }
  Status WriteAt(uint64_t offset, ByteView data) override { return below_->WriteAt(offset, data); }
  Status Truncate(uint64_t size) override { return below_->Truncate(size); }
  Result<uint64_t> WriteSparse(uint64_t offset, ByteView data, size_t hole_bytes) override {
    return below_->WriteSparse(offset, data, hole_bytes);
  }
  Status SkipZeros(uint64_t offset, uint64_t size) override {
    return below_->SkipZeros(offset, size);
  }
  Status PunchHole(uint64_t offset, uint64_t size) override {
    return below_->PunchHole(offset, size);
  }
  // Of two files that forward, the ones below share.
  Result<bool> CloneFrom(File& source) override {
    auto* const forwarding = dynamic_cast<ForwardingFile*>(&source);
    return below_->CloneFrom(forwarding != nullptr ? forwarding->below() : source);
  }
  void WillRead(uint64_t offset, uint64_t size) override { below_->WillRead(offset, size); }
  void StartWriteBack(uint64_t offset, uint64_t size) override {
    below_->StartWriteBack(offset, size);
  }
  Status Sync() override { return below_->Sync(); }
  Result<FileInfo> Stat() override { return below_->Stat(); }
  Result<uint64_t> SeekData(uint64_t offset) override { return below_->SeekData(offset); }
  Status SetOwner(uint32_t uid, uint32_t gid) override { return below_->SetOwner(uid, gid); }
  Status SetMode(uint32_t mode) override { return below_->SetMode(mode); }
  Result<bool> TryLock() override { return below_->TryLock(); }
  Status Close() override { return below_->Close(); }
  [[nodiscard]] const std::string& path() const override { return below_->path(); }
  [[nodiscard]] bool is_direct() const override { return below_->is_direct(); }
  [[nodiscard]] bool is_encoded() const override { return below_->is_encoded(); }

 private:
  const std::unique_ptr<File> below_;
};

class ForwardingFileSystem : public FileSystem {
 public:
  // Borrows it.
  explicit ForwardingFileSystem(FileSystem& below) : below_(below) {}

  [[nodiscard]] FileSystem& below() const { return below_; }

  Result<std::unique_ptr<File>> Open(const std::string& path, const OpenOptions& options) override {
    return below_.Open(path, options);
  }
  Result<FileInfo> Stat(const std::string& path, bool follow) override {
    return below_.Stat(path, follow);
  }
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override {
    return below_.List(path);
  }
  Result<std::vector<FileEntry>> ListWithInfo(
      const std::string& path, const std::function<bool(std::string_view)>& is_wanted) override {
    return below_.ListWithInfo(path, is_wanted);
  }
  Result<std::vector<std::optional<FileInfo>>> StatAll(
      const std::string& dir, const std::vector<const std::string*>& names) override {
    return below_.StatAll(dir, names);
  }
  Status MakeDirectory(const std::string& path, uint32_t mode) override {
    return below_.MakeDirectory(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return below_.Rename(from, to);
  }
  Status Remove(const std::string& path) override { return below_.Remove(path); }
  Status RemoveDirectory(const std::string& path) override { return below_.RemoveDirectory(path); }
  Status SyncDirectory(const std::string& path) override { return below_.SyncDirectory(path); }
  Result<std::unique_ptr<WholeSync>> BeginWholeSync(const std::string& path) override {
    return below_.BeginWholeSync(path);
  }
  Status SetOwner(const std::string& path, uint32_t uid, uint32_t gid) override {
    return below_.SetOwner(path, uid, gid);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return below_.FreeBytes(path); }
  Result<bool> KeepsFileTimes(const std::string& path) override {
    return below_.KeepsFileTimes(path);
  }
  Result<std::string> ReadLink(const std::string& path) override { return below_.ReadLink(path); }
  Result<int64_t> LockHolder(const std::string& path) override { return below_.LockHolder(path); }

 private:
  FileSystem& below_;
};

}  // namespace hbk::io

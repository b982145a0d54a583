// A file system in which new files and directories get the modes that the user wants, instead of
// the private ones that their makers ask for.
//
// The umask counts as always: it must let these bits through.
//
// Threads  As io::FileSystem.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hbk/io/forwarding_file_system.h"

namespace hbk::io {

// Who may read files may enter their directories.
constexpr uint32_t DirectoryModeFor(uint32_t file_mode) {
  return file_mode | (file_mode & 0444U) >> 2U;
}

class CreationModes final : public ForwardingFileSystem {
 public:
  // Borrows `below`.
  CreationModes(FileSystem& below, uint32_t file_mode)
      : ForwardingFileSystem(below), file_mode_(file_mode) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, const OpenOptions& options) override {
    OpenOptions changed = options;
    changed.mode = file_mode_;
    return ForwardingFileSystem::Open(path, changed);
  }
  Status MakeDirectory(const std::string& path, uint32_t /*mode*/) override {
    return ForwardingFileSystem::MakeDirectory(path, DirectoryModeFor(file_mode_));
  }

 private:
  const uint32_t file_mode_;
};

}  // namespace hbk::io

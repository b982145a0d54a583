// An increment that hbk made: pages in delta files, and a manifest.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "increment_source.h"

namespace hbk::prepare {

class HbkIncrement final : public IncrementSource {
 public:
  HbkIncrement(io::FileSystem& fs, std::string dir, manifest::BackupManifest manifest)
      : fs_(fs), dir_(std::move(dir)), manifest_(std::move(manifest)) {}

  [[nodiscard]] const std::string& dir() const override { return dir_; }
  [[nodiscard]] const manifest::BackupManifest& manifest() const override { return manifest_; }
  [[nodiscard]] bool has_open_sizes() const override { return false; }
  [[nodiscard]] bool tells_spaces() const override { return true; }
  [[nodiscard]] bool is_partial() const override { return false; }
  Status Verify(uint32_t worker_count, const std::stop_token& stop) override;
  [[nodiscard]] const DeltaRuns& runs() const override { return runs_; }
  Result<std::unique_ptr<PageSource>> OpenPages(const std::string& name) const override;
  [[nodiscard]] std::string PathOf(const std::string& name) const override {
    return io::JoinPath(dir_, name);
  }

 private:
  Status VerifyDelta(const manifest::ManifestFile& file, const std::stop_token& stop,
                     std::vector<delta::DeltaRun>& runs) const;
  Status CheckDigest(const manifest::ManifestFile& file, const std::string& path,
                     const std::stop_token& stop) const;
  Status VerifyWhole(const manifest::ManifestFile& file, const std::stop_token& stop) const;

  io::FileSystem& fs_;
  const std::string dir_;
  const manifest::BackupManifest manifest_;
  DeltaRuns runs_;
};

}  // namespace hbk::prepare

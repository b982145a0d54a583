// A small prepared backup in memory, in /b, and a Reporter that keeps what it is told.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/filter/tree_digest.h"
#include "hbk/manifest/backup_manifest.h"
#include "hbk/report/reporter.h"

#include "tests/support/mem_file_system.h"

namespace hbk::restore {

constexpr uint64_t kSampleSystemBytes = 1 << 20;

inline const std::map<std::string, std::string>& SampleFiles() {
  static const std::map<std::string, std::string> files = [] {
    std::map<std::string, std::string> made = {{"undo001", "undo"},
                                               {"ib_logfile0", "empty log"},
                                               {"aria_log_control", "control"},
                                               {"aria_log.00000001", "aria"},
                                               {"xtrabackup_info", "tool_name = hbk\n"},
                                               {"shop/t.frm", "definition"},
                                               {"shop/t.ibd", std::string(70000, 't')}};
    std::string system(kSampleSystemBytes, '\0');
    system[0] = 's';
    system[700000] = 'y';
    made["ibdata1"] = system;
    return made;
  }();
  return files;
}

inline std::string SampleKind(const std::string& name) {
  static const std::map<std::string, std::string> kinds = {
      {"ibdata1", "system-tablespace"},
      {"undo001", "undo-tablespace"},
      {"ib_logfile0", "redo-log"},
      {"aria_log_control", "aria-control"},
      {"aria_log.00000001", "aria-log"},
      {"xtrabackup_info", "metadata"},
      {"shop/t.frm", "definition"},
      {"shop/t.ibd", "tablespace"},
      {"#rocksdb/1.sst", "rocksdb"},
      {"#rocksdb/2.log", "rocksdb"},
      {"shop/t.isl", "tablespace-link"},
      {"xtrabackup_checkpoints", "metadata"},
      {"xtrabackup_binlog_info", "metadata"},
  };
  return kinds.at(name);
}

inline void AddToManifest(manifest::BackupManifest& manifest, const std::string& name,
                          std::string_view bytes) {
  manifest.files.push_back({.name = name,
                            .kind = SampleKind(name),
                            .size = bytes.size(),
                            .digest = filter::DigestOf(AsBytes(bytes)),
                            .stage = "start"});
}

inline manifest::BackupManifest SampleManifest() {
  manifest::BackupManifest manifest;
  manifest.state = manifest::BackupState::kPrepared;
  manifest.server.page_size = 16384;
  manifest.server.data_file_path = "ibdata1:1M:autoextend";
  manifest.databases = {"empty", "shop"};
  for (const auto& [name, bytes] : SampleFiles())
    AddToManifest(manifest, name, bytes);
  return manifest;
}

inline void PutManifest(hbk::testing::MemFileSystem& fs, const manifest::BackupManifest& manifest) {
  fs.PutFile("/b/hbk_manifest.json", manifest::RenderManifest(manifest));
}

// The sample backup gets files of MyRocks.
inline void AddRocksdb(hbk::testing::MemFileSystem& fs) {
  manifest::BackupManifest manifest = SampleManifest();
  for (const char* name : {"#rocksdb/1.sst", "#rocksdb/2.log"}) {
    fs.PutFile(std::string("/b/") + name, name);
    AddToManifest(manifest, name, name);
  }
  PutManifest(fs, manifest);
}

inline void PutSampleBackup(hbk::testing::MemFileSystem& fs) {
  for (const auto& [name, bytes] : SampleFiles())
    fs.PutFile("/b/" + name, bytes);
  fs.PutDirectory("/b/empty");
  PutManifest(fs, SampleManifest());
}

// As mariadb-backup's: no manifest.
inline void PutMariadbBackup(hbk::testing::MemFileSystem& fs, std::string_view backup_type) {
  PutSampleBackup(fs);
  (void)fs.Remove("/b/hbk_manifest.json");
  fs.PutFile("/b/xtrabackup_info", "tool_name = mariadb-backup\n");
  fs.PutFile("/b/xtrabackup_checkpoints",
             "backup_type = " + std::string(backup_type) +
                 "\nfrom_lsn = 0\nto_lsn = 10\nlast_lsn = 20\nrecover_binlog_info = 0\n");
  fs.PutFile("/b/backup-my.cnf", "[mysqld]\ninnodb_data_file_path=ibdata1:1M:autoextend\n");
}

class RecordingReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view name, const report::Facts& /*facts*/) override {
    MutexLock lock(mutex_);
    phases_.emplace_back(name);
  }
  void Progress(uint64_t done_bytes, uint64_t total_bytes) override {
    MutexLock lock(mutex_);
    done_bytes_ = std::max(done_bytes_, done_bytes);
    total_bytes_ = total_bytes;
  }
  void Info(std::string_view /*message*/, const report::Facts& /*facts*/) override {}
  void Warning(std::string_view message, const report::Facts& /*facts*/) override {
    MutexLock lock(mutex_);
    warnings_.emplace_back(message);
  }
  void Finish(const Status& /*status*/, const report::Facts& /*facts*/) override {}
  [[nodiscard]] uint64_t warning_count() const override {
    MutexLock lock(mutex_);
    return warnings_.size();
  }
  using Reporter::BeginPhase;
  using Reporter::Info;
  using Reporter::Warning;

  [[nodiscard]] std::vector<std::string> warnings() const {
    MutexLock lock(mutex_);
    return warnings_;
  }
  [[nodiscard]] std::vector<std::string> phases() const {
    MutexLock lock(mutex_);
    return phases_;
  }
  [[nodiscard]] uint64_t done_bytes() const {
    MutexLock lock(mutex_);
    return done_bytes_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> phases_ HBK_GUARDED_BY(mutex_);
  std::vector<std::string> warnings_ HBK_GUARDED_BY(mutex_);
  uint64_t done_bytes_ HBK_GUARDED_BY(mutex_) = 0;
  uint64_t total_bytes_ HBK_GUARDED_BY(mutex_) = 0;
};

}  // namespace hbk::restore

#include "hbk/seal/key_slot_runner.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace hbk::seal {
namespace {

constexpr int kAttemptsMax = 10;

Status WithPlace(const Status& status, const std::string& dir) {
  if (status.code() != StatusCode::kNotFound) return status;
  return FailedError(fmt::format("there is no sealed backup in {}: no {}", dir, kKeySlotsFileName))
      .WithHint("--target-dir names a backup that was made with encryption");
}

// Only the one who has it may replace the file.
class SlotsLock {
 public:
  static Result<std::unique_ptr<SlotsLock>> Take(io::FileSystem& fs, const std::string& dir) {
    const std::string path = io::JoinPath(dir, kKeySlotsFileName);
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      HBK_ASSIGN_OR_RETURN(std::unique_ptr<io::File> file, fs.Open(path, {.write = true}));
      HBK_ASSIGN_OR_RETURN(const bool is_locked, file->TryLock());
      if (!is_locked) break;
      // Whoever held the lock until now may have replaced the file meanwhile.
      HBK_ASSIGN_OR_RETURN(const io::FileInfo ours, file->Stat());
      const auto there = fs.Stat(path, /*follow=*/false);
      if (!there.ok() || there->inode != ours.inode) continue;
      return std::unique_ptr<SlotsLock>(new SlotsLock(std::move(file)));
    }
    return Status(StatusCode::kTargetInUse, "another hbk is changing " + path);
  }

 private:
  explicit SlotsLock(std::unique_ptr<io::File> file) : file_(std::move(file)) {}

  const std::unique_ptr<io::File> file_;
};

std::string Describe(const KeySlots& slots, uint32_t id) {
  const auto slot = std::ranges::find(slots.slots(), id, &KeySlot::id);
  return fmt::format("key slot {} ({}: {})", id, SealingKeyKindName(slot->kind), slot->label);
}

class Runner {
 public:
  Runner(const KeySlotOptions& options, io::FileSystem& fs, report::Reporter& reporter,
         std::stop_token stop)
      : options_(options), fs_(fs), reporter_(reporter), stop_(std::move(stop)) {}

  Result<KeySlotSummary> Run() {
    for (const SealingKeyOptions* given : {&options_.keys, &options_.new_keys}) {
      for (const std::string& warning : SealingKeyWarnings(*given, fs_))
        reporter_.Warning(warning);
    }
    switch (options_.action) {
      case KeySlotAction::kAdd:
        return Change([this](KeySlots& slots, const DataKey& key) { return Add(slots, key); });
      case KeySlotAction::kRemove:
        return Change([this](KeySlots& slots, const DataKey& /*key*/) { return Remove(slots); });
      case KeySlotAction::kList: return List();
      case KeySlotAction::kTest: return Test();
    }
    return FailedError("no such action");
  }

 private:
  [[nodiscard]] std::string path() const {
    return io::JoinPath(options_.target_dir, kKeySlotsFileName);
  }

  Result<std::vector<SealingKey>> Keys() { return OpenSealingKeys(options_.keys, fs_, stop_); }

  Result<KeySlots> Load() {
    Result<KeySlots> slots = LoadKeySlots(fs_, options_.target_dir);
    if (!slots.ok()) return WithPlace(slots.status(), options_.target_dir);
    return slots;
  }

  template <typename Action>
  Result<KeySlotSummary> Change(Action change) {
    HBK_ASSIGN_OR_RETURN(const std::vector<SealingKey> keys, Keys());
    auto lock = SlotsLock::Take(fs_, options_.target_dir);
    if (!lock.ok()) return WithPlace(lock.status(), options_.target_dir);
    HBK_ASSIGN_OR_RETURN(KeySlots slots, Load());
    const Result<KeySlots::Opened> opened = slots.Open(keys);
    if (!opened.ok()) return opened.status().WithContext(path());
    reporter_.Info(fmt::format("{} opens {}", keys[opened->key_index].origin,
                               Describe(slots, opened->slot_id)));
    HBK_RETURN_IF_ERROR(change(slots, opened->data_key));
    HBK_RETURN_IF_ERROR(StoreKeySlots(fs_, options_.target_dir, slots, opened->data_key));
    summary_.slots = slots.slots();
    summary_.is_checked = true;
    return std::move(summary_);
  }

  Status Add(KeySlots& slots, const DataKey& data_key) {
    HBK_ASSIGN_OR_RETURN(const std::vector<SealingKey> keys,
                         OpenSealingKeys(options_.new_keys, fs_, stop_));
    if (keys.empty()) {
      return UsageError("no new key is given")
          .WithHint(
              "--new-key-file=FILE, --new-passphrase, --new-passphrase-file=FILE or "
              "--new-key-command=COMMAND");
    }
    for (const SealingKey& key : keys) {
      const std::string& label = options_.label.empty() ? key.label : options_.label;
      HBK_ASSIGN_OR_RETURN(const uint32_t id,
                           slots.Add(data_key, key, {label, SlotTimeNow(), options_.scrypt}));
      summary_.added_ids.push_back(id);
      reporter_.Info(fmt::format("{} is new, for {}", Describe(slots, id), key.origin));
    }
    return OkStatus();
  }

  Status Remove(KeySlots& slots) {
    const std::string what = std::ranges::count(slots.slots(), options_.slot_id, &KeySlot::id) == 0
                                 ? ""
                                 : Describe(slots, options_.slot_id);
    HBK_RETURN_IF_ERROR(slots.Remove(options_.slot_id));
    reporter_.Info(what + " is removed");
    return OkStatus();
  }

  Result<KeySlotSummary> List() {
    HBK_ASSIGN_OR_RETURN(const KeySlots slots, Load());
    if (options_.keys.HasSource()) {
      HBK_ASSIGN_OR_RETURN(const std::vector<SealingKey> keys, Keys());
      const Result<KeySlots::Opened> opened = slots.Open(keys);
      if (!opened.ok()) return opened.status().WithContext(path());
      summary_.is_checked = true;
    }
    summary_.slots = slots.slots();
    return std::move(summary_);
  }

  Result<KeySlotSummary> Test() {
    HBK_ASSIGN_OR_RETURN(const KeySlots slots, Load());
    HBK_ASSIGN_OR_RETURN(const std::vector<SealingKey> keys, Keys());
    if (keys.empty()) return slots.Open(keys).status().WithContext(path());
    Status first_failure;
    for (const SealingKey& key : keys) {
      const Result<KeySlots::Opened> opened = slots.Open({&key, 1});
      if (opened.ok()) {
        reporter_.Info(fmt::format("{} opens {}", key.origin, Describe(slots, opened->slot_id)));
        continue;
      }
      if (opened.status().code() != StatusCode::kMissingKey) {
        return opened.status().WithContext(path());
      }
      // All are tried, so that one run says what is to be done.
      if (!first_failure.ok()) reporter_.Info(opened.status().message());
      if (first_failure.ok()) first_failure = opened.status();
    }
    if (!first_failure.ok()) return first_failure.WithContext(path());
    summary_.slots = slots.slots();
    summary_.is_checked = true;
    return std::move(summary_);
  }

  const KeySlotOptions& options_;
  io::FileSystem& fs_;
  report::Reporter& reporter_;
  const std::stop_token stop_;
  KeySlotSummary summary_;
};

}  // namespace

Result<KeySlotSummary> RunKeySlots(const KeySlotOptions& options, io::FileSystem& fs,
                                   report::Reporter& reporter, std::stop_token stop) {
  return Runner(options, fs, reporter, std::move(stop)).Run();
}

std::string SlotTimeNow() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  (void)gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace hbk::seal

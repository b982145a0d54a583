// Keys that get new versions, and tables that turn encrypted and plain, while a test does something
// else; and the proof that they did.
//
// Threads  One of its own, which ends with Stop() or the object.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/live/mariadbd.h"
#include "tests/support/live/vault.h"

namespace hbk::testing {

class KeyRotator {
 public:
  KeyRotator(const VaultServer& vault, const Mariadbd& server)
      : thread_([this, &vault, &server] { Run(vault, server); }) {}
  KeyRotator(const KeyRotator&) = delete;
  KeyRotator& operator=(const KeyRotator&) = delete;
  ~KeyRotator() { Stop(); }

  void Stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // So far: how often a tablespace was given a newer key, how often one was encrypted or made
  // plain, and how many looks at the server saw the encryption threads at work.
  struct Counts {
    int rotated = 0;
    int turned = 0;
    int running = 0;

    Counts operator-(const Counts& other) const {
      return {rotated - other.rotated, turned - other.turned, running - other.running};
    }
  };
  [[nodiscard]] Counts counts() const { return {rotated_count_, turned_count_, running_count_}; }

 private:
  using KeyVersions = std::map<std::string, uint64_t>;  // by the name of the tablespace

  void Run(const VaultServer& vault, const Mariadbd& server);
  void Count(const KeyVersions& before, const KeyVersions& after);

  std::atomic<bool> is_stopping_ = false;
  std::atomic<int> rotated_count_ = 0;
  std::atomic<int> turned_count_ = 0;
  std::atomic<int> running_count_ = 0;
  std::thread thread_;
};

// Statements that make tables turn, those of a load in which live.large is touched by nobody else.
std::vector<std::string> EncryptionSwitches();

}  // namespace hbk::testing

// A directory that exists for one test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "hbk/base/check.h"

namespace hbk::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* root = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
    path_ = std::string(root != nullptr ? root : "/tmp") + "/hbk-test-XXXXXX";
    HBK_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace hbk::testing

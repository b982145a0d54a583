// A temporary directory of one test: removed with everything in it, unless something went wrong.
//
// Kept, and its path printed, when the current test has failed, after Keep(), or with HBK_KEEP=1.
// Made under $HBK_TEST_DIR, else $TMPDIR, else /tmp; the path stays short, since the path of a
// Unix socket in it must fit into 107 bytes.
#pragma once

#include <string>

#include "hbk/base/status.h"

namespace hbk::testing {

class ScratchDir {
 public:
  static Result<ScratchDir> Make();
  ScratchDir(ScratchDir&& other) noexcept;
  ScratchDir& operator=(ScratchDir&&) = delete;
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir();

  [[nodiscard]] const std::string& path() const { return path_; }
  // "<path>/<name>".
  [[nodiscard]] std::string Sub(const std::string& name) const { return path_ + "/" + name; }
  void Keep() { is_kept_ = true; }

 private:
  explicit ScratchDir(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
  bool is_kept_ = false;
};

// Small file helpers of tests; the io module is under test itself.
Result<std::string> ReadWholeFile(const std::string& path);
Status MakeDirectory(const std::string& path);                          // with its parents
Status CopyTree(const std::string& source, const std::string& target);  // keeps modes
Status RemoveTree(const std::string& path);
uint64_t TreeBytes(const std::string& path);  // sum of the file sizes; 0 if it is missing
// The last lines of a text, for messages.
std::string Tail(const std::string& text, int line_count = 15);

}  // namespace hbk::testing

// Surroundings whose clocks stand still until told, and that keep what was written.
#pragma once

#include <chrono>
#include <string>

#include "renderings.h"

namespace hbk::report {

class Recorder {
 public:
  Surroundings MakeSurroundings(bool has_terminal) {
    Surroundings around;
    around.write = [this](std::string_view text) {
      written_ += text;
    };
    around.now = [this] {
      return std::chrono::steady_clock::time_point() + elapsed_;
    };
    around.time = [this] {
      // 2026-03-04 05:06:07.008 UTC
      return std::chrono::system_clock::time_point() + std::chrono::milliseconds(1772600767008) +
             std::chrono::duration_cast<std::chrono::milliseconds>(elapsed_);
    };
    around.terminal_columns = [this] {
      return columns_;
    };
    around.has_terminal = has_terminal;
    return around;
  }

  void Advance(std::chrono::milliseconds by) { elapsed_ += by; }
  void SetColumns(size_t columns) { columns_ = columns; }
  // What was written since the last call.
  std::string Take() { return std::exchange(written_, ""); }

 private:
  std::string written_;
  std::chrono::nanoseconds elapsed_ = std::chrono::hours(1);
  size_t columns_ = 80;
};

}  // namespace hbk::report

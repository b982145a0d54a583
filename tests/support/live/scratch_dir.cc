#include "tests/support/live/scratch_dir.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hbk::testing {

namespace fs = std::filesystem;

namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? "" : value;
}

std::string ScratchRoot() {
  for (const char* name : {"HBK_TEST_DIR", "TMPDIR"}) {
    if (std::string value = Environment(name); !value.empty()) {
      return value;
    }
  }
  return "/tmp";
}

bool CurrentTestHasFailed() {
  return ::testing::UnitTest::GetInstance()->current_test_info() != nullptr &&
         ::testing::Test::HasFailure();
}

Status FromErrorCode(const std::error_code& error, const std::string& what) {
  return error ? FailedError(fmt::format("{}: {}", what, error.message())) : OkStatus();
}

}  // namespace

Result<ScratchDir> ScratchDir::Make() {
  std::string path = ScratchRoot() + "/hbk-test-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return ErrnoStatus(errno, fmt::format("making a directory like {}", path));
  }
  return ScratchDir(path);
}

ScratchDir::ScratchDir(ScratchDir&& other) noexcept
    : path_(std::exchange(other.path_, "")), is_kept_(other.is_kept_) {}

ScratchDir::~ScratchDir() {
  if (path_.empty()) {
    return;
  }
  if (is_kept_ || CurrentTestHasFailed() || Environment("HBK_KEEP") == "1") {
    std::fprintf(stderr, "kept: %s\n", path_.c_str());
    return;
  }
  if (const Status status = RemoveTree(path_); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
  }
}

Result<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return ErrnoStatus(errno, "opening " + path);
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Status MakeDirectory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return FromErrorCode(error, "making " + path);
}

Status CopyTree(const std::string& source, const std::string& target) {
  std::error_code error;
  fs::copy(source, target, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
  return FromErrorCode(error, fmt::format("copying {} to {}", source, target));
}

Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return FromErrorCode(error, "removing " + path);
}

uint64_t TreeBytes(const std::string& path) {
  std::error_code error;
  uint64_t bytes = 0;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code size_error;  // A server may remove the file meanwhile.
    const uint64_t size = it->is_regular_file(size_error) ? it->file_size(size_error) : 0;
    bytes += size_error ? 0 : size;
  }
  return bytes;
}

std::string Tail(const std::string& text, int line_count) {
  size_t begin = text.size();
  for (int i = 0; i <= line_count && begin != std::string::npos && begin > 0; ++i) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

}  // namespace hbk::testing

// A full backup of hbk in /base and an increment in /inc, of a server in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "hbk/prepare/prepare_runner.h"
#include "hbk/verify/verify_runner.h"

#include "tests/support/chain_server.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/silent_reporter.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify {

class SmallSet {
 public:
  explicit SmallSet(uint32_t seed = 3) {
    testing::ChainServer server(seed);
    server.Work(60);
    const size_t base = server.TakeFull(fs, "/base");
    server.Work(60);
    server.ChangeFiles();
    const size_t first = server.TakeIncrement(fs, "/inc", base);
    server.Work(30);
    server.TakeIncrement(fs, "/inc2", first);
  }

  Result<VerifySummary> Verify(VerifyOptions options) {
    options.target_dir = "/base";
    if (options.parallel == 0) options.parallel = 2;
    return RunVerify(options, fs, reporter, {});
  }
  std::vector<std::string> Findings(VerifyOptions options = {}) {
    const auto summary = Verify(std::move(options));
    EXPECT_THAT(summary.status(), testing::IsOk());
    std::vector<std::string> texts;
    if (!summary.ok()) return texts;
    for (const Finding& finding : summary->findings)
      texts.push_back(Describe(finding));
    return texts;
  }
  void Prepare() {
    ASSERT_THAT(
        prepare::RunPrepare({.target_dir = "/base", .use_memory_bytes = 8 << 20, .parallel = 1}, fs,
                            reporter, {})
            .status(),
        testing::IsOk());
  }
  void Flip(const std::string& path, size_t offset) {
    std::string bytes = fs.Contents(path);
    bytes[offset % bytes.size()] ^= 1;
    fs.PutFile(path, bytes);
  }

  testing::MemFileSystem fs;
  testing::SilentReporter reporter;
};

}  // namespace hbk::verify

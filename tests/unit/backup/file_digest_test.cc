#include "file_digest.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/base/bytes.h"
#include "hbk/filter/tree_digest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using ::hbk::testing::IsOkAndHolds;
using ::hbk::testing::MemFileSystem;
using ::hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(FileDigestTest, IsThatOfTheBytes) {
  MemFileSystem fs;
  const std::string content((2 << 20) + 5, 'x');
  fs.PutFile("/f", content);

  EXPECT_THAT(DigestOfFile(fs, "/f", content.size()),
              IsOkAndHolds(filter::DigestOf(AsBytes(content))));
}

TEST(FileDigestTest, AFileOfAnotherSizeIsAnError) {
  MemFileSystem fs;
  fs.PutFile("/f", "four");

  EXPECT_THAT(DigestOfFile(fs, "/f", 5), StatusIs(StatusCode::kFailed, HasSubstr("ends at 4")));
}

}  // namespace
}  // namespace hbk::backup

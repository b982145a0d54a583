#include "stored_digest.h"

#include <gmock/gmock.h>

#include "hbk/filter/tree_digest.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::prepare {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::HasSubstr;

TEST(StoredDigestTest, IsThatOfTheBytesAlsoOverHoles) {
  MemFileSystem fs;
  for (const std::string& bytes :
       {std::string(), std::string("some"), std::string(3 << 20, '\0'),
        std::string(2 << 20, '\0') + "behind a hole", "before" + std::string(3 << 20, '\0')}) {
    fs.PutFile("/f", bytes);

    const auto digest = DigestFile(fs, "/f", {});

    ASSERT_THAT(digest, IsOk());
    EXPECT_EQ(digest->size, bytes.size());
    EXPECT_EQ(digest->digest, filter::DigestOf(AsBytes(bytes)));
  }
}

TEST(StoredDigestTest, AMissingFileAndAStopAreErrors) {
  MemFileSystem fs;
  fs.PutFile("/f", "some");
  std::stop_source stop;
  stop.request_stop();

  EXPECT_THAT(DigestFile(fs, "/x", {}), StatusIs(StatusCode::kNotFound, HasSubstr("/x")));
  EXPECT_THAT(DigestFile(fs, "/f", stop.get_token()),
              StatusIs(StatusCode::kInterrupted, HasSubstr("")));
}

}  // namespace
}  // namespace hbk::prepare

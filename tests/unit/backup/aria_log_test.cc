#include "aria_log.h"

#include "tests/support/mem_file_system.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kPage = 8192;

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// The control file of a 10.11.19 server: checkpoint in log 1, last log 1.
std::string RealControl() {
  return Unhex(
      "fefe0c015b0e5334e51611f18f7e02fc000000011e00160000200ea991f6"
      "cc68813f0100007ea606000100000056010000000000");
}

class AriaLogTest : public ::testing::Test {
 protected:
  AriaLogTest() {
    fs_.PutFile("/aria/aria_log_control", RealControl());
    fs_.PutDirectory("/target");
  }

  MemFileSystem fs_;
  AriaLogCopier copier_{fs_, "/aria", "/target"};
};

TEST_F(AriaLogTest, LogsThatAppearLaterAreCopiedAndNumbered) {
  const std::string first(5 * kPage, 'a');
  fs_.PutFile("/aria/aria_log.00000001", first);
  ASSERT_THAT(copier_.Begin(), IsOk());
  ASSERT_THAT(copier_.CopyAhead({}), IsOk());
  fs_.PutFile("/aria/aria_log.00000002", std::string(kPage + 100, 'b'));

  ASSERT_THAT(copier_.Finish({}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/aria_log.00000001"), first);
  EXPECT_EQ(fs_.Contents("/target/aria_log.00000002"), std::string(kPage + 100, 'b'));
  const auto control = aria::ParseControlFile(fs_.Contents("/target/aria_log_control"));
  ASSERT_THAT(control, IsOk());
  EXPECT_EQ(control->last_log, 2U);
  EXPECT_THAT(copier_.names(),
              ElementsAre("aria_log.00000001", "aria_log.00000002", "aria_log_control"));
}

TEST_F(AriaLogTest, ChangedFirstAndLastPagesAreCopiedAgain) {
  fs_.PutFile("/aria/aria_log.00000001", std::string(6 * kPage, 'a'));
  ASSERT_THAT(copier_.Begin(), IsOk());
  ASSERT_THAT(copier_.CopyAhead({}), IsOk());
  const auto file = fs_.Open("/aria/aria_log.00000001", {.write = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->WriteAt(37, AsBytes("maxlsn!")), IsOk());
  ASSERT_THAT((*file)->WriteAt(5 * kPage + 10, AsBytes("more")), IsOk());
  ASSERT_THAT((*file)->WriteAt(6 * kPage, AsBytes("grown")), IsOk());

  ASSERT_THAT(copier_.Finish({}), IsOk());

  EXPECT_EQ(fs_.Contents("/target/aria_log.00000001"), fs_.Contents("/aria/aria_log.00000001"));
}

TEST_F(AriaLogTest, MissingLastLogIsCorruption) {
  EXPECT_THAT(copier_.Begin(), StatusIs(StatusCode::kCorruption, HasSubstr("aria_log.00000001")));
}

TEST_F(AriaLogTest, MissingControlFileIsNotFound) {
  ASSERT_THAT(fs_.Remove("/aria/aria_log_control"), IsOk());
  EXPECT_THAT(copier_.Begin(), StatusIs(StatusCode::kNotFound, HasSubstr("aria_log_control")));
}

}  // namespace
}  // namespace hbk::backup

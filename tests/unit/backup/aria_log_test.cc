#include "aria_log.h"

#include "hbk/filter/tree_digest.h"

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
  fs_.PutFile("/aria/aria_log.00000002", std::string(kPage + 100, 'b'));

  ASSERT_THAT(copier_.Settle(), IsOk());
  const auto copies = copier_.CopyAll({});
  ASSERT_THAT(copies, IsOk());

  EXPECT_EQ(fs_.Contents("/target/aria_log.00000001"), first);
  EXPECT_EQ(fs_.Contents("/target/aria_log.00000002"), std::string(kPage + 100, 'b'));
  const auto control = aria::ParseControlFile(fs_.Contents("/target/aria_log_control"));
  ASSERT_THAT(control, IsOk());
  EXPECT_EQ(control->last_log, 2U);
  std::vector<std::string> names;
  for (const AriaLogCopier::Copy& copy : *copies) {
    names.push_back(copy.name);
    EXPECT_EQ(copy.digest, filter::DigestOf(AsBytes(fs_.Contents("/target/" + copy.name))));
  }
  EXPECT_THAT(names, ElementsAre("aria_log.00000001", "aria_log.00000002", "aria_log_control"));
}

TEST_F(AriaLogTest, TheCopyIsAsTheLogWasWhenItWasSettled) {
  std::string pages(300 * kPage + 100, 'a');
  pages.replace(10 * kPage, 5, "begin");
  fs_.PutFile("/aria/aria_log.00000001", pages);
  ASSERT_THAT(copier_.Begin(), IsOk());
  ASSERT_THAT(copier_.Settle(), IsOk());
  // The server goes on: page 0, the last page, and more; and at the end purges the log.
  const auto file = fs_.Open("/aria/aria_log.00000001", {.write = true});
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->WriteAt(37, AsBytes("maxlsn!")), IsOk());
  ASSERT_THAT((*file)->WriteAt(299 * kPage + 10, AsBytes("more")), IsOk());
  ASSERT_THAT((*file)->WriteAt(pages.size(), AsBytes("grown")), IsOk());
  ASSERT_THAT(fs_.Remove("/aria/aria_log.00000001"), IsOk());
  fs_.PutFile("/aria/aria_log.00000002", std::string(kPage, 'b'));

  ASSERT_THAT(copier_.CopyAll({}), IsOk());

  EXPECT_TRUE(fs_.Contents("/target/aria_log.00000001") == pages);
  EXPECT_FALSE(io::Exists(fs_, "/target/aria_log.00000002").value());
}

TEST_F(AriaLogTest, ALogThatCameAndWentIsMissed) {
  fs_.PutFile("/aria/aria_log.00000001", std::string(kPage, 'a'));
  ASSERT_THAT(copier_.Begin(), IsOk());
  fs_.PutFile("/aria/aria_log.00000003", std::string(kPage, 'b'));
  EXPECT_THAT(copier_.Settle(), StatusIs(StatusCode::kFailed, HasSubstr("aria_log.00000003")));
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
